"""Finding how people are grouped, what they call out with and where calls can go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    CostCentre,
    Number,
    UserNumber,
    UserOption,
)
from provisioning.store.organisations import Role
from provisioning.store.people import User


def department(session: Session, organisation: UUID) -> Category:
    """The built-in category, which every organisation has."""
    return session.scalars(
        select(Category).where(Category.organisation_id == organisation, Category.built_in)
    ).one()


def departments(session: Session, organisation: UUID) -> dict[UUID, UUID]:
    """The department of each user of an organisation that has one, by the user's id."""
    rows = session.execute(
        select(UserOption.user_id, UserOption.option_id)
        .join(Category, Category.id == UserOption.category_id)
        .where(UserOption.organisation_id == organisation, Category.built_in)
    )
    return {user: option for user, option in rows}  # noqa: C416 - rows are no pairs to mypy


def department_names(session: Session, organisation: UUID) -> dict[UUID, str]:
    """What the department of each user that has one is called, by the user's id."""
    rows = session.execute(
        select(UserOption.user_id, CategoryOption.name)
        .join(Category, Category.id == UserOption.category_id)
        .join(CategoryOption, CategoryOption.id == UserOption.option_id)
        .where(UserOption.organisation_id == organisation, Category.built_in)
    )
    return {user: name for user, name in rows}  # noqa: C416 - rows are no pairs to mypy


def option_names(session: Session, organisation: UUID) -> dict[UUID, list[str]]:
    """What the options of each user that is in one are called, by the user's id."""
    rows = session.execute(
        select(UserOption.user_id, CategoryOption.name)
        .join(CategoryOption, CategoryOption.id == UserOption.option_id)
        .where(UserOption.organisation_id == organisation)
    )
    found: dict[UUID, list[str]] = {}
    for user, name in rows:
        found.setdefault(user, []).append(name)
    return found


def caller_ids(session: Session, users: Sequence[UUID]) -> dict[UUID, tuple[Number, ...]]:
    """The numbers each of the users may call out with besides their first, in order."""
    if not users:
        return {}
    rows = session.execute(
        select(UserNumber.user_id, Number)
        .join(Number, Number.id == UserNumber.number_id)
        .where(UserNumber.user_id.in_(users))
        .order_by(UserNumber.position, UserNumber.id)
    )
    found: dict[UUID, tuple[Number, ...]] = {}
    for user, number in rows:
        found[user] = (*found.get(user, ()), number)
    return found


def called_out_with(session: Session, organisation: UUID, users: Iterable[User]) -> dict[UUID, str]:
    """The number each of the users calls out with: their own, else the organisation's default."""
    own = {user.id: user.caller_id_number_id for user in users}
    if not own:
        return {}
    wanted = [number for number in own.values() if number is not None]
    rows = session.scalars(
        select(Number).where(
            Number.organisation_id == organisation, or_(Number.id.in_(wanted), Number.is_default)
        )
    ).all()
    numbers = {row.id: row.number for row in rows}
    default = next((row.number for row in rows if row.is_default), "")
    return {
        user: numbers[number] if number is not None else default for user, number in own.items()
    }


def cost_centres(session: Session, users: Iterable[User]) -> dict[UUID, CostCentre]:
    """The cost centres of users by their own ids."""
    ids = [user.cost_centre_id for user in users if user.cost_centre_id]
    rows = session.scalars(select(CostCentre).where(CostCentre.id.in_(ids))) if ids else ()
    return {row.id: row for row in rows}


def role_names(session: Session, users: Iterable[User]) -> dict[UUID, str]:
    """What the roles of users are called, by their own ids."""
    ids = [user.role_id for user in users if user.role_id]
    rows = session.scalars(select(Role).where(Role.id.in_(ids))) if ids else ()
    return {row.id: row.name for row in rows}


def targets(session: Session, organisation: UUID) -> dict[UUID, CallTarget]:
    """The call targets of an organisation by id."""
    rows = session.scalars(select(CallTarget).where(CallTarget.organisation_id == organisation))
    return {row.id: row for row in rows}


def option_of(session: Session, user: UUID, category: UUID) -> UserOption | None:
    """That a user belongs to an option of a category, if they do."""
    return session.scalar(
        select(UserOption).where(UserOption.user_id == user, UserOption.category_id == category)
    )
