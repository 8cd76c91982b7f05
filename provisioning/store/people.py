"""Tables of users, their SIP accounts and the servers these register at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.kinds import Incoming, Secrets, Transport
from provisioning.store.base import Base, Owned, one_of, owned_key, unique_where, within


class User(Owned, Base):
    """The person in an organisation.

    What a person may do and how they are called stands in settings at the level user. ``steps``
    are those of follow me: {"targets": [{"kind", "number" or "id"}], "seconds"}; ``fallback`` is
    what comes after them: {"kind", "id" or "number"}, empty for the PBX's own. ``pin_hash`` is the
    hotdesk PIN's; ``pin_digest_encrypted`` is there for phones that answer Digest only, where the
    organisation has some. The extension is unique where there is one.
    """

    __tablename__ = "user"
    __table_args__ = (
        owned_key(),
        unique_where("uq_user_extension", "organisation_id", "extension", "extension IS NOT NULL"),
        unique_where("uq_user_email", "organisation_id", "email", "email IS NOT NULL"),
        within("caller_id_number_id", "number"),
        within("cost_centre_id", "cost_centre"),
        one_of("incoming", Incoming, name="incoming"),
    )

    first_name: Mapped[str]
    last_name: Mapped[str] = mapped_column(default="")
    email: Mapped[str | None]
    extension: Mapped[str | None]
    role_id: Mapped[UUID | None] = mapped_column(ForeignKey("role.id", ondelete="RESTRICT"))
    enabled: Mapped[bool] = mapped_column(default=True)
    incoming: Mapped[str] = mapped_column(default=Incoming.FIXED)
    caller_id_number_id: Mapped[UUID | None]
    cost_centre_id: Mapped[UUID | None]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    fallback: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    voicemail_pin_hash: Mapped[str | None]
    pin_hash: Mapped[str | None]
    pin_digest_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    pin_must_change: Mapped[bool] = mapped_column(default=False)

    @property
    def name(self) -> str:
        """First and last name as shown."""
        return f"{self.first_name} {self.last_name}".strip()


class SipServer(Owned, Base):
    """A registrar and how to reach it.

    ``codes`` are feature codes by name (voicemail, pickup, park, retrieve). ``secrets`` says who
    sets the passwords of its accounts. At most one is the organisation's default.
    """

    __tablename__ = "sip_server"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("organisation_id", "name"),
        unique_where("uq_sip_server_default", "organisation_id", "is_default"),
        one_of("transport", Transport, name="transport"),
        one_of("secrets", Secrets, name="secrets"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    )

    name: Mapped[str]
    registrar: Mapped[str]
    port: Mapped[int] = mapped_column(default=5060)
    transport: Mapped[str] = mapped_column(default=Transport.UDP)
    outbound_proxy: Mapped[str] = mapped_column(default="")
    outbound_port: Mapped[int] = mapped_column(default=5060)
    backup: Mapped[str] = mapped_column(default="")
    backup_port: Mapped[int] = mapped_column(default=5060)
    codes: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    secrets: Mapped[str] = mapped_column(default=Secrets.OURS)
    is_default: Mapped[bool] = mapped_column(default=False)


class SipAccount(Owned, Base):
    """Credentials on a SIP server, held by a user (in order) or by a station, never by both.

    The password is encrypted with a key outside the database.
    """

    __tablename__ = "sip_account"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("sip_server_id", "username"),
        within("sip_server_id", "sip_server"),
        within("user_id", "user", ondelete="CASCADE"),
        within("station_id", "station", ondelete="CASCADE"),
        CheckConstraint("(user_id IS NULL) <> (station_id IS NULL)", name="one_holder"),
        Index("ix_sip_account_user", "user_id"),
        Index("ix_sip_account_station", "station_id"),
    )

    sip_server_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    station_id: Mapped[UUID | None]
    position: Mapped[int] = mapped_column(default=1)
    username: Mapped[str]
    auth_name: Mapped[str] = mapped_column(default="")
    password_encrypted: Mapped[bytes] = mapped_column(LargeBinary)


class Contact(Owned, Base):
    """An entry of the organisation's phone book, or of one user's own.

    ``numbers`` is a list of {"kind", "number"}; users with an extension stand in the phone book
    by themselves and need no contact.
    """

    __tablename__ = "contact"
    __table_args__ = (
        owned_key(),
        within("user_id", "user", ondelete="CASCADE"),
        Index("ix_contact_user", "user_id"),
    )

    user_id: Mapped[UUID | None]
    first_name: Mapped[str]
    last_name: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    numbers: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
