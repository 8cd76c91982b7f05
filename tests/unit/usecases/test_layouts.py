"""Keys on the phone: layouts of several levels, generated sets, and a user's own list."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import InvalidInput
from provisioning.domain.phone import Provisioning
from provisioning.domain.settings import Level
from provisioning.render.layout import layout
from provisioning.store import queries
from provisioning.store.devices import Device
from provisioning.store.organisations import Organisation
from provisioning.store.snapshots import snapshot
from provisioning.usecases import assignments, devices, keys, users
from provisioning.usecases.phones import Facts, build_phone


def set_keys(desk, level, owner, *rows):
    """Set the keys of a level: (position, type, value, label)."""
    given = [{"position": row[0], "type": row[1], "value": row[2], "label": row[3]} for row in rows]
    keys.replace_keys(desk.core, desk.actor, level, owner, [keys.read_key(key) for key in given])


def shown(desk, *, count=8, modules=0, module_keys=0):
    """What stands where: (module, position) to (type, value)."""
    core = desk.core
    with core.database.read() as session:
        rows = snapshot(session, queries.get(session, Device, desk.actor.organisation, desk.device))
        phone = build_phone(
            rows, core.cipher, facts=Facts(), provisioning=Provisioning(),
            now=core.clock(),
        )  # fmt: skip
    placed, beyond = layout(phone, keys=count, modules=modules, module_keys=module_keys)
    places = {
        (address.module, address.position): (str(key.type), key.value or key.label)
        for address, key in placed.items()
    }
    return places, [key.value for key in beyond]


@pytest.fixture
def company(desk, add_person):
    """Ada's colleagues, and where keys can be set."""
    people = {"grace": add_person("Grace", "1002"), "edsger": add_person("Edsger", "1003")}
    with desk.core.database.read() as session:
        row = queries.by_id(session, Device, desk.device)
    return {"organisation": row.organisation_id, "site": row.site_id, **people}


def test_later_levels_override_single_keys(desk, company):
    """A site's layout stands, but for the one key the device has of its own."""
    set_keys(
        desk, Level.SITE, company["site"],
        (2, "speed-dial", "100", "Reception"), (3, "speed-dial", "101", "Guard"),
    )  # fmt: skip
    set_keys(desk, Level.DEVICE, desk.device, (3, "blf", "1002", "Grace"))
    places, _ = shown(desk)
    assert places[0, 1] == ("line", "Ada Lovelace")
    assert places[0, 2] == ("speed-dial", "100")
    assert places[0, 3] == ("blf", "1002")


def test_colleagues_follow_people(desk, company):
    """A set of colleagues shows everybody else by name, and follows their changes."""
    set_keys(desk, Level.ORGANISATION, company["organisation"], (2, "colleagues", "", ""))
    places, _ = shown(desk)
    assert [places[0, n] for n in (2, 3)] == [("blf", "1003"), ("blf", "1002")]
    assert (0, 4) not in places
    users.change_user(desk.core, desk.actor, company["grace"], {"first_name": "Aline"})
    assert [shown(desk)[0][0, n] for n in (2, 3)] == [("blf", "1002"), ("blf", "1003")]
    users.delete_user(desk.core, desk.actor, company["edsger"])
    assert (0, 3) not in shown(desk)[0]


def test_a_rename_makes_cached_files_stale(desk, company):
    """Who is shown as a colleague counts up the version their phones' files depend on."""

    def version():
        with desk.core.database.read() as session:
            return queries.by_id(session, Organisation, company["organisation"]).version

    before = version()
    users.change_user(desk.core, desk.actor, company["grace"], {"first_name": "Aline"})
    assert version() == before
    set_keys(desk, Level.DEVICE, desk.device, (2, "colleagues", "", ""))
    users.change_user(desk.core, desk.actor, company["grace"], {"first_name": "Grace"})
    assert version() == before + 1


def test_park_slots(desk, company):
    """A range of park slots is one key each, labelled with its slot."""
    set_keys(desk, Level.SITE, company["site"], (2, "park-slots", "701-703", "Park"))
    places, _ = shown(desk)
    assert [places[0, n] for n in (2, 3, 4)] == [("park", "701"), ("park", "702"), ("park", "703")]


def test_h3_a_set_goes_round_set_keys_and_on_to_modules(desk, company):
    """A poured set leaves set keys alone, fills the phone, then its modules; the rest is told."""
    set_keys(
        desk, Level.SITE, company["site"],
        (2, "park-slots", "701-706", ""), (4, "speed-dial", "100", "Reception"),
    )  # fmt: skip
    places, beyond = shown(desk, count=4, modules=1, module_keys=3)
    assert places[0, 4] == ("speed-dial", "100")
    assert [places[0, 2][1], places[0, 3][1]] == ["701", "702"]
    assert [places[1, n][1] for n in (1, 2, 3)] == ["703", "704", "705"]
    assert beyond == ["706"]


def test_own_keys_are_poured_into_any_phone(desk, company):
    """A user's list fills what their phone has left, in their order."""
    set_keys(desk, Level.SITE, company["site"], (2, "speed-dial", "100", "Reception"))
    set_keys(
        desk, Level.USER, desk.user, (1, "speed-dial", "55", "Mum"), (2, "blf", "1002", "Grace")
    )
    places, _ = shown(desk)
    assert places[0, 1] == ("line", "Ada Lovelace")
    assert [places[0, n] for n in (2, 3, 4)] == [
        ("speed-dial", "100"), ("speed-dial", "55"), ("blf", "1002"),
    ]  # fmt: skip


def test_own_keys_stay_off_shared_phones(desk, company):
    """On a phone of several users nobody's own list is shown."""
    set_keys(desk, Level.USER, desk.user, (1, "speed-dial", "55", "Mum"))
    people = [desk.user, company["grace"]]
    assignments.assign_device(desk.core, desk.actor, desk.device, people)
    assert ("speed-dial", "55") not in shown(desk)[0].values()


def test_a_blocked_phone_has_no_keys(desk, company):
    """Of a blocked phone's keys nothing is left."""
    set_keys(desk, Level.SITE, company["site"], (2, "park-slots", "701-703", "Park"))
    devices.change_device(desk.core, desk.actor, desk.device, {"state": "blocked"})
    assert shown(desk) == ({}, [])


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("park-slots", ""), ("park-slots", "701"), ("park-slots", "705-701"),
        ("park-slots", "1-101"), ("park-slots", "0-5"), ("colleagues", "sales"),
    ],
)  # fmt: skip
def test_sets_have_their_form(desk, type_, value):
    """A range of slots runs upwards and has an end; colleagues take no value."""
    with pytest.raises(InvalidInput):
        keys.read_key({"position": 1, "type": type_, "value": value})
