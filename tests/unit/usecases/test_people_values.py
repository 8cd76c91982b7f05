"""Zones, languages and messages at the levels of an organisation, and what is told of each value."""

from __future__ import annotations

import re

import pytest

from provisioning.domain.errors import InvalidSetting
from provisioning.domain.roles import Permission
from provisioning.domain.settings import SETTINGS, Level, Scope
from provisioning.store.devices import Device
from provisioning.store.organisations import Role
from provisioning.store.people import User
from provisioning.store.snapshots import snapshot
from provisioning.usecases import assignments, catalogue, devices, keys, organisations
from provisioning.usecases.effective import device_values
from provisioning.usecases.settings import delete_value, effective_for_user, set_values

DIALECTS = {
    "yealink": (
        "00:15:65:00:00:01", "T54W",
        {1: "local_time.time_zone = +1", -5: "local_time.time_zone = -5",
         9: "local_time.time_zone = +9"},
    ),
    "snom": (
        "00:04:13:00:00:01", "D735",
        {1: ">3600</utc_offset>", -5: ">-18000</utc_offset>", 9: ">32400</utc_offset>"},
    ),
    "poly-ucs": (
        "00:04:F2:00:00:01", "VVX 450",
        {1: 'gmtOffset="3600"', -5: 'gmtOffset="-18000"', 9: 'gmtOffset="32400"'},
    ),
    "fanvil": (
        "0C:38:3E:00:00:01", "X4U",
        {1: "<TimeZone>4<", -5: "<TimeZone>-20<", 9: "<TimeZone>36<"},
    ),
    "cisco-mpp": (
        "00:56:2B:00:00:01", "8841-3PCC",
        {1: ">GMT+01:00</Time_Zone>", -5: ">GMT-05:00</Time_Zone>", 9: ">GMT+09:00</Time_Zone>"},
    ),
}  # fmt: skip
"""A phone of each dialect, and how its file says one hour east, five west and nine east."""

# What values make of files is the same on every database.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def site(core, phones):
    """The id of the site where phones are registered."""
    device = phones.add("00:15:65:00:00:99", "T54W")
    with core.database.read() as session:
        return session.get_one(Device, device).site_id


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a3_a_shared_phone_keeps_its_sites_zone(core, actor, phones, add_person, site, dialect):
    """The zone of organisation, site and user hold in that order, the user's on their own phone."""
    mac, model, words = DIALECTS[dialect]
    ada, bob = add_person(), add_person("Bob", "1002")
    pool = phones.add(mac, model, pool=True, vendor=dialect)
    own = phones.add(mac[:-1] + "2", model, ada, vendor=dialect)
    organisation, zone = actor.organisation, "time.zone"
    phones.set(Level.ORGANISATION, organisation, **{zone: "Europe/Berlin"})
    assert words[1] in phones.text(pool)
    assert words[1] in phones.text(own)
    phones.set(Level.SITE, site, **{zone: "America/New_York"})
    phones.set(Level.USER, ada, **{zone: "Asia/Tokyo"})
    assert words[-5] in phones.text(pool)
    assert words[9] in phones.text(own)
    assignments.assign_device(core, actor, own, [ada, bob])
    assert words[-5] in phones.text(own)
    assignments.assign_device(core, actor, own, [])
    assert words[-5] in phones.text(own)


@pytest.mark.parametrize(
    ("zone", "months"), [("Europe/Berlin", (3, 10)), ("Australia/Sydney", (10, 4))]
)
def test_a3_daylight_saving_is_right_in_both_hemispheres(phones, site, zone, months):
    """The rule of a zone is in the file: it begins in March in the north, in October in the south."""
    phones.set(Level.SITE, site, **{"time.zone": zone})
    text = phones.text(phones.add("00:15:65:00:00:01", "T54W"))
    start, end = months
    assert f"local_time.start_time = {start}/" in text
    assert f"local_time.end_time = {end}/" in text


@pytest.mark.parametrize("zone", ["Mars/Base", "CEST+1", "../etc/passwd", "europe\x00", 1])
def test_a3_a_zone_is_an_iana_name(core, actor, zone):
    """What is no name of the IANA database is refused."""
    with pytest.raises(InvalidSetting):
        set_values(core, actor, Level.ORGANISATION, actor.organisation, {"time.zone": zone})


