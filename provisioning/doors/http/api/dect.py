"""DECT systems, the devices they consist of, and the handsets in their slots."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.kinds import DectRole, Subscription
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.devices import DectMember, DectSystem
from provisioning.usecases import dect as usecases
from provisioning.usecases import handsets
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()

Small = Annotated[int, Field(ge=0, le=100_000)]

# --- systems


class System(Shown):
    """A DECT system."""

    id: UUID
    name: str
    site: UUID
    capacity: int | None
    """The number of its slots; null where the manager's model decides."""
    revision: int
    access_code: str = ""
    """Only where `secrets` asked for it."""


class SystemChange(Input):
    """What can be changed of a DECT system."""

    name: Text = absent()
    site: Text = absent()
    """The id or the name of a site."""
    capacity: Small | None = absent()
    access_code: Text = absent()
    """The code handsets are subscribed with."""


class NewSystem(SystemChange):
    """A DECT system to make; without an access code one is generated."""

    name: Text


@ENDPOINTS.get("/dect-systems", Permission.READ)
def list_dect_systems(call: Call, page: Page) -> Listing[System]:
    """The organisation's DECT systems."""
    return listing(usecases.list_systems(call.core, call.actor, page), page, _system)


@ENDPOINTS.post("/dect-systems", Permission.WRITE)
def add_dect_system(call: Call, body: NewSystem) -> System:
    """Make a DECT system."""
    sent = body.sent()
    code = sent.pop("access_code", None)
    return _system(usecases.add_system(call.core, call.actor, code=code, **sent))


@ENDPOINTS.get("/dect-systems/{system}", Permission.READ)
def read_dect_system(call: Call, system: UUID, secrets: bool = False) -> System:
    """One DECT system."""
    shown = _system(usecases.read_system(call.core, call.actor, system))
    if secrets:
        shown.access_code = usecases.system_code(call.core, call.actor, system)
    return shown


@ENDPOINTS.patch("/dect-systems/{system}", Permission.WRITE)
def change_dect_system(
    call: Call, system: UUID, body: SystemChange, revision: int | None = None
) -> System:
    """Change a DECT system."""
    row = usecases.change_system(call.core, call.actor, system, body.sent(), revision)
    return _system(row)


@ENDPOINTS.delete("/dect-systems/{system}", Permission.WRITE, dry_run=True)
def delete_dect_system(call: Call, system: UUID, revision: int | None = None) -> None:
    """Delete a DECT system without handsets; its devices stay registered."""
    usecases.delete_system(call.core, call.actor, system, revision)


# --- members


class Member(Shown):
    """A device in a DECT system."""

    device: UUID
    role: str
    position: int
    cluster: int
    sync_level: int


class MemberChange(Input):
    """What can be changed of a member."""

    cluster: Small = absent()
    sync_level: Small = absent()


class NewMember(MemberChange):
    """A device to put into a DECT system."""

    device: Text
    """Its id or MAC."""
    role: DectRole = absent()
    """The first member is the manager unless told otherwise."""


class NewManager(Input):
    """The device that takes the manager's place."""

    device: Text
    """Its id or MAC."""


@ENDPOINTS.get("/dect-systems/{system}/members", Permission.READ)
def list_dect_members(call: Call, system: UUID) -> Listing[Member]:
    """The devices of a DECT system, in order."""
    rows = usecases.list_members(call.core, call.actor, system)
    return whole(_member(row) for row, _ in rows)


@ENDPOINTS.post("/dect-systems/{system}/members", Permission.WRITE)
def add_dect_member(call: Call, system: UUID, body: NewMember) -> Member:
    """Put a device into a DECT system."""
    return _member(usecases.add_member(call.core, call.actor, system, **body.sent()))


@ENDPOINTS.patch("/dect-systems/{system}/members/{device}", Permission.WRITE)
def change_dect_member(call: Call, system: UUID, device: str, body: MemberChange) -> Member:
    """Change a member's cluster or level of synchronisation."""
    return _member(usecases.change_member(call.core, call.actor, system, device, body.sent()))


@ENDPOINTS.delete("/dect-systems/{system}/members/{device}", Permission.WRITE)
def remove_dect_member(call: Call, system: UUID, device: str) -> None:
    """Take a device out of a DECT system."""
    usecases.remove_member(call.core, call.actor, system, device)


