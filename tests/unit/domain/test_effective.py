"""Which of many values holds: the chain of levels, locks, and what belongs to the place."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.effective import Effective, Layer, Origin, resolve
from provisioning.domain.kinds import Package
from provisioning.domain.packages import LACKS, package_layers
from provisioning.domain.settings import (
    BY_KEY,
    SETTINGS,
    STORED_LEVELS,
    Class,
    Level,
    Scope,
    Value,
)

CHAIN = list(STORED_LEVELS)
PERSON = (Level.ROLE, Level.USER)


def layer(level: Level, value: Value, key: str = "language", *, locked: bool = False) -> Layer:
    """A value set at a level, whose owner is named like it."""
    return Layer(key, value, Origin(level, f"the {level}"), locked)


def held(layers: list[Layer], key: str = "language") -> Effective:
    """What holds for a key."""
    return resolve(layers, scope=BY_KEY[key].scope)[key]


def test_nothing_set_gives_every_default():
    """Every setting of the scope has a value and says that it is built in."""
    for scope in (Scope.DEVICE, Scope.LINE):
        found = resolve([], scope=scope)
        assert set(found) == {setting.key for setting in SETTINGS if setting.scope is scope}
        for key, effective in found.items():
            assert effective.value == BY_KEY[key].default
            assert effective.origin.level is Level.BUILT_IN
            assert not effective.locked


def test_vendor_default_stands_between_built_in_and_organisation():
    """A vendor's default goes before the built-in one and gives way to the organisation's."""
    defaults = {"language": "fr"}
    found = resolve([], scope=Scope.DEVICE, vendor_defaults=defaults)["language"]
    assert (found.value, found.origin.level) == ("fr", Level.VENDOR)
    layers = [layer(Level.ORGANISATION, "de")]
    assert resolve(layers, scope=Scope.DEVICE, vendor_defaults=defaults)["language"].value == "de"


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(CHAIN)))
def test_later_level_overrides_the_earlier(lower: Level, upper: Level):
    """Each level of the chain goes before the one above it, in whatever order they come."""
    for layers in permutations([layer(lower, "de"), layer(upper, "fr")]):
        found = held(list(layers))
        assert (found.value, found.origin.level) == ("fr", upper)
        assert found.origin.owner == f"the {upper}"


@pytest.mark.parametrize("locking", CHAIN[:-1])
def test_lock_holds_against_every_later_level(locking: Level):
    """Nothing below a lock overrides it, not even another lock, and the lock is told."""
    later = CHAIN[CHAIN.index(locking) + 1 :]
    layers = [layer(level, "fr", locked=True) for level in later]
    found = held([*layers, layer(locking, "de", locked=True)])
    assert (found.value, found.origin.level, found.locked) == ("de", locking, True)


def test_lock_does_not_reach_upwards():
    """A lock at a later level overrides what stands earlier."""
    found = held([layer(Level.DEVICE, "fr", locked=True), layer(Level.ORGANISATION, "de")])
    assert (found.value, found.locked) == ("fr", True)


def test_lock_of_one_setting_leaves_the_others():
    """A lock holds its own key only."""
    layers = [layer(Level.SITE, "de", locked=True), layer(Level.USER, "Asia/Tokyo", "time.zone")]
    assert held(layers, "time.zone").value == "Asia/Tokyo"


@pytest.mark.parametrize("level", PERSON)
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_place_settings_ignore_persons(level: Level, setting):
    """A person's value for a place setting is never used, not even a locked one."""
    other = [0] if setting.default != 0 else [1]
    found = held([layer(level, other[0], setting.key, locked=True)], setting.key)
    person_counts = setting.class_ is not Class.PLACE
    assert (found.origin.level is level) == person_counts
    assert (found.value == setting.default) != person_counts


def test_values_of_another_scope_do_not_show():
    """A device's settings hold no line settings, and the other way round."""
    layers = [layer(Level.USER, "required", "line.srtp"), layer(Level.USER, "de")]
    assert "line.srtp" not in resolve(layers, scope=Scope.DEVICE)
    assert resolve(layers, scope=Scope.LINE)["line.srtp"].value == "required"


layers_of_language = st.lists(
    st.builds(
        lambda level, locked: layer(level, f"v-{level}", locked=locked),
        st.sampled_from(CHAIN),
        st.booleans(),
    ),
    unique_by=lambda item: item.origin.level,
)


@given(layers=layers_of_language, order=st.randoms(use_true_random=False))
def test_what_holds_is_the_first_lock_or_else_the_last_value(layers: list[Layer], order):
    """The rule in one sentence, for every set of layers and every order they come in."""
    shuffled = list(layers)
    order.shuffle(shuffled)
    ranked = sorted(layers, key=lambda item: CHAIN.index(item.origin.level))
    locked = [item for item in ranked if item.locked]
    expected = (locked[:1] or ranked[-1:] or [layer(Level.BUILT_IN, "en")])[0]
    assert held(shuffled).value == expected.value
    assert held(shuffled) == held(layers)


def test_c1_a_person_may_leave_it_to_each_phone():
    """A person's "per-client" lets the device's own value hold, and no other level's."""
    key = "line.incoming"
    person = layer(Level.USER, "per-client", key)
    organisation = layer(Level.ORGANISATION, "disabled", key)
    device = layer(Level.DEVICE, "enabled", key)
    assert held([organisation, person], key).value == "per-client"
    left = held([organisation, device, person], key)
    assert (left.value, left.origin.level) == ("enabled", Level.DEVICE)
    assert held([device, layer(Level.USER, "disabled", key)], key).value == "disabled"


def test_c1_a_locked_value_is_not_left_to_the_phone():
    """Neither a person nor a device goes around a value locked above."""
    key = "line.outgoing"
    locked = layer(Level.ORGANISATION, "disabled", key, locked=True)
    layers = [locked, layer(Level.DEVICE, "enabled", key), layer(Level.USER, "per-client", key)]
    assert held(layers, key).value == "disabled"


def test_a7_a_package_holds_what_it_lacks():
    """What a package leaves out cannot be switched on below it."""
    key = "feature.operator-console"
    wanted = layer(Level.USER, value=True, key=key)
    assert held([wanted], key).value is True
    light = held([wanted, *package_layers("light")], key)
    assert (light.value, light.locked) == (False, True)
    assert not package_layers("unlimited")


@pytest.mark.parametrize("package", list(Package))
def test_a7_packages_hold_values_their_settings_take(package: Package):
    """What a package holds is a setting of people at a value that could have been set."""
    for key, value in LACKS[package].items():
        assert BY_KEY[key].parse(value) == value
        assert Level.USER in BY_KEY[key].levels
