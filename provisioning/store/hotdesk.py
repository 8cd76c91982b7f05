"""The table of hotdesk sessions, and finding them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.kinds import SessionEnd
from provisioning.store.base import Base, Owned, now, one_of, owned_key, unique_where, within
from provisioning.store.people import SipAccount


class HotdeskSession(Owned, Base):
    """A person's lease of a station (DESIGN section 7).

    It is open while ``ended_at`` is null, until ``lease_until`` at the longest. ``alone`` says that
    the person may sit at one station only; unique indexes then settle who of two comes first.
    """

    __tablename__ = "hotdesk_session"
    __table_args__ = (
        owned_key(),
        within("station_id", "station", ondelete="CASCADE"),
        within("user_id", "user", ondelete="CASCADE"),
        unique_where("uq_hotdesk_session_station", "station_id", "ended_at IS NULL"),
        unique_where("uq_hotdesk_session_user", "user_id", "ended_at IS NULL AND alone"),
        Index("ix_hotdesk_session_user", "user_id"),
        one_of("ended_by", SessionEnd, name="ended_by"),
    )

    station_id: Mapped[UUID]
    user_id: Mapped[UUID]
    started_at: Mapped[datetime] = mapped_column(default=now)
    lease_until: Mapped[datetime] = mapped_column(index=True)
    alone: Mapped[bool] = mapped_column(default=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


def open_at(session: Session, stations: Sequence[UUID]) -> dict[UUID, HotdeskSession]:
    """The open sessions at stations, by the station."""
    rows = session.scalars(
        select(HotdeskSession).where(
            HotdeskSession.station_id.in_(stations), HotdeskSession.ended_at.is_(None)
        )
    )
    return {row.station_id: row for row in rows}


def open_of(session: Session, user: UUID) -> list[HotdeskSession]:
    """Where a user is logged in."""
    return list(
        session.scalars(
            select(HotdeskSession).where(
                HotdeskSession.user_id == user, HotdeskSession.ended_at.is_(None)
            )
        )
    )


def run_out(session: Session, moment: datetime, limit: int) -> list[HotdeskSession]:
    """Open sessions whose lease is over, those first that ended first; nobody else takes them."""
    return list(
        session.scalars(
            select(HotdeskSession)
            .where(HotdeskSession.ended_at.is_(None), HotdeskSession.lease_until <= moment)
            .order_by(HotdeskSession.lease_until)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def place_account(session: Session, organisation: UUID, username: str) -> SipAccount | None:
    """The account of that SIP user name that a station holds."""
    return session.scalar(
        select(SipAccount).where(
            SipAccount.organisation_id == organisation,
            SipAccount.username == username,
            SipAccount.station_id.is_not(None),
        )
    )


def trim(session: Session, before: datetime) -> None:
    """Delete the sessions that ended before a moment."""
    session.execute(delete(HotdeskSession).where(HotdeskSession.ended_at < before))
