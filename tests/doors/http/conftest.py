"""The phones' door on loopback: listeners around an answer function, and a plain client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.crypto.authority import Authority
from provisioning.doors.http.listeners import HttpListeners
from provisioning.doors.http.phones import Answer, phones_server
from provisioning.doors.tls import ReloadableTls
from provisioning.usecases.core import Core
from provisioning.usecases.fetch import fetch_file


@dataclass
class Reply:
    """A response as a client sees it; header names are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str:
        """The value of a header that comes once."""
        (value,) = self.all(name)
        return value

    def all(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for other, value in self.headers if other == name.lower()]

    def lasting(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """Everything but the date, to compare two replies."""
        return self.status, [each for each in self.headers if each[0] != "date"], self.body


async def read_reply(reader: asyncio.StreamReader, *, head: bool = False) -> Reply:
    """Read one response."""
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = [
        (name.lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)
    ]
    length = 0 if head else int(dict(headers).get("content-length", 0))
    return Reply(int(status.split()[1]), headers, await reader.readexactly(length))


@dataclass
class Door:
    """The listeners under test and how to ask them."""

    listeners: HttpListeners
    http: list[tuple[str, int]] = field(default_factory=list)
    https: list[tuple[str, int]] = field(default_factory=list)
    ca: Path = Path()

    async def connect(
        self, place: tuple[str, int] | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a listener, by default the first for HTTP."""
        place = place or self.http[0]
        context = ssl.create_default_context(cafile=self.ca) if place in self.https else None
        return await asyncio.open_connection(*place, ssl=context)

    async def send(
        self, raw: bytes, place: tuple[str, int] | None = None, *, head: bool = False
    ) -> Reply:
        """Send the bytes of a request on a connection of its own."""
        reader, writer = await self.connect(place)
        try:
            writer.write(raw)
            return await read_reply(reader, head=head)
        finally:
            writer.transport.abort()

    async def get(
        self,
        path: str,
        place: tuple[str, int] | None = None,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Ask for a path, exactly as it is written."""
        lines = [f"{method} {path} HTTP/1.1", "Host: phones.example.com"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        raw = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        return await self.send(raw, place, head=method == "HEAD")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that no test changes."""
    return Authority.load_or_create(tmp_path_factory.mktemp("certs"), datetime.now(UTC))


@pytest.fixture
async def open_door(authority: Authority) -> AsyncIterator[Callable[..., object]]:
    """Open the phones' door around an answer function on both families, HTTP and HTTPS."""
    opened: list[HttpListeners] = []

    async def start(answer: Answer, **bounds: object) -> Door:
        listeners = HttpListeners(phones_server(answer), "phones", **bounds)
        opened.append(listeners)
        chain = authority.ensure_chain(["localhost"], datetime.now(UTC))
        for host in ("127.0.0.1", "::1"):
            await listeners.start(host, 0)
        for host in ("127.0.0.1", "::1"):
            await listeners.start(host, 0, ReloadableTls(chain, listener="phones"))
        ca = authority.folder / "ca.pem"
        return Door(listeners, [*listeners.addresses[:2]], [*listeners.addresses[2:]], ca)

    yield start
    for listeners in opened:
        await listeners.stop(0.1)


@pytest.fixture
async def door(core: Core, open_door: Callable[..., object]) -> Door:
    """The phones' door around the real ``fetch_file`` and a real store."""

    async def answer(request):
        return await asyncio.to_thread(fetch_file, core, request)

    return await open_door(answer)
