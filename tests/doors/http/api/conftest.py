"""The API over loopback, and somebody who calls it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import func, literal, select, text, union_all

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.application import api_application
from provisioning.doors.http.api.entrance import OUR_HEADER
from provisioning.doors.http.api.registry import Endpoint, Entry
from provisioning.doors.http.cookies import COOKIE
from provisioning.store.security import Pending
from provisioning.store.tables import Base
from provisioning.usecases.actors import Actor, create_token
from provisioning.usecases.core import Core
from provisioning.usecases.sessions import open_session


@dataclass
class Reply:
    """A response; ``json`` is its body where that is JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any


@dataclass
class Caller:
    """Somebody with a token; ``answers`` keeps everything they were ever told."""

    client: TestClient
    token: str
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request; ``path`` is what follows /api/v1."""
        sent = {"Authorization": f"Bearer {self.token}"} | self.headers | (headers or {})
        content = {"data": data} if data is not None else {"json": body} if body is not None else {}
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.client.request(method, f"/api/v1{path}", headers=sent, **content) as reply:
            raw = await reply.read()
            self.answers.append(raw)
            parsed = await reply.json(content_type=None) if "json" in reply.content_type else None
            return Reply(reply.status, reply.headers.copy(), raw, parsed)

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        """POST something that must succeed and return it."""
        reply = await self("POST", path, body)
        assert reply.status == 201, reply.json
        made: dict[str, Any] = reply.json
        return made


@pytest.fixture
async def client(core: Core) -> AsyncIterator[TestClient]:
    """A client of the API on a loopback socket."""
    async with TestClient(TestServer(api_application(core))) as client:
        yield client


@pytest.fixture
def caller(core: Core, client: TestClient) -> Callable[..., Caller]:
    """Make somebody who calls, with a token of a role, and of a user if one is named."""

    def make(actor: Actor, role: str = "admin", user: UUID | None = None) -> Caller:
        return Caller(client, create_token(core, actor, name=role, role=role, user=user))

    return make


@pytest.fixture
def api(actor: Actor, caller: Callable[..., Caller]) -> Caller:
    """An admin of the first organisation."""
    return caller(actor)


def kept(table: Any) -> list[Any]:
    """A table's columns but the moment of its rows' last use."""
    return [column for column in table.c if column.name != "last_used_at"]


@pytest.fixture
def rows(core: Core) -> Callable[[], dict[str, list[Any]]]:
    """Read the whole database, to see that a refused request left nothing behind.

    When a token was last used is left out: being refused is a use of it.
    """

    def read() -> dict[str, list[Any]]:
        with core.database.read() as session:
            return {
                table.name: sorted(
                    map(repr, session.execute(table.select().with_only_columns(*kept(table))).all())
                )
                for table in Base.metadata.sorted_tables
            }

    return read


@dataclass
class Saved:
    """Every row as it was at a moment, to come back to after a change."""

    core: Core
    held: dict[str, list[Any]]

    def restore(self) -> None:
        """Make every row what it was; no reference is looked at meanwhile."""
        lax = (
            "PRAGMA defer_foreign_keys = ON"
            if self.core.database.is_sqlite
            else "SET LOCAL session_replication_role = replica"
        )
        with self.core.database.engine.begin() as connection:
            connection.execute(text(lax))
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
            for table in Base.metadata.sorted_tables:
                if self.held[table.name]:
                    connection.execute(table.insert(), self.held[table.name])

    def counts(self) -> dict[str, int]:
        """How many rows each table has now."""
        every = union_all(
            *(
                select(literal(table.name), func.count()).select_from(table)
                for table in Base.metadata.sorted_tables
            )
        )
        with self.core.database.read() as session:
            return dict(map(tuple, session.execute(every)))


@pytest.fixture
def save(core: Core) -> Callable[[], Saved]:
    """Keep what the database holds now."""

    def read() -> Saved:
        with core.database.read() as session:
            return Saved(
                core,
                {
                    table.name: [dict(row) for row in session.execute(table.select()).mappings()]
                    for table in Base.metadata.sorted_tables
                },
            )

    return read


@dataclass
class Office:
    """What an organisation has: the ids the tests ask for."""

    ids: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


SECRETS = {
    "sip": "Canary-Of-Sip",
    "phone": "Canary-Of-Phone",
    "dect": "7391",
    "connector": "Canary-Of-Connector",
}
"""Passwords that must never be told to somebody without the permission."""


async def furnish(api: Caller, *, extension: str = "1001", mac: str = "001565AABB01") -> Office:
    """Give an organisation one of everything."""
    server = await api.made(
        "/sip-servers", {"name": "main", "registrar": f"pbx-{extension}.example.com"}
    )
    account = {"username": extension, "password": SECRETS["sip"]}
    user = await api.made(
        "/users",
        {"first_name": f"Ada{extension}", "extension": extension, "sip_account": account},
    )
    profile = await api.made("/profiles", {"name": f"profile-{extension}"})
    role = await api.made("/roles", {"name": f"role-{extension}", "permissions": ["own"]})
    member = await api.made(
        "/memberships", {"email": f"ada{extension}@example.com", "role": "member"}
    )
    contact = await api.made("/phonebook", {"first_name": f"Taxi {extension}"})
    device = await api.made(
        "/devices",
        {"mac": mac, "vendor": "yealink", "model": "T31G", "profile": profile["id"]},
    )
    stations = await api("GET", f"/devices/{device['id']}/stations")
    sites = await api("GET", "/sites")
    tokens = await api("GET", "/tokens")
    organisation = await api("GET", "/organisation")
    return Office(
        {
            "organisation": organisation.json["id"],
            "server": server["id"],
            "user": user["id"],
            "account": user["sip_account"]["id"],
            "profile": profile["id"],
            "contact": contact["id"],
            "device": device["id"],
            "station": stations.json["items"][0]["id"],
            "site": sites.json["items"][0]["id"],
            "token": tokens.json["items"][0]["id"],
            "role": role["id"],
            "membership": member["id"],
            "login": member["login_id"],
            "mac": mac,
        }
    )


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
"""An image of one red pixel."""


async def furnish_pictures(api: Caller, office: Office) -> None:
    """Add a user's pictures."""
    for picture in ("photo", "cover"):
        path = f"/users/{office['user']}/{picture}"
        reply = await api("PUT", path, data=PNG, headers={"Content-Type": "image/png"})
        assert reply.status == 200, reply.json


