"""Finding who uses what an organisation gives its people: numbers, cost centres, targets, licences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import Session

from provisioning.domain.keys import TARGET, KeyType
from provisioning.domain.kinds import LicenceKind
from provisioning.domain.settings import Level
from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    Licence,
    LicenceHolder,
    Number,
    UserNumber,
    UserOption,
)
from provisioning.store.devices import Assignment, Device, Station
from provisioning.store.organisations import Organisation, Profile, Role, Site
from provisioning.store.people import User
from provisioning.store.values import KeyValue

_OWNERS: dict[Level, type[Any]] = {
    Level.ORGANISATION: Organisation,
    Level.SITE: Site,
    Level.PROFILE: Profile,
    Level.DEVICE: Device,
    Level.ROLE: Role,
    Level.USER: User,
}


def number_users(session: Session, numbers: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Who calls out with each of these numbers, first or among several."""
    found: dict[UUID, set[UUID]] = {number: set() for number in numbers}
    first = select(User.caller_id_number_id, User.id).where(User.caller_id_number_id.in_(numbers))
    more = select(UserNumber.number_id, UserNumber.user_id).where(UserNumber.number_id.in_(numbers))
    for number, user in (*session.execute(first), *session.execute(more)):
        if number is not None:
            found[number].add(user)
    return {number: sorted(users) for number, users in found.items()}


def default_number(session: Session, organisation: UUID) -> Number | None:
    """The number that goes out where a user has none of their own."""
    return session.scalar(
        select(Number).where(Number.organisation_id == organisation, Number.is_default)
    )


def users_charged_to(session: Session, cost_centre: UUID) -> list[User]:
    """The users of a cost centre."""
    return list(session.scalars(select(User).where(User.cost_centre_id == cost_centre)))


def charged(session: Session, cost_centres: Sequence[UUID]) -> dict[UUID, int]:
    """How many users belong to each of these cost centres."""
    rows = session.execute(
        select(User.cost_centre_id, func.count())
        .where(User.cost_centre_id.in_(cost_centres))
        .group_by(User.cost_centre_id)
    )
    return {row[0]: row[1] for row in rows if row[0] is not None}


# --- groups


def members(session: Session, options: Sequence[UUID]) -> dict[UUID, int]:
    """How many users are in each of these options."""
    rows = session.execute(
        select(UserOption.option_id, func.count())
        .where(UserOption.option_id.in_(options))
        .group_by(UserOption.option_id)
    )
    return {row[0]: row[1] for row in rows}


def options_of_categories(
    session: Session, categories: Sequence[UUID]
) -> dict[UUID, list[CategoryOption]]:
    """The options of each of these categories, by name."""
    rows = session.scalars(
        select(CategoryOption)
        .where(CategoryOption.category_id.in_(categories))
        .order_by(CategoryOption.name, CategoryOption.id)
    )
    found: dict[UUID, list[CategoryOption]] = {category: [] for category in categories}
    for row in rows:
        found[row.category_id].append(row)
    return found


def memberships(session: Session, category: UUID, users: Sequence[UUID]) -> list[UserOption]:
    """What these users are in, of one category."""
    return list(
        session.scalars(
            select(UserOption).where(
                UserOption.category_id == category, UserOption.user_id.in_(users)
            )
        )
    )


def options_of_users(
    session: Session, users: Sequence[UUID]
) -> dict[UUID, list[tuple[UserOption, CategoryOption]]]:
    """The options each of these users is in, in the order of their categories."""
    rows = session.execute(
        select(UserOption, CategoryOption)
        .join(CategoryOption, CategoryOption.id == UserOption.option_id)
        .where(UserOption.user_id.in_(users))
        .order_by(UserOption.category_id)
    )
    found: dict[UUID, list[tuple[UserOption, CategoryOption]]] = {user: [] for user in users}
    for membership, option in rows:
        found[membership.user_id].append((membership, option))
    return found


