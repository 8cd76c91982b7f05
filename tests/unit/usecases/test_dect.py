"""DECT systems: members, slots that are never renumbered, handsets that move with their users."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from provisioning.domain.errors import (
    BrokenRule,
    CapacityExceeded,
    Conflict,
    DuplicateName,
    Forbidden,
    InvalidInput,
    NotFound,
    StaleRevision,
    StillInUse,
)
from provisioning.domain.kinds import DectRole, StationKind
from provisioning.domain.roles import Permission
from provisioning.store import queries
from provisioning.store.devices import Device
from provisioning.usecases import assignments, dect, devices, handsets, registering
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page
from provisioning.vendors.registry import load_registry

VENDOR = """
id = "acme-dect"
name = "Acme"
[[models]]
id = "Single"
kind = "dect-base"
handsets = 3
[[models]]
id = "Multi"
kind = "dect-base"
handsets = 30
[[models]]
id = "Desk"
"""


@dataclass
class Site:
    """Somebody who sets up DECT systems."""

    core: Core
    actor: Actor
    made: int = 0

    def device(self, model: str | None = "Single") -> UUID:
        """A registered base, or another device."""
        self.made += 1
        vendor = {"vendor": "acme-dect", "model": model} if model else {}
        made = registering.add_device(
            self.core, self.actor, mac=f"0200000000{self.made:02x}", **vendor
        )
        return made.device.id

    def system(self, name: str = "hall", **columns: object) -> UUID:
        """A DECT system without members."""
        return dect.add_system(self.core, self.actor, name=name, **columns).id

    def managed(self, name: str = "hall", model: str = "Single") -> UUID:
        """A DECT system with a manager."""
        system = self.system(name)
        dect.add_member(self.core, self.actor, system, self.device(model))
        return system

    def put(self, system: UUID, **columns: object) -> UUID:
        """A new handset's station."""
        place = handsets.put_handset(self.core, self.actor, system, **columns)
        assert place.station is not None
        return place.station.id

    def numbers(self, system: UUID) -> dict[int, UUID | None]:
        """Which station is in which slot."""
        places = handsets.list_slots(self.core, self.actor, system)
        return {place.slot.number: place.slot.station_id for place in places}

    def people(self, station: UUID) -> list[UUID]:
        """Who is assigned to a station."""
        with self.core.database.read() as session:
            return [user.id for user in assignments.assigned_users(session, station)]


@pytest.fixture
def hall(core, actor, tmp_path) -> Site:
    """A place to set up DECT systems of a vendor whose bases are known."""
    folder = tmp_path / "acme-dect"
    folder.mkdir()
    (folder / "vendor.toml").write_text(VENDOR)
    core.registry = load_registry([tmp_path])
    assert "acme-dect" in core.registry.vendors, core.registry.disabled
    return Site(core, actor)


# --- systems


def test_code_is_made_or_given(core, actor, hall):
    """A system has an access code of 4 digits, random unless one is given."""
    made = hall.system()
    code = dect.system_code(core, actor, made)
    assert len(code) == 4
    assert code.isdigit()
    assert dect.system_code(core, actor, hall.system("yard", code="0042")) == "0042"
    dect.change_system(core, actor, made, {"access_code": "4711"})
    assert dect.system_code(core, actor, made) == "4711"


@pytest.mark.parametrize("code", ["", "123", "12345", "12a4", "१२३४", 1234])
def test_bad_code_is_refused(hall, code):
    """An access code is 4 ASCII digits and nothing else."""
    with pytest.raises(InvalidInput):
        hall.system(code=code)


def test_code_is_shown_only_with_the_permission(core, actor, hall):
    """Access codes are secrets, a system's and a handset's alike."""
    system = hall.system()
    station = hall.put(system, code="4711")
    assert handsets.handset_code(core, actor, station) == "4711"
    assert handsets.handset_code(core, actor, hall.put(system)) == dect.system_code(
        core, actor, system
    )
    blind = Actor("blind", actor.organisation, frozenset({Permission.READ, Permission.WRITE}))
    with pytest.raises(Forbidden):
        dect.system_code(core, blind, system)
    with pytest.raises(Forbidden):
        handsets.handset_code(core, blind, station)


