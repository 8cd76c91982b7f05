"""What phones send back of what a person changed on them while it held them by its own log-in."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.ids import new_id
from provisioning.store.base import Base, Owned, now, within
from provisioning.store.people import User
from provisioning.store.statements import run, upsert


class PhoneUpload(Owned, Base):
    """What a person's phone sent last, encrypted; it goes with the person."""

    __tablename__ = "phone_upload"
    __table_args__ = (within("user_id", "user", ondelete="CASCADE"), UniqueConstraint("user_id"))

    user_id: Mapped[UUID]
    content_encrypted: Mapped[bytes] = mapped_column(LargeBinary)


def keep(session: Session, user: User, content: bytes) -> None:
    """Keep what a person's phone sent, in place of what it sent before."""
    values = {
        "id": new_id(),
        "organisation_id": user.organisation_id,
        "created_at": now(),
        "revision": 1,
        "user_id": user.id,
        "content_encrypted": content,
    }
    insert = upsert(session, PhoneUpload).values(**values)
    again = {"content_encrypted": content, "revision": PhoneUpload.revision + 1}
    run(session, insert.on_conflict_do_update(index_elements=["user_id"], set_=again))


def kept(session: Session, user: UUID) -> bytes | None:
    """What a person's phone sent last, if it ever did."""
    return session.scalar(select(PhoneUpload.content_encrypted).where(PhoneUpload.user_id == user))
