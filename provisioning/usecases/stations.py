"""Stations: what a person is given, and who is assigned there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import NotFound
from provisioning.domain.kinds import Hotdesking
from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.store import hotdesk, persons, queries
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.people import User
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device


@dataclass(frozen=True, slots=True)
class Seat:
    """A station, the users assigned to it in order, and whoever is logged in there."""

    station: Station
    users: tuple[UUID, ...]
    seated: UUID | None = None


_FIELDS: dict[str, Check] = {
    "name": lambda value: fields.name("name", value, empty=True),
    "hotdesking": lambda value: fields.word("hotdesking", value, Hotdesking),
}


def read_station(core: Core, actor: Actor, station: UUID | str) -> Seat:
    """One station; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, Station, actor.organisation, station)
        return _seats(session, [row])[0]


def device_stations(core: Core, actor: Actor, device: UUID | str) -> list[Seat]:
    """The stations of a device, in order."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = find_device(session, actor, device)
        return _seats(session, queries.stations_of(session, row.id))


def first_station(core: Core, actor: Actor, device: UUID | str) -> Seat:
    """The first station of a device; raises NotFound for one that has none of its own."""
    seats = device_stations(core, actor, device)
    if not seats:
        raise NotFound(
            "The device has no station of its own.", remedy="Look at its DECT system's slots."
        )
    return seats[0]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a user is assigned: the station, and the device or DECT slot it is part of."""

    seat: Seat
    part_of: persons.Place
    mac: Mac | None


def user_stations(core: Core, actor: Actor, user: UUID | str) -> list[Place]:
    """Where a user is assigned."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, User, actor.organisation, user)
        assigned = [item.station_id for item in queries.assignments_of(session, row.id)]
        places = persons.places(session, assigned)
        devices = [place.device.id for place in places.values() if place.device]
        macs = queries.macs(session, devices)
        seats = _seats(session, [places[station].station for station in assigned])
        return [
            Place(seat, place, macs.get(place.device.id) if place.device else None)
            for seat in seats
            for place in [places[seat.station.id]]
        ]


def change_station(
    core: Core, actor: Actor, station: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Seat:  # fmt: skip
    """Change a station's name or who may hotdesk there; raises NotFound or StaleRevision."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Station, actor.organisation, station)
        expect(row, revision)
        change(row, changes, _FIELDS)
        return _seats(session, [row])[0]


def _seats(session: Session, stations: Sequence[Station]) -> list[Seat]:
    users: dict[UUID, list[UUID]] = {station.id: [] for station in stations}
    for row in queries.assignments_at(session, list(users)):
        users[row.station_id].append(row.user_id)
    seated = {
        station: row.user_id for station, row in hotdesk.open_at(session, list(users)).items()
    }
    return [Seat(station, tuple(users[station.id]), seated.get(station.id)) for station in stations]
