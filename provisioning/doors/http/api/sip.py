"""SIP servers and SIP accounts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.kinds import Secrets, Transport
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.people import SipAccount as Row
from provisioning.usecases import sip as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()

Port = Annotated[int, Field(ge=1, le=65535)]

# --- servers


class SipServer(Shown):
    """A registrar and how to reach it."""

    id: UUID
    name: str
    registrar: str
    port: int
    transport: str
    outbound_proxy: str
    outbound_port: int
    backup: str
    backup_port: int
    codes: dict[str, str]
    secrets: str
    is_default: bool
    revision: int


class SipServerChange(Input):
    """What can be changed of a SIP server."""

    name: Text = absent()
    registrar: Text = absent()
    port: Port = absent()
    transport: Transport = absent()
    outbound_proxy: Text = absent()
    outbound_port: Port = absent()
    backup: Text = absent()
    backup_port: Port = absent()
    codes: dict[Text, Text] = absent()
    """Feature codes by name: voicemail, pickup, park, retrieve, anonymous, caller-id, barge,
    listen, whisper."""
    secrets: Secrets = absent()
    """Whether its passwords are generated here or given by the PBX side."""
    is_default: bool = absent()


class NewSipServer(SipServerChange):
    """A SIP server to make; the organisation's first becomes its default."""

    name: Text
    registrar: Text


@ENDPOINTS.get("/sip-servers", Permission.READ)
def list_sip_servers(call: Call, page: Page) -> Listing[SipServer]:
    """The organisation's SIP servers."""
    return listing(usecases.list_servers(call.core, call.actor, page), page, SipServer.of)


@ENDPOINTS.post("/sip-servers", Permission.WRITE)
def add_sip_server(call: Call, body: NewSipServer) -> SipServer:
    """Make a SIP server."""
    return SipServer.of(usecases.add_server(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/sip-servers/{server}", Permission.READ)
def read_sip_server(call: Call, server: UUID) -> SipServer:
    """One SIP server."""
    return SipServer.of(usecases.read_server(call.core, call.actor, server))


@ENDPOINTS.patch("/sip-servers/{server}", Permission.WRITE)
def change_sip_server(
    call: Call, server: UUID, body: SipServerChange, revision: int | None = None
) -> SipServer:
    """Change a SIP server."""
    row = usecases.change_server(call.core, call.actor, server, body.sent(), revision)
    return SipServer.of(row)


@ENDPOINTS.delete("/sip-servers/{server}", Permission.WRITE, dry_run=True)
def delete_sip_server(call: Call, server: UUID, revision: int | None = None) -> None:
    """Delete a SIP server without accounts and sites."""
    usecases.delete_server(call.core, call.actor, server, revision)


# --- accounts


class SipAccount(Shown):
    """Credentials on a SIP server, held by a user or by a station."""

    id: UUID
    sip_server_id: UUID
    user_id: UUID | None
    station_id: UUID | None
    position: int
    username: str
    auth_name: str
    revision: int
    password: str = ""
    """Only where `secrets` asked for it."""


class SipAccountChange(Input):
    """What can be changed of a SIP account."""

    username: Text = absent()
    auth_name: Text = absent()
    password: Text = absent()
    position: Annotated[int, Field(ge=1, le=1000)] = absent()


class FirstSipAccount(Input):
    """The SIP account a new user starts with; what is left out is made up."""

    username: Text = absent()
    """The user's extension, unless another is given."""
    auth_name: Text = absent()
    password: Text = absent()
    sip_server_id: UUID = absent()
    """The organisation's default SIP server, unless another is given."""


class NewSipAccount(FirstSipAccount):
    """A SIP account to make."""

    username: Text
    user_id: UUID = absent()
    station_id: UUID = absent()


@ENDPOINTS.get("/sip-accounts", Permission.READ)
def list_sip_accounts(call: Call, page: Page, secrets: bool = False) -> Listing[SipAccount]:
    """The organisation's SIP accounts."""
    rows = usecases.list_accounts(call.core, call.actor, page)
    return listing(rows, page, lambda row: _account(call, row, secrets=secrets))


@ENDPOINTS.post("/sip-accounts", Permission.WRITE)
def add_sip_account(call: Call, body: NewSipAccount) -> SipAccount:
    """Make a SIP account."""
    return SipAccount.of(usecases.add_account(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/sip-accounts/{account}", Permission.READ)
def read_sip_account(call: Call, account: UUID, secrets: bool = False) -> SipAccount:
    """One SIP account."""
    row = usecases.read_account(call.core, call.actor, account)
    return _account(call, row, secrets=secrets)


@ENDPOINTS.patch("/sip-accounts/{account}", Permission.WRITE)
def change_sip_account(
    call: Call, account: UUID, body: SipAccountChange, revision: int | None = None
) -> SipAccount:
    """Change a SIP account."""
    row = usecases.change_account(call.core, call.actor, account, body.sent(), revision)
    return SipAccount.of(row)


@ENDPOINTS.delete("/sip-accounts/{account}", Permission.WRITE, dry_run=True)
def delete_sip_account(call: Call, account: UUID, revision: int | None = None) -> None:
    """Delete a SIP account."""
    usecases.delete_account(call.core, call.actor, account, revision)


def _account(call: Call, row: Row, *, secrets: bool) -> SipAccount:
    if not secrets:
        return SipAccount.of(row)
    return SipAccount.of(row, password=usecases.account_password(call.core, call.actor, row))
