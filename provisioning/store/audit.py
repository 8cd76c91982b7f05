"""The audit log: every change with who made it, from where, and what stood there before.

Written in one place, by the flush itself and so in the transaction of the change. What nobody is
named for is the server's own doing (what a fetch tells of its phone, say) and is not told. No
secret gets here: columns are masked by their type and name, settings by their class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    event,
    false,
    insert,
    inspect,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.orm.util import identity_key

from provisioning.domain.ids import new_id
from provisioning.domain.secret_names import is_secret
from provisioning.store import queries
from provisioning.store.authors import Author, author_of
from provisioning.store.base import Base, now
from provisioning.store.people import User
from provisioning.store.security import Fetch

MASK = "********"
"""What stands for a secret; it tells that there is one, never which."""


class Action(StrEnum):
    """What was done. Events that are no change of a row may have words of their own."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class AuditEvent(Base):
    """One change: ``before`` and ``after`` hold the columns concerned.

    ``kind``, ``object_id`` and ``name`` say of what, as it was called then; ``part_of`` is what
    it belongs to, for example the user of an account. The object may be gone by now: ids without
    foreign keys.
    """

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_organisation_newest", "organisation_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE")
    )
    actor: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    action: Mapped[str]
    kind: Mapped[str]
    object_id: Mapped[UUID | None] = mapped_column(index=True)
    part_of: Mapped[UUID | None] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(default="")
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


UNTOLD = {"alembic_version", "audit_event", "fetch", "pending", "reload", "served_file"}
"""Tables the server fills by itself: logs, and what is still to be done."""

_QUIET = {
    "id", "organisation_id", "created_at", "revision", "version", "last_seen_at", "last_used_at",
    "blanked_at", "set_by", "set_at",
}  # fmt: skip
"""Columns that say what the event itself says, or that count by themselves."""

_PARENTS = (
    "owner_id", "user_id", "station_id", "device_id", "system_id", "category_id", "licence_id",
    "login_id",
)  # fmt: skip


# --- no secrets


@cache
def secret_columns(table: Table) -> frozenset[str]:
    """The columns of a table that hold a secret, encrypted, hashed or plain."""
    return frozenset(
        column.name
        for column in table.columns
        if isinstance(column.type, LargeBinary) or is_secret(column.name)
    )


def without_secrets(value: Any) -> Any:
    """A value as JSON has it, whatever in it is named as a secret masked."""
    if isinstance(value, Mapping):
        return {
            str(name): MASK if is_secret(str(name)) and inner else without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [without_secrets(inner) for inner in value]
    if isinstance(value, bytes):
        return MASK
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | StrEnum) else value


def _told(table: Table, columns: Mapping[str, Any], *, of: Mapping[str, Any]) -> dict[str, Any]:
    """The columns to tell of a row ``of`` a table."""
    hidden = secret_columns(table)
    if table.name == "setting" and is_secret(str(of.get("key", ""))):
        hidden |= {"value"}
    return {
        name: MASK if name in hidden and value is not None else without_secrets(value)
        for name, value in columns.items()
        if name not in _QUIET
    }


# --- what happened


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of one row; ``row`` holds all its columns, as they stand or stood."""

    action: Action
    table: Table
    row: Mapping[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Happened:
    """What the transaction of a session did to one object."""

    action: str
    kind: str
    object_id: UUID | None


_ALONG = "audit-along"
_HAPPENED = "audit-happened"


def happened(session: Session) -> tuple[Happened, ...]:
    """What this session's transaction has changed so far, what goes along with it included."""
    return tuple(session.info.get(_HAPPENED, ()))


def watch(sessions: sessionmaker[Session]) -> None:
    """Tell of every flush of these sessions that somebody is named for."""
    event.listen(sessions, "before_flush", _before_flush)
    event.listen(sessions, "after_flush", _after_flush)


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    """Look at what the database will delete along, while it is still there."""
    if author_of(session) is not None and session.deleted:
        with session.no_autoflush:
            session.info[_ALONG] = list(_going_along(session))


