"""SIP servers and accounts: credentials, who holds them, and whose secrets they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from provisioning.crypto.passwords import generate_password
from provisioning.domain import fields
from provisioning.domain.errors import DuplicateName, InvalidInput, SecretsAreGiven, StillInUse
from provisioning.domain.kinds import Secrets, Transport
from provisioning.domain.roles import Permission
from provisioning.store import queries
from provisioning.store.database import Session
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page, page_of, row_of
from provisioning.usecases.purposes import PURPOSE_SIP

_SERVER_FIELDS: dict[str, Check] = {
    "name": lambda value: fields.name("name", value),
    "registrar": lambda value: fields.host("registrar", value),
    "port": lambda value: fields.port("port", value),
    "transport": lambda value: fields.word("transport", value, Transport),
    "outbound_proxy": lambda value: fields.host("outbound_proxy", value, empty=True),
    "outbound_port": lambda value: fields.port("outbound_port", value),
    "backup": lambda value: fields.host("backup", value, empty=True),
    "backup_port": lambda value: fields.port("backup_port", value),
    "codes": lambda value: fields.codes("codes", value),
    "secrets": lambda value: fields.word("secrets", value, Secrets),
    "is_default": bool,
}


# --- servers


def list_servers(core: Core, actor: Actor, page: Page) -> list[SipServer]:
    """A page of the organisation's SIP servers."""
    return page_of(core, actor, SipServer, page)


def read_server(core: Core, actor: Actor, server: UUID | str) -> SipServer:
    """One SIP server; raises NotFound."""
    return row_of(core, actor, SipServer, server)


def add_server(core: Core, actor: Actor, **columns: Any) -> SipServer:
    """Make a SIP server; the organisation's first becomes its default.

    Raises InvalidInput or DuplicateName.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = SipServer(organisation_id=actor.organisation)
        change(row, columns, _SERVER_FIELDS)
        _check_server(session, row)
        default = queries.default_server(session, actor.organisation)
        row.is_default = default is None or bool(row.is_default)
        if row.is_default:
            _give_up(session, default)
        session.add(row)
        return row


def change_server(
    core: Core, actor: Actor, server: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> SipServer:  # fmt: skip
    """Change a SIP server; raises NotFound, InvalidInput, DuplicateName or StaleRevision."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, SipServer, actor.organisation, server)
        expect(row, revision)
        default = queries.default_server(session, actor.organisation)
        with session.no_autoflush:
            was_default = row.is_default
            if changes.get("is_default") and not was_default:
                _give_up(session, default)
            change(row, changes, _SERVER_FIELDS)
            _check_server(session, row)
            if was_default and not row.is_default:
                raise InvalidInput(
                    "An organisation with SIP servers has a default one.",
                    remedy="Make another the default instead.",
                    field="is_default",
                )
        return row


def _check_server(session: Session, row: SipServer) -> None:
    other = queries.named(session, SipServer, row.organisation_id, row.name)
    if other is not None and other.id != row.id:
        raise DuplicateName(
            f"There is already a SIP server '{row.name}'.",
            remedy="Choose another name.",
            field="name",
        )


def _give_up(session: Session, default: SipServer | None) -> None:
    """Make room for another default before there is one: there are never two."""
    if default is not None:
        default.is_default = False
        session.flush()


def delete_server(
    core: Core, actor: Actor, server: UUID | str, revision: int | None = None
) -> None:
    """Delete a SIP server without accounts and sites; raises StillInUse."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, SipServer, actor.organisation, server)
        expect(row, revision)
        for table, what in (("sip_account", "accounts"), ("site", "sites")):
            if queries.rows_with(session, table, sip_server_id=row.id):
                raise StillInUse(
                    f"The SIP server '{row.name}' has {what}.", remedy="Move or delete them first."
                )
        session.delete(row)


# --- accounts


def list_accounts(core: Core, actor: Actor, page: Page) -> list[SipAccount]:
    """A page of the organisation's SIP accounts."""
    return page_of(core, actor, SipAccount, page)


def read_account(core: Core, actor: Actor, account: UUID | str) -> SipAccount:
    """One SIP account; raises NotFound."""
    return row_of(core, actor, SipAccount, account)


