"""Tables of proof and of what was asked: device credentials, windows, enrolment, the fetch log."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.ids import new_id
from provisioning.store.base import Base, Owned, now, within


class DeviceTrust(Owned, Base):
    """A device's credentials and its provisioning window (DESIGN section 8).

    The token is kept as SHA-256, to be found, and encrypted, to be rendered; the previous one
    stays valid until the new one was used. The screen token is another one, for what the phone
    tells and shows: it gives no file. ``window_until`` is null when no window is open;
    ``bound_source`` is the first address that came in it, ``window_served`` how many secret
    files it got; ``stays_bound`` is set for a phone that its file can lead nowhere safer.
    ``adopted_at`` is the first proven return, ``alarm`` what an admin should look
    at. All of it is security state: it is written in the fetch's own transaction.
    """

    __tablename__ = "device_trust"
    __table_args__ = (within("device_id", "device", ondelete="CASCADE"),)

    device_id: Mapped[UUID] = mapped_column(unique=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    token_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    previous_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    screen_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    screen_token_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    username: Mapped[str] = mapped_column(unique=True)
    password_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    window_until: Mapped[datetime | None]
    bound_source: Mapped[str] = mapped_column(default="")
    first_served_at: Mapped[datetime | None]
    window_served: Mapped[int] = mapped_column(default=0)
    stays_bound: Mapped[bool] = mapped_column(default=False)
    ca_delivered_at: Mapped[datetime | None]
    adopted_at: Mapped[datetime | None]
    proven_at: Mapped[datetime | None]
    alarm: Mapped[str] = mapped_column(default="")


class Enrolment(Owned, Base):
    """A short-lived link for a softphone, used up by the first fetch of the durable URL."""

    __tablename__ = "enrolment"
    __table_args__ = (
        within("device_id", "device", ondelete="CASCADE"),
        Index("ix_enrolment_device", "device_id"),
    )

    device_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Pending(Base):
    """An unknown MAC that asked for a file: capped, trimmed by age, never a device."""

    __tablename__ = "pending"

    mac: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), index=True
    )
    vendor: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    address: Mapped[str]
    path: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")
    first_seen_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
    times: Mapped[int] = mapped_column(default=1)


class Fetch(Base):
    """One line of the fetch log: what was asked, what became of it, and why. Never a secret.

    It is written behind, so the device may be gone by then: ids without foreign keys.
    """

    __tablename__ = "fetch"
    __table_args__ = (Index("ix_fetch_device_at", "device_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(index=True)
    device_id: Mapped[UUID | None]
    mac: Mapped[str] = mapped_column(default="")
    door: Mapped[str]
    address: Mapped[str]
    path: Mapped[str]
    user_agent: Mapped[str] = mapped_column(default="")
    vendor: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    firmware: Mapped[str] = mapped_column(default="")
    grade: Mapped[str] = mapped_column(default="none")
    outcome: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(default=0)
    content_hash: Mapped[str] = mapped_column(default="")
