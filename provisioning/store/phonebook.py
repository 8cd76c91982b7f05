"""Finding whom a phone book shows."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from provisioning.store.people import Contact, User


def reachable_users(
    session: Session, organisation: UUID, among: Collection[str] | None = None
) -> list[User]:
    """The organisation's enabled users with an extension, one ``among`` these where it is given."""
    reached = User.extension.is_not(None) if among is None else User.extension.in_(among)
    return list(
        session.scalars(
            select(User).where(User.organisation_id == organisation, User.enabled, reached)
        )
    )


def contacts(session: Session, organisation: UUID, user: UUID | None) -> list[Contact]:
    """The organisation's shared contacts and those of one user."""
    shared = Contact.user_id.is_(None)
    whose = shared if user is None else or_(shared, Contact.user_id == user)
    return list(
        session.scalars(select(Contact).where(Contact.organisation_id == organisation, whose))
    )
