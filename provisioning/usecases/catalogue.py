"""What an organisation has to give its people: numbers, cost centres, call targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import DuplicateName, StillInUse
from provisioning.domain.kinds import TargetKind
from provisioning.domain.roles import Permission
from provisioning.store import queries, usage
from provisioning.store.catalogue import CallTarget, CostCentre, Number
from provisioning.store.database import Session
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page, row_of

_MOST_NAMED = 5
"""How many things a refusal names before it only counts them."""


def told(names: Sequence[str]) -> str:
    """Names as a sentence lists them; of many the first few."""
    beyond = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {beyond} more" if beyond > 0 else "")


def counted(number: int, what: str) -> str:
    """How many of something, as a sentence says it: "1 user", "2 users"."""
    return f"{number} {what}" + ("" if number == 1 else "s")


# --- numbers


@dataclass(frozen=True, slots=True)
class UsedNumber:
    """A number and who calls out with it; it is free where nobody does."""

    row: Number
    users: tuple[UUID, ...]

    @property
    def id(self) -> UUID:
        """The number's id, by which lists go on."""
        return self.row.id


_NUMBER_FIELDS: dict[str, Check] = {
    "number": lambda value: fields.e164("number", value),
    "label": lambda value: fields.name("label", value, empty=True),
    "is_default": bool,
}


def list_numbers(core: Core, actor: Actor, page: Page) -> list[UsedNumber]:
    """A page of the organisation's numbers."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = queries.owned(
            session, Number, actor.organisation, q=page.q, limit=page.limit, cursor=page.cursor
        )
        return _used(session, rows)


def read_number(core: Core, actor: Actor, number: UUID | str) -> UsedNumber:
    """One number; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _used(session, [queries.get(session, Number, actor.organisation, number)])[0]


def _used(session: Session, rows: Sequence[Number]) -> list[UsedNumber]:
    users = usage.number_users(session, [row.id for row in rows])
    return [UsedNumber(row, tuple(users[row.id])) for row in rows]


def add_number(core: Core, actor: Actor, **columns: Any) -> UsedNumber:
    """Make a number of the organisation; raises InvalidInput or DuplicateName."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = Number(organisation_id=actor.organisation)
        _set_number(session, row, columns)
        session.add(row)
        return UsedNumber(row, ())


def change_number(
    core: Core, actor: Actor, number: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> UsedNumber:  # fmt: skip
    """Change a number; whoever has it calls out with the new one."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Number, actor.organisation, number)
        expect(row, revision)
        with session.no_autoflush:
            _set_number(session, row, changes)
        return _used(session, [row])[0]


def _set_number(session: Session, row: Number, columns: Mapping[str, Any]) -> None:
    former = usage.default_number(session, row.organisation_id)
    if columns.get("is_default") and former is not None and former.id != row.id:
        former.is_default = False
        session.flush()  # before this one is the default: there are never two
    change(row, columns, _NUMBER_FIELDS)
    _unique(session, row, "number", "number")


def delete_number(
    core: Core, actor: Actor, number: UUID | str, revision: int | None = None
) -> None:
    """Delete a number nobody calls out with; raises StillInUse with their names."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Number, actor.organisation, number)
        expect(row, revision)
        users = queries.users(session, usage.number_users(session, [row.id])[row.id])
        if users:
            raise StillInUse(
                f"The number {row.number} is used by {told(_names(users.values()))}.",
                remedy="Give them another number first.",
            )
        session.delete(row)


def _names(users: Iterable[Any]) -> list[str]:
    return sorted(user.name for user in users)


# --- cost centres


@dataclass(frozen=True, slots=True)
class ChargedTo:
    """A cost centre and how many users belong to it."""

    row: CostCentre
    users: int

    @property
    def id(self) -> UUID:
        """The cost centre's id, by which lists go on."""
        return self.row.id


_COST_CENTRE_FIELDS: dict[str, Check] = {
    "name": lambda value: fields.name("name", value),
    "code": lambda value: fields.dialled("code", value),
}


def list_cost_centres(core: Core, actor: Actor, page: Page) -> list[ChargedTo]:
    """A page of the organisation's cost centres."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = queries.owned(
            session, CostCentre, actor.organisation, q=page.q, limit=page.limit, cursor=page.cursor
        )
        return _charged(session, rows)


def read_cost_centre(core: Core, actor: Actor, cost_centre: UUID | str) -> ChargedTo:
    """One cost centre; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, CostCentre, actor.organisation, cost_centre)
        return _charged(session, [row])[0]


