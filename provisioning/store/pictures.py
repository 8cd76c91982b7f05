"""Pictures of people and organisations, checked and encoded by us; replicas share them here."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import LargeBinary, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.kinds import Purpose
from provisioning.store.base import Base, Owned, one_of, unique_where, within
from provisioning.store.people import User

Names = dict[tuple[UUID | None, Purpose], str]
"""What pictures are called in URLs, by whose they are (None: the organisation's) and for what."""


class Picture(Owned, Base):
    """A picture of a user, or of the organisation where there is none."""

    __tablename__ = "picture"
    __table_args__ = (
        within("user_id", "user", ondelete="CASCADE"),
        one_of("purpose", Purpose, name="purpose"),
        unique_where("uq_picture_of_organisation", "organisation_id", "purpose", "user_id IS NULL"),
        unique_where("uq_picture_of_user", "user_id", "purpose", "user_id IS NOT NULL"),
    )

    user_id: Mapped[UUID | None]
    purpose: Mapped[str]
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


def picture(
    session: Session, organisation: UUID, user: UUID | None, purpose: Purpose
) -> Picture | None:
    """A user's picture, or the organisation's own."""
    return session.scalar(
        select(Picture).where(
            Picture.organisation_id == organisation,
            Picture.user_id == user,
            Picture.purpose == purpose,
        )
    )


def picture_named(session: Session, organisation: UUID, picture: UUID) -> Picture | None:
    """A picture by its id."""
    return session.scalar(
        select(Picture).where(Picture.organisation_id == organisation, Picture.id == picture)
    )


def names(
    session: Session, organisation: UUID, users: Iterable[UUID] | None, *purposes: Purpose
) -> Names:
    """The names of the organisation's own pictures and of some users', or of all of them.

    A name changes with the picture, so that a phone that keeps the old one asks again.
    """
    columns = (Picture.id, Picture.revision, Picture.user_id, Picture.purpose)
    wanted = select(*columns).where(
        Picture.organisation_id == organisation, Picture.purpose.in_(purposes)
    )
    if users is not None:
        wanted = wanted.where(or_(Picture.user_id.is_(None), Picture.user_id.in_(list(users))))
    return {
        (user, Purpose(purpose)): f"{row}-{revision}"
        for row, revision, user, purpose in session.execute(wanted)
    }


def photo_by_extension(session: Session, organisation: UUID, extension: str) -> Picture | None:
    """The photo of whoever has an extension, or the organisation's avatar where they have none."""
    holder = session.scalar(
        select(User.id).where(
            User.organisation_id == organisation, User.enabled, User.extension == extension
        )
    )
    if holder is None:
        return None
    own = picture(session, organisation, holder, Purpose.AVATAR)
    return own or picture(session, organisation, None, Purpose.AVATAR)