def users_by_id(session: Session, organisation: UUID, users: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are users of the organisation."""
    return set(
        session.scalars(
            select(User.id).where(User.organisation_id == organisation, User.id.in_(users))
        )
    )


def in_option(option: UUID) -> ColumnElement[bool]:
    """Picks the users who are in an option."""
    return User.id.in_(select(UserOption.user_id).where(UserOption.option_id == option))


def known_departments(session: Session, organisation: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are options of the built-in category."""
    return set(
        session.scalars(
            select(CategoryOption.id)
            .join(Category, Category.id == CategoryOption.category_id)
            .where(
                CategoryOption.organisation_id == organisation,
                CategoryOption.id.in_(ids),
                Category.built_in,
            )
        )
    )


# --- keys and calls that point to something


def known_targets(session: Session, organisation: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are call targets of the organisation."""
    return set(
        session.scalars(
            select(CallTarget.id).where(
                CallTarget.organisation_id == organisation, CallTarget.id.in_(ids)
            )
        )
    )


def keys_to_target(session: Session, organisation: UUID, target: UUID) -> list[KeyValue]:
    """The keys that point to a call target."""
    return _keys(session, organisation, [f"{TARGET}{target}"])


def keys_of_options(
    session: Session, organisation: UUID, options: Iterable[UUID]
) -> list[KeyValue]:
    """The keys that stand for the people of these options."""
    found = _keys(session, organisation, [str(option) for option in options])
    return [row for row in found if row.type == KeyType.DEPARTMENT]


def _keys(session: Session, organisation: UUID, values: Sequence[str]) -> list[KeyValue]:
    return list(
        session.scalars(
            select(KeyValue).where(
                KeyValue.organisation_id == organisation, KeyValue.value.in_(values)
            )
        )
    )


def key_owners(session: Session, keys: Iterable[KeyValue]) -> list[str]:
    """Where keys stand, as people say it: "the site Berlin"."""
    found = set()
    for row in keys:
        owner = session.get(_OWNERS[Level(row.level)], row.owner_id)
        if owner is not None:
            found.add(f"the {row.level} {owner.name}")
    return sorted(found)


def users_sent_to(session: Session, organisation: UUID, target: UUID) -> list[User]:
    """The users whose steps or fallback name a call target."""
    named = [cast(column, String).contains(f'"{target}"') for column in (User.steps, User.fallback)]
    return list(
        session.scalars(select(User).where(User.organisation_id == organisation, or_(*named)))
    )


# --- licences


def licence_of(session: Session, organisation: UUID, kind: str, add_on: str) -> Licence | None:
    """The organisation's licence of a kind, or its add-on of that name."""
    return session.scalar(
        select(Licence).where(
            Licence.organisation_id == organisation, Licence.kind == kind, Licence.add_on == add_on
        )
    )


def locked_licences(session: Session, ids: Sequence[UUID]) -> list[Licence]:
    """Licences about to be handed out: nobody else hands them out meanwhile."""
    statement = select(Licence).where(Licence.id.in_(ids)).order_by(Licence.id)
    fresh = {"populate_existing": True}
    return list(session.scalars(statement.with_for_update(), execution_options=fresh))


def licences_of(session: Session, user: UUID) -> list[Licence]:
    """The licences a user holds."""
    return list(
        session.scalars(
            select(Licence)
            .join(LicenceHolder, LicenceHolder.licence_id == Licence.id)
            .where(LicenceHolder.user_id == user)
            .order_by(Licence.id)
        )
    )


def licence_holders(session: Session, licences: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Who holds each of these licences."""
    rows = session.execute(
        select(LicenceHolder.licence_id, LicenceHolder.user_id)
        .where(LicenceHolder.licence_id.in_(licences))
        .order_by(LicenceHolder.id)
    )
    found: dict[UUID, list[UUID]] = {licence: [] for licence in licences}
    for licence, user in rows:
        found[licence].append(user)
    return found


def held_by(session: Session, user: UUID) -> dict[UUID, LicenceHolder]:
    """A user's licences: who holds what, by the licence."""
    rows = session.scalars(select(LicenceHolder).where(LicenceHolder.user_id == user))
    return {row.licence_id: row for row in rows}


def holders_of(session: Session, users: Sequence[UUID], kind: LicenceKind) -> set[UUID]:
    """Those of the users who hold a licence of a kind."""
    return set(
        session.scalars(
            select(LicenceHolder.user_id)
            .join(Licence, Licence.id == LicenceHolder.licence_id)
            .where(LicenceHolder.user_id.in_(users), Licence.kind == kind)
        )
    )


def stations_of_user(session: Session, user: UUID) -> list[Station]:
    """The stations a user is assigned to."""
    return list(
        session.scalars(
            select(Station)
            .join(Assignment, Assignment.station_id == Station.id)
            .where(Assignment.user_id == user)
        )
    )
