"""Categories and their options: the departments, offices and other groups people are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import (
    Conflict,
    DuplicateName,
    InvalidInput,
    NotFound,
    StillInUse,
    Unconfirmed,
)
from provisioning.domain.roles import Permission
from provisioning.store import queries, usage
from provisioning.store.catalogue import Category, CategoryOption, UserOption
from provisioning.store.database import Session
from provisioning.store.people import User
from provisioning.store.values import KeyValue
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.catalogue import counted, told
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page

MOST_USERS = 10_000
"""Users that one request puts into an option."""

_FIELDS: dict[str, Check] = {"name": lambda value: fields.name("name", value)}


@dataclass(frozen=True, slots=True)
class Group:
    """An option and how many users are in it."""

    row: CategoryOption
    users: int


@dataclass(frozen=True, slots=True)
class Grouping:
    """A category with its options by name."""

    row: Category
    options: tuple[Group, ...]

    @property
    def id(self) -> UUID:
        """The category's id, by which lists go on."""
        return self.row.id


# --- categories


def list_categories(core: Core, actor: Actor, page: Page) -> list[Grouping]:
    """A page of the organisation's categories with their options."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = queries.owned(
            session, Category, actor.organisation, q=page.q, limit=page.limit, cursor=page.cursor
        )
        return _groupings(session, rows)


def read_category(core: Core, actor: Actor, category: UUID | str) -> Grouping:
    """One category with its options; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, Category, actor.organisation, category)
        return _groupings(session, [row])[0]


def add_category(core: Core, actor: Actor, name: str) -> Grouping:
    """Make a category without options; raises InvalidInput or DuplicateName."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = Category(organisation_id=actor.organisation, name=fields.name("name", name))
        _unique_category(session, row)
        session.add(row)
        return Grouping(row, ())


def change_category(
    core: Core, actor: Actor, category: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Grouping:  # fmt: skip
    """Rename a category, the built-in one too; raises NotFound or DuplicateName."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Category, actor.organisation, category)
        expect(row, revision)
        with session.no_autoflush:
            change(row, changes, _FIELDS)
            _unique_category(session, row)
        return _groupings(session, [row])[0]


def delete_category(
    core: Core,
    actor: Actor,
    category: UUID | str,
    revision: int | None = None,
    *,
    confirm: bool = False,
) -> None:
    """Delete a category with its options; raises Unconfirmed, which says what goes with it.

    The built-in one stays: Conflict.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Category, actor.organisation, category)
        expect(row, revision)
        if row.built_in:
            raise Conflict(
                f"'{row.name}' is the category every organisation has.",
                remedy="Rename it, or delete its options.",
            )
        if not confirm:
            raise Unconfirmed(
                f"With the category '{row.name}' {_goes(session, row)}.",
                remedy="Repeat with ?confirm=1 if that is meant.",
            )
        for option in usage.options_of_categories(session, [row.id])[row.id]:
            session.delete(option)
        session.flush()
        session.delete(row)


def _goes(session: Session, row: Category) -> str:
    options = usage.options_of_categories(session, [row.id])[row.id]
    users = sum(usage.members(session, [option.id for option in options]).values())
    if not options:
        return "goes nothing else"
    names = told([option.name for option in options])
    return f"go {counted(len(options), 'option')} ({names}) with {counted(users, 'user')} in them"


def _groupings(session: Session, rows: Sequence[Category]) -> list[Grouping]:
    options = usage.options_of_categories(session, [row.id for row in rows])
    users = usage.members(session, [option.id for found in options.values() for option in found])
    return [
        Grouping(row, tuple(Group(o, users.get(o.id, 0)) for o in options[row.id])) for row in rows
    ]


def _unique_category(session: Session, row: Category) -> None:
    other = queries.named(session, Category, row.organisation_id, row.name)
    if other is not None and other.id != row.id:
        raise _taken("category", row.name)


def _taken(what: str, name: str) -> DuplicateName:
    return DuplicateName(
        f"There is already a {what} '{name}'.", remedy="Choose another name.", field="name"
    )


# --- options


def add_option(core: Core, actor: Actor, category: UUID | str, name: str) -> Group:
    """Make an option of a category; raises NotFound, InvalidInput or DuplicateName."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        of = queries.get(session, Category, actor.organisation, category)
        row = CategoryOption(
            organisation_id=actor.organisation,
            category_id=of.id,
            name=fields.name("name", name),
        )
        _unique_option(session, row)
        session.add(row)
        return Group(row, 0)


