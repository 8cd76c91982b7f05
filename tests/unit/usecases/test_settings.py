"""Values at levels: what is accepted, who may see it, what a lock refuses, what holds."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest

from provisioning.domain.errors import (
    Forbidden,
    InvalidInput,
    InvalidSetting,
    LockedAbove,
    NotFound,
)
from provisioning.domain.roles import Permission
from provisioning.domain.settings import STORED_LEVELS, Level
from provisioning.store import access, queries
from provisioning.store.devices import Device
from provisioning.store.organisations import Role
from provisioning.store.people import User
from provisioning.usecases import organisations
from provisioning.usecases.effective import device_values
from provisioning.usecases.previews import MASK
from provisioning.usecases.settings import (
    delete_value,
    effective_for_user,
    list_values,
    set_values,
)

SECRET = "admin.password"


@pytest.fixture
def owners(core, actor, desk) -> dict[str, str]:
    """Somebody at each level, all of them concerning Ada's desk."""
    profile = organisations.add_profile(core, actor, "counter").id
    with core.database.write() as session:
        role = Role(organisation_id=actor.organisation, name="reception")
        session.add(role)
        session.flush()
        session.get_one(User, desk.user).role_id = role.id
        device = session.get_one(Device, desk.device)
        device.profile_id = profile
        return {
            Level.ORGANISATION: actor.organisation,
            Level.SITE: device.site_id,
            Level.PROFILE: profile,
            Level.DEVICE: desk.device,
            Level.ROLE: role.id,
            Level.USER: desk.user,
        }


def without(actor, *permissions):
    """The same actor with fewer rights."""
    return replace(actor, permissions=actor.permissions - set(permissions))


@pytest.mark.parametrize("level", STORED_LEVELS, ids=str)
def test_value_stands_at_every_level(core, actor, clock, owners, level):
    """A value can be set, read and deleted at each level, and says who set it and when."""
    set_values(core, actor, level, owners[level], {"language": "de"})
    (stored,) = list_values(core, actor, level, owners[level])
    assert (stored.key, stored.value, stored.locked) == ("language", "de", False)
    assert (stored.set_by, stored.set_at) == (actor.name, clock.now)
    delete_value(core, actor, level, owners[level], "language")
    assert list_values(core, actor, level, owners[level]) == []
    with pytest.raises(NotFound):
        delete_value(core, actor, level, owners[level], "language")


@pytest.mark.parametrize("level", STORED_LEVELS, ids=str)
def test_owner_of_another_organisation_is_not_found(core, actor, neighbour, owners, level):
    """Nobody reads, sets or deletes values of another organisation's owners."""
    owner = owners[level]
    set_values(core, actor, level, owner, {"language": "de"})
    with pytest.raises(NotFound):
        list_values(core, neighbour, level, owner)
    with pytest.raises(NotFound):
        set_values(core, neighbour, level, owner, {"language": "fr"})
    with pytest.raises(NotFound):
        delete_value(core, neighbour, level, owner, "language")
    assert list_values(core, actor, level, owner)[0].value == "de"


def test_built_in_role_owns_nothing(core, actor):
    """A role all organisations share takes no values: they would be everybody's."""
    with core.database.read() as session:
        member = access.role_named(session, "member", None)
    with pytest.raises(NotFound):
        set_values(core, actor, Level.ROLE, member.id, {"language": "de"})


@pytest.mark.parametrize("level", ["vendor", "built-in", "station", ""])
def test_unknown_level_is_refused(core, actor, level):
    """Values stand at the levels that are stored and nowhere else."""
    with pytest.raises(InvalidSetting, match="organisation"):
        list_values(core, actor, level, actor.organisation)


def test_device_is_also_named_by_its_mac(core, actor, owners):
    """A device's values are reached by its MAC in any spelling."""
    set_values(core, actor, Level.DEVICE, "0015.65AA.BBCC", {"language": "de"})
    assert list_values(core, actor, Level.DEVICE, owners[Level.DEVICE])[0].value == "de"