LANGUAGES = {
    "yealink": ("00:15:65:00:00:01", "T54W", "lang.gui = German", "lang.gui = English", "sv"),
    "snom": ("00:04:13:00:00:01", "D735", ">Deutsch</language>", ">English</language>", "tr"),
    "poly-ucs": (
        "00:04:F2:00:00:01", "VVX 450", 'lcl.ml.lang="German_Germany"', "English", "tr",
    ),
}  # fmt: skip


@pytest.mark.parametrize("dialect", LANGUAGES)
def test_a4_a_users_language_is_on_their_phone_or_told(actor, phones, add_person, site, dialect):
    """The default language holds, a user's own replaces it, and one the model lacks is told."""
    mac, model, german, english, lacking = LANGUAGES[dialect]
    ada = add_person()
    own = phones.add(mac, model, ada, vendor=dialect)
    pool = phones.add(mac[:-1] + "2", model, pool=True, vendor=dialect)
    phones.set(Level.ORGANISATION, actor.organisation, language="de")
    assert german in phones.text(own)
    assert german in phones.text(pool)
    phones.set(Level.USER, ada, language=lacking)
    assert german in phones.text(pool)
    assert english in phones.text(own)
    assert f"have no language '{lacking}'; English is shown" in phones.losses(own)
    assert "language" not in phones.losses(pool)
    phones.set(Level.USER, ada, language="en")
    assert "language" not in phones.losses(own)


def test_a4_a_region_falls_back_to_its_language(phones, add_person):
    """Where a phone has the language but not the region, the language is shown without a word."""
    ada = add_person()
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    phones.set(Level.USER, ada, language="de-AT")
    assert "lang.gui = German" in phones.text(device)
    assert "language" not in phones.losses(device)


# --- messages


@pytest.mark.parametrize(
    "values",
    [
        {"sms.zones": ["moon"]}, {"sms.zones": "eu"}, {"sms.zones": ["eu", "eu"]},
        {"sms.types": ["survey", "spam"]}, {"sms.types": None},
    ],
)  # fmt: skip
def test_a9_other_zones_and_types_are_refused(core, actor, values):
    """Messages go to the zones and are of the types in the list, each named once."""
    with pytest.raises(InvalidSetting):
        set_values(core, actor, Level.ORGANISATION, actor.organisation, values)


def test_a9_messages_are_set_for_all_or_for_one(core, actor, desk, clock):
    """What the organisation allows holds for everybody until a user has their own, with its origin."""
    set_values(
        core, actor, Level.ORGANISATION, actor.organisation,
        {"sms.zones": ["national", "eu"], "sms.types": ["survey"]},
    )  # fmt: skip

    def held():
        return {item.key: item for item in effective_for_user(core, actor, desk.user)}

    zones = held()["sms.zones"]
    assert zones.value == ("national", "eu")
    assert (zones.origin.level, zones.origin.owner) == (Level.ORGANISATION, "main")
    assert (zones.origin.who, zones.origin.when) == (actor.name, clock.now)
    set_values(core, actor, Level.USER, desk.user, {"sms.zones": []})
    assert held()["sms.zones"].value == ()
    assert held()["sms.zones"].origin.owner == "Ada Lovelace"
    assert held()["sms.types"].value == ("survey",)
    delete_value(core, actor, Level.USER, desk.user, "sms.zones")
    assert held()["sms.zones"].value == ("national", "eu")


def test_a9_messages_have_no_level_of_a_place(core, actor, desk, site):
    """Messages are a person's: no site, profile or device can have them."""
    profile = organisations.add_profile(core, actor, "counter").id
    for level, owner in (
        (Level.SITE, site), (Level.PROFILE, profile), (Level.DEVICE, desk.device)
    ):  # fmt: skip
        with pytest.raises(InvalidSetting, match="cannot stand"):
            set_values(core, actor, level, owner, {"sms.zones": ["eu"]})


def test_a9_messages_change_no_phone(core, actor, phones, add_person):
    """What is for messages alone leaves every byte of the phone as it was."""
    ada = add_person()
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    before = phones.text(device)
    phones.set(Level.USER, ada, **{"sms.zones": ["eu"], "sms.types": ["survey"]})
    assert phones.text(device) == before


