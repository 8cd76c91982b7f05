"""Finding devices, and their lines of the fetch log, page by page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from provisioning.domain.kinds import DeviceState
from provisioning.store import queries
from provisioning.store.devices import Assignment, Device, DeviceIdentity, Station
from provisioning.store.people import User
from provisioning.store.security import Fetch

_SEPARATORS = re.compile(r"[:. -]")


def devices(
    session: Session, organisation: UUID, *, retired: bool, q: str, limit: int, cursor: UUID | None
) -> list[Device]:
    """A page of devices, those that are retired or the others; ``q`` also finds parts of MACs."""
    state = Device.state == DeviceState.RETIRED
    digits = _SEPARATORS.sub("", q.lower())
    identity = DeviceIdentity.value.contains(digits, autoescape=True)
    by_mac = Device.id.in_(select(DeviceIdentity.device_id).where(identity))
    return queries.owned(
        session,
        Device,
        organisation,
        where=state if retired else ~state,
        or_found=by_mac if digits else None,
        q=q,
        limit=limit,
        cursor=cursor,
    )


def pool_devices(session: Session, devices: Sequence[UUID]) -> set[UUID]:
    """Those of the devices that are pool phones."""
    found = session.scalars(
        select(Station.device_id).where(Station.device_id.in_(devices), Station.pool)
    )
    return {device for device in found if device is not None}


def people_at(session: Session, devices: Sequence[UUID]) -> dict[UUID, tuple[User, ...]]:
    """Who is assigned to the devices' stations, in order."""
    rows = session.execute(
        select(Station.device_id, User)
        .join(Assignment, Assignment.station_id == Station.id)
        .join(User, User.id == Assignment.user_id)
        .where(Station.device_id.in_(devices))
        .order_by(Station.position, Assignment.position, Assignment.id)
    )
    found: dict[UUID, tuple[User, ...]] = {}
    for device, user in rows:
        if device is not None:
            found[device] = (*found.get(device, ()), user)
    return found


def retired_with(session: Session, **columns: UUID) -> list[Device]:
    """The retired devices that have these column values."""
    statement = select(Device).where(Device.state == DeviceState.RETIRED).filter_by(**columns)
    return list(session.scalars(statement))


def fetches(
    session: Session, device: UUID, *, q: str, limit: int, cursor: UUID | None
) -> list[Fetch]:
    """A page of a device's fetch log, newest first; ``q`` is part of a path, source or reason."""
    searched = (Fetch.path, Fetch.address, Fetch.reason, Fetch.outcome)
    found = or_(*(column.contains(q, autoescape=True) for column in searched))
    return queries.listed(
        session,
        Fetch,
        Fetch.device_id == device,
        q=q,
        or_found=found,
        limit=limit,
        cursor=cursor,
        newest_first=True,
    )