def _charged(session: Session, rows: Sequence[CostCentre]) -> list[ChargedTo]:
    users = usage.charged(session, [row.id for row in rows])
    return [ChargedTo(row, users.get(row.id, 0)) for row in rows]


def add_cost_centre(core: Core, actor: Actor, **columns: Any) -> ChargedTo:
    """Make a cost centre; raises InvalidInput or DuplicateName."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = CostCentre(organisation_id=actor.organisation)
        change(row, columns, _COST_CENTRE_FIELDS)
        _unique(session, row, "name", "cost centre")
        session.add(row)
        return ChargedTo(row, 0)


def change_cost_centre(
    core: Core, actor: Actor, cost_centre: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> ChargedTo:  # fmt: skip
    """Change a cost centre; its users' keys dial the new code."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, CostCentre, actor.organisation, cost_centre)
        expect(row, revision)
        with session.no_autoflush:
            change(row, changes, _COST_CENTRE_FIELDS)
            _unique(session, row, "name", "cost centre")
        return _charged(session, [row])[0]


def delete_cost_centre(
    core: Core,
    actor: Actor,
    cost_centre: UUID | str,
    revision: int | None = None,
    *,
    confirm: bool = False,
) -> None:
    """Delete a cost centre; only a confirmed deletion takes it from users, else StillInUse."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, CostCentre, actor.organisation, cost_centre)
        expect(row, revision)
        users = usage.users_charged_to(session, row.id)
        if users and not confirm:
            raise StillInUse(
                f"The cost centre '{row.name}' has {counted(len(users), 'user')}.",
                remedy="Give them another first, or repeat with ?confirm=1 to leave them without.",
            )
        for user in users:
            user.cost_centre_id = None
        session.flush()
        session.delete(row)


# --- call targets

_TARGET_FIELDS: dict[str, Check] = {
    "name": lambda value: fields.name("name", value),
    "number": lambda value: fields.dialled("number", value),
}


def list_targets(core: Core, actor: Actor, page: Page, *, kind: str = "") -> list[CallTarget]:
    """A page of the organisation's call targets, those of one kind if it is named."""
    actor.require(Permission.READ)
    where = CallTarget.kind == fields.word("kind", kind, TargetKind) if kind else None
    with core.database.read() as session:
        return queries.owned(
            session, CallTarget, actor.organisation,
            where=where, q=page.q, limit=page.limit, cursor=page.cursor,
        )  # fmt: skip


def read_target(core: Core, actor: Actor, target: UUID | str) -> CallTarget:
    """One call target; raises NotFound."""
    return row_of(core, actor, CallTarget, target)


def add_target(core: Core, actor: Actor, *, kind: str, **columns: Any) -> CallTarget:
    """Make a call target of a kind that stays; raises InvalidInput or DuplicateName."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = CallTarget(organisation_id=actor.organisation)
        row.kind = fields.word("kind", kind, TargetKind)
        change(row, columns, _TARGET_FIELDS)
        _unique(session, row, "name", "call target", kind=row.kind)
        session.add(row)
        return row


def change_target(
    core: Core, actor: Actor, target: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> CallTarget:  # fmt: skip
    """Change a call target; the keys that point to it dial its new number."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, CallTarget, actor.organisation, target)
        expect(row, revision)
        with session.no_autoflush:
            change(row, changes, _TARGET_FIELDS)
            _unique(session, row, "name", "call target", kind=row.kind)
        return row


def delete_target(
    core: Core, actor: Actor, target: UUID | str, revision: int | None = None
) -> None:
    """Delete a call target nothing points to; raises StillInUse that says what does."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, CallTarget, actor.organisation, target)
        expect(row, revision)
        keys = usage.keys_to_target(session, actor.organisation, row.id)
        users = usage.users_sent_to(session, actor.organisation, row.id)
        found = []
        if keys:
            found.append("keys of " + told(usage.key_owners(session, keys)))
        if users:
            found.append("the routing of " + told(_names(users)))
        if found:
            raise StillInUse(
                f"To '{row.name}' point: " + "; ".join(found) + ".",
                remedy="Point these elsewhere first.",
            )
        session.delete(row)


# --- what they have in common


def _unique(
    session: Session, row: Number | CostCentre | CallTarget, column: str, what: str, **more: Any
) -> None:
    """Raise DuplicateName where another row of the organisation has this name or number."""
    value = getattr(row, column)
    given = {column: value} | more
    other = queries.row_with(session, type(row), row.organisation_id, **given)
    if other is not None and other.id != row.id:
        raise DuplicateName(
            f"There is already a {what} '{value}'.", remedy="Choose another.", field=column
        )