def add_account(
    core: Core,
    actor: Actor,
    *,
    username: str,
    user_id: UUID | str | None = None,
    station_id: UUID | str | None = None,
    sip_server_id: UUID | str | None = None,
    password: str | None = None,
    auth_name: str = "",
) -> SipAccount:
    """Make an account held by a user or a station, on a server or the default one.

    Without a password one is generated, if the server's secrets are ours; else SecretsAreGiven.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        return new_account(
            core,
            session,
            actor.organisation,
            username=username,
            user_id=_holder(session, actor, "user", user_id),
            station_id=_holder(session, actor, "station", station_id),
            server=_server(session, actor.organisation, sip_server_id),
            password=password,
            auth_name=auth_name,
        )


def _holder(session: Session, actor: Actor, kind: str, row_id: UUID | str | None) -> UUID | None:
    if row_id is None:
        return None
    holder: UUID = queries.get(session, queries.HOLDERS[kind], actor.organisation, row_id).id
    return holder


def _server(session: Session, organisation: UUID, server: UUID | str | None) -> SipServer:
    if server is not None:
        return queries.get(session, SipServer, organisation, server)
    default = queries.default_server(session, organisation)
    if default is None:
        raise InvalidInput(
            "The organisation has no SIP server.",
            remedy="Make one first: POST /api/v1/sip-servers.",
            field="sip_server_id",
        )
    return default


def new_account(
    core: Core,
    session: Session,
    organisation: UUID,
    *,
    username: str,
    server: SipServer,
    user_id: UUID | None = None,
    station_id: UUID | None = None,
    password: str | None = None,
    auth_name: str = "",
) -> SipAccount:
    """An account within a transaction; the rules are those of ``add_account``."""
    if (user_id is None) == (station_id is None):
        raise InvalidInput(
            "An account is held by a user or by a station.",
            remedy="Give one of 'user_id' and 'station_id'.",
            field="user_id",
        )
    name = fields.sip_user("username", username)
    if queries.account_named(session, server.id, name) is not None:
        raise DuplicateName(
            f"The SIP server '{server.name}' has an account '{name}' already.",
            remedy="Choose another user name.",
            field="username",
        )
    if password is None and server.secrets == Secrets.GIVEN:
        raise SecretsAreGiven(
            f"The passwords of the SIP server '{server.name}' are set by the PBX side.",
            remedy="Give the password that stands there.",
            field="password",
        )
    chosen = fields.sip_password("password", password) if password else generate_password()
    held = queries.accounts_of(
        session, users=[user_id] if user_id else [], stations=[station_id] if station_id else []
    )
    row = SipAccount(
        organisation_id=organisation,
        sip_server_id=server.id,
        user_id=user_id,
        station_id=station_id,
        position=max((account.position for account in held), default=0) + 1,
        username=name,
        auth_name=fields.sip_user("auth_name", auth_name) if auth_name else "",
        password_encrypted=core.cipher.encrypt(chosen, PURPOSE_SIP),
    )
    session.add(row)
    return row


def change_account(
    core: Core, actor: Actor, account: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> SipAccount:  # fmt: skip
    """Change an account's user name, authentication name or password."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, SipAccount, actor.organisation, account)
        expect(row, revision)
        given = dict(changes)
        password = given.pop("password", None)
        with session.no_autoflush:
            change(row, given, _ACCOUNT_FIELDS)
            other = queries.account_named(session, row.sip_server_id, row.username)
        if other is not None and other.id != row.id:
            raise DuplicateName(
                f"There is an account '{row.username}' already.",
                remedy="Choose another user name.",
                field="username",
            )
        if password is not None:
            checked = fields.sip_password("password", password)
            row.password_encrypted = core.cipher.encrypt(checked, PURPOSE_SIP)
        return row


_ACCOUNT_FIELDS: dict[str, Check] = {
    "username": lambda value: fields.sip_user("username", value),
    "auth_name": lambda value: fields.sip_user("auth_name", value) if value else "",
    "position": int,
}


def delete_account(
    core: Core, actor: Actor, account: UUID | str, revision: int | None = None
) -> None:
    """Delete an account; its holder loses the line."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, SipAccount, actor.organisation, account)
        expect(row, revision)
        session.delete(row)


def account_password(core: Core, actor: Actor, account: SipAccount) -> str:
    """The account's password in clear; raises Forbidden without the permission."""
    actor.require(Permission.SECRETS)
    return core.cipher.decrypt(account.password_encrypted, PURPOSE_SIP)


def first_account(
    core: Core, session: Session, user: User, *, given: Mapping[str, Any] | None
) -> tuple[SipAccount | None, str]:
    """The account a new user starts with, or None and the reason in a sentence."""
    server = queries.default_server(session, user.organisation_id)
    if server is None:
        if given:
            _server(session, user.organisation_id, None)
        return None, "No SIP account was made: the organisation has no SIP server yet."
    wanted = dict(given or {})
    server = _server(session, user.organisation_id, wanted.pop("sip_server_id", None)) or server
    username = wanted.pop("username", None) or user.extension
    if not username:
        return None, "No SIP account was made: the user has no extension to name it after."
    if server.secrets == Secrets.GIVEN and not wanted.get("password"):
        return None, (
            f"No SIP account was made: the passwords of '{server.name}' are given by the PBX "
            "side and none came with the request."
        )
    account = new_account(
        core, session, user.organisation_id, username=username, server=server, user_id=user.id,
        **wanted,
    )  # fmt: skip
    return account, ""
