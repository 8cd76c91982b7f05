"""What a client can do to the listeners, whatever they answer."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from provisioning.domain.errors import BadConfig
from provisioning.doors.http import listeners as bounds
from provisioning.doors.http import phones
from provisioning.doors.http.connections import Connections, affordable_connections
from provisioning.doors.http.listeners import HttpListeners
from provisioning.doors.sources import source_of
from provisioning.usecases.requests import FileReply, FileRequest, Outcome


class Shelf:
    """An answer function: one file, and a gate that can be shut."""

    def __init__(self) -> None:
        self.reply: FileReply | Exception = FileReply(Outcome.SERVED, b"good\n", etag='"x"')
        self.requests: list[FileRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def __call__(self, request: FileRequest) -> FileReply:
        """Answer as ``fetch_file`` would."""
        self.requests.append(request)
        self.asked.set()
        await self.gate.wait()
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.fixture
async def shelf() -> Shelf:
    """What the door under test asks."""
    return Shelf()


@pytest.fixture
async def door(shelf, open_door):
    """The phones' door around the shelf."""
    return await open_door(shelf)


async def until(condition) -> None:
    """Wait for what the loop is about to do."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.001)


async def was_refused(door) -> bool:
    """Whether a connection is closed without a word."""
    try:
        reader, writer = await door.connect()
    except ConnectionError:
        return True
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True
    finally:
        writer.transport.abort()


async def test_request_is_handed_on_as_it_came(door, shelf):
    """Door, peer, method, query, agent and decoded path are those of the request."""
    await door.get("/dir/a%20b.cfg?x=%20y", door.https[1], headers={"User-Agent": "Phone/1"})
    (request,) = shelf.requests
    assert (request.path, request.query) == ("dir/a b.cfg", "x= y")
    assert (request.door, str(request.peer), request.method) == ("https", "::1", "GET")
    assert (request.user_agent, request.credential, request.body) == ("Phone/1", None, b"")


async def test_connection_carries_many_requests(door):
    """A phone fetches all its files over one connection."""
    reader, writer = await door.connect(door.https[0])
    for _ in range(3):
        writer.write(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"good\n")).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.transport.abort()
    await until(lambda: door.listeners.connections.count == 0)


async def test_exception_of_the_answer_is_try_again(door, shelf):
    """A bug behind the door is a 503 and a line in the log."""
    shelf.reply = RuntimeError("bug")
    with capture_logs() as logged:
        assert (await door.get("/x")).status == 503
    assert [entry["event"] for entry in logged] == ["http-answer-failed"]


async def test_late_answer_is_try_again(door, shelf, monkeypatch):
    """A phone is not kept waiting beyond the deadline."""
    monkeypatch.setattr(phones, "ANSWER_WITHIN", 0.01)
    shelf.gate.clear()
    assert (await door.get("/x")).status == 503


async def test_stored_file_is_sent_with_ranges(door, shelf, tmp_path):
    """A reply that names a stored file is sent from it, in part if the client asks."""
    (tmp_path / "blob").write_bytes(b"0123456789")
    shelf.reply = FileReply(Outcome.SERVED, file=tmp_path / "blob", media_type="image/x")
    whole = await door.get("/x")
    part = await door.get("/x", headers={"Range": "bytes=2-4"})
    assert (whole.status, whole.body, whole["content-type"]) == (200, b"0123456789", "image/x")
    assert (part.status, part.body) == (206, b"234")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /t/geheim/x\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: x\r\nBad Header: geheim\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /x HTTP/9.9\r\n\r\n",
    ],
)
async def test_malformed_request_is_a_bare_400(door, raw):
    """What is no HTTP gets a 400 that neither repeats it nor names the software."""
    with capture_logs() as logged:
        reply = await door.send(raw)
    assert (reply.status, reply.body, reply["server"]) == (
        400,
        b"Malformed request\n",
        "Provisioning",
    )
    assert "geheim" not in str(logged)
    assert (await door.get("/x")).status == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300))
async def test_no_bytes_stop_the_listener(door, raw):
    """After any bytes, as a request line or before one, the next phone is served."""
    for prefix in (b"", b"GET /"):
        _reader, writer = await door.connect()
        writer.write(prefix + raw + b"\r\n\r\n")
        writer.close()
    assert (await door.get("/x")).status == 200


async def test_silent_client_is_left(shelf, open_door, monkeypatch):
    """A connection without a whole request is closed when its time is over."""
    monkeypatch.setattr(bounds, "KEEPALIVE_SECONDS", 0.05)
    door = await open_door(shelf)
    for part in (b"", b"GET /x HT", b"GET /x HTTP/1.1\r\nHost: "):
        reader, writer = await door.connect()
        writer.write(part)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.transport.abort()


async def test_client_that_never_reads_is_left(shelf, open_door, monkeypatch):
    """A connection whose client does not read its response is aborted at the deadline."""
    monkeypatch.setattr(bounds, "_FIRST_SECONDS", 0.05)
    monkeypatch.setattr(bounds, "SLOWEST_BYTES", 1 << 40)
    shelf.reply = FileReply(Outcome.SERVED, b"x" * (32 << 20))
    door = await open_door(shelf)
    with socket.socket() as client:
        client.connect(door.http[0])
        client.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: shelf.requests)
        await until(lambda: door.listeners.connections.count == 0)


async def test_source_has_a_share_of_the_connections(shelf, open_door):
    """A source's connections beyond its share are closed at once, and others are unharmed."""
    door = await open_door(shelf, per_source=2)
    held = [await door.connect() for _ in range(2)]
    await until(lambda: door.listeners.connections.count == 2)
    assert await was_refused(door)
    assert (await door.get("/x", door.http[1])).status == 200
    for _reader, writer in held:
        writer.transport.abort()
    await until(lambda: door.listeners.connections.count == 0)
    assert (await door.get("/x")).status == 200