def test_system_has_a_name_of_its_own(core, actor, hall):
    """Two systems of an organisation cannot have one name."""
    hall.system("hall")
    yard = hall.system("yard")
    with pytest.raises(DuplicateName):
        hall.system("hall")
    with pytest.raises(DuplicateName):
        dect.change_system(core, actor, yard, {"name": "hall"})
    assert [row.name for row in dect.list_systems(core, actor, Page())] == ["hall", "yard"]


def test_change_based_on_an_old_reading_is_refused(core, actor, hall):
    """A change that names a revision holds only while it is the current one."""
    system = hall.system()
    revision = dect.read_system(core, actor, system).revision
    dect.change_system(core, actor, system, {"name": "yard"}, revision)
    with pytest.raises(StaleRevision):
        dect.change_system(core, actor, system, {"name": "attic"}, revision)


def test_system_with_handsets_stays(core, actor, hall):
    """A system is deleted when its handsets are gone, and its bases stay registered."""
    system = hall.managed()
    (_, base), *_ = dect.list_members(core, actor, system)
    station = hall.put(system)
    with pytest.raises(StillInUse):
        dect.delete_system(core, actor, system)
    handsets.remove_handset(core, actor, station)
    dect.delete_system(core, actor, system)
    with core.database.read() as session:
        assert devices.find_device(session, actor, base.id)


# --- members


def test_first_member_manages(core, actor, hall):
    """The first device is the manager and the next ones are bases, in order."""
    system = hall.managed()
    dect.add_member(core, actor, system, hall.device())
    dect.add_member(core, actor, system, hall.device(), sync_level=2, cluster=3)
    members = [member for member, _ in dect.list_members(core, actor, system)]
    assert [m.role for m in members] == [DectRole.MANAGER, DectRole.BASE, DectRole.BASE]
    assert [m.position for m in members] == [1, 2, 3]
    assert (members[2].sync_level, members[2].cluster) == (2, 3)
    changed = dect.change_member(core, actor, system, members[2].device_id, {"sync_level": 3})
    assert changed.sync_level == 3


def test_member_has_to_be_a_free_base(core, actor, hall):
    """A desk phone, a base of another system and a second manager are refused."""
    system = hall.managed()
    with pytest.raises(InvalidInput, match="Desk"):
        dect.add_member(core, actor, system, hall.device("Desk"))
    (_, base), *_ = dect.list_members(core, actor, system)
    with pytest.raises(Conflict, match="already"):
        dect.add_member(core, actor, hall.system("yard"), base.id)
    with pytest.raises(Conflict, match="manager"):
        dect.add_member(core, actor, system, hall.device(), role="manager")
    with pytest.raises(InvalidInput):
        dect.add_member(core, actor, system, hall.device(), role="boss")


def test_device_of_unknown_model_becomes_a_base(core, actor, hall, add_person):
    """A device registered without its model may join and loses the desk it was given."""
    unknown = hall.device(None)
    assignments.assign_device(core, actor, unknown, [add_person()])
    system = hall.system()
    with pytest.raises(Conflict, match="assigned"):
        dect.add_member(core, actor, system, unknown)
    assignments.assign_device(core, actor, unknown, [])
    dect.add_member(core, actor, system, unknown)
    with core.database.read() as session:
        assert queries.stations_of(session, unknown) == []


def test_retired_base_leaves_its_system(core, actor, hall):
    """A retired base is no member any more; a manager with handsets is replaced first."""
    system = hall.managed()
    other = hall.device()
    dect.add_member(core, actor, system, other)
    hall.put(system)
    devices.retire_device(core, actor, other)
    manager = dect.list_members(core, actor, system)
    assert len(manager) == 1
    with pytest.raises(StillInUse, match="Replace the manager"):
        devices.retire_device(core, actor, manager[0][1].id)


def test_manager_leaves_last(core, actor, hall):
    """A manager is removed only when neither bases nor handsets depend on it."""
    system = hall.managed()
    base = hall.device()
    dect.add_member(core, actor, system, base)
    (_, manager), *_ = dect.list_members(core, actor, system)
    station = hall.put(system)
    for go in (
        lambda: dect.remove_member(core, actor, system, base),
        lambda: handsets.remove_handset(core, actor, station),
    ):
        with pytest.raises(StillInUse):
            dect.remove_member(core, actor, system, manager.id)
        go()
    dect.remove_member(core, actor, system, manager.id)
    assert dect.list_members(core, actor, system) == []
    with pytest.raises(NotFound):
        dect.remove_member(core, actor, system, manager.id)


