"""Rules of a place: how long a login lasts there, who may take a phone, what guests may call."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import InvalidSetting
from provisioning.store import access
from provisioning.usecases import keys, organisations, registering
from provisioning.usecases.effective import device_values
from provisioning.usecases.settings import set_values


@pytest.fixture
def site(core, actor):
    """The organisation's first site."""
    with core.database.read() as session:
        return access.first_site(session, actor.organisation).id


def held(core, actor, device) -> dict[str, object]:
    """What holds for a device, and where it stands."""
    found = device_values(core, actor, device).device
    return {item.key: (item.value, str(item.origin.level)) for item in found}


def test_g5_a_site_has_its_rules_for_logins(core, actor, site):
    """Lease, daily end, logins elsewhere and take-over are a site's own, and others keep theirs."""
    other = organisations.add_site(core, actor, name="Berlin").id
    here = registering.add_device(core, actor, mac="00:15:65:00:00:01", pool=True).device.id
    there = registering.add_device(core, actor, mac="00:15:65:00:00:02", site=other).device.id
    rules = {
        "hotdesk.lease-hours": 8,
        "hotdesk.daily-end": "18:30",
        "hotdesk.elsewhere": "deny",
        "hotdesk.take-over": "owner",
    }
    set_values(core, actor, "site", site, rules)
    now = held(core, actor, here)
    assert {key: now[key] for key in rules} == {key: (rules[key], "site") for key in rules}
    assert held(core, actor, there)["hotdesk.lease-hours"] == (12, "built-in")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hotdesk.lease-hours", -1),
        ("hotdesk.lease-hours", 1000),
        ("hotdesk.daily-end", "24:00"),
        ("hotdesk.daily-end", "6 pm"),
        ("hotdesk.elsewhere", "both"),
        ("hotdesk.take-over", "anybody"),
        ("guest.numbers", ["reception"]),
    ],
)
def test_g5_a_rule_that_makes_no_sense_is_refused(core, actor, site, key, value):
    """A rule of a place is checked before it stands."""
    with pytest.raises(InvalidSetting):
        set_values(core, actor, "site", site, {key: value})


def test_g5_no_person_overrides_a_rule_of_the_place(core, actor, add_person):
    """What a place decides has no value at a person."""
    with pytest.raises(InvalidSetting, match="cannot stand at the level"):
        set_values(core, actor, "user", add_person(), {"hotdesk.lease-hours": 99})


def test_g6_a_site_has_its_guest_profile(core, actor, site, clock, phone_of):
    """Idle text, keys and allowed numbers of guests stand at the site; the phone shows the first two."""
    set_values(core, actor, "site", site, {"idle.text": "Lobby", "guest.numbers": ["1000"]})
    taxi = keys.read_key({"position": 3, "type": "speed-dial", "value": "1000", "label": "Desk"})
    keys.replace_keys(core, actor, "site", site, [taxi])
    row = registering.add_device(core, actor, mac="00:04:13:A3:00:01", model="D735", pool=True)
    file = phone_of(row.device.id, "snomD735-000413A30001.htm").fetch(user_agent="").content
    assert b"Lobby" in file
    assert b"1000" in file
    assert held(core, actor, row.device.id)["guest.numbers"] == (("1000",), "site")


def test_h8_the_wanted_firmware_stands_beside_the_one_that_runs(core, actor, site, desk):
    """A place says which firmware its phones are to run; what runs is what the phone told."""
    set_values(core, actor, "site", site, {"firmware.wanted": "96.86.0.100"})
    desk.fetch()
    assert held(core, actor, desk.device)["firmware.wanted"] == ("96.86.0.100", "site")


@pytest.mark.parametrize(
    ("number", "told"),
    [("+49 30 1234567", "tel:+49301234567"), ("0301234567", "0301234567"), ("112", "%NULL%")],
)
def test_a1_emergency_calls_say_the_sites_number(core, actor, site, desk, phones, number, told):
    """The number a site is known by stands in its phones' files in a form they take."""
    device = phones.add("805ec0aabb03", "T54W", desk.user, vendor="yealink")
    assert "dialplan.emergency.custom_asserted_id = %NULL%\n" in phones.text(device)
    organisations.change_site(core, actor, site, {"emergency_caller_id": number})
    text = phones.text(device)
    assert f"dialplan.emergency.custom_asserted_id = {told}\n" in text
    assert ("asserted_id_source = CUSTOM\n" in text) == (told != "%NULL%")