# --- what is told of values


def test_a9_a_device_tells_the_values_of_its_one_user(core, actor, phones, add_person, clock):
    """Of a phone with one user the person's settings are told too, with level, owner, who, when."""
    ada, bob = add_person(), add_person("Bob", "1002")
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    with core.database.write() as session:
        role = Role(
            organisation_id=actor.organisation, name="reception", permissions=[Permission.OWN]
        )
        session.add(role)
        session.flush()
        session.get_one(User, ada).role_id = role.id
    set_values(core, actor, Level.ROLE, role.id, {"sms.types": ["survey"], "line.dtmf": "inband"})
    set_values(core, actor, Level.USER, ada, {"feature.sim": True})

    told = device_values(core, actor, device)
    person = {item.key: item for item in told.person}
    assert set(person) == {setting.key for setting in SETTINGS if setting.scope is Scope.PERSON}
    assert person["sms.types"].origin.owner == "reception"
    assert person["feature.sim"].origin.owner == "Ada Lovelace"
    assert (person["feature.sim"].origin.who, person["feature.sim"].origin.when) == (
        actor.name, clock.now,
    )  # fmt: skip
    (line,) = told.lines
    dtmf = next(item for item in line.values if item.key == "line.dtmf")
    assert (dtmf.origin.level, dtmf.origin.owner) == (Level.ROLE, "reception")

    assignments.assign_device(core, actor, device, [ada, bob])
    assert device_values(core, actor, device).person == ()
    assignments.assign_device(core, actor, device, [ada])
    devices.change_device(core, actor, device, {"state": "blocked"})
    assert device_values(core, actor, device).person == ()


def test_a9_a_user_and_their_phone_tell_the_same(core, actor, desk):
    """What a user's answer says of a person's setting is what their phone's answer says of it."""
    set_values(core, actor, Level.ORGANISATION, actor.organisation, {"call.recording": "always"})
    set_values(core, actor, Level.USER, desk.user, {"right.park": False})
    of_user = {item.key: item for item in effective_for_user(core, actor, desk.user)}
    for item in device_values(core, actor, desk.device).person:
        assert of_user[item.key] == item


def test_d1_whoever_hides_calls_is_watched_without_them(core, actor, desk, phones, add_person):
    """A phone whose keys watch them shows no caller, from the moment they or their role say so."""
    grace = add_person("Grace", "1002")
    device = phones.add("64167f000099", "VVX 450", desk.user, vendor="poly-ucs")
    watch = {"position": 1, "type": "blf", "value": "1002"}
    keys.replace_keys(core, actor, "user", desk.user, [keys.read_key(watch)])

    def shown() -> str:
        text = phones.fetched(device, "64167f000099-user.cfg").decode()
        return "".join(re.findall(r'remoteCallerID\.(?:normal|automata)="(.)"', text))

    def hides(level: str, owner, *, show: bool) -> str:
        phones.set(level, owner, **{"privacy.show-calls": show})
        return shown()

    assert shown() == "11"
    assert hides("user", desk.user, show=False) == "11", "nobody watches themselves"
    assert hides("organisation", actor.organisation, show=False) == "00"
    assert hides("user", grace, show=True) == "11"
    assert hides("user", grace, show=False) == "00"
    with core.database.read() as session:
        read = snapshot(session, session.get_one(Device, device))
    assert [user.id for user in read.colleagues] == [grace], "nobody else is looked at"
    target = catalogue.add_target(core, actor, kind="ring-group", name="Grace", number="1002")
    aimed = watch | {"value": f"target:{target.id}"}
    keys.replace_keys(core, actor, "user", desk.user, [keys.read_key(aimed)])
    assert shown() == "00", "she is watched by the number of a call target as well"
    keys.replace_keys(core, actor, "user", desk.user, [keys.read_key(watch)])
    delete_value(core, actor, "user", grace, "privacy.show-calls")
    assert hides("organisation", actor.organisation, show=True) == "11"
    with core.database.write() as session:
        role = Role(name="Board", organisation_id=actor.organisation)
        session.add(role)
        session.flush()
        board = role.id
    assert hides("role", board, show=False) == "11"
    with core.database.write() as session:
        session.get_one(User, grace).role_id = board
    assert shown() == "00"