def test_replacing_the_manager_keeps_everything(core, actor, hall, add_person):
    """A new manager takes the place of the former with all slots, handsets and users."""
    system = hall.managed()
    user, station = add_person(), hall.put(system, number=2, ipui="0123456789")
    assignments.assign_station(core, actor, station, [user])
    fresh = hall.device()
    member = dect.replace_manager(core, actor, system, fresh)
    assert (member.device_id, member.role, member.position) == (fresh, DectRole.MANAGER, 1)
    assert [device.id for _, device in dect.list_members(core, actor, system)] == [fresh]
    assert hall.numbers(system) == {2: station}
    assert hall.people(station) == [user]


def test_base_is_promoted(core, actor, hall):
    """A base of the same system can take the manager's place and leaves its own."""
    system = hall.managed()
    base = hall.device()
    dect.add_member(core, actor, system, base)
    dect.replace_manager(core, actor, system, base)
    members = dect.list_members(core, actor, system)
    assert [(device.id, member.role) for member, device in members] == [(base, DectRole.MANAGER)]
    dect.replace_manager(core, actor, system, base)
    with pytest.raises(Conflict):
        dect.replace_manager(core, actor, hall.managed("yard"), base)


def test_manager_too_small_is_refused(core, actor, hall):
    """A manager whose model has fewer slots than are in use cannot take over."""
    system = hall.managed(model="Multi")
    hall.put(system, number=4)
    with pytest.raises(CapacityExceeded, match="slot 4"):
        dect.replace_manager(core, actor, system, hall.device("Single"))
    assert handsets.list_slots(core, actor, system)[0].slot.number == 4


# --- slots


def test_handsets_take_the_first_free_slot(core, actor, hall):
    """A handset without a number gets the lowest free slot; the slot of a removed one is free."""
    system = hall.managed(model="Multi")
    one, two = hall.put(system), hall.put(system)
    four, three = hall.put(system, number=4), hall.put(system)
    assert hall.numbers(system) == {1: one, 2: two, 3: three, 4: four}
    handsets.remove_handset(core, actor, two)
    assert hall.numbers(system) == {1: one, 2: None, 3: three, 4: four}
    again = hall.put(system)
    assert hall.numbers(system) == {1: one, 2: again, 3: three, 4: four}


def test_handset_is_a_station_without_a_device(core, actor, hall):
    """What is put into a slot is a handset's station with what is known of the handset."""
    station = hall.put(hall.system(), name="Ada's", ipui="0x01 2345 6789", handset_model="H1")
    place = handsets.read_handset(core, actor, station)
    assert place.station is not None
    assert (place.station.kind, place.station.device_id) == (StationKind.HANDSET, None)
    assert (place.station.name, place.slot.ipui, place.slot.handset_model) == (
        "Ada's",
        "0123456789",
        "H1",
    )


@pytest.mark.parametrize("own", [True, False])
def test_full_system_names_its_capacity(hall, own):
    """A system takes as many handsets as it has slots, by its own word or its manager's model."""
    system = hall.system(capacity=3) if own else hall.managed()
    with pytest.raises(CapacityExceeded, match="3 slots"):
        hall.put(system, number=4)
    for _ in range(3):
        hall.put(system)
    with pytest.raises(CapacityExceeded, match="3 slots"):
        hall.put(system)
    assert len(hall.numbers(system)) == 3


def test_system_of_unknown_capacity_takes_any_slot(hall):
    """Where nobody says how many slots there are, none is refused but nonsense."""
    system = hall.system()
    assert list(hall.numbers(system)) == []
    hall.put(system, number=dect.LARGEST_SLOT)
    for number in (0, -1, dect.LARGEST_SLOT + 1, 2**40):
        with pytest.raises(BrokenRule):
            hall.put(system, number=number)