def test_one_bad_value_keeps_all_out(core, actor):
    """Of several values none is set when one is refused, whatever their order."""
    at = (Level.ORGANISATION, actor.organisation)
    for bad in ({"vlan.id": 5000}, {"colour": "red"}, {"language": {"valeu": "de"}}):
        with pytest.raises(InvalidInput) as refused:
            set_values(core, actor, *at, {"idle.text": "Hello"} | bad | {"tone.country": "DE"})
        assert refused.value.field in bad
    assert list_values(core, actor, *at) == []


def test_place_setting_never_stands_at_a_person(core, actor, owners):
    """What belongs to the place cannot be set for a user or a role."""
    for level in (Level.USER, Level.ROLE):
        with pytest.raises(InvalidSetting, match="cannot stand"):
            set_values(core, actor, level, owners[level], {"vlan.id": 7})


def test_lists_keep_their_form(core, actor, owners):
    """A list is stored in its order and read back as it renders."""
    codecs = {"line.codecs": ["pcma", "g722"]}
    set_values(core, actor, Level.USER, owners[Level.USER], codecs)
    (stored,) = list_values(core, actor, Level.USER, owners[Level.USER])
    assert stored.value == ("pcma", "g722")


# --- permissions and secrets


def test_writing_needs_its_permission(core, actor):
    """Reading alone changes nothing, and nothing is read without the right to it."""
    at = (Level.ORGANISATION, actor.organisation)
    with pytest.raises(Forbidden):
        set_values(core, without(actor, Permission.WRITE), *at, {"language": "de"})
    with pytest.raises(Forbidden):
        delete_value(core, without(actor, Permission.WRITE), *at, "language")
    with pytest.raises(Forbidden):
        list_values(core, without(actor, Permission.READ), *at)


def test_secret_is_shown_only_with_the_permission(core, actor, owners):
    """A secret value is masked for whoever may not see it, everywhere it is told."""
    at = (Level.SITE, owners[Level.SITE])
    blind = without(actor, Permission.SECRETS)
    answered = set_values(core, blind, *at, {SECRET: "hunter22"})
    assert [value.value for value in answered] == [MASK]
    assert list_values(core, blind, *at)[0].value == MASK
    assert list_values(core, actor, *at)[0].value == "hunter22"
    for person, expected in ((blind, MASK), (actor, "hunter22")):
        held = {v.key: v.value for v in device_values(core, person, owners[Level.DEVICE]).device}
        assert held[SECRET] == expected


def test_secret_is_encrypted_at_rest(core, actor):
    """The database holds no secret value in clear."""
    set_values(core, actor, Level.ORGANISATION, actor.organisation, {SECRET: "hunter22"})
    with core.database.read() as session:
        (row,) = queries.settings_at(session, [(Level.ORGANISATION, actor.organisation)])
    assert row.value is None
    assert b"hunter22" not in row.secret


def test_mask_is_never_stored(core, actor):
    """Writing back what was read with masks is refused instead of becoming the password."""
    at = (Level.ORGANISATION, actor.organisation)
    set_values(core, actor, *at, {SECRET: "hunter22"})
    with pytest.raises(InvalidSetting):
        set_values(core, without(actor, Permission.SECRETS), *at, {SECRET: MASK})
    assert list_values(core, actor, *at)[0].value == "hunter22"


def test_refused_secret_is_not_repeated(core, actor):
    """The error for a secret that is too long does not hold it."""
    with pytest.raises(InvalidSetting) as refused:
        set_values(core, actor, Level.ORGANISATION, actor.organisation, {SECRET: "hunter22" * 9})
    assert "hunter22" not in str(refused.value)


# --- locks


BELOW = {
    Level.ORGANISATION: {Level.SITE, Level.PROFILE, Level.DEVICE, Level.ROLE, Level.USER},
    Level.SITE: {Level.DEVICE},
    Level.PROFILE: {Level.DEVICE},
    Level.DEVICE: set(),
    Level.ROLE: {Level.USER},
    Level.USER: set(),
}


