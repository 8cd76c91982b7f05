"""People with browsers before the pages, over loopback."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from provisioning.doors.http.cookies import COOKIE
from provisioning.doors.http.people import people_application
from provisioning.usecases import registering, settings, sip, stations, users
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core

PHRASE = "four words in no order"


class _Reader(HTMLParser):
    """The forms, elements and visible words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.title = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form and its fields."""
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self._inside = tag
        if tag == "form":
            self.forms.append((given["action"], {}))
        if tag == "input" and self.forms:
            self.forms[-1][1][given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        """Note what is read."""
        if self._inside == "title" and not self.title:
            self.title = data.strip()
        elif data.strip():
            self.words.append(data.strip())


@dataclass
class Seen:
    """A page as it came, after all redirects."""

    status: int
    path: str
    headers: Any
    html: str
    went: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read it."""
        reader = _Reader()
        reader.feed(self.html)
        self.forms, self.tags, self.title = reader.forms, reader.tags, reader.title
        self.text = " ".join(reader.words)

    def form(self, action: str) -> dict[str, str]:
        """The fields of a form as they are filled in."""
        return next(dict(fields) for where, fields in self.forms if where == action)


@dataclass
class Browser:
    """Somebody who keeps the cookie, follows redirects and sends what browsers send."""

    client: Any
    cookie: str = ""
    language: str = "en"
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, form: Any = None, **headers: str) -> Seen:
        """One request and its answer, no redirect followed."""
        sent = {"Accept-Language": self.language, "Sec-Fetch-Site": "same-origin"} | self.headers
        if method == "POST":
            sent["Origin"] = str(self.client.make_url("")).rstrip("/")
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            form = form if isinstance(form, bytes) else urlencode(form or {}).encode()
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        if self.cookie:
            sent["Cookie"] = f"{COOKIE}={self.cookie}"
        async with self.client.request(
            method, path, data=form, headers=sent, allow_redirects=False
        ) as reply:
            if COOKIE in reply.cookies:
                self.cookie = reply.cookies[COOKIE].value
            return Seen(reply.status, path, reply.headers.copy(), await reply.text())

    async def __call__(self, method: str, path: str, form: Any = None, **headers: str) -> Seen:
        """A request and every redirect after it."""
        seen, went = await self.ask(method, path, form, **headers), [path]
        while seen.status == 303:
            went.append(seen.headers["Location"])
            assert len(went) < 8, went
            seen = await self.ask("GET", went[-1])
        seen.went = went
        return seen

    async def sign_in(self, email: str, password: str = PHRASE, then: str = "/") -> Seen:
        """Fill in the form of the first step."""
        page = await self("GET", f"/sign-in?next={then}")
        fields = page.form("/sign-in") | {"email": email, "password": password}
        return await self("POST", "/sign-in", fields)


@pytest.fixture
async def client(core: Core) -> AsyncIterator[TestClient]:
    """A client that keeps no cookies by itself."""
    server = TestServer(people_application(core))
    async with TestClient(server, cookie_jar=DummyCookieJar()) as client:
        yield client


@pytest.fixture
def browser(client: TestClient) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(client)


@dataclass
class Office:
    """People and phones of one organisation."""

    core: Core
    actor: Actor
    count: int = 0

    def person(self, first: str, extension: str, **login: Any) -> UUID:
        """A user with an account and a login, by e-mail after their first name."""
        made = users.add_user(
            self.core,
            self.actor,
            first_name=first,
            last_name="Lovelace",
            extension=extension,
            email=f"{first.lower()}@example.com",
            login={"password": PHRASE} | login,
        )
        return made.user.id

    def phone(self, name: str = "Reception", *, pool: bool = True) -> Any:
        """A phone; its first station."""
        self.count += 1
        mac = f"00:15:65:00:00:{self.count:02x}"
        row = registering.add_device(
            self.core, self.actor, mac=mac, model="T54W", name=name, pool=pool
        ).device
        return stations.device_stations(self.core, self.actor, row.id)[0].station

    def set(self, level: str, owner: UUID, **values: Any) -> None:
        """Set values at a level."""
        settings.set_values(self.core, self.actor, level, owner, values)


@pytest.fixture
def office(core: Core, actor: Actor) -> Office:
    """The first organisation, with a SIP server."""
    sip.add_server(core, actor, name="main", registrar="pbx.example.com")
    return Office(core, actor)


@pytest.fixture
def address() -> Callable[[Any], str]:
    """Where a station's label leads, as a path."""

    def of(station: Any) -> str:
        assert re.fullmatch("[a-z2-7]{16}", station.label_code)
        return f"/take/{station.label_code}"

    return of
