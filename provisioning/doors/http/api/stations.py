"""Stations and who is assigned there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from provisioning.domain.kinds import Hotdesking
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Shown, Text, absent
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import assignments
from provisioning.usecases import stations as usecases

ENDPOINTS = Endpoints()


class Station(Shown):
    """What a person is given: a desk phone, a DECT handset, a softphone, an ATA port."""

    id: UUID
    device_id: UUID | None
    kind: str
    name: str
    position: int
    pool: bool
    hotdesking: str
    nomadic: bool
    users: list[UUID]
    """Who is assigned, in order."""
    shared: bool
    """Whether several users have it."""
    seated: UUID | None
    """Who is logged in there."""
    revision: int


class StationChange(Input):
    """What can be changed of a station."""

    name: Text = absent()
    hotdesking: Hotdesking = absent()


class Assignments(Shown):
    """Who is assigned to a station, in order."""

    users: list[UUID]


class NewAssignments(Input):
    """Who is to be assigned to a station, in order; everybody else leaves it."""

    users: list[UUID]


@ENDPOINTS.get("/stations/{station}", Permission.READ)
def read_station(call: Call, station: UUID) -> Station:
    """One station."""
    return shown_station(usecases.read_station(call.core, call.actor, station))


@ENDPOINTS.patch("/stations/{station}", Permission.WRITE)
def change_station(
    call: Call, station: UUID, body: StationChange, revision: int | None = None
) -> Station:
    """Change a station's name or who may hotdesk there."""
    seat = usecases.change_station(call.core, call.actor, station, body.sent(), revision)
    return shown_station(seat)


@ENDPOINTS.get("/stations/{station}/assignments", Permission.READ)
def read_station_assignments(call: Call, station: UUID) -> Assignments:
    """Who is assigned to a station."""
    return Assignments(users=list(usecases.read_station(call.core, call.actor, station).users))


@ENDPOINTS.put("/stations/{station}/assignments", Permission.WRITE)
def assign_station(call: Call, station: UUID, body: NewAssignments) -> Assignments:
    """Set who is assigned to a station."""
    people = assignments.assign_station(call.core, call.actor, station, body.users)
    return Assignments(users=[user.id for user in people])


@ENDPOINTS.get("/devices/{device}/assignments", Permission.READ)
def read_device_assignments(call: Call, device: str) -> Assignments:
    """Who is assigned to a device's first station."""
    return Assignments(users=list(usecases.first_station(call.core, call.actor, device).users))


@ENDPOINTS.put("/devices/{device}/assignments", Permission.WRITE)
def assign_device(call: Call, device: str, body: NewAssignments) -> Assignments:
    """Set who is assigned to a device's first station."""
    people = assignments.assign_device(call.core, call.actor, device, body.users)
    return Assignments(users=[user.id for user in people])


def shown_station(seat: usecases.Seat) -> Station:
    """A station as it is shown."""
    return Station.of(seat.station, **shares(seat))


def shares(seat: usecases.Seat) -> dict[str, Any]:
    """Who has a station, as it is shown."""
    return {"users": list(seat.users), "shared": len(seat.users) > 1, "seated": seat.seated}
