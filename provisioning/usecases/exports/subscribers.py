"""SIP accounts as the PBX that keeps them needs to know them, with their passwords."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from provisioning.domain.errors import NotFound, SecretsAreGiven
from provisioning.domain.keys import is_id
from provisioning.domain.kinds import Secrets
from provisioning.domain.settings import Value
from provisioning.store import roster as rosters
from provisioning.store.database import Session
from provisioning.store.people import SipAccount, SipServer
from provisioning.store.roster import Roster
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.exports.persons import Person, line_values, persons
from provisioning.usecases.purposes import PURPOSE_SIP


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An account of an enabled user, or of a station (``person`` is None then).

    ``name`` is shown to those called, ``number`` is what others dial for it.
    """

    account: SipAccount
    server: SipServer
    name: str
    number: str
    password: str
    line: Mapping[str, Value]
    person: Person | None = None

    @property
    def login(self) -> str:
        """The user name it authenticates by."""
        return self.account.auth_name or self.account.username

    def ha1(self, realm: str, *, login: str = "") -> str:
        """The hash that stands for the password in a realm (RFC 2617 section 3.2.2.2)."""
        return md5(f"{login or self.login}:{realm}:{self.password}")


def md5(text: str) -> str:
    """The digest SIP authentication was built on, in hexadecimal."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def server_of(session: Session, actor: Actor, server: str = "") -> SipServer:
    """The SIP server of that name or id, or the default one.

    Raises NotFound, and SecretsAreGiven for a server whose passwords are set by the PBX side:
    it knows them, and nobody else is told.
    """
    rows = rosters.servers(session, actor.organisation)
    wanted = [row for row in rows if _is_meant(row, server)]
    if not wanted:
        raise NotFound(
            f"There is no SIP server '{server[:60]}'." if server else "There is no SIP server.",
            remedy="GET /api/v1/sip-servers lists them; give the name or the id of one.",
            field="server",
        )
    if wanted[0].secrets == Secrets.GIVEN:
        raise SecretsAreGiven(
            f"The passwords of the SIP server '{wanted[0].name}' are set by the PBX side.",
            remedy="Export a server whose secrets are ours; its people are in exports/users.",
            field="server",
        )
    return wanted[0]


def _is_meant(row: SipServer, server: str) -> bool:
    if not server:
        return row.is_default
    return row.name == server or (is_id(server) and row.id == UUID(server))


def subscribers(core: Core, found: Roster, server: SipServer) -> Iterator[Subscriber]:
    """The accounts of a roster on a server, in the order they were made; nobody disabled."""
    people = {person.user.id: person for person in persons(found, core.cipher)}
    for account in sorted(found.accounts, key=lambda row: row.id):
        person = people.get(account.user_id) if account.user_id else None
        if account.sip_server_id == server.id and (person is None or person.user.enabled):
            yield _subscriber(core, found, server, account, person)


def _subscriber(
    core: Core, found: Roster, server: SipServer, account: SipAccount, person: Person | None
) -> Subscriber:
    if person is not None:
        name, number, line = person.user.name, person.user.extension, person.line
    else:
        station = account.station_id
        name = found.stations.get(station, "") if station else ""
        seats = found.seats.get(station, ()) if station else ()
        number, line = None, line_values(found, core.cipher, None, seats)
    return Subscriber(
        account=account,
        server=server,
        name=name or account.username,
        number=number or account.username,
        password=core.cipher.decrypt(account.password_encrypted, PURPOSE_SIP),
        line=line,
        person=person,
    )
