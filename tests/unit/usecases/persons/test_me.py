"""What people may do for themselves, and who can give them what they lack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.domain.errors import (
    Forbidden,
    InvalidInput,
    InvalidSetting,
    LockedAbove,
    NobodysOwn,
    NotFound,
    PinUnchanged,
    RightMissing,
)
from provisioning.domain.roles import BUILT_IN, Permission
from provisioning.domain.settings import SETTINGS, Level
from provisioning.usecases import me, phonebook, users
from provisioning.usecases.keys import list_keys, read_key
from provisioning.usecases.settings import list_values, set_values


@pytest.fixture
def ada(desk, member):
    """Ada, a member, who sits at her desk."""
    return member(desk.user)


def held(core, somebody, key):
    """How a setting stands for somebody."""
    (found,) = [item for item in me.my_settings(core, somebody) if item.setting.key == key]
    return found


def test_c6_members_change_their_own_settings(core, actor, desk, ada):
    """What a member sets stands at their own level, under their name, and nothing else changes."""
    me.change_my_settings(core, ada, {"line.incoming": "disabled", "language": "de"})
    rows = {row.key: row for row in list_values(core, actor, Level.USER, desk.user)}
    assert {key: row.value for key, row in rows.items()} == {
        "line.incoming": "disabled", "language": "de",
    }  # fmt: skip
    assert {row.set_by for row in rows.values()} == {"Ada"}
    me.change_my_settings(core, ada, {"language": None, "time.24h": None})
    assert [row.key for row in list_values(core, actor, Level.USER, desk.user)] == ["line.incoming"]


@pytest.mark.parametrize(
    ("right", "key", "value"),
    [
        ("right.incoming", "line.incoming", "disabled"),
        ("right.incoming", "line.call-waiting", False),
        ("right.outgoing", "line.outgoing", "disabled"),
        ("right.outgoing", "line.anonymous", True),
        ("right.outgoing", "call.method", "own-line"),
        ("feature.voicemail", "voicemail.notify", False),
    ],
)
def test_c4_c5_a_right_taken_away_refuses_the_change(core, actor, desk, ada, right, key, value):
    """Without the right the refusal names it and who gives it; the list greys the setting out."""
    assert held(core, ada, key).refusal is None
    set_values(core, actor, Level.USER, desk.user, {right: False})
    with pytest.raises(RightMissing, match=right) as refused:
        me.change_my_settings(core, ada, {key: value, "language": "de"})
    assert "admin" in refused.value.remedy
    assert isinstance(held(core, ada, key).refusal, RightMissing)
    assert held(core, ada, "language").held.origin.level is Level.BUILT_IN
    set_values(core, actor, Level.USER, desk.user, {right: True})
    me.change_my_settings(core, ada, {key: value})


@pytest.mark.parametrize(
    "setting",
    [item for item in SETTINGS if item.member is None and Level.USER in item.levels],
    ids=lambda item: item.key,
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_b5_what_is_an_admins_stays_an_admins(core, ada, setting):
    """A member changes no right, feature or other setting that is not marked for members."""
    with pytest.raises(RightMissing, match="admins only"):
        me.change_my_settings(core, ada, {setting.key: setting.default})
    with pytest.raises(RightMissing):
        me.change_my_settings(core, ada, {setting.key: None})


def test_members_neither_lock_nor_pass_a_lock(core, actor, desk, ada):
    """A lock is an admin's word, above or at the user; a place's setting has no user level."""
    with pytest.raises(InvalidSetting):
        me.change_my_settings(core, ada, {"language": {"value": "de", "locked": True}})
    lock = {"language": {"value": "fr", "locked": True}}
    for level, owner in ((Level.ORGANISATION, actor.organisation), (Level.USER, desk.user)):
        set_values(core, actor, level, owner, lock)
        for value in ("de", None):
            with pytest.raises(LockedAbove, match="language"):
                me.change_my_settings(core, ada, {"language": value})
        set_values(core, actor, level, owner, {"language": {"locked": False}})
    with pytest.raises(InvalidSetting):
        me.change_my_settings(core, ada, {"vlan.id": 5})
    with pytest.raises(InvalidSetting):
        me.change_my_settings(core, ada, {"no such": 5})


def test_own_keys_need_the_right_to_their_function(core, actor, desk, ada):
    """A member sets keys of their own, but none for what they may not do."""
    wanted = [read_key({"position": 1, "type": "park", "value": "701"})]
    me.replace_my_keys(core, ada, wanted)
    assert list_keys(core, actor, Level.USER, desk.user) == wanted == me.my_keys(core, ada)
    set_values(core, actor, Level.USER, desk.user, {"right.park": False})
    with pytest.raises(RightMissing, match=r"right\.park"):
        me.replace_my_keys(core, ada, wanted)
    me.replace_my_keys(core, ada, [])
    assert list_keys(core, actor, Level.USER, desk.user) == []


def test_g3_a_pin_that_has_to_be_changed_is_not_changed_to_itself(core, actor, desk, ada):
    """The PIN somebody else set cannot be kept by setting it again; once changed, that is harmless."""
    users.set_pin(core, actor, desk.user, "482913", must_change=True)
    with pytest.raises(PinUnchanged):
        me.set_my_pin(core, ada, "482913")
    assert me.read_me(core, ada).user.pin_must_change
    for _ in range(2):
        assert me.set_my_pin(core, ada, "917364") == "917364"


def test_g3_e1_own_pins_need_their_feature(core, actor, desk, ada):
    """A member sets their own PINs as long as they may hotdesk and have voicemail."""
    assert me.set_my_pin(core, ada, "482913") == "482913"
    assert me.set_my_voicemail_pin(core, ada, "4711")
    row = users.read_user(core, actor, desk.user).user
    assert core.pins.verify(row.pin_hash, "482913")
    assert core.pins.verify(row.voicemail_pin_hash, "4711")
    with pytest.raises(InvalidInput):
        me.set_my_voicemail_pin(core, ada, "12")
    off = {"feature.hotdesking": False, "feature.voicemail": False}
    set_values(core, actor, Level.USER, desk.user, off)
    with pytest.raises(RightMissing, match=r"feature\.hotdesking"):
        me.set_my_pin(core, ada, None)
    with pytest.raises(RightMissing, match=r"feature\.voicemail"):
        me.set_my_voicemail_pin(core, ada, "4712")


def test_h7_own_contacts_are_ones_own(core, actor, desk, ada, member, add_person):
    """A member keeps contacts nobody else reads or changes, and touches nobody else's."""
    grace = member(add_person("Grace", "1002"))
    mum = me.add_my_contact(core, ada, first_name="Mum", numbers=[{"kind": "home", "number": "55"}])
    shared = phonebook.add_contact(core, actor, first_name="Taxi", numbers=[])
    assert [row.first_name for row in me.my_contacts(core, ada)] == ["Mum"]
    assert me.my_contacts(core, grace) == []
    me.change_my_contact(core, ada, mum.id, {"last_name": "Byron"})
    for contact in (mum.id, shared.id):
        with pytest.raises(NotFound):
            me.change_my_contact(core, grace, contact, {"last_name": "Hopper"})
        with pytest.raises(NotFound):
            me.delete_my_contact(core, grace, contact)
    me.delete_my_contact(core, ada, mum.id)
    assert me.my_contacts(core, ada) == []


