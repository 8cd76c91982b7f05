"""Layouts of keys at a level, and what a key may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import Forbidden, InvalidInput, NotFound
from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.settings import Level
from provisioning.store.devices import Device
from provisioning.usecases.actors import Actor
from provisioning.usecases.keys import (
    delete_key,
    list_keys,
    read_key,
    replace_keys,
    set_key,
)

BOB = {"position": 2, "type": "blf", "value": "1002", "label": "Bob"}
PARK = {"module": 1, "position": 3, "type": "park", "value": "701"}


def test_key_is_read_from_its_parts():
    """What is left out has its usual meaning: line keys of the phone itself, the first line."""
    assert read_key(BOB) == Key(KeyAddress(Area.LINE, 0, 2), KeyType.BLF, "1002", "Bob", 1)
    assert read_key(PARK).address == KeyAddress(Area.EXPANSION, 1, 3)
    assert read_key({"position": 1, "type": "dnd"}).value == ""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"position": 0}, "position"),
        ({"position": 501}, "position"),
        ({"position": "2"}, "position"),
        ({"position": True}, "position"),
        ({"position": None}, "position"),
        ({"module": 11}, "module"),
        ({"module": -1}, "module"),
        ({"area": "line", "module": 1}, "module"),
        ({"area": "expansion", "module": 0}, "module"),
        ({"area": "side"}, "area"),
        ({"type": "coffee"}, "type"),
        ({"type": None}, "type"),
        ({"value": ""}, "value"),
        ({"value": "1002\nx = 1"}, "value"),
        ({"value": 1002}, "value"),
        ({"label": "Bob\nx = 1"}, "label"),
        ({"label": "B" * 65}, "label"),
        ({"line": 0}, "line"),
        ({"line": 101}, "line"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_part_is_refused(change, field):
    """A part that is wrong, missing or unknown is refused by its name."""
    with pytest.raises(InvalidInput) as refused:
        read_key(BOB | change)
    assert refused.value.field == field


@given(
    st.dictionaries(
        st.sampled_from(["area", "module", "position", "type", "value", "label", "line", "x"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers()),
    )
)
def test_hostile_key_is_refused_as_input(parts):
    """Whatever a request holds becomes a key or is refused as bad input."""
    try:
        key = read_key(BOB | parts)
    except InvalidInput:
        return
    assert "\n" not in key.label + key.value


def test_layout_is_replaced_as_a_whole(core, actor):
    """What is not in the new layout goes, and what stays is changed in its place."""
    at = (Level.ORGANISATION, actor.organisation)
    replace_keys(core, actor, *at, [read_key(PARK), read_key(BOB)])
    assert list_keys(core, actor, *at) == sorted(
        [read_key(BOB), read_key(PARK)], key=lambda key: key.address
    )
    renamed = read_key(BOB | {"label": "Robert"})
    replace_keys(core, actor, *at, [renamed])
    assert list_keys(core, actor, *at) == [renamed]
    replace_keys(core, actor, *at, [])
    assert list_keys(core, actor, *at) == []


def test_address_given_twice_is_refused(core, actor):
    """A layout with two keys at one place is refused and nothing of it is kept."""
    at = (Level.ORGANISATION, actor.organisation)
    with pytest.raises(InvalidInput, match="twice"):
        replace_keys(core, actor, *at, [read_key(BOB), read_key(PARK), read_key(BOB)])
    assert list_keys(core, actor, *at) == []


def test_key_built_in_code_is_checked_too(core, actor):
    """A key that did not come through ``read_key`` keeps the same bounds."""
    bad = Key(KeyAddress(Area.EXPANSION, 0, 1), KeyType.DND)
    for put in (set_key, lambda *a: replace_keys(*a[:-1], [a[-1]])):
        with pytest.raises(InvalidInput):
            put(core, actor, Level.ORGANISATION, actor.organisation, bad)


def test_single_keys_are_set_and_deleted(core, actor, desk):
    """One key can be set, changed and taken away, and the others stay."""
    at = (Level.DEVICE, desk.device)
    set_key(core, actor, *at, read_key(PARK))
    set_key(core, actor, *at, read_key(BOB))
    changed = set_key(core, actor, *at, read_key(BOB | {"value": "1003"}))
    assert list_keys(core, actor, *at) == sorted(
        [read_key(PARK), changed], key=lambda key: key.address
    )
    delete_key(core, actor, *at, changed.address)
    assert list_keys(core, actor, *at) == [read_key(PARK)]
    with pytest.raises(NotFound):
        delete_key(core, actor, *at, changed.address)


def test_same_layout_again_makes_nothing_stale(core, actor, desk):
    """Writing the keys that stand there leaves the device's version as it is."""
    at = (Level.DEVICE, desk.device)
    replace_keys(core, actor, *at, [read_key(BOB)])
    with core.database.read() as session:
        version = session.get_one(Device, desk.device).version
    replace_keys(core, actor, *at, [read_key(BOB)])
    with core.database.read() as session:
        assert session.get_one(Device, desk.device).version == version


def test_keys_reach_the_phone(core, actor, desk):
    """A key set for the device stands in the device's file."""
    set_key(core, actor, Level.DEVICE, desk.device, read_key(BOB | {"label": "Bob's desk"}))
    assert b"Bob's desk" in desk.fetch().content


def test_keys_of_another_organisation_are_not_found(core, actor, neighbour, desk):
    """Nobody reads or changes keys of another organisation's phones."""
    at = (Level.DEVICE, desk.device)
    set_key(core, actor, *at, read_key(BOB))
    with pytest.raises(NotFound):
        list_keys(core, neighbour, *at)
    with pytest.raises(NotFound):
        replace_keys(core, neighbour, *at, [])
    with pytest.raises(NotFound):
        delete_key(core, neighbour, *at, read_key(BOB).address)
    assert len(list_keys(core, actor, *at)) == 1


def test_keys_need_permission(core, actor):
    """Without the right to write, no key is changed."""
    nobody = Actor("nobody", actor.organisation, frozenset())
    at = (Level.ORGANISATION, actor.organisation)
    with pytest.raises(Forbidden):
        list_keys(core, nobody, *at)
    with pytest.raises(Forbidden):
        set_key(core, nobody, *at, read_key(BOB))
