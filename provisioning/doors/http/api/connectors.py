"""Connectors: how the PBX behind a SIP server is asked to tell its phones."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from provisioning.domain.kinds import Pbx
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Secret, Shown, Text, absent
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import connectors as usecases

ENDPOINTS = Endpoints()

Port = Annotated[int, Field(ge=1, le=65535)]
Pem = Annotated[str, StringConstraints(max_length=16_000)]


class Connector(Shown):
    """How a PBX is reached; its password is never shown."""

    id: UUID
    sip_server_id: UUID
    kind: str
    host: str
    port: int
    username: str
    profile: str
    tls: bool
    ca_pem: str
    revision: int


class NewConnector(Input):
    """How a PBX is to be reached; what is left out is as for a new one."""

    kind: Pbx
    host: Text
    port: Port = absent()
    """Asterisk: 5038, with TLS 5039; FreeSWITCH: 8021."""
    username: Text = absent()
    """Asterisk: the user of manager.conf."""
    password: Secret = absent()
    """May be left out where the place it belongs to stays as it was."""
    profile: Text = absent()
    """FreeSWITCH: the sofia profile phones register at, `internal` unless told."""
    tls: bool = absent()
    ca_pem: Pem = absent()
    """Certificates in PEM to trust instead of the public CAs, whatever name they are for."""


class ConnectorTest(Shown):
    """What came of connecting to a PBX and logging in."""

    well: bool
    words: str


@ENDPOINTS.get("/sip-servers/{server}/connector", Permission.READ)
def read_connector(call: Call, server: UUID) -> Connector:
    """How the PBX behind a SIP server is reached."""
    return Connector.of(usecases.read_connector(call.core, call.actor, server))


@ENDPOINTS.put("/sip-servers/{server}/connector", Permission.WRITE)
def set_connector(
    call: Call, server: UUID, body: NewConnector, revision: int | None = None
) -> Connector:
    """Say how the PBX behind a SIP server is reached."""
    row = usecases.set_connector(call.core, call.actor, server, revision=revision, **body.sent())
    return Connector.of(row)


@ENDPOINTS.delete("/sip-servers/{server}/connector", Permission.WRITE, dry_run=True)
def delete_connector(call: Call, server: UUID, revision: int | None = None) -> None:
    """Delete a connector: the PBX is asked nothing any more."""
    usecases.delete_connector(call.core, call.actor, server, revision)


@ENDPOINTS.post("/sip-servers/{server}/connector/test", Permission.WRITE, HTTPStatus.OK)
def test_connector(call: Call, server: UUID) -> ConnectorTest:
    """Connect to the PBX, log in, and tell what it answered."""
    return ConnectorTest.of(usecases.test_connector(call.core, call.actor, server))
