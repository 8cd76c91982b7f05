"""Everybody's phone boots at once, after a power cut."""

from __future__ import annotations

import asyncio
import resource
import struct

import aiohttp
import pytest

from provisioning.app.build import build
from provisioning.config import load_config
from provisioning.store import access
from provisioning.usecases import organisations, registering
from provisioning.usecases.actors import local_actor, together

MOST = 1000
BLOCK = 512
RRQ, DATA, ACK = b"\0\1", b"\0\3", b"\0\4"


@pytest.fixture
def many_sockets():
    """Let this process hold a socket for each phone, as far as the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + 500
    if hard not in (resource.RLIM_INFINITY, -1) and hard < wanted:
        pytest.skip(f"this user may hold {hard} files open, not {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Download(asyncio.DatagramProtocol):
    """One phone's transfer (RFC 1350): repeats what it last said until it is heard."""

    def __init__(self, name: str, server: tuple[str, int]) -> None:
        self._last = RRQ + name.encode() + b"\0octet\0"
        self._to = server
        self._blocks: list[bytes] = []
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        """Ask for the file."""
        self._transport = transport
        self.repeat()

    def repeat(self) -> None:
        """Say the last thing again, and again after a while."""
        if not self.done.done():
            self._transport.sendto(self._last, self._to)
            asyncio.get_running_loop().call_later(2.0, self.repeat)

    def datagram_received(self, packet: bytes, peer: tuple[str, int]) -> None:
        """Keep a block that is the next one and acknowledge it; pass over repeated ones."""
        if self.done.done():
            return
        if packet[:2] == DATA:
            (number,) = struct.unpack("!H", packet[2:4])
            if number == len(self._blocks) + 1:
                self._blocks.append(packet[4:])
                self._answer(peer, number)
                if len(packet) < BLOCK + 4:
                    self.done.set_result(b"".join(self._blocks))
        else:
            self.done.set_exception(ConnectionError(packet[:60]))

    def _answer(self, peer: tuple[str, int], number: int) -> None:
        self._to = peer
        self._last = ACK + struct.pack("!H", number)
        self._transport.sendto(self._last, peer)


async def download(name: str, number: int, port: int) -> bytes:
    """A phone's file by TFTP, from one of many addresses."""
    source = f"127.0.{1 + number // 100}.{1 + number % 100}"
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Download(name, ("127.0.0.1", port)), local_addr=(source, 0)
    )
    try:
        async with asyncio.timeout(60):
            return await protocol.done
    finally:
        transport.close()


def register(server, count: int) -> list[str]:
    """Register phones whom their network proves; the names of their files."""
    core = build(load_config(None, server.environment))
    try:
        with core.database.read() as session:
            organisation = access.organisation_by_name(session, organisations.FIRST_ORGANISATION)
            actor = local_actor(organisation.id)
            site = access.first_site(session, organisation.id)
        changes = {"networks": ["127.0.0.0/8"], "minimum_trust": "network"}
        organisations.change_site(core, actor, site.id, changes)
        macs = [f"001565{number:06x}" for number in range(1, count + 1)]
        with together(core, actor) as same:
            for mac in macs:
                registering.add_device(core, same, mac=mac, model="T19P")
    finally:
        core.database.close()
    return [f"{mac}.cfg" for mac in macs]


@pytest.mark.parametrize("count", [100, pytest.param(MOST, marks=pytest.mark.soak)])
def test_many_transfers_at_once_are_all_whole(serve, many_sockets, count):
    """Each of many phones gets, by TFTP at the same moment, the file that is its own."""
    phones: list[str] = []
    server = serve(before=lambda server: phones.extend(register(server, count)))

    async def boot() -> list[bytes]:
        transfers = (download(name, n, server.tftp_port) for n, name in enumerate(phones))
        return await asyncio.gather(*transfers)

    async def expected() -> list[bytes]:
        connector = aiohttp.TCPConnector(limit=8)
        async with aiohttp.ClientSession(
            server.http, connector=connector, skip_auto_headers=["User-Agent"]
        ) as session:

            async def one(name: str) -> bytes:
                async with session.get(f"/{name}") as answer:
                    assert answer.status == 200
                    return await answer.read()

            return await asyncio.gather(*map(one, phones))

    received = asyncio.run(boot())
    assert len(set(received)) == count
    assert received == asyncio.run(expected())
