"""Finding people as lists show them, and what of the organisation's is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from provisioning.store import queries
from provisioning.store.catalogue import Category, CategoryOption, UserNumber, UserOption
from provisioning.store.devices import DectSlot, DectSystem, Device, Station
from provisioning.store.people import Contact, User


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a category that somebody belongs to."""

    id: UUID
    name: str
    category_id: UUID
    category: str


def users_page(
    session: Session,
    organisation: UUID,
    *,
    q: str,
    limit: int,
    cursor: UUID | None,
    newest_first: bool,
    where: ColumnElement[bool] | None = None,
) -> list[User]:
    """A page of users as they were made; ``q`` finds names, e-mails and extensions."""
    first, last = func.lower(User.first_name), func.lower(User.last_name)
    return queries.owned(
        session,
        User,
        organisation,
        where=where,
        q=q,
        or_found=or_(
            (first + " " + last).contains(q.lower(), autoescape=True),
            (last + ", " + first).contains(q.lower(), autoescape=True),
        ),
        limit=limit,
        cursor=cursor,
        newest_first=newest_first,
    )


def options(session: Session, users: Sequence[UUID]) -> dict[UUID, tuple[Option, ...]]:
    """The options each of the users belongs to, by the name of their category."""
    rows = session.execute(
        select(UserOption.user_id, CategoryOption, Category.name)
        .join(CategoryOption, CategoryOption.id == UserOption.option_id)
        .join(Category, Category.id == UserOption.category_id)
        .where(UserOption.user_id.in_(users))
        .order_by(Category.name)
    )
    found: dict[UUID, tuple[Option, ...]] = {}
    for user, option, category in rows:
        item = Option(option.id, option.name, option.category_id, category)
        found[user] = (*found.get(user, ()), item)
    return found


def set_caller_ids(session: Session, user: User, numbers: Sequence[UUID]) -> None:
    """Make these the numbers a user may call out with besides their first, in order."""
    rows = session.scalars(select(UserNumber).where(UserNumber.user_id == user.id))
    held = {row.number_id: row for row in rows}
    for number, row in held.items():
        if number not in numbers:
            session.delete(row)
    for position, number in enumerate(numbers, 1):
        if number in held:
            held[number].position = position
            continue
        session.add(
            UserNumber(
                organisation_id=user.organisation_id,
                user_id=user.id,
                number_id=number,
                position=position,
            )
        )


def falling_back_to(session: Session, user: User) -> list[User]:
    """The users whose calls go to this one when nobody answers."""
    return list(
        session.scalars(
            select(User).where(
                User.organisation_id == user.organisation_id,
                User.fallback["kind"].as_string() == "user",
                User.fallback["id"].as_string() == str(user.id),
            )
        )
    )


def own_contacts(session: Session, user: User) -> list[Contact]:
    """A user's own contacts in the order they were made."""
    return list(
        session.scalars(select(Contact).where(Contact.user_id == user.id).order_by(Contact.id))
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A station with what it is part of: a device, or a slot of a DECT system."""

    station: Station
    device: Device | None
    slot: DectSlot | None = None
    system: DectSystem | None = None


def places(session: Session, stations: Sequence[UUID]) -> dict[UUID, Place]:
    """What each of the stations is part of."""
    rows = session.execute(
        select(Station, Device, DectSlot, DectSystem)
        .outerjoin(Device, Device.id == Station.device_id)
        .outerjoin(DectSlot, DectSlot.station_id == Station.id)
        .outerjoin(DectSystem, DectSystem.id == DectSlot.system_id)
        .where(Station.id.in_(stations))
    )
    return {row[0].id: Place(row[0], row[1], row[2], row[3]) for row in rows}
