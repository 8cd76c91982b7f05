"""Recording: every change of a row is told in the audit log, by the flush that writes it.

It stands in the transaction of the change. What nobody is named for is the server's own doing
(what a fetch tells of its phone, say) and is not told. No secret is: columns are masked by their
type and name, values by the class of their setting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, LargeBinary, Table, event, insert, inspect, select
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.util import identity_key

from provisioning.domain.secret_names import is_secret
from provisioning.store.audit import MASK, Action, AuditEvent, without_secrets
from provisioning.store.authors import Author, author_of
from provisioning.store.base import Base
from provisioning.store.people import User

UNTOLD = {
    "alembic_version", "attempts", "audit_event", "feed", "feed_change", "fetch", "pending",
    "phone_calls", "phone_upload", "reload", "served_file",
}  # fmt: skip
"""Tables the server fills by itself: logs, and what is still to be done."""


def is_told(table: Table) -> bool:
    """Whether changes of a table's rows stand in the log; what has no id is a count of ours."""
    return table.name not in UNTOLD and "id" in table.c


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
        if is_told(table):
            after = _present(_told(table, columns, of=columns))
            yield _Change(Action.CREATE, table, columns, {}, after)
    for row in session.dirty:
        former = _former(row)
        if not former.keys() - _QUIET:
            continue
        table, columns = _columns(row)
        after = {name: columns[name] for name in former}
        if is_told(table):
            told = (_told(table, former, of=columns), _told(table, after, of=columns))
            yield _Change(Action.UPDATE, table, columns, *told)
    for row in session.deleted:
        table, columns = _columns(row)
        if is_told(table):
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
            if key.ondelete == "CASCADE" and is_told(table):
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
