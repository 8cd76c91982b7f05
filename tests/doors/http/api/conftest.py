"""The API over loopback, and somebody who calls it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from provisioning.doors.http.api.application import api_application
from provisioning.store.tables import Base
from provisioning.usecases.actors import Actor, create_token
from provisioning.usecases.core import Core


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
    """Make somebody who calls, with a token of a role."""

    def make(actor: Actor, role: str = "admin") -> Caller:
        return Caller(client, create_token(core, actor, name=role, role=role))

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
class Office:
    """What an organisation has: the ids the tests ask for."""

    ids: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


SECRETS = {
    "sip": "Canary-Of-Sip",
    "phone": "Canary-Of-Phone",
    "dect": "7391",
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


@pytest.fixture
def furnished() -> Callable[..., Any]:
    """The function that gives somebody's organisation one of everything."""
    return furnish


@pytest.fixture
def canaries() -> dict[str, str]:
    """The passwords a furnished organisation has."""
    return SECRETS
