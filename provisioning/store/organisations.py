"""Tables of organisations, their places and profiles, and of who may act in them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.kinds import MemberState, Package
from provisioning.domain.trust import GRADES
from provisioning.store.base import Base, Owned, Row, one_of, owned_key, unique_where, within


class Organisation(Row, Base):
    """A tenant: everything belongs to one.

    ``token_hash`` and ``token_encrypted`` are of the token in ``/o/{org_token}/`` paths.
    ``display_name`` is shown on phones, or the name where it is empty; ``address`` is the
    emergency location of a site that has none. ``legal_name``, ``number`` (of a register),
    ``package`` and the two dates are the operator's: a contract that runs until the one allows a
    downgrade, a curing period until the other forbids it. ``licensing`` makes desk phones need a
    licence, ``totp_required`` its members an authenticator. ``version`` counts what its phones show of it.
    """

    __tablename__ = "organisation"
    __table_args__ = (one_of("package", Package, name="package"),)

    name: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    legal_name: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")
    package: Mapped[str] = mapped_column(default=Package.UNLIMITED)
    contract_until: Mapped[date | None]
    curing_until: Mapped[date | None]
    licensing: Mapped[bool] = mapped_column(default=False)
    totp_required: Mapped[bool] = mapped_column(default=False)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    token_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(default=1)


class Site(Owned, Base):
    """A place: where emergency help goes, its networks and how much proof it asks for.

    ``networks`` are CIDR texts. ``allow_http`` lets phones that cannot use our HTTPS be moved to
    their token URL over plain HTTP.
    """

    __tablename__ = "site"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("organisation_id", "name"),
        within("sip_server_id", "sip_server"),
        CheckConstraint(
            "minimum_trust IN (" + ", ".join(f"'{word}'" for word in GRADES) + ")",
            name="minimum_trust",
        ),
    )

    name: Mapped[str]
    networks: Mapped[list[str]] = mapped_column(JSON, default=list)
    minimum_trust: Mapped[str] = mapped_column(default="token")
    allow_http: Mapped[bool] = mapped_column(default=False)
    emergency_location: Mapped[str] = mapped_column(default="")
    emergency_caller_id: Mapped[str] = mapped_column(default="")
    sip_server_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class Profile(Owned, Base):
    """A named set of settings that devices share."""

    __tablename__ = "profile"
    __table_args__ = (owned_key(), UniqueConstraint("organisation_id", "name"))

    name: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)


class Role(Row, Base):
    """A named set of permissions. Built-in ones belong to no organisation and follow the code.

    ``presets`` are settings, features and keys its users start with.
    """

    __tablename__ = "role"
    __table_args__ = (
        unique_where("uq_role_built_in", "name", "organisation_id IS NULL"),
        UniqueConstraint("organisation_id", "name"),
    )

    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE")
    )
    name: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(JSON, default=list)
    presets: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class Login(Row, Base):
    """A person's global e-mail and password; the e-mail is kept in lower case.

    ``password_hash`` is empty until the person has chosen one. ``totp_encrypted`` is the secret of
    their authenticator once a code has confirmed it, ``totp_pending`` before; ``totp_step`` is the
    time step of the last code taken, so that none is taken twice.
    """

    __tablename__ = "login"

    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    must_change: Mapped[bool] = mapped_column(default=False)
    disabled: Mapped[bool] = mapped_column(default=False)
    totp_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_pending: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int] = mapped_column(default=0)


class Membership(Owned, Base):
    """A login's place in one organisation, with its role there and the user they are, if any.

    ``acceptance_hash`` is of the link by which a login that was there before takes the membership
    on, until ``acceptance_until``; null once it has. Before that it is good for nothing.
    """

    __tablename__ = "membership"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("organisation_id", "login_id"),
        unique_where("uq_membership_user", "organisation_id", "user_id", "user_id IS NOT NULL"),
        within("user_id", "user", ondelete="CASCADE"),
        one_of("state", MemberState, name="state"),
    )

    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[UUID] = mapped_column(ForeignKey("role.id", ondelete="RESTRICT"))
    user_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default=MemberState.ACTIVE)
    acceptance_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    acceptance_until: Mapped[datetime | None]


class ApiToken(Row, Base):
    """A bearer token, kept as SHA-256 only. A token of the role operator has no organisation.

    A token with a ``user_id`` acts as that user and ends with them. ``last_used_at`` is coarse.
    """

    __tablename__ = "api_token"
    __table_args__ = (
        within("user_id", "user", ondelete="CASCADE"),
        Index("ix_api_token_user", "user_id"),
    )

    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    role_id: Mapped[UUID] = mapped_column(ForeignKey("role.id", ondelete="RESTRICT"))
    user_id: Mapped[UUID | None]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