async def imported(api: Caller, text: str) -> str:
    """Try an import of users and wait for its end; its id."""
    sent = {"Content-Type": "text/csv"}
    reply = await api("POST", "/imports/users?dry_run=1", data=text.encode(), headers=sent)
    assert reply.status == 202, reply.json
    while reply.json["state"] in ("checking", "writing"):
        await asyncio.sleep(0.01)
        reply = await api("GET", f"/imports/{reply.json['id']}")
    return str(reply.json["id"])


async def furnish_catalogue(api: Caller, office: Office) -> None:
    """Add what an organisation gives its people."""
    number = await api.made("/numbers", {"number": "+49 30 1234560", "label": "Reception"})
    centre = await api.made("/cost-centres", {"name": "Research", "code": "*88"})
    target = await api.made("/call-targets", {"kind": "ring-group", "name": "Sales"})
    category = (await api("GET", "/categories")).json["items"][0]["id"]
    option = await api.made(f"/categories/{category}/options", {"name": "Sales"})
    licence = await api.made("/licences", {"kind": "pro", "quantity": 5})
    office.ids |= {
        "number": number["id"],
        "cost_centre": centre["id"],
        "target": target["id"],
        "category": category,
        "option": option["id"],
        "licence": licence["id"],
    }


async def seated(api: Caller, office: Office) -> str:
    """Log the user in at a pool phone; the session's id."""
    extension = (await api("GET", f"/users/{office['user']}")).json["extension"]
    await api("PUT", f"/users/{office['user']}/pin", {"pin": "482913"})
    pool = await api.made("/devices", {"mac": f"00156500{extension}", "pool": True})
    office.ids["pool"] = pool["id"]
    login = {"device": pool["id"], "extension": extension, "pin": "482913"}
    reply = await api("POST", "/hotdesk/login", login)
    assert reply.status == 200, reply.json
    return str(reply.json["id"])


