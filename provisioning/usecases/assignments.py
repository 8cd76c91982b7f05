"""Assignments: who sits at which station, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from provisioning.domain.errors import InvalidInput, TooManyUsers
from provisioning.domain.kinds import Appearance
from provisioning.domain.roles import Permission
from provisioning.store import queries
from provisioning.store.database import Session
from provisioning.store.devices import Assignment, Device, Station
from provisioning.store.people import User
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.devices import check_pool, find_device, no_station
from provisioning.usecases.licences import check_seat
from provisioning.vendors.schema import Model


def assign_device(
    core: Core, actor: Actor, device: UUID | str, users: Sequence[UUID | str]
) -> list[User]:
    """Set who is assigned to a device's first station; raises as ``assign_station`` does."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        return assign_first(core, session, actor, find_device(session, actor, device), users)


def assign_station(
    core: Core, actor: Actor, station: UUID | str, users: Sequence[UUID | str]
) -> list[User]:
    """Set who is assigned to a station, in order; those not named leave it.

    Raises NotFound for an unknown user, InvalidInput for one named twice, PoolPhone for a pool
    phone, TooManyUsers when the model has fewer lines than the users have accounts, MobileOnly or
    NeedsProLicence for somebody new whose licence does not fit.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Station, actor.organisation, station)
        return assign_people(core, session, actor, row, users)


def assign_first(
    core: Core, session: Session, actor: Actor, device: Device, users: Sequence[UUID | str]
) -> list[User]:
    """Set who is assigned to a device's first station, within a transaction."""
    stations = queries.stations_of(session, device.id)
    if not stations:
        raise no_station()
    return assign_people(core, session, actor, stations[0], users)


def assign_people(
    core: Core, session: Session, actor: Actor, station: Station, users: Sequence[UUID | str]
) -> list[User]:
    """Set who is assigned to a station, within a transaction; raises as ``assign_station``."""
    people = [queries.get(session, User, actor.organisation, user) for user in users]
    if len({user.id for user in people}) != len(people):
        raise InvalidInput(
            "A user is named twice.", remedy="Name each user once, in order.", field="users"
        )
    check_pool(1, people, pool=station.pool, field="users")
    _check_lines(core, session, station, people)
    held = {row.user_id: row for row in queries.assignments_at(session, [station.id])}
    check_seat(session, station, [user for user in people if user.id not in held])
    for user_id, row in held.items():
        if user_id not in {user.id for user in people}:
            session.delete(row)
    for position, user in enumerate(people, 1):
        existing = held.get(user.id)
        if existing is not None:
            existing.position = position
            continue
        session.add(
            Assignment(
                organisation_id=actor.organisation,
                station_id=station.id,
                user_id=user.id,
                position=position,
                appearance=Appearance.PRIVATE,
            )
        )
    return people


def _check_lines(core: Core, session: Session, station: Station, people: Sequence[User]) -> None:
    if station.device_id is None:
        return
    device = session.get_one(Device, station.device_id)
    vendor = core.registry.vendors.get(device.vendor or "")
    model = vendor.model(device.model) if vendor and device.model else None
    others = [s.id for s in queries.stations_of(session, device.id) if s.id != station.id]
    elsewhere = [row.user_id for row in queries.assignments_at(session, others)]
    everybody = {*elsewhere, *(user.id for user in people)}
    accounts = queries.accounts_of(session, users=list(everybody))
    check_lines(model, everybody, Counter(row.user_id for row in accounts if row.user_id))


def check_lines(
    model: Model | None, people: Collection[UUID], accounts: Mapping[UUID, int]
) -> None:
    """Raise TooManyUsers where a model has fewer lines than people at its stations have accounts.

    ``accounts`` says how many accounts each of them has.
    """
    needed = sum(accounts.get(user, 0) for user in set(people))
    if model is not None and model.lines is not None and needed > model.lines:
        raise TooManyUsers(
            f"{needed} lines are asked of a {model.id}, which has {model.lines}.",
            remedy="Assign fewer users, or a phone with more lines.",
            field="users",
        )


def assigned_users(session: Session, station: UUID) -> list[User]:
    """Who is assigned to a station, in order."""
    rows = queries.assignments_at(session, [station])
    people = queries.users(session, [row.user_id for row in rows])
    return [people[row.user_id] for row in rows]
