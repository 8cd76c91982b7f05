"""Connectors: how the PBX behind a SIP server is reached, to have it tell its phones.

Whoever may change a SIP server may set its connector: they give the password, and get none back.
A stored password goes nowhere else than where it was set for, so that it has to be given again
with another host; without that, whoever may write could send it to a machine of their own.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from provisioning.crypto.chains import trusted_certificates
from provisioning.crypto.secrets import Cipher
from provisioning.domain import fields
from provisioning.domain.errors import InvalidInput, NotFound
from provisioning.domain.kinds import Pbx, Way
from provisioning.domain.roles import Permission
from provisioning.store import connectors, queries
from provisioning.store.connectors import Connector
from provisioning.store.database import Session
from provisioning.store.people import SipServer
from provisioning.usecases import ports
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import expect
from provisioning.usecases.core import Core
from provisioning.usecases.purposes import PURPOSE_CONNECTOR

PORTS = {(Pbx.ASTERISK, False): 5038, (Pbx.ASTERISK, True): 5039, (Pbx.FREESWITCH, False): 8021}
"""Where each kind listens unless told otherwise, without TLS and with it."""

FIRST_PROFILE = "internal"
"""The sofia profile that FreeSWITCH's own configuration has phones register at."""

_USERNAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_PROFILE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PLACE = ("kind", "host", "port", "username", "tls", "ca_pem")
"""What a password belongs to."""


# --- for an admin


def read_connector(core: Core, actor: Actor, server: UUID | str) -> Connector:
    """The connector of a SIP server; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _of(session, actor, server)


def set_connector(
    core: Core,
    actor: Actor,
    server: UUID | str,
    *,
    revision: int | None = None,
    password: str | None = None,
    **columns: Any,
) -> Connector:
    """Make or replace the connector of a SIP server.

    Without a password the former one stays, if everything it belongs to stays too. Raises
    NotFound, InvalidInput or StaleRevision.
    """
    actor.require(Permission.WRITE)
    wanted = _checked(**columns)
    with changing(core, actor) as session:
        home = queries.get(session, SipServer, actor.organisation, server)
        row = connectors.connector_at(session, actor.organisation, home.id)
        if row is not None:
            expect(row, revision)
        if password is None and (
            row is None or any(getattr(row, name) != wanted[name] for name in _PLACE)
        ):
            raise InvalidInput(
                "A password belongs to the place it was set for.",
                remedy="Give the password together with a new place.",
                field="password",
            )
        made = row or Connector(organisation_id=actor.organisation, sip_server_id=home.id)
        for name, value in wanted.items():
            setattr(made, name, value)
        if password is not None:
            checked = fields.sip_password("password", password)
            made.password_encrypted = core.cipher.encrypt(checked, PURPOSE_CONNECTOR)
        session.add(made)
        return made


def delete_connector(
    core: Core, actor: Actor, server: UUID | str, revision: int | None = None
) -> None:
    """Delete the connector of a SIP server: its PBX is asked nothing any more."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = _of(session, actor, server)
        expect(row, revision)
        session.delete(row)


def test_connector(core: Core, actor: Actor, server: UUID | str) -> ports.Heard:
    """Connect to the PBX, log in, and say what it answered; waits some seconds at most.

    It needs the right to set a connector: what is tried is what somebody of that right has set.
    """
    actor.require(Permission.WRITE)
    with core.database.read() as session:
        connector = _plain(core.cipher, _of(session, actor, server))
    return core.reach(connector)


# --- for whoever tells phones


def connector_of(session: Session, cipher: Cipher, sip_server_id: UUID) -> ports.Connector | None:
    """How the PBX behind a SIP server is reached, its ``way`` included; None if it has none.

    Raises UnreadableSecret.
    """
    row = connectors.connector_behind(session, sip_server_id)
    return None if row is None else _plain(cipher, row)


def _plain(cipher: Cipher, row: Connector) -> ports.Connector:
    return ports.Connector(
        host=row.host,
        port=row.port,
        username=row.username,
        password=cipher.decrypt(row.password_encrypted, PURPOSE_CONNECTOR),
        profile=row.profile,
        way=Way(row.kind),
        tls=row.tls,
        ca_pem=row.ca_pem,
    )


def _of(session: Session, actor: Actor, server: UUID | str) -> Connector:
    home = queries.get(session, SipServer, actor.organisation, server)
    row = connectors.connector_at(session, actor.organisation, home.id)
    if row is None:
        raise NotFound(
            f"The SIP server '{home.name}' has no connector.",
            remedy="Set one: PUT /api/v1/sip-servers/{id}/connector.",
        )
    return row


# --- what is allowed


def _checked(
    *,
    kind: str,
    host: str,
    port: int | None = None,
    username: str = "",
    profile: str = "",
    tls: bool = False,
    ca_pem: str = "",
) -> dict[str, Any]:
    """Every column but the password, as it is stored."""
    which = Pbx(fields.word("kind", kind, Pbx))
    if (which, tls) not in PORTS:
        raise InvalidInput(
            "FreeSWITCH's event socket knows no TLS.",
            remedy="Reach it over a network of its own or a tunnel, with tls false.",
            field="tls",
        )
    is_asterisk = which is Pbx.ASTERISK
    return {
        "kind": which,
        "host": fields.host("host", host),
        "port": fields.port("port", PORTS[which, tls] if port is None else port),
        "username": _word("username", username, _USERNAME if is_asterisk else None),
        "profile": _word("profile", profile or FIRST_PROFILE, _PROFILE)
        if not is_asterisk
        else _word("profile", profile, None),
        "tls": tls,
        "ca_pem": _anchors(ca_pem, tls=tls),
    }


def _word(field: str, value: str, form: re.Pattern[str] | None) -> str:
    """A value of the form, or an empty one where there is none."""
    if form is None and value:
        raise InvalidInput(
            f"'{field}' means nothing to this kind of PBX.",
            remedy="Leave it out.",
            field=field,
        )
    if form is not None and not form.fullmatch(value):
        raise InvalidInput(
            f"{value!r:.60} is not allowed for '{field}'.",
            remedy="Give 1 to 64 letters, digits and . _ -",
            field=field,
        )
    return value


def _anchors(ca_pem: str, *, tls: bool) -> str:
    if ca_pem and not tls:
        raise InvalidInput(
            "Without TLS there is nobody to trust.",
            remedy="Switch tls on, or leave ca_pem out.",
            field="ca_pem",
        )
    return trusted_certificates(ca_pem) if ca_pem else ""