async def test_unfinished_handshakes_count(shelf, open_door):
    """A connection counts from its first packet, not from the end of its TLS handshake."""
    door = await open_door(shelf, per_source=1)
    _reader, silent = await asyncio.open_connection(*door.https[0])
    await until(lambda: door.listeners.connections.count == 1)
    assert await was_refused(door)
    silent.transport.abort()


def test_proxy_is_bound_by_the_total_only():
    """Behind a proxy stands everybody, so that only the total binds it."""
    counted = Connections(3, 1, (ip_network("192.0.2.0/24"),))
    ends = [counted.admit(ip_address("192.0.2.1")) for _ in range(3)]
    assert all(ends)
    assert counted.admit(ip_address("192.0.2.1")) is None
    ends[0]()
    assert counted.admit(ip_address("198.51.100.1"))
    assert (counted.count, counted.refused) == (3, 1)


def test_source_of_ipv6_is_its_network():
    """Whoever has a /64 has as many addresses as they like, and counts once."""
    assert source_of(ip_address("2001:db8::1")) == source_of(ip_address("2001:db8::2"))
    assert source_of(ip_address("2001:db8::1")) != source_of(ip_address("2001:db8:0:1::1"))
    assert source_of(ip_address("192.0.2.1")) != source_of(ip_address("192.0.2.2"))


def test_connections_leave_descriptors_for_the_rest():
    """There are never more connections than half of the descriptors the process may have."""
    assert affordable_connections(8) == 8
    assert affordable_connections(1 << 40) < 1 << 40


async def test_both_families_share_a_port(shelf):
    """All IPv4 and all IPv6 addresses can be listened on with one port number."""
    server = phones.phones_server(shelf)
    listeners = HttpListeners(server, "phones")
    await listeners.start("0.0.0.0", 0)
    await listeners.start("::", listeners.addresses[0][1])
    assert [host for host, _ in listeners.addresses] == ["0.0.0.0", "::"]
    await listeners.stop(0.1)


async def test_port_in_use_is_named(door, shelf):
    """An address that cannot be had is refused by the name of its key."""
    listeners = HttpListeners(phones.phones_server(shelf), "people")
    with pytest.raises(BadConfig, match="The people listener cannot have") as caught:
        await listeners.start(*door.http[0])
    assert caught.value.field == "people.host"


async def test_stop_lets_a_request_end(door, shelf):
    """A request that is being answered is answered before its connection closes."""
    shelf.gate.clear()
    place = door.http[0]
    asking = asyncio.create_task(door.get("/x"))
    await shelf.asked.wait()
    stopping = asyncio.create_task(door.listeners.stop(5))
    await until(lambda: not door.listeners.addresses)
    with pytest.raises(OSError):
        await door.connect(place)
    shelf.gate.set()
    assert (await asking).status == 200
    await stopping


async def test_stop_ends_what_takes_too_long(door, shelf):
    """A request that is not answered within the drain loses its connection."""
    shelf.gate.clear()
    asking = asyncio.create_task(door.get("/x"))
    await shelf.asked.wait()
    await door.listeners.stop(0.05)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asking
