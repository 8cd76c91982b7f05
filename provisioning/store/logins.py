"""Tables of who is logged in, of one-time links, and of passwords that were wrong."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.store.base import Base, Row, now


class LoginSession(Row, Base):
    """A login that came in with its password; the token of its cookie is kept as SHA-256 only.

    ``membership_id`` names the organisation it acts in. It ends at ``expires_at``, or earlier when
    nothing was asked for a while after ``last_used_at``, which is coarse.
    """

    __tablename__ = "login_session"

    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), index=True)
    membership_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("membership.id", ondelete="SET NULL"), index=True
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    last_used_at: Mapped[datetime] = mapped_column(default=now)
    source: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")


class ResetLink(Row, Base):
    """A link that sets a login's password once, handed over by an admin; kept as SHA-256 only."""

    __tablename__ = "reset_link"

    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime]


class Attempts(Base):
    """How often somebody was wrong of late; ``key`` says whose login, or from which source."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(default=now, index=True)
    blocked_until: Mapped[datetime | None]
