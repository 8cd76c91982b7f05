"""Scripted peers on loopback: a PBX or a phone that says what a test wants it to say."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from provisioning.domain.kinds import Way
from provisioning.usecases.ports import Connector, Contact, Telling

DEVICE = UUID("0197a7b4-0000-7000-8000-000000000001")
EVENT = "check-sync;reboot=false"


@dataclass
class Conversation:
    """One connection, from the peer's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    heard: list[bytes]

    async def hear(self, end: bytes) -> bytes:
        """What the client sends, up to and with an end; noted."""
        got = await self.reader.readuntil(end)
        self.heard.append(got)
        return got

    async def say(self, text: bytes) -> None:
        """Send bytes."""
        self.writer.write(text)
        await self.writer.drain()

    async def say_slowly(self, text: bytes) -> None:
        """Send bytes one by one, each in a packet of its own as far as the system allows."""
        for index in range(len(text)):
            await self.say(text[index : index + 1])
            await asyncio.sleep(0)


Script = Callable[[Conversation], Awaitable[None]]


@dataclass
class Peer:
    """A listening peer, what it heard over all connections, and how many there were."""

    port: int = 0
    connections: int = 0
    heard: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def _listening(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Listen on loopback and follow the script on each connection, then hang up."""
    peer = Peer()
    ends: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        ends.append(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await script(Conversation(reader, writer, peer.connections, peer.heard))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in filter(None, ends):
            task.cancel()
        await asyncio.gather(*filter(None, ends))
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def listening() -> Callable[..., AbstractAsyncContextManager[Peer]]:
    """Listen on loopback and follow a script on each connection."""
    return _listening


@pytest.fixture
def clock() -> Callable[[], float]:
    """A clock that stands until it is set: ``clock.now``."""

    class Standing:
        now = 1000.0

        def __call__(self) -> float:
            return self.now

    return Standing()


@pytest.fixture(scope="session")
def telling() -> Callable[..., Telling]:
    """Make a phone to be told by a PBX that listens on loopback."""
    return _telling


def _telling(
    port: int,
    *,
    way: Way = Way.ASTERISK,
    contact: Contact | None = None,
    event: str = EVENT,
    **connector: object,
) -> Telling:
    """A phone to be told by a PBX that listens on loopback."""
    given: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "username": "roost",
        "password": "Secret-Enough",
        "way": way,
    }
    given |= {"profile": "internal"} if way is Way.FREESWITCH else {}
    return Telling(
        device=DEVICE,
        way=way,
        event=event,
        contact=contact or Contact("p1", "192.0.2.7", domain="pbx.example.com", alone=True),
        connector=Connector(**(given | connector)),  # type: ignore[arg-type]
    )