def test_capacity_does_not_cut_off_handsets(core, actor, hall):
    """A system cannot be made smaller than its highest slot in use."""
    system = hall.managed(model="Multi")
    hall.put(system, number=7)
    with pytest.raises(CapacityExceeded):
        dect.change_system(core, actor, system, {"capacity": 6})
    dect.change_system(core, actor, system, {"capacity": 7})
    for nonsense in (0, -1, 2**40):
        with pytest.raises(InvalidInput):
            dect.change_system(core, actor, system, {"capacity": nonsense})


def test_slot_holds_one_handset(hall):
    """A slot that is taken is refused to another handset."""
    system = hall.system()
    hall.put(system, number=2)
    with pytest.raises(Conflict, match="slot 2"):
        hall.put(system, number=2)


def test_handset_is_in_one_slot_of_the_organisation(core, actor, hall):
    """A handset's identity stands once, and the refusal says where."""
    system = hall.system("yard")
    hall.put(system, number=5, ipui="0123456789")
    with pytest.raises(Conflict, match="slot 5 of the DECT system 'yard'"):
        hall.put(hall.system("attic"), ipui="01234 56789")
    other = hall.put(system)
    with pytest.raises(Conflict):
        handsets.change_handset(core, actor, other, {"ipui": "0123456789"})
    with pytest.raises(InvalidInput):
        handsets.change_handset(core, actor, other, {"ipui": "no hex"})


def test_handset_is_changed_field_by_field(core, actor, hall):
    """Name, identity, model, code and subscription can change, the slot's number cannot."""
    system = hall.system()
    station = hall.put(system, code="4711")
    changes = {
        "name": "Lab",
        "ipui": "00112233aa",
        "handset_model": "H2",
        "subscription": "subscribed",
        "access_code": None,
    }
    place = handsets.change_handset(core, actor, station, changes)
    assert place.station is not None
    assert (place.station.name, place.slot.ipui) == ("Lab", "00112233AA")
    assert place.slot.subscription == "subscribed"
    assert handsets.handset_code(core, actor, station) == dect.system_code(core, actor, system)
    with pytest.raises(InvalidInput):
        handsets.change_handset(core, actor, station, {"number": 9})


# --- moving


def test_moved_handset_keeps_station_and_users(core, actor, hall, add_person):
    """A handset in another slot or system is the same station with the same people."""
    here, there = hall.managed("hall"), hall.managed("yard", "Multi")
    user, station = add_person(), hall.put(here, ipui="0123456789")
    assignments.assign_station(core, actor, station, [user])
    handsets.move_handset(core, actor, station, number=3)
    assert hall.numbers(here) == {1: None, 3: station}
    place = handsets.move_handset(core, actor, station, system=there)
    assert (place.slot.number, place.slot.ipui) == (1, "0123456789")
    assert hall.numbers(here) == {1: None, 3: None}
    assert hall.numbers(there) == {1: station}
    assert hall.people(station) == [user]


def test_move_makes_both_systems_stale(core, actor, hall):
    """The bases a handset leaves and those it comes to have to fetch again."""
    here, there, beside = hall.managed("hall"), hall.managed("yard"), hall.managed("attic")
    station = hall.put(here)

    def versions() -> list[int]:
        with core.database.read() as session:
            return [
                session.get_one(Device, dect.list_members(core, actor, s)[0][1].id).version
                for s in (here, there, beside)
            ]

    before = versions()
    handsets.move_handset(core, actor, station, system=there)
    stale = [new > old for new, old in zip(versions(), before, strict=True)]
    assert stale == [True, True, False]


def test_refused_move_changes_nothing(core, actor, hall):
    """A handset stays where it is when its goal is taken or does not exist."""
    system = hall.managed()
    one, two = hall.put(system), hall.put(system)
    with pytest.raises(Conflict):
        handsets.move_handset(core, actor, one, number=2)
    with pytest.raises(CapacityExceeded):
        handsets.move_handset(core, actor, one, number=4)
    with pytest.raises(NotFound):
        handsets.move_handset(core, actor, one, system=uuid4())
    assert hall.numbers(system) == {1: one, 2: two}