def _after_flush(session: Session, _context: Any) -> None:
    """Write the events; defaults have their values by now, and what changed is still known."""
    along: list[_Change] = session.info.pop(_ALONG, [])
    author = author_of(session)
    if author is None:
        return
    changes = [*_own(session), *along]
    if changes:
        rows = [_event(session, author, change) for change in changes]
        gone = {change.row["id"] for change in changes if _ends_organisation(change)}
        for row in rows:
            row["organisation_id"] = (
                None if row["organisation_id"] in gone else row["organisation_id"]
            )
        session.execute(insert(_TABLE), rows)
    done = session.info.setdefault(_HAPPENED, [])
    done += [Happened(item.action, kind_of(item.table), item.row["id"]) for item in changes]


_TABLE: Any = AuditEvent.__table__


def _ends_organisation(change: _Change) -> bool:
    """Whether an organisation goes: what is told then stands in nobody's log but the operators'."""
    return change.action is Action.DELETE and change.table.name == "organisation"


def _own(session: Session) -> Iterator[_Change]:
    """The changes of the rows that the session holds."""
    for row in session.new:
        table, columns = _columns(row)
        if table.name not in UNTOLD:
            after = _present(_told(table, columns, of=columns))
            yield _Change(Action.CREATE, table, columns, {}, after)
    for row in session.dirty:
        table, columns = _columns(row)
        former = _former(row)
        after = {name: columns[name] for name in former}
        if table.name not in UNTOLD and former.keys() - _QUIET:
            told = (_told(table, former, of=columns), _told(table, after, of=columns))
            yield _Change(Action.UPDATE, table, columns, *told)
    for row in session.deleted:
        table, columns = _columns(row)
        if table.name not in UNTOLD:
            yield _deletion(table, columns)


def _columns(row: Any) -> tuple[Table, dict[str, Any]]:
    """The table of a row and the values of its columns."""
    mapper = inspect(row).mapper
    named = {attribute.columns[0].name: attribute.key for attribute in mapper.column_attrs}
    return mapper.local_table, {name: getattr(row, key) for name, key in named.items()}


def _former(row: Any) -> dict[str, Any]:
    """The columns of a row that change, with what stood there."""
    state = inspect(row)
    former = {}
    for attribute in state.mapper.column_attrs:
        history = state.attrs[attribute.key].history
        if history.has_changes():
            former[attribute.columns[0].name] = history.deleted[0] if history.deleted else None
    return former


def _present(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if value is not None}


def _deletion(table: Table, columns: Mapping[str, Any]) -> _Change:
    return _Change(Action.DELETE, table, columns, _present(_told(table, columns, of=columns)), {})


# --- what goes along


@cache
def _followers() -> dict[str, list[tuple[Table, Column[Any]]]]:
    """For each table: which tables' rows the database deletes with a row of it, by which column."""
    found: dict[str, list[tuple[Table, Column[Any]]]] = defaultdict(list)
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if key.ondelete == "CASCADE" and table.name not in UNTOLD:
                for element in key.elements:
                    if element.column.name == "id":
                        found[key.referred_table.name].append((table, element.parent))
    return found


def _going_along(session: Session) -> Iterator[_Change]:
    """The rows the database deletes because others go, found by its own keys."""
    wave: dict[str, set[UUID]] = defaultdict(set)
    for row in session.deleted:
        wave[row.__tablename__].add(row.id)
    seen = {(table, row) for table, ids in wave.items() for row in ids}
    while wave:
        following: dict[str, set[UUID]] = defaultdict(set)
        for name, ids in wave.items():
            for table, column in _followers().get(name, ()):
                for row in session.execute(select(table).where(column.in_(ids))).mappings():
                    if (table.name, row["id"]) not in seen:
                        seen.add((table.name, row["id"]))
                        following[table.name].add(row["id"])
                        yield _deletion(table, {str(name): value for name, value in row.items()})
        wave = following