@pytest.mark.parametrize("level", BELOW, ids=str)
def test_lock_refuses_changes_below(core, actor, owners, level):
    """A locked value refuses to be set again exactly where it surely binds."""
    set_values(core, actor, level, owners[level], {"language": {"value": "de", "locked": True}})
    for other, owner in owners.items():
        with nullcontext() if other not in BELOW[level] else pytest.raises(LockedAbove) as refused:
            set_values(core, actor, other, owner, {"idle.text": "Hi", "language": "fr"})
        if refused is not None:
            assert refused.value.field == "language"
            assert list_values(core, actor, other, owner) == []


def test_locked_value_holds_over_older_ones_below(core, actor, owners):
    """A lock set later wins over values that stood below already, which may still be deleted."""
    device = owners[Level.DEVICE]
    set_values(core, actor, Level.DEVICE, device, {"language": "fr"})
    organisation = (Level.ORGANISATION, actor.organisation)
    set_values(core, actor, *organisation, {"language": {"value": "de", "locked": True}})
    (held,) = [v for v in device_values(core, actor, device).device if v.key == "language"]
    assert (held.value, held.origin.level, held.locked) == ("de", Level.ORGANISATION, True)
    delete_value(core, actor, Level.DEVICE, device, "language")


def test_lock_stays_until_it_is_taken_off(core, actor):
    """A new value leaves the lock as it is, and the lock can be changed without the value."""
    at = (Level.ORGANISATION, actor.organisation)
    set_values(core, actor, *at, {"language": {"value": "de", "locked": True}})
    (kept,) = set_values(core, actor, *at, {"language": "fr"})
    assert (kept.value, kept.locked) == ("fr", True)
    (opened,) = set_values(core, actor, *at, {"language": {"locked": False}})
    assert (opened.value, opened.locked) == ("fr", False)


@pytest.mark.parametrize("given", [{"locked": True}, {"value": "de", "locked": "yes"}])
def test_lock_without_sense_is_refused(core, actor, given):
    """A lock needs a value to hold and is either on or off."""
    with pytest.raises(InvalidSetting):
        set_values(core, actor, Level.ORGANISATION, actor.organisation, {"language": given})


# --- what holds


def test_same_value_again_changes_nothing(core, actor, clock, owners):
    """Setting what is set already keeps origin and versions, for secrets too."""
    values = {"language": "de", SECRET: "hunter22"}
    at = (Level.DEVICE, owners[Level.DEVICE])
    before = set_values(core, actor, *at, values)
    with core.database.read() as session:
        version = session.get_one(Device, owners[Level.DEVICE]).version
    clock.turn(hours=1)
    assert set_values(core, actor, *at, values) == before
    with core.database.read() as session:
        assert session.get_one(Device, owners[Level.DEVICE]).version == version


def test_user_sees_where_their_values_come_from(core, actor, owners):
    """A user's effective values follow organisation, role and user, each with its origin."""
    user, role = owners[Level.USER], owners[Level.ROLE]
    set_values(core, actor, Level.ORGANISATION, actor.organisation, {"language": "de"})
    set_values(core, actor, Level.ROLE, role, {"line.dtmf": "inband", "language": "fr"})
    set_values(core, actor, Level.USER, user, {"language": "it"})
    set_values(core, actor, Level.DEVICE, owners[Level.DEVICE], {"tone.country": "CH"})
    held = {value.key: value for value in effective_for_user(core, actor, user)}
    assert (held["language"].value, held["language"].origin.owner) == ("it", "Ada Lovelace")
    assert (held["line.dtmf"].value, held["line.dtmf"].origin.owner) == ("inband", "reception")
    assert held["line.dtmf"].origin.who == actor.name
    assert held["tone.country"].origin.level is Level.BUILT_IN
    assert "vlan.id" not in held
    assert SECRET not in held
