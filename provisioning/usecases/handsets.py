"""Handsets and the slots of DECT systems they sit in. Slots are never renumbered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import CapacityExceeded, Conflict, InvalidInput, NotFound
from provisioning.domain.kinds import StationKind, Subscription
from provisioning.domain.roles import Permission
from provisioning.store import dect, queries
from provisioning.store.database import Session
from provisioning.store.devices import DectSlot, DectSystem, Station
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.dect import LARGEST_SLOT, access_code, capacity_of, locked_system
from provisioning.usecases.purposes import PURPOSE_DECT
from provisioning.usecases.releases import vacate

_IPUI = re.compile(r"[0-9A-F]{10}")


@dataclass(frozen=True, slots=True)
class Place:
    """A slot and the handset in it, if there is one."""

    slot: DectSlot
    station: Station | None


@dataclass(frozen=True, slots=True)
class _Handset:
    """What a slot holds that belongs to the handset and moves with it."""

    station_id: UUID | None
    ipui: str | None = None
    handset_model: str | None = None
    access_code_encrypted: bytes | None = None


_NOBODY = _Handset(None)


def list_slots(core: Core, actor: Actor, system: UUID | str) -> list[Place]:
    """The slots of a system that are or were in use, by number."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, DectSystem, actor.organisation, system)
        return [Place(slot, station) for slot, station in dect.places(session, row.id)]


def read_handset(core: Core, actor: Actor, station: UUID | str) -> Place:
    """The handset of that station and its slot; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _place(session, actor, station)


def put_handset(
    core: Core,
    actor: Actor,
    system: UUID | str,
    *,
    number: int | None = None,
    name: str = "",
    ipui: str | None = None,
    handset_model: str | None = None,
    code: str | None = None,
) -> Place:
    """Put a new handset into the given slot, or into the first that is free.

    ``ipui`` is the handset's identity of 10 hexadecimal digits (some bases never tell it);
    ``code`` overrides the system's access code. Raises NotFound, InvalidInput, Conflict for a
    slot that is taken, CapacityExceeded where the system has no such slot.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = locked_system(session, actor, system)
        identity = _identity(session, actor, ipui, station=None)
        slot = _free_slot(core, session, row, number)
        station = Station(
            organisation_id=actor.organisation,
            device_id=None,
            kind=StationKind.HANDSET,
            name=fields.name("name", name, empty=True),
        )
        session.add(station)
        session.flush()
        _seat(
            slot,
            _Handset(
                station.id,
                identity,
                _model_name(handset_model),
                core.cipher.encrypt(access_code(code), PURPOSE_DECT) if code else None,
            ),
        )
        return Place(slot, station)


