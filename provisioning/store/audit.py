"""The audit log: what happened, who did it, from where, and what stood there before.

Changes of rows get here by ``store.recording`` alone, everything else by ``note``. No secret does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, false, insert, or_
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.ids import new_id
from provisioning.domain.secret_names import is_secret
from provisioning.store import queries
from provisioning.store.authors import Author, author_of
from provisioning.store.base import Base, now
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


# --- writing


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
        insert(AuditEvent).values(
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
