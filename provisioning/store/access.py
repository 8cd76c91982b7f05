"""Finding organisations, and who may act in them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from provisioning.store.organisations import ApiToken, Login, Organisation, Role, Site


def organisation_by_token(session: Session, token_hash: bytes) -> Organisation | None:
    """The organisation an ``/o/`` path names."""
    return session.scalar(select(Organisation).where(Organisation.token_hash == token_hash))


def organisation_by_name(session: Session, name: str) -> Organisation | None:
    """The organisation of that name."""
    return session.scalar(select(Organisation).where(Organisation.name == name))


def organisations(session: Session) -> list[Organisation]:
    """All organisations."""
    return list(session.scalars(select(Organisation).order_by(Organisation.id)))


def only_organisation(session: Session) -> Organisation | None:
    """The organisation, where there is just one."""
    found = session.scalars(select(Organisation).limit(2)).all()
    return found[0] if len(found) == 1 else None


def first_site(session: Session, organisation: UUID) -> Site:
    """The organisation's first site, which every organisation has."""
    return session.scalars(
        select(Site).where(Site.organisation_id == organisation).order_by(Site.id).limit(1)
    ).one()


def role_named(session: Session, name: str, organisation: UUID | None) -> Role | None:
    """The organisation's own role of that name, else the built-in one."""
    return session.scalar(
        select(Role)
        .where(
            Role.name == name,
            or_(Role.organisation_id == organisation, Role.organisation_id.is_(None)),
        )
        .order_by(Role.organisation_id.is_(None))
        .limit(1)
    )


def roles(session: Session, organisation: UUID | None) -> list[Role]:
    """The built-in roles and the organisation's own."""
    return list(
        session.scalars(
            select(Role)
            .where(or_(Role.organisation_id == organisation, Role.organisation_id.is_(None)))
            .order_by(Role.id)
        )
    )


def login_by_email(session: Session, email: str) -> Login | None:
    """The login with that e-mail."""
    return session.scalar(select(Login).where(Login.email == email.lower()))


def any_login(session: Session) -> bool:
    """Whether anybody can log in yet."""
    return session.scalar(select(Login.id).limit(1)) is not None


def api_token(session: Session, token_hash: bytes) -> tuple[ApiToken, Role] | None:
    """The API token with that hash and its role."""
    found = session.execute(
        select(ApiToken, Role)
        .join(Role, Role.id == ApiToken.role_id)
        .where(ApiToken.token_hash == token_hash)
    ).first()
    return (found[0], found[1]) if found else None


def revoke_tokens_of(session: Session, user: UUID, at: datetime) -> None:
    """End the API tokens that act as a user."""
    for row in session.scalars(select(ApiToken).where(ApiToken.user_id == user)):
        row.revoked_at = row.revoked_at or at


def tokens(session: Session, organisation: UUID | None) -> list[tuple[ApiToken, Role]]:
    """The API tokens of an organisation, or those of operators."""
    rows = session.execute(
        select(ApiToken, Role)
        .join(Role, Role.id == ApiToken.role_id)
        .where(ApiToken.organisation_id == organisation)
        .order_by(ApiToken.id)
    )
    return [(row[0], row[1]) for row in rows]
