"""What the bases of a DECT system fetch: every slot in order, and what a move changes in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import UUID

import pytest

from provisioning.domain.errors import CapacityExceeded, UnreadableSecret
from provisioning.store import queries
from provisioning.store.devices import Device
from provisioning.usecases import assignments, dect, devices, handsets, phones, registering
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import Door, FileRequest, Outcome, TokenCredential

AGENT = "Gigaset N670 IP PRO/83.V2.43.0+build.5f0a106;{mac};Handset={handsets}"


@dataclass
class Tower:
    """A DECT system of Gigaset bases."""

    core: Core
    actor: Actor
    system: UUID

    def base(self, number: int) -> UUID:
        """Register one more base and make it a member; the first is the manager."""
        row = registering.add_device(
            self.core, self.actor, mac=f"7c2f800000{number:02x}", model="N670"
        ).device
        dect.add_member(self.core, self.actor, self.system, row.id)
        return row.id

    def seat(self, user: UUID | None = None, **columns: object) -> UUID:
        """Put one more handset into the next slot, with its user."""
        place = handsets.put_handset(self.core, self.actor, self.system, **columns)
        assert place.station is not None
        if user is not None:
            assignments.assign_station(self.core, self.actor, place.station.id, [user])
        return place.station.id

    def fetch(self, number: int, *, says: int = 20):
        """The base's file by its token, asked for as it asks."""
        mac = f"7c2f800000{number:02x}"
        with self.core.database.read() as session:
            row = queries.device_by_mac(session, registering.Mac(mac))
        url = devices.provisioning_urls(self.core, self.actor, row.id).token_url
        return fetch_file(
            self.core,
            FileRequest(
                f"{mac}.xml",
                ip_address("192.0.2.9"),
                Door.HTTPS,
                credential=TokenCredential(url.rstrip("/").rpartition("/")[2]),
                user_agent=AGENT.format(mac=mac.upper(), handsets=says),
            ),
        )

    def people(self, number: int = 1) -> list[str]:
        """The SIP users in the base's file, in order."""
        text = self.fetch(number).content.decode()
        return re.findall(r'\.UserName" value="([^"]*)"', text)


@pytest.fixture
def tower(core, actor, server) -> Tower:
    """A system with its manager and no handset."""
    tower = Tower(core, actor, dect.add_system(core, actor, name="tower", code="4711").id)
    tower.base(1)
    return tower


def test_twenty_handsets_stand_in_order(tower, add_person):
    """The file of a base with twenty handsets holds them all, by their slots."""
    numbers = [str(1001 + index) for index in range(20)]
    for number in numbers:
        tower.seat(add_person(f"U{number}", number))
    assert tower.people() == numbers
    assert tower.fetch(1).content.count(b'add_hs"') == 20


def test_every_member_has_its_file(tower, add_person):
    """The manager of a multicell system takes the handsets, the other bases do not."""
    tower.base(2)
    tower.base(3)
    tower.seat(add_person("Ada", "1001"))
    tower.seat(add_person("Grace", "1002"))
    assert tower.people(1) == ["1001", "1002"]
    for other in (2, 3):
        assert tower.fetch(other).outcome is Outcome.SERVED
        assert tower.people(other) == []


def test_a_handset_moves_with_its_person(tower, add_person):
    """A handset that changes its slot keeps its person, identity and place of nobody else."""
    tower.seat(add_person("Ada", "1001"), ipui="02e8000001")
    moved = tower.seat(add_person("Grace", "1002"), ipui="02e8000002")
    before = tower.fetch(1)
    handsets.move_handset(tower.core, tower.actor, moved, number=7)
    after = tower.fetch(1)
    assert tower.people() == ["1001", "1002"]
    assert b"02e8000002" in after.content
    slots = handsets.list_slots(tower.core, tower.actor, tower.system)
    assert {place.slot.number for place in slots if place.station} == {1, 7}
    assert before.outcome is after.outcome is Outcome.SERVED


def test_another_person_takes_a_handset_over(tower, add_person):
    """A handset is given to somebody else without being subscribed anew."""
    station = tower.seat(add_person("Ada", "1001"), ipui="02e8000001")
    assignments.assign_station(tower.core, tower.actor, station, [add_person("Grace", "1002")])
    assert tower.people() == ["1002"]
    assert b"02e8000001" in tower.fetch(1).content


def test_a_new_manager_has_everything(tower, add_person):
    """A broken manager is replaced by another base, whose file holds all handsets."""
    tower.seat(add_person("Ada", "1001"), ipui="02e8000001")
    row = registering.add_device(tower.core, tower.actor, mac="7c2f80000009", model="N670").device
    dect.replace_manager(tower.core, tower.actor, tower.system, row.id)
    assert tower.people(9) == ["1001"]
    assert b"02e8000001" in tower.fetch(9).content


def test_an_incomplete_file_is_never_served(tower, add_person, monkeypatch):
    """If one handset cannot be rendered nothing is: a base deletes handsets a file omits."""
    for number in ("1001", "1002", "1003"):
        tower.seat(add_person(f"U{number}", number))
    assert tower.fetch(1).outcome is Outcome.SERVED
    real, calls = phones.lines_at, []

    def broken(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise UnreadableSecret("The password cannot be decrypted.", remedy="Set it again.")
        return real(*arguments)

    monkeypatch.setattr(phones, "lines_at", broken)
    tower.core.cache.clear()
    failed = tower.fetch(1)
    assert (failed.outcome, failed.content) == (Outcome.FAILED, b"")


def test_what_a_base_says_it_takes_is_its_capacity(tower, add_person):
    """A base that counts its handsets in the User-Agent is held to that number."""
    tower.fetch(1, says=2)
    with tower.core.database.read() as session:
        row = queries.device_by_mac(session, registering.Mac("7c2f80000001"))
        assert session.get_one(Device, row.id).handsets == 2
    tower.seat()
    tower.seat()
    with pytest.raises(CapacityExceeded, match="2"):
        tower.seat()


def test_the_access_code_is_the_systems(tower, add_person):
    """Handsets are subscribed with the system's code, or with their own where they have one."""
    tower.seat(add_person("Ada", "1001"))
    tower.seat(add_person("Grace", "1002"), code="1234")
    text = tower.fetch(1).content.decode()
    assert re.findall(r'DECT_AC" value="(\d+)"', text) == ["4711", "1234"]


def test_an_adapters_port_keeps_its_line(core, actor, add_person):
    """The user of an adapter's second port is its second line, whoever has the first."""
    row = registering.add_device(
        core, actor, mac="00:0B:82:00:00:02", vendor="grandstream", model="HT812"
    ).device
    with core.database.read() as session:
        ports = queries.stations_of(session, row.id)
    assignments.assign_station(core, actor, ports[1].id, [add_person("Ada", "1001")])
    url = devices.provisioning_urls(core, actor, row.id).token_url
    reply = fetch_file(
        core,
        FileRequest(
            "cfg000b82000002.xml",
            ip_address("192.0.2.9"),
            Door.HTTPS,
            credential=TokenCredential(url.rstrip("/").rpartition("/")[2]),
        ),
    )
    text = reply.content.decode()
    assert "<P35>1001</P35>" not in text
    assert "1001" in text