# --- the row of an event


def kind_of(table: Table) -> str:
    """What a table's rows are called in the log."""
    return table.name.replace("_", "-")


def _event(session: Session, author: Author, change: _Change) -> dict[str, Any]:
    row, table = change.row, change.table
    own = row.get("organisation_id")
    organisation = row["id"] if table.name == "organisation" else own or author.organisation_id
    return {
        "organisation_id": organisation,
        "actor": author.name,
        "source": author.source,
        "action": change.action,
        "kind": kind_of(table),
        "object_id": row["id"],
        "part_of": next((row[name] for name in _PARENTS if row.get(name)), None),
        "name": _name(session, row),
        "before": change.before,
        "after": change.after,
    }


def _name(session: Session, row: Mapping[str, Any]) -> str:
    """What an admin would call a row."""
    if "first_name" in row:
        return f"{row['first_name']} {row['last_name']}".strip()
    if "area" in row:
        return f"{row['area']} {row['position']}"
    for column in ("name", "username", "email", "key", "label", "value", "number"):
        if row.get(column):
            return str(row[column])
    if row.get("user_id") is None:
        return ""
    user = session.identity_map.get(identity_key(User, row["user_id"]))
    return user.name if user is not None else ""


def title(session: Session, row: Any) -> str:
    """A row in a few words: its kind and what an admin would call it."""
    table, columns = _columns(row)
    return f"{table.name.replace('_', ' ')} {_name(session, columns)}".strip()


def note(
    session: Session, *, action: str, kind: str, organisation_id: UUID | None = None,
    object_id: UUID | None = None, name: str = "", author: Author | None = None,
    before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Tell of what is no change of a row, such as a login or a reload.

    It is the session's author's doing, in their organisation, unless another is given.
    """
    who = author or author_of(session) or Author("server", organisation_id)
    session.execute(
        insert(_TABLE).values(
            organisation_id=organisation_id or who.organisation_id,
            actor=who.name,
            source=who.source,
            action=action,
            kind=kind,
            object_id=object_id,
            name=name,
            before=without_secrets(before or {}),
            after=without_secrets(after or {}),
        )
    )


# --- reading


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: between two moments, of an actor, of a kind of object, of one object."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    kind: str = ""
    object_id: UUID | None = None
    action: str = ""


def events(
    session: Session, organisation: UUID | None, wanted: Wanted, **page: Any
) -> list[AuditEvent]:
    """A page of an organisation's events, newest first; the moment ``until`` is not in it."""
    where = [AuditEvent.organisation_id == organisation, *_within(AuditEvent.at, wanted)]
    for column, value in (
        (AuditEvent.actor, wanted.actor),
        (AuditEvent.kind, wanted.kind),
        (AuditEvent.action, wanted.action),
    ):
        if value:
            where.append(column == value)
    if wanted.object_id is not None:
        own = (AuditEvent.object_id, AuditEvent.part_of)
        where.append(or_(*(column == wanted.object_id for column in own)))
    return queries.listed(session, AuditEvent, *where, newest_first=True, **page)


def fetches(
    session: Session, organisation: UUID | None, wanted: Wanted, **page: Any
) -> list[Fetch]:
    """A page of what an organisation's phones asked for, newest first; the actor is a MAC."""
    where = [Fetch.organisation_id == organisation, *_within(Fetch.at, wanted)]
    if wanted.actor:
        where.append(Fetch.mac == wanted.actor)
    if wanted.object_id is not None:
        where.append(Fetch.device_id == wanted.object_id)
    if wanted.action not in ("", Fetch.__tablename__):
        where.append(false())
    return queries.listed(session, Fetch, *where, newest_first=True, **page)


def _within(at: Any, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield at >= wanted.since
    if wanted.until is not None:
        yield at < wanted.until