def test_f1_members_see_where_they_sit(core, ada):
    """A member's stations come with the device's name and MAC."""
    (place,) = me.my_stations(core, ada)
    assert (str(place.mac), place.part_of.device.name) == ("00:15:65:AA:BB:CC", "Desk 1")
    assert me.read_me(core, ada).user.first_name == "Ada"


CALLS = {
    "read": me.read_me,
    "stations": me.my_stations,
    "settings": me.my_settings,
    "change": lambda core, who: me.change_my_settings(core, who, {"language": "de"}),
    "keys": me.my_keys,
    "replace": lambda core, who: me.replace_my_keys(core, who, []),
    "pin": lambda core, who: me.set_my_pin(core, who, None),
    "voicemail": lambda core, who: me.set_my_voicemail_pin(core, who, "4711"),
    "contacts": me.my_contacts,
    "contact": lambda core, who: me.add_my_contact(core, who, first_name="Mum", numbers=[]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_is_anybodys_own_who_is_no_user(core, actor, neighbour, desk, ada, call):
    """A token without a user is told so; without the permission, or elsewhere, nothing is shown."""
    with pytest.raises(NobodysOwn, match="no user"):
        call(core, actor)
    with pytest.raises(Forbidden, match="own"):
        call(core, replace(ada, permissions=frozenset({Permission.READ})))
    with pytest.raises(NotFound):
        call(core, replace(ada, organisation_id=neighbour.organisation))


def test_b5_members_have_no_way_to_others(core, ada, add_person):
    """A member's permission is for their own things: the organisation's are refused."""
    (role,) = [role for role in BUILT_IN if role.name == "member"]
    assert role.permissions == ada.permissions
    other = add_person("Grace", "1002")
    with pytest.raises(Forbidden):
        users.read_user(core, ada, other)
    with pytest.raises(Forbidden):
        set_values(core, ada, Level.USER, other, {"language": "de"})
    with pytest.raises(Forbidden):
        users.change_user(core, ada, ada.user_id, {"extension": "1999"})