def test_handsets_change_slots(core, actor, hall, add_person):
    """Two handsets change slots, also across systems, and everybody stays with theirs."""
    here, there = hall.managed("hall"), hall.managed("yard")
    one, two = hall.put(here, ipui="0000000001"), hall.put(there, number=3, ipui="0000000002")
    user = add_person()
    assignments.assign_station(core, actor, one, [user])
    first, second = handsets.swap_handsets(core, actor, one, two)
    assert (first.slot.number, first.slot.ipui) == (3, "0000000001")
    assert (second.slot.number, second.slot.ipui) == (1, "0000000002")
    assert (hall.numbers(here), hall.numbers(there)) == ({1: two}, {3: one})
    assert hall.people(one) == [user]
    with pytest.raises(InvalidInput):
        handsets.swap_handsets(core, actor, one, one)


def test_removed_handset_takes_its_assignments_along(core, actor, hall, add_person):
    """With a handset goes its station; its users and its slot stay."""
    system = hall.system()
    user, station = add_person(), hall.put(system, ipui="0123456789")
    assignments.assign_station(core, actor, station, [user])
    handsets.remove_handset(core, actor, station)
    (place,) = handsets.list_slots(core, actor, system)
    assert (place.slot.number, place.station, place.slot.ipui) == (1, None, None)
    with core.database.read() as session:
        assert queries.assignments_of(session, user) == []
        assert queries.users(session, [user])
    with pytest.raises(NotFound):
        handsets.remove_handset(core, actor, station)


def test_station_of_a_desk_phone_is_no_handset(core, actor, desk):
    """Only what sits in a slot is moved between slots."""
    with core.database.read() as session:
        (station,) = queries.stations_of(session, desk.device)
    with pytest.raises(NotFound, match="handset"):
        handsets.move_handset(core, actor, station.id)


def test_handsets_put_at_once_get_different_slots(core, actor, hall):
    """Two that ask for the next free slot at the same moment get two slots, or one is refused."""
    system = hall.managed()
    refused: list[BrokenRule] = []
    together = threading.Barrier(3)

    def put() -> None:
        together.wait()
        try:
            hall.put(system)
        except (Conflict, StaleRevision) as error:
            refused.append(error)

    threads = [threading.Thread(target=put) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = hall.numbers(system)
    assert len(numbers) == 3 - len(refused)
    assert len(set(numbers.values())) == len(numbers)


# --- tenants and rights


OTHERS: dict[str, Callable[[Core, Actor, UUID, UUID, UUID], object]] = {
    "read": lambda c, a, s, d, h: dect.read_system(c, a, s),
    "code": lambda c, a, s, d, h: dect.system_code(c, a, s),
    "change": lambda c, a, s, d, h: dect.change_system(c, a, s, {"name": "x"}),
    "delete": lambda c, a, s, d, h: dect.delete_system(c, a, s),
    "members": lambda c, a, s, d, h: dect.list_members(c, a, s),
    "join": lambda c, a, s, d, h: dect.add_member(c, a, s, d),
    "leave": lambda c, a, s, d, h: dect.remove_member(c, a, s, d),
    "replace": lambda c, a, s, d, h: dect.replace_manager(c, a, s, d),
    "slots": lambda c, a, s, d, h: handsets.list_slots(c, a, s),
    "put": lambda c, a, s, d, h: handsets.put_handset(c, a, s),
    "handset": lambda c, a, s, d, h: handsets.read_handset(c, a, h),
    "rename": lambda c, a, s, d, h: handsets.change_handset(c, a, h, {"name": "x"}),
    "handset code": lambda c, a, s, d, h: handsets.handset_code(c, a, h),
    "move": lambda c, a, s, d, h: handsets.move_handset(c, a, h),
    "swap": lambda c, a, s, d, h: handsets.swap_handsets(c, a, h, h),
    "remove": lambda c, a, s, d, h: handsets.remove_handset(c, a, h),
}


@pytest.mark.parametrize("act", OTHERS.values(), ids=OTHERS.keys())
def test_systems_of_another_organisation_are_not_found(core, hall, neighbour, act):
    """Nobody reads or changes another organisation's systems, nor without the right to."""
    system = hall.managed()
    base, station = hall.device(), hall.put(system)
    with pytest.raises(NotFound):
        act(core, neighbour, system, base, station)
    with pytest.raises(Forbidden):
        act(core, Actor("nobody", hall.actor.organisation, frozenset()), system, base, station)