async def furnish_more(api: Caller, office: Office) -> None:
    """Add what only some tests need: a DECT system, a value, a key, a line and so on."""
    await furnish_catalogue(api, office)
    await furnish_pictures(api, office)
    system = await api.made(
        "/dect-systems", {"name": "tower", "access_code": SECRETS["dect"], "capacity": 20}
    )
    handset = await api.made(f"/dect-systems/{system['id']}/slots", {"name": "Porter"})
    connector = {"kind": "freeswitch", "host": "192.0.2.5", "password": SECRETS["connector"]}
    path = f"/sip-servers/{office['server']}/connector"
    assert (await api("PUT", path, connector)).status == 200
    events = (await api("GET", "/audit")).json["items"]
    office.ids |= {"event": events[0]["id"]}
    office.ids |= {"system": system["id"], "handset": handset["id"]}
    office.ids["hotdesk_session"] = await seated(api, office)
    office.ids["job"] = await imported(api, "first_name\nGrace\n")
    values = {"admin.password": SECRETS["phone"], "language": "de"}
    assert (await api("PUT", f"/settings/device/{office['device']}", values)).status == 200
    keys = {"items": [{"position": 1, "type": "blf", "value": "1002", "label": "Porter"}]}
    assert (await api("PUT", f"/keys/device/{office['device']}", keys)).status == 200
    users = {"users": [office["user"]]}
    assert (await api("PUT", f"/stations/{office['station']}/assignments", users)).status == 200


@pytest.fixture
async def office(api: Caller) -> Office:
    """One of everything in the first organisation."""
    return await furnish(api)


@pytest.fixture
async def whole_office(api: Caller, office: Office) -> Office:
    """One of everything there is."""
    await furnish_more(api, office)
    return office


PHRASE = "correct horse battery"


VALID: dict[str, Any] = {
    "POST /organisations": {"name": "other"},
    "POST /sites": {"name": "other"},
    "POST /profiles": {"name": "other"},
    "POST /sip-servers": {"name": "other", "registrar": "other.example.com"},
    "PUT /sip-servers/{server}/connector": {
        "kind": "asterisk",
        "host": "pbx.example.com",
        "username": "roost",
        "password": "Secret-Enough",
    },
    "POST /sip-accounts": {"username": "7001", "user_id": "{user}"},
    "POST /users": {
        "first_name": "Grace",
        "email": "grace@example.com",
        "extension": "7001",
        "sip_account": {"password": "Secret-Enough"},
        "login": {"generate": True},
    },
    "PUT /users/{user}/pin": {"pin": "482913"},
    "PUT /users/{user}/voicemail-pin": {"pin": "482913"},
    "PATCH /users": {"users": ["{user}"], "change": {"enabled": True}},
    "POST /categories": {"name": "Floor"},
    "POST /categories/{category}/options": {"name": "Other"},
    "PUT /categories/{category}/options/{option}/users": {"users": ["{user}"]},
    "PUT /users/{user}/options": {"options": ["{option}"]},
    "POST /numbers": {"number": "+49 30 1234569"},
    "POST /cost-centres": {"name": "Other"},
    "POST /call-targets": {"kind": "ring-group", "name": "Other"},
    "POST /licences": {"kind": "add-on", "add_on": "recording", "quantity": 3},
    "PATCH /licences/{licence}": {"quantity": 3},
    "PUT /users/{user}/licences": {"licences": ["{licence}"]},
    "PUT /me/keys": {"items": []},
    "PUT /me/pin": {"pin": "482913"},
    "PUT /me/voicemail-pin": {"pin": "482913"},
    "POST /me/contacts": {"first_name": "Taxi"},
    "POST /me/sessions": {"device": "{pool}"},
    "POST /devices": {"mac": "001565AABB55"},
    "POST /devices/{device}/swap": {"mac": "001565AABB56"},
    "PUT /stations/{station}/assignments": {"users": ["{user}"]},
    "PUT /devices/{device}/assignments": {"users": ["{user}"]},
    "POST /dect-systems": {"name": "other"},
    "POST /dect-systems/{system}/members": {"device": "{free_base}"},
    "PUT /dect-systems/{system}/manager": {"device": "{base}"},
    "POST /handsets/{handset}/swap": {"handset": "{other_handset}"},
    "PUT /keys/{level}/{owner}": {"items": [{"position": 1, "type": "blf", "value": "1002"}]},
    "POST /phonebook": {"first_name": "Taxi"},
    "POST /exports/freeswitch": {"section": "directory", "user": "1001", "domain": "x.example"},
    "POST /exports/voicemail-pin": {"extension": "1001", "pin": "1"},
    "POST /tokens": {"name": "other", "role": "member"},
    "POST /roles": {"name": "other"},
    "POST /memberships": {"email": "other@example.com", "role": "member"},
    "PATCH /logins/{login}": {"must_change": True},
    "POST /session": {"email": "admin@example.com", "password": PHRASE},
    "PUT /session/password": {"password": PHRASE, "new_password": "four words in no order"},
    "POST /session/memberships": {"token": "x" * 43},
    "POST /pending/approve": {"macs": ["{pending}"]},
    "POST /session/reset": {"token": "x" * 43, "password": "four words in no order"},
    "PUT /session/totp": {"code": "000000"},
    "POST /session/totp/removal": {"password": PHRASE},
    "PUT /session/organisation": {"organisation": "{organisation}"},
    "POST /hotdesk/login": {"device": "{pool}", "extension": "1001", "pin": "482913"},
    "POST /hotdesk/logout": {"device": "{pool}"},
    "PATCH /hotdesk/sessions/{hotdesk_session}": {
        "until": (datetime.now(UTC) + timedelta(hours=20)).isoformat()
    },
}
"""The bodies of endpoints that do not take an empty one; names in braces are ids."""


