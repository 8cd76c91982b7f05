"""Devices and users with what belongs to them, as lists and pages show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from provisioning.domain.errors import NotFound
from provisioning.domain.roles import Permission
from provisioning.store import queries
from provisioning.store.database import Session
from provisioning.store.devices import Device, Station
from provisioning.store.organisations import Site
from provisioning.store.people import User
from provisioning.usecases.actors import Actor
from provisioning.usecases.assignments import assigned_users
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device

R = TypeVar("R")
_UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class DeviceOverview:
    """A device as people look for it; ``users`` are the names of those assigned, in order."""

    id: UUID
    mac: str
    name: str
    vendor: str
    model: str
    model_confirmed: bool
    firmware: str
    site: str
    state: str
    pool: bool
    users: tuple[str, ...]
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserOverview:
    """A user as people look for them: their SIP user names and the devices they sit at."""

    id: UUID
    name: str
    extension: str
    email: str
    enabled: bool
    sip_accounts: tuple[str, ...]
    devices: tuple[str, ...]


def device_overviews(core: Core, actor: Actor) -> list[DeviceOverview]:
    """Every device of the organisation, retired ones included, in the order they were made."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return [_device(session, row) for row in _all(session, actor, Device, lambda d: d.id)]


def device_overview(core: Core, actor: Actor, device: UUID | str) -> DeviceOverview:
    """One device by id or MAC; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _device(session, find_device(session, actor, device))


def user_overviews(core: Core, actor: Actor) -> list[UserOverview]:
    """Every user of the organisation, in the order they were made."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return [_user(session, row) for row in _all(session, actor, User, lambda u: u.id)]


def user_overview(core: Core, actor: Actor, user: UUID | str) -> UserOverview:
    """One user by id or extension; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        if isinstance(user, UUID) or len(user) == _UUID_LENGTH:
            return _user(session, queries.get(session, User, actor.organisation, user))
        row = queries.user_by_extension(session, actor.organisation, user)
        if row is None:
            raise NotFound(
                f"There is no user with the extension '{user[:40]}'.",
                remedy="Give an extension or an id that the list shows.",
            )
        return _user(session, row)


def _all(session: Session, actor: Actor, table: type[R], key: Callable[[R], UUID]) -> Iterator[R]:
    cursor: UUID | None = None
    while rows := queries.owned(
        session, table, actor.organisation, limit=queries.LONGEST_PAGE, cursor=cursor
    ):
        yield from rows
        cursor = key(rows[-1])


def _device(session: Session, row: Device) -> DeviceOverview:
    mac = queries.macs(session, [row.id]).get(row.id)
    stations = queries.stations_of(session, row.id)
    people = [user for station in stations for user in assigned_users(session, station.id)]
    return DeviceOverview(
        id=row.id,
        mac=str(mac) if mac else "",
        name=row.name,
        vendor=row.vendor or "",
        model=row.model or "",
        model_confirmed=row.model_confirmed,
        firmware=row.firmware,
        site=session.get_one(Site, row.site_id).name,
        state=row.state,
        pool=any(station.pool for station in stations),
        users=tuple(user.name for user in people),
        last_seen_at=row.last_seen_at,
    )


def _user(session: Session, row: User) -> UserOverview:
    return UserOverview(
        id=row.id,
        name=row.name,
        extension=row.extension or "",
        email=row.email or "",
        enabled=row.enabled,
        sip_accounts=tuple(a.username for a in queries.accounts_of(session, users=[row.id])),
        devices=tuple(_devices_of(session, row)),
    )


def _devices_of(session: Session, user: User) -> Iterator[str]:
    """The MAC, else the name, of each device the user is assigned to."""
    for assignment in queries.assignments_of(session, user.id):
        station = session.get_one(Station, assignment.station_id)
        if station.device_id is None:
            continue
        mac = queries.macs(session, [station.device_id]).get(station.device_id)
        yield str(mac) if mac else session.get_one(Device, station.device_id).name