@ENDPOINTS.put("/dect-systems/{system}/manager", Permission.WRITE)
def replace_dect_manager(call: Call, system: UUID, body: NewManager) -> Member:
    """Put another device in the manager's place; slots, handsets and assignments stay."""
    return _member(usecases.replace_manager(call.core, call.actor, system, body.device))


# --- slots and handsets


class Handset(Shown):
    """A handset and the slot it sits in; its id is that of its station."""

    id: UUID
    system: UUID
    number: int
    name: str
    ipui: str | None
    handset_model: str | None
    subscription: str
    revision: int
    access_code: str = ""
    """Only where `secrets` asked for it."""


class Slot(Shown):
    """A numbered place for a handset."""

    number: int
    handset: Handset | None


class HandsetChange(Input):
    """What can be changed of a handset."""

    name: Text = absent()
    ipui: Text | None = absent()
    """Its identity of 10 hexadecimal digits, where the base tells it."""
    handset_model: Text | None = absent()
    access_code: Text | None = absent()
    """Null for the system's."""
    subscription: Subscription = absent()


class NewHandset(Input):
    """A handset to put into a slot."""

    number: Small = absent()
    """The first free slot unless given."""
    name: Text = absent()
    ipui: Text = absent()
    handset_model: Text = absent()
    access_code: Text = absent()


class Move(Input):
    """Where a handset goes."""

    system: UUID = absent()
    """Another DECT system; its own unless given."""
    number: Small = absent()
    """The first free slot unless given."""


class Swap(Input):
    """With whom a handset changes slots."""

    handset: UUID


@ENDPOINTS.get("/dect-systems/{system}/slots", Permission.READ)
def list_dect_slots(call: Call, system: UUID) -> Listing[Slot]:
    """The slots of a DECT system that are or were in use."""
    places = handsets.list_slots(call.core, call.actor, system)
    return whole(
        Slot(number=place.slot.number, handset=_handset(place) if place.station else None)
        for place in places
    )


@ENDPOINTS.post("/dect-systems/{system}/slots", Permission.WRITE)
def put_handset(call: Call, system: UUID, body: NewHandset) -> Handset:
    """Put a new handset into a slot."""
    sent = body.sent()
    code = sent.pop("access_code", None)
    return _handset(handsets.put_handset(call.core, call.actor, system, code=code, **sent))


@ENDPOINTS.get("/handsets/{handset}", Permission.READ)
def read_handset(call: Call, handset: UUID, secrets: bool = False) -> Handset:
    """One handset and its slot."""
    shown = _handset(handsets.read_handset(call.core, call.actor, handset))
    if secrets:
        shown.access_code = handsets.handset_code(call.core, call.actor, handset)
    return shown


@ENDPOINTS.patch("/handsets/{handset}", Permission.WRITE)
def change_handset(
    call: Call, handset: UUID, body: HandsetChange, revision: int | None = None
) -> Handset:
    """Change a handset."""
    place = handsets.change_handset(call.core, call.actor, handset, body.sent(), revision)
    return _handset(place)


@ENDPOINTS.delete("/handsets/{handset}", Permission.WRITE)
def remove_handset(call: Call, handset: UUID) -> None:
    """Remove a handset with its assignments; its slot is free."""
    handsets.remove_handset(call.core, call.actor, handset)


@ENDPOINTS.post("/handsets/{handset}/move", Permission.WRITE, HTTPStatus.OK)
def move_handset(call: Call, handset: UUID, body: Move) -> Handset:
    """Move a handset to another slot or system, with everybody assigned to it."""
    return _handset(handsets.move_handset(call.core, call.actor, handset, **body.sent()))


@ENDPOINTS.post("/handsets/{handset}/swap", Permission.WRITE, HTTPStatus.OK)
def swap_handsets(call: Call, handset: UUID, body: Swap) -> Listing[Handset]:
    """Let two handsets change slots, each with everybody assigned to it."""
    return whole(
        map(_handset, handsets.swap_handsets(call.core, call.actor, handset, body.handset))
    )


# --- as shown


def _system(row: DectSystem) -> System:
    return System.of(row, site=row.site_id)


def _member(row: DectMember) -> Member:
    return Member.of(row, device=row.device_id)


def _handset(place: handsets.Place) -> Handset:
    slot, station = place.slot, place.station
    return Handset.of(
        slot, id=slot.station_id, system=slot.system_id, name=station.name if station else ""
    )
