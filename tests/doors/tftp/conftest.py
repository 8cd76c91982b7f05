"""A server with a fake answer function, and a small TFTP client that can be made to misbehave."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provisioning.doors.tftp.limits import TftpLimits
from provisioning.doors.tftp.server import TftpServer
from provisioning.usecases.requests import FileReply, FileRequest, Outcome

Address = tuple[str, int]

# The real timers are seconds; a test waits for many of them.
QUICK = TftpLimits(first_wait=0.05, longest_wait=0.2)


@dataclass
class Shelf:
    """The fake answer function: what lies under a path is served, raised or sent as is."""

    files: dict[str, bytes | Path | FileReply | Exception] = field(
        default_factory=lambda: {"good.cfg": b"good\n"}
    )
    requests: list[FileRequest] = field(default_factory=list)
    gate: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: FileRequest) -> FileReply:
        """Answer as ``fetch_file`` would."""
        self.requests.append(request)
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        found = self.files.get(request.path, FileReply(Outcome.NOT_FOUND))
        if isinstance(found, Exception):
            raise found
        if isinstance(found, FileReply):
            return found
        if isinstance(found, Path):
            return FileReply(Outcome.SERVED, file=found)
        return FileReply(Outcome.SERVED, content=found)


class Refused(Exception):
    """The server sent an ERROR packet."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


OWN = f"127.7.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
"""Where the clients of this process are.

A transfer that another process left behind repeats its data for a while, to a port of 127.0.0.1
that may be somebody else's by then.
"""


class Wire:
    """A UDP socket that can lose packets both ways, from a seeded source of chance."""

    def __init__(self, family: int = socket.AF_INET, *, loss: float = 0, seed: int = 0) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(("::1" if family == socket.AF_INET6 else OWN, 0))
        self._loop = asyncio.get_running_loop()
        self._loss = loss
        self._chance = random.Random(seed)

    def send(self, datagram: bytes, to: Address) -> None:
        """Send a datagram, or lose it."""
        if self._chance.random() >= self._loss:
            self.socket.sendto(datagram, to)

    async def receive(self, within: float = 2.0) -> tuple[bytes, Address]:
        """The next datagram that is not lost; TimeoutError if there is none."""
        async with asyncio.timeout(within):
            while True:
                datagram, sender = await self._loop.sock_recvfrom(self.socket, 70_000)
                if self._chance.random() >= self._loss:
                    return datagram, sender[:2]

    async def drain(self, within: float) -> list[bytes]:
        """Everything that comes until nothing has come for ``within`` seconds."""
        received = []
        while True:
            try:
                received.append((await self.receive(within))[0])
            except TimeoutError:
                return received

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def rrq(name: str | bytes, mode: str = "octet", **options: object) -> bytes:
    """A read request."""
    raw = name if isinstance(name, bytes) else name.encode()
    parts = [raw, mode.encode()]
    for option, value in options.items():
        parts += [option.encode(), str(value).encode()]
    return b"\0\1" + b"".join(part + b"\0" for part in parts)


def ack(block: int) -> bytes:
    """An acknowledgement."""
    return struct.pack("!HH", 4, block & 0xFFFF)


@dataclass
class Download:
    """A lock-step or windowed fetch, as a patient phone does it."""

    wire: Wire
    to: Address
    request: bytes
    patience: float = 0.5
    tries: int = 12
    options: dict[str, str] = field(default_factory=dict)
    granted: dict[str, str] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    async def run(self) -> bytes:
        """Fetch the whole file; Refused at an ERROR, TimeoutError after too many tries."""
        said, to, expected, last = self.request, self.to, 1, False
        tid: Address | None = None
        unsaid = 0
        self.wire.send(said, to)
        silent = 0
        while not last:
            try:
                packet, sender = await self.wire.receive(self.patience)
            except TimeoutError:
                silent += 1
                if silent == self.tries:
                    raise
                self.wire.send(said, to)
                continue
            if tid not in (None, sender):
                continue
            opcode, number = struct.unpack("!HH", packet[:4])
            if opcode == 5:
                raise Refused(number, packet[4:-1].decode())
            tid = to = sender
            if opcode == 6:
                fields = packet[2:-1].decode().split("\0")
                self.options = dict(zip(fields[::2], fields[1::2], strict=True))
                self.granted = {name.lower(): value for name, value in self.options.items()}
                said = ack(0)
                self.wire.send(said, to)
            elif opcode == 3 and number == expected & 0xFFFF:
                silent = 0
                self.content += packet[4:]
                last = len(packet) - 4 < int(self.granted.get("blksize", 512))
                said = ack(expected)
                expected += 1
                unsaid += 1
                if last or unsaid == int(self.granted.get("windowsize", 1)):
                    unsaid = 0
                    self.wire.send(said, to)
            elif opcode == 3:
                unsaid = 0
                self.wire.send(said, to)
        return bytes(self.content)


class Client:
    """Makes wires and downloads and closes them in the end."""

    rrq = staticmethod(rrq)
    ack = staticmethod(ack)
    refused = Refused
    own = OWN

    def __init__(self) -> None:
        self._wires: list[Wire] = []

    def wire(self, to: Address | None = None, *, loss: float = 0, seed: int = 0) -> Wire:
        """A new wire of the family of ``to``."""
        family = socket.AF_INET6 if to and ":" in to[0] else socket.AF_INET
        wire = Wire(family, loss=loss, seed=seed)
        self._wires.append(wire)
        return wire

    def download(
        self, to: Address, request: bytes, *, loss: float = 0, seed: int = 0, patience: float = 0.5
    ) -> Download:
        """A download that has not begun."""
        return Download(self.wire(to, loss=loss, seed=seed), to, request, patience)

    async def fetch(self, to: Address, name: str = "good.cfg", **options: object) -> bytes:
        """Fetch a file in octet mode."""
        return await self.download(to, rrq(name, **options)).run()

    def close(self) -> None:
        """Close every wire."""
        for wire in self._wires:
            wire.close()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """The test's own TFTP client."""
    made = Client()
    yield made
    made.close()


@pytest.fixture
def shelf() -> Shelf:
    """What the server answers from."""
    return Shelf()


@pytest.fixture
def quick() -> TftpLimits:
    """The limits of the tests: short timers."""
    return QUICK


@pytest.fixture
async def serve(shelf: Shelf) -> AsyncIterator[Callable[..., Awaitable[Address]]]:
    """Start a server on a free loopback port and stop it after the test."""
    servers: list[TftpServer] = []

    async def start(host: str = "127.0.0.1", limits: TftpLimits = QUICK) -> Address:
        server = TftpServer(shelf, limits)
        servers.append(server)
        await server.start(host, 0)
        return server.addresses[0]

    yield start
    for server in servers:
        await server.stop(0)


@pytest.fixture
def hostile_door() -> Iterator[Callable[[list[bytes]], bytes]]:
    """Send datagrams to a server that lives for the whole test, then fetch the good file.

    Hypothesis runs its examples synchronously, so this fixture brings a loop of its own; whatever
    is raised on that loop fails the test.
    """
    raised: list[dict[str, object]] = []
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda _loop, context: raised.append(context))
        server = TftpServer(Shelf(), QUICK)
        runner.run(server.start("127.0.0.1", 0))
        address = server.addresses[0]

        async def attack(datagrams: list[bytes]) -> bytes:
            client = Client()
            try:
                wire = client.wire()
                for datagram in datagrams:
                    wire.send(datagram, address)
                return await client.fetch(address)
            finally:
                client.close()

        yield lambda datagrams: runner.run(attack(datagrams))
        runner.run(server.stop(0))
    assert raised == []
