"""Failed tries of a user's voicemail PIN: counted in the database, whatever replica is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.ids import new_id
from provisioning.store.base import Base, Owned, now, within
from provisioning.store.people import User

_UPSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
FREE_TRIES = 3
_FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)


class VoicemailFailure(Owned, Base):
    """How many tries in a row failed, and until when no further one is looked at."""

    __tablename__ = "voicemail_failure"
    __table_args__ = (within("user_id", "user", ondelete="CASCADE"), UniqueConstraint("user_id"))

    user_id: Mapped[UUID]
    count: Mapped[int] = mapped_column(default=0)
    until: Mapped[datetime | None]


def begin_try(session: Session, user: User, moment: datetime) -> timedelta | None:
    """Count a try as failed before it is looked at; or how long to wait until the next.

    Tries side by side are counted one after the other, so that none is free.
    """
    upsert = _UPSERTS[session.get_bind().dialect.name]
    columns = {"id": new_id(), "organisation_id": user.organisation_id, "user_id": user.id}
    fresh = upsert(VoicemailFailure).values(**columns, count=0, created_at=now(), revision=1)
    session.execute(fresh.on_conflict_do_nothing(index_elements=["user_id"]))
    row = session.scalars(
        select(VoicemailFailure).where(VoicemailFailure.user_id == user.id).with_for_update()
    ).one()
    if row.until is not None and row.until > moment:
        return row.until - moment
    row.count += 1
    row.until = moment + _wait(row.count)
    return None


def _wait(count: int) -> timedelta:
    """How long a try waits for the next: the first are free, then it doubles."""
    if count < FREE_TRIES:
        return timedelta()
    doubled: int = 2 ** min(count - FREE_TRIES, 20)
    return min(_FIRST_WAIT * doubled, LONGEST_WAIT)


def forget_tries(session: Session, user: UUID) -> None:
    """Start counting anew: the right PIN came."""
    row = session.scalar(select(VoicemailFailure).where(VoicemailFailure.user_id == user))
    if row is not None:
        session.delete(row)