def change_handset(
    core: Core, actor: Actor, station: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Place:  # fmt: skip
    """Change a handset's name, identity, model, access code or state of subscription.

    ``revision`` is its slot's. Raises NotFound, InvalidInput, Conflict or StaleRevision.
    """
    actor.require(Permission.WRITE)
    given = dict(changes)
    with changing(core, actor) as session:
        place = _place(session, actor, station)
        expect(place.slot, revision)
        if "name" in given and place.station is not None:
            place.station.name = fields.name("name", given.pop("name"), empty=True)
        if "ipui" in given:
            place.slot.ipui = _identity(
                session, actor, given.pop("ipui"), station=place.slot.station_id
            )
        if "access_code" in given:
            code = given.pop("access_code")
            place.slot.access_code_encrypted = (
                core.cipher.encrypt(access_code(code), PURPOSE_DECT) if code else None
            )
        change(place.slot, given, _FIELDS)
        return place


def handset_code(core: Core, actor: Actor, station: UUID | str) -> str:
    """The access code a handset is subscribed with, in clear; raises Forbidden or NotFound."""
    actor.require(Permission.SECRETS)
    with core.database.read() as session:
        slot = _place(session, actor, station).slot
        system = session.get_one(DectSystem, slot.system_id)
        encrypted = slot.access_code_encrypted or system.access_code_encrypted
    return core.cipher.decrypt(encrypted, PURPOSE_DECT)


def move_handset(
    core: Core,
    actor: Actor,
    station: UUID | str,
    *,
    system: UUID | str | None = None,
    number: int | None = None,
) -> Place:
    """Move a handset to another slot of its system or of another one.

    Its station stays what it is, with everybody assigned to it. Without a number the first free
    slot is taken. Raises NotFound, Conflict or CapacityExceeded.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        place = _place(session, actor, station)
        source = place.slot.system_id
        target = queries.get(session, DectSystem, actor.organisation, system or source)
        _lock(session, actor, [source, target.id])
        slot = _free_slot(core, session, target, number)
        handset = _take(session, place.slot)
        _seat(slot, handset)
        return Place(slot, place.station)


def swap_handsets(
    core: Core, actor: Actor, one: UUID | str, other: UUID | str
) -> tuple[Place, Place]:
    """Let two handsets change slots; their stations keep everybody assigned to them.

    Raises NotFound, or InvalidInput for a handset and itself.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        here, there = _place(session, actor, one), _place(session, actor, other)
        if here.slot.id == there.slot.id:
            raise InvalidInput(
                "A handset cannot change slots with itself.", remedy="Name two.", field="with"
            )
        _lock(session, actor, [here.slot.system_id, there.slot.system_id])
        first, second = _take(session, here.slot), _take(session, there.slot)
        _seat(here.slot, second)
        _seat(there.slot, first)
        return Place(there.slot, here.station), Place(here.slot, there.station)


def remove_handset(core: Core, actor: Actor, station: UUID | str) -> None:
    """Remove a handset: its station goes with its assignments, the slot stays and is free.

    Whoever sits there is logged out, and their SIP password changes where it is ours.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Station, actor.organisation, station)
        slot = _slot(session, row)
        vacate(core, session, [row])
        _take(session, slot)
        session.delete(row)


# --- slots


def _place(session: Session, actor: Actor, station: UUID | str) -> Place:
    row = queries.get(session, Station, actor.organisation, station)
    return Place(_slot(session, row), row)


def _slot(session: Session, station: Station) -> DectSlot:
    slot = queries.slot_of(session, station.id)
    if slot is None:
        raise NotFound(
            "The station is no handset of a DECT system.",
            remedy="List the system's slots to see its handsets.",
        )
    return slot


def _lock(session: Session, actor: Actor, systems: Sequence[UUID]) -> None:
    """Lock systems in one order, so that two moves never wait for each other."""
    for system in sorted(set(systems)):
        locked_system(session, actor, system)


def _free_slot(core: Core, session: Session, system: DectSystem, number: int | None) -> DectSlot:
    """The empty slot of that number, or the first one; made if it was never used."""
    slots = {slot.number: slot for slot, _ in dect.places(session, system.id)}
    taken = {slot.number for slot in slots.values() if slot.station_id is not None}
    capacity = capacity_of(core, session, system)
    wanted = number if number is not None else _first_free(taken)
    if wanted > (capacity or LARGEST_SLOT):
        raise CapacityExceeded(
            f"The DECT system '{system.name}' has {capacity or LARGEST_SLOT} slots, "
            f"{len(taken)} of them taken.",
            remedy="Choose a free slot, or another system.",
            field="number",
        )
    if wanted < 1:
        raise InvalidInput(f"{wanted} is no slot.", remedy="Slots count from 1.", field="number")
    if wanted in taken:
        raise Conflict(
            f"A handset is in slot {wanted} of the DECT system '{system.name}'.",
            remedy="Choose a free slot, or let the two change slots.",
            field="number",
        )
    slot = slots.get(wanted)
    if slot is None:
        slot = DectSlot(organisation_id=system.organisation_id, system_id=system.id, number=wanted)
        session.add(slot)
    return slot


def _first_free(taken: set[int]) -> int:
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def _take(session: Session, slot: DectSlot) -> _Handset:
    """Take the handset out of a slot, at once: a station sits in one slot at a time."""
    handset = _Handset(slot.station_id, slot.ipui, slot.handset_model, slot.access_code_encrypted)
    _seat(slot, _NOBODY)
    session.flush()
    return handset


def _seat(slot: DectSlot, handset: _Handset) -> None:
    """Seat a handset; whether its base knows it there has to be seen."""
    slot.station_id = handset.station_id
    slot.ipui = handset.ipui
    slot.handset_model = handset.handset_model
    slot.access_code_encrypted = handset.access_code_encrypted
    slot.subscription = Subscription.UNKNOWN


# --- fields


def _identity(
    session: Session, actor: Actor, value: str | None, *, station: UUID | None
) -> str | None:
    """An IPUI as stored, if no other handset has it."""
    if not value:
        return None
    ipui = value.replace(" ", "").upper().removeprefix("0X")
    if not _IPUI.fullmatch(ipui):
        raise InvalidInput(
            f"{value!r:.40} is no IPUI.",
            remedy="Give its 10 hexadecimal digits, or leave it out.",
            field="ipui",
        )
    other = dect.slot_with(session, actor.organisation, ipui)
    if other is not None and other.station_id != station:
        system = session.get_one(DectSystem, other.system_id)
        raise Conflict(
            f"The handset {ipui} is in slot {other.number} of the DECT system '{system.name}'.",
            remedy="Move it from there, which keeps its users.",
            field="ipui",
        )
    return ipui


def _model_name(value: str | None) -> str | None:
    return fields.name("handset_model", value, longest=40) if value else None


_FIELDS: dict[str, Check] = {
    "handset_model": _model_name,
    "subscription": lambda value: fields.word("subscription", value, Subscription),
}
