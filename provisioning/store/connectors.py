"""The table of connectors: how the PBX behind a SIP server is reached, and finding one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.kinds import Pbx
from provisioning.store.base import Base, Owned, one_of, within


class Connector(Owned, Base):
    """How the PBX behind a SIP server is asked to tell phones; a server has one at most.

    ``profile`` is the sofia profile of FreeSWITCH its phones register at. ``ca_pem`` is whom to
    trust over TLS instead of the public CAs. The password is encrypted with a key outside the
    database.
    """

    __tablename__ = "connector"
    __table_args__ = (
        UniqueConstraint("sip_server_id"),
        within("sip_server_id", "sip_server", ondelete="CASCADE"),
        one_of("kind", Pbx, name="kind"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    )

    sip_server_id: Mapped[UUID]
    kind: Mapped[str]
    host: Mapped[str]
    port: Mapped[int]
    username: Mapped[str] = mapped_column(default="")
    password_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    profile: Mapped[str] = mapped_column(default="")
    tls: Mapped[bool] = mapped_column(default=False)
    ca_pem: Mapped[str] = mapped_column(default="")


def connector_at(session: Session, organisation: UUID, sip_server: UUID) -> Connector | None:
    """The connector of one of the organisation's SIP servers."""
    return session.scalar(
        select(Connector).where(
            Connector.organisation_id == organisation, Connector.sip_server_id == sip_server
        )
    )


def connector_behind(session: Session, sip_server: UUID) -> Connector | None:
    """The connector of a SIP server that is known to be the right organisation's."""
    return session.scalar(select(Connector).where(Connector.sip_server_id == sip_server))
