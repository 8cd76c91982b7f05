"""The change feed a PBX follows: what changed or went, in an order that loses nothing.

A sequence alone would lose changes: of two transactions the one with the lower number may commit
last, when a reader has gone past it. So numbers are an organisation's own, and are taken at the
very end of a transaction by counting its ``feed`` row up, which stays locked until the commit.
Whoever sees number n therefore sees every number below it, for good. The lock is the last that a
transaction takes, so that no two can wait for each other on its account; and it is held for the
commit alone. SQLite has one writer at a time anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, UniqueConstraint, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.errors import CursorExpired, InvalidInput
from provisioning.domain.ids import new_id
from provisioning.store.base import Base, Owned, now, one_of
from provisioning.store.statements import upsert

_CURSOR = re.compile(r"(?P<number>[0-9]{1,18})(-(?P<tag>[0-9a-f]{12}))?")


class Action(StrEnum):
    """What happened to a thing."""

    CHANGED = "changed"
    GONE = "gone"


class Feed(Owned, Base):
    """How far an organisation's feed has come: the number of its latest change."""

    __tablename__ = "feed"
    __table_args__ = (UniqueConstraint("organisation_id"),)

    last: Mapped[int] = mapped_column(BigInteger, default=0)


class FeedChange(Owned, Base):
    """One change: of which kind of thing, which one, and whether it is still there.

    ``subject_id`` has no foreign key: what went is told too.
    """

    __tablename__ = "feed_change"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number"),
        one_of("action", Action, name="action"),
    )

    number: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    action: Mapped[str]

    @property
    def cursor(self) -> str:
        """The text that names this place in the feed; a restored database has other ones."""
        return f"{self.number}-{self.id.hex[-12:]}"


START = "0"
"""The cursor of a feed without changes."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A change that a transaction will tell."""

    kind: str
    subject: UUID
    action: Action


def append(session: Session, organisation: UUID, noted: Iterable[Noted]) -> None:
    """Put changes at the end of a feed; nothing but the commit may follow."""
    told = list(noted)
    last = _numbers(session, organisation, len(told))
    rows = [
        {
            "organisation_id": organisation,
            "number": number,
            "kind": item.kind,
            "subject_id": item.subject,
            "action": item.action,
        }
        for number, item in enumerate(told, last - len(told) + 1)
    ]
    if rows:
        session.execute(insert(FeedChange), rows)


def _numbers(session: Session, organisation: UUID, count: int) -> int:
    """Take so many numbers; the last of them. The feed's row is locked until the commit."""
    row = {"id": new_id(), "organisation_id": organisation, "last": count}
    fresh = upsert(session, Feed).values(**row, created_at=now(), revision=1)
    taken = fresh.on_conflict_do_update(
        index_elements=["organisation_id"], set_={"last": Feed.last + count}
    ).returning(Feed.last)
    last: int = session.execute(taken).scalar_one()
    return last


def end_of(session: Session, organisation: UUID) -> str:
    """The cursor behind the latest change."""
    latest = session.scalar(
        select(FeedChange)
        .where(FeedChange.organisation_id == organisation)
        .order_by(FeedChange.number.desc())
        .limit(1)
    )
    return latest.cursor if latest else START


def after(session: Session, organisation: UUID, cursor: str, limit: int) -> list[FeedChange]:
    """The changes behind a cursor, in order; raises InvalidInput or CursorExpired."""
    number = _place(session, organisation, cursor)
    return list(
        session.scalars(
            select(FeedChange)
            .where(FeedChange.organisation_id == organisation, FeedChange.number > number)
            .order_by(FeedChange.number)
            .limit(limit)
        )
    )


def _place(session: Session, organisation: UUID, cursor: str) -> int:
    found = _CURSOR.fullmatch(cursor)
    if found is None or (found["tag"] is None and cursor != START):
        raise InvalidInput(
            f"'{cursor[:40]}' is no cursor of this feed.",
            remedy="Give the 'next' of an earlier answer, or leave 'since' out.",
            field="since",
        )
    number = int(found["number"])
    # The change the cursor stands on has to be there still; that of the start is the first one.
    held = session.scalar(
        select(FeedChange).where(
            FeedChange.organisation_id == organisation, FeedChange.number == max(number, 1)
        )
    )
    if cursor == START:
        known = held is not None or end_of(session, organisation) == START
    else:
        known = held is not None and held.cursor == cursor
    if not known:
        raise CursorExpired(
            "The changes behind this cursor are no longer known.",
            remedy="Start anew: read the feed without 'since', then the exports, and go on "
            "from the 'next' of that answer.",
            field="since",
        )
    return number


def trim(session: Session, before: datetime) -> None:
    """Forget changes told before a moment, but the latest of them: cursors stand on it."""
    latest = (
        select(FeedChange.organisation_id, func.max(FeedChange.number))
        .where(FeedChange.at < before)
        .group_by(FeedChange.organisation_id)
    )
    for organisation, number in session.execute(latest).all():
        session.execute(
            delete(FeedChange)
            .where(FeedChange.organisation_id == organisation, FeedChange.number < number)
            .execution_options(synchronize_session=False)
        )