@dataclass
class Siege:
    """An organisation with one of everything, and what whoever attacks its API holds.

    Its requests are synchronous, for a thread beside the server's loop.
    """

    url: str
    ids: dict[str, str]
    tokens: dict[str, str]
    cookie: str
    saved: Saved

    def path(self, endpoint: Endpoint) -> dict[str, str]:
        """What an endpoint's path has to name to name what is there."""
        ids = self.ids | {"mac": self.ids["pending"], "kind": "users", "level": "user"}
        ids |= {"owner": ids["user"]}
        if endpoint.subject == "me":
            ids |= {"contact": ids["own_contact"]}
        if endpoint.subject == "dect-systems":
            ids |= {"device": ids["base"]}
        return {name: ids[name] for name in ids if f"{{{name}}}" in endpoint.template}

    def valid(self, endpoint: Endpoint) -> Any:
        """A body that the endpoint takes."""
        written = json.dumps(VALID.get(f"{endpoint.method} {endpoint.path}", {}))
        for name, known in self.ids.items():
            written = written.replace(f"{{{name}}}", known)
        return json.loads(written)

    def headers(self, endpoint: Endpoint, *, operator: bool = False) -> dict[str, str]:
        """What lets in at an endpoint."""
        if endpoint.permission is Entry.SESSION:
            return {"Cookie": f"{COOKIE}={self.cookie}", OUR_HEADER: "fetch"}
        wanted = operator or endpoint.permission is Permission.OPERATE
        token = self.tokens["operator" if wanted else "person"]
        organisation = {"X-Organisation": self.ids["organisation"]} if wanted else {}
        return {"Authorization": f"Bearer {token}"} | organisation


@pytest.fixture
async def siege(
    core: Core,
    actor: Actor,
    client: TestClient,
    api: Caller,
    whole_office: Office,
    save: Callable[[], Saved],
) -> Siege:
    """Everything an attack needs."""
    with core.database.write() as session:
        for mac in ("001565aabbee", "001565aabbef"):
            session.add(Pending(mac=mac, organisation_id=actor.organisation, address="192.0.2.9"))
    ids = whole_office.ids | {"pending": "001565aabbee", "vendor": "yealink", "key": "language"}
    ids["path"] = (await api("GET", f"/devices/{ids['device']}/files")).json["items"][0]["path"]
    person = await api.made("/tokens", {"name": "p", "role": "admin", "user": ids["user"]})
    slot = await api.made(f"/dect-systems/{ids['system']}/slots", {"name": "Second"})
    bases = [
        await api.made("/devices", {"mac": mac, "vendor": "yealink-dect", "model": "W80B"})
        for mac in ("001565AABB77", "001565AABB78")
    ]
    ids |= {"other_handset": slot["id"], "base": bases[0]["id"], "free_base": bases[1]["id"]}
    role = {"device": ids["base"], "role": "manager"}
    await api.made(f"/dect-systems/{ids['system']}/members", role)
    own = await Caller(client, person["token"]).made("/me/contacts", {"first_name": "Own"})
    ids["own_contact"] = own["id"]
    tokens = {
        "person": person["token"],
        "operator": create_token(core, actor, name="o", role="operator"),
    }
    cookie, _ = open_session(core, email="admin@example.com", password=PHRASE)
    return Siege(str(client.make_url("")).rstrip("/"), ids, tokens, cookie, save())


@pytest.fixture
def furnished() -> Callable[..., Any]:
    """The function that gives somebody's organisation one of everything."""
    return furnish


@pytest.fixture
def canaries() -> dict[str, str]:
    """The passwords a furnished organisation has."""
    return SECRETS