def read_option(core: Core, actor: Actor, category: UUID | str, option: UUID | str) -> Group:
    """One option; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _group(session, _option(session, actor, category, option))


def change_option(
    core: Core,
    actor: Actor,
    category: UUID | str,
    option: UUID | str,
    changes: Mapping[str, Any],
    *,
    revision: int | None = None,
) -> Group:
    """Rename an option; its users stay in it."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = _option(session, actor, category, option)
        expect(row, revision)
        with session.no_autoflush:
            change(row, changes, _FIELDS)
            _unique_option(session, row)
        return _group(session, row)


def delete_option(
    core: Core,
    actor: Actor,
    category: UUID | str,
    option: UUID | str,
    revision: int | None = None,
    *,
    confirm: bool = False,
) -> None:
    """Delete an option; its users are in none then.

    Keys that stand for its people go with it only where that is confirmed, else StillInUse.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = _option(session, actor, category, option)
        expect(row, revision)
        keys = usage.keys_of_options(session, actor.organisation, [row.id])
        if keys and not confirm:
            raise _still_on_keys(session, row, keys)
        for key in keys:
            session.delete(key)
        session.delete(row)


def _still_on_keys(session: Session, row: CategoryOption, keys: Sequence[KeyValue]) -> StillInUse:
    where = told(usage.key_owners(session, keys))
    return StillInUse(
        f"Keys of {where} stand for the people of '{row.name}'.",
        remedy="Change these keys first, or repeat with ?confirm=1 to delete them too.",
    )


def _option(
    session: Session, actor: Actor, category: UUID | str, option: UUID | str
) -> CategoryOption:
    of = queries.get(session, Category, actor.organisation, category)
    row = queries.get(session, CategoryOption, actor.organisation, option)
    if row.category_id != of.id:
        raise NotFound(
            f"The category '{of.name}' has no option with the id {row.id}.",
            remedy="GET the category to see its options.",
        )
    return row


def _group(session: Session, row: CategoryOption) -> Group:
    return Group(row, usage.members(session, [row.id]).get(row.id, 0))


def _unique_option(session: Session, row: CategoryOption) -> None:
    other = queries.row_with(
        session, CategoryOption, row.organisation_id, category_id=row.category_id, name=row.name
    )
    if other is not None and other.id != row.id:
        raise _taken("option", row.name)


# --- who is in them


def put_users(
    core: Core,
    actor: Actor,
    category: UUID | str,
    option: UUID | str,
    users: Sequence[UUID],
) -> Group:
    """Put users into an option, all or none; they leave the category's other options.

    The number of statements does not grow with the users. Raises NotFound or InvalidInput.
    """
    actor.require(Permission.WRITE)
    wanted = list(dict.fromkeys(users))
    if len(wanted) > MOST_USERS:
        raise InvalidInput(
            f"{len(wanted)} users are too many at once.",
            remedy=f"Send at most {MOST_USERS} in one request.",
            field="users",
        )
    with changing(core, actor) as session:
        row = _option(session, actor, category, option)
        unknown = set(wanted) - usage.users_by_id(session, actor.organisation, wanted)
        if unknown:
            raise NotFound(
                f"There is no user with the id {min(unknown)}.",
                remedy="Nobody was put anywhere; leave out who is not there.",
                field="users",
            )
        held = {item.user_id: item for item in usage.memberships(session, row.category_id, wanted)}
        there = {user for user, item in held.items() if item.option_id == row.id}
        for user, item in held.items():
            if user not in there:
                session.delete(item)
        session.flush()  # rows go and come in bulk, while each changed one is a statement
        session.add_all(_membership(row, user) for user in wanted if user not in there)
        session.flush()
        return _group(session, row)


def _membership(option: CategoryOption, user: UUID) -> UserOption:
    return UserOption(
        organisation_id=option.organisation_id,
        user_id=user,
        category_id=option.category_id,
        option_id=option.id,
    )


def set_user_options(
    core: Core, actor: Actor, user: UUID | str, options: Sequence[UUID]
) -> list[CategoryOption]:
    """Make these the options a user is in, at most one of each category; they leave all others."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        person = queries.get(session, User, actor.organisation, user)
        rows = [queries.get(session, CategoryOption, actor.organisation, item) for item in options]
        wanted = {row.category_id: row for row in rows}
        if len(wanted) != len(rows):
            raise InvalidInput(
                "Two options are of one category.",
                remedy="A user is in at most one option of each.",
                field="options",
            )
        held = {
            item.category_id: item
            for item, _ in usage.options_of_users(session, [person.id])[person.id]
        }
        for category, item in held.items():
            if category not in wanted:
                session.delete(item)
        for category, row in wanted.items():
            if category in held:
                held[category].option_id = row.id
            else:
                session.add(_membership(row, person.id))
        return rows


def user_options(core: Core, actor: Actor, user: UUID | str) -> list[CategoryOption]:
    """The options a user is in."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, User, actor.organisation, user)
        return [option for _, option in usage.options_of_users(session, [row.id])[row.id]]
