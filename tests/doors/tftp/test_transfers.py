"""Whole transfers over loopback sockets: options, order, identity, limits, the end."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from dataclasses import replace
from ipaddress import ip_address

import pytest

from provisioning.domain.errors import BadConfig
from provisioning.doors.tftp.server import TftpServer
from provisioning.usecases.requests import (
    Door,
    FileReply,
    OrganisationCredential,
    Outcome,
    TokenCredential,
)

DATA_1 = struct.pack("!HH", 3, 1)


@pytest.fixture
async def door(serve, shelf):
    """A server's address and what it answers from."""
    return await serve(), shelf


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 100_000])
async def test_a_file_of_any_size_arrives_whole(serve, shelf, client, size):
    """A size that is a multiple of the block ends in an empty block."""
    shelf.files["some.bin"] = content = os.urandom(size)
    assert await client.fetch(await serve(), "some.bin") == content


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ({}, {}),
        ({"unheard": "of"}, {}),
        ({"blksize": "8"}, {"blksize": "8"}),
        ({"blksize": "65464"}, {"blksize": "1428"}),
        ({"BlkSize": "1024"}, {"BlkSize": "1024"}),
        ({"blksize": "7", "tsize": "0"}, {"tsize": "3000"}),
        ({"timeout": "3", "windowsize": "4"}, {"timeout": "3", "windowsize": "4"}),
        ({"windowsize": "65535"}, {"windowsize": "16"}),
        ({"timeout": "0", "windowsize": "0", "tsize": "x"}, {}),
    ],
)
async def test_only_what_was_asked_is_granted(serve, shelf, client, asked, granted):
    """The OACK names accepted options as they were asked, and is not sent for none."""
    shelf.files["some.bin"] = content = os.urandom(3000)
    download = client.download(await serve(), client.rrq("some.bin", **asked))
    assert await download.run() == content
    assert download.options == granted


async def test_a_stored_file_is_streamed(serve, shelf, client, tmp_path):
    """A reply with a path is sent from the file, with its size."""
    content = os.urandom(300_000)
    shelf.files["firmware.rom"] = blob = tmp_path / "blob"
    blob.write_bytes(content)
    request = client.rrq("firmware.rom", blksize=1428, tsize=0, windowsize=8)
    download = client.download(await serve(), request)
    assert await download.run() == content
    assert download.options["tsize"] == "300000"


async def test_a_file_cut_while_it_is_sent_ends_in_an_error(serve, shelf, client, tmp_path):
    """No client takes the beginning of a file for the whole."""
    shelf.files["firmware.rom"] = blob = tmp_path / "blob"
    blob.write_bytes(bytes(100_000))
    wire = client.wire()
    wire.send(client.rrq("firmware.rom"), await serve())
    _first, tid = await wire.receive()
    os.truncate(blob, 600)
    block, opcode = 1, 3
    while opcode == 3:
        wire.send(client.ack(block), tid)
        packet, tid = await wire.receive()
        opcode, block = struct.unpack("!HH", packet[:4])
    assert (opcode, block) == (5, 0)


async def test_a_symbolic_link_is_not_followed(serve, shelf, client, tmp_path):
    """A link in the place of a stored blob is a failure."""
    (tmp_path / "secret").write_text("secret")
    shelf.files["link"] = tmp_path / "link"
    shelf.files["link"].symlink_to(tmp_path / "secret")
    with pytest.raises(client.refused, match="Try again"):
        await client.fetch(await serve(), "link")


async def test_block_numbers_wrap_to_zero(serve, shelf, client):
    """A file of more than 65,535 blocks arrives whole."""
    shelf.files["long.bin"] = content = os.urandom(8 * 65_540)
    request = client.rrq("long.bin", blksize=8, windowsize=16)
    assert await client.download(await serve(), request).run() == content


async def test_netascii_converts_line_ends(serve, shelf, client):
    """LF becomes CR LF, a bare CR becomes CR NUL."""
    shelf.files["text.cfg"] = b"a\nb\rc\r\n" * 200
    request = client.rrq("text.cfg", mode="NetASCII", tsize=0)
    download = client.download(await serve(), request)
    assert await download.run() == b"a\r\nb\r\0c\r\0\r\n" * 200
    assert download.options == {}


@pytest.mark.parametrize(
    ("name", "path", "credential"),
    [
        ("good.cfg", "good.cfg", None),
        ("/good.cfg", "good.cfg", None),
        ("./good.cfg", "good.cfg", None),
        ("t/abc_-9/good.cfg", "good.cfg", TokenCredential("abc_-9")),
        ("/o/org//good.cfg", "good.cfg", OrganisationCredential("org")),
        ("b\u00fccher/good.cfg", "b\u00fccher/good.cfg", None),
        (b"b\xfccher/good.cfg", "b\u00fccher/good.cfg", None),
    ],
)
async def test_the_name_becomes_a_file_request(door, client, name, path, credential):
    """The use case sees path, credential, peer and door; a name in any encoding is text."""
    address, shelf = door
    shelf.files[path] = b"found"
    assert await client.fetch(address, name) == b"found"
    (request,) = shelf.requests
    assert (request.path, request.credential) == (path, credential)
    assert (request.peer, request.door) == (ip_address(client.own), Door.TFTP)


async def test_a_stranger_gets_error_five_and_the_transfer_goes_on(serve, shelf, client):
    """A packet from another port does not touch the transfer (RFC 1350 section 4)."""
    shelf.files["two.bin"] = bytes(600)
    wire, stranger = client.wire(), client.wire()
    wire.send(client.rrq("two.bin"), await serve())
    _first, tid = await wire.receive()
    stranger.send(client.ack(1), tid)
    assert (await stranger.receive())[0][:4] == struct.pack("!HH", 5, 5)
    wire.send(client.ack(1), tid)
    packet = DATA_1
    while packet[:4] == DATA_1:  # the timer may have repeated it
        packet, _tid = await wire.receive()
    assert packet[:4] == struct.pack("!HH", 3, 2)


async def test_a_duplicate_acknowledgement_sends_nothing(serve, shelf, client, quick):
    """Only the timer repeats a block (RFC 1123 section 4.2.3.1)."""
    shelf.files["four.bin"] = bytes(2000)
    address = await serve(limits=replace(quick, first_wait=30, longest_wait=30))
    wire = client.wire()
    wire.send(client.rrq("four.bin"), address)
    _first, tid = await wire.receive()
    for _ in range(5):
        wire.send(client.ack(1), tid)
    packets = await wire.drain(0.2)
    assert [packet[:4] for packet in packets] == [struct.pack("!HH", 3, 2)]


async def test_a_client_error_ends_the_transfer(serve, shelf, client, quick):
    """After the client's ERROR nothing more is sent and the session is gone."""
    shelf.files["four.bin"] = bytes(2000)
    wire = client.wire()
    wire.send(client.rrq("four.bin"), await serve())
    _first, tid = await wire.receive()
    wire.send(struct.pack("!HH", 5, 0) + b"enough\0", tid)
    await wire.drain(0.1)
    assert await wire.drain(0.4) == []


async def test_a_repeated_request_is_answered_once(serve, shelf, client):
    """While the answer is prepared and until it is acknowledged, a repetition changes nothing."""
    shelf.gate = asyncio.Event()
    address = await serve()
    wire = client.wire()
    for _ in range(3):
        wire.send(client.rrq("good.cfg"), address)
    await asyncio.sleep(0.05)
    shelf.gate.set()
    _first, tid = await wire.receive()
    wire.send(client.rrq("good.cfg"), address)
    tids = {tid}
    for _ in range(2):
        tids.add((await wire.receive())[1])
    assert len(shelf.requests) == len(tids) == 1


async def test_a_proven_client_may_start_over(serve, shelf, client):
    """After its first acknowledgement the same request from the same port is a new one."""
    shelf.files["four.bin"] = bytes(2000)
    address = await serve()
    wire = client.wire()
    wire.send(client.rrq("four.bin"), address)
    _packet, first = await wire.receive()
    wire.send(client.ack(1), first)
    await wire.receive()
    wire.send(client.rrq("four.bin"), address)
    sender = first
    while sender == first:
        packet, sender = await wire.receive()
    assert packet[:4] == DATA_1


@pytest.mark.parametrize("limit", ["sessions", "sessions_per_source"])
async def test_a_request_over_the_cap_is_dropped_and_repeated(serve, shelf, client, quick, limit):
    """Beyond the cap there is silence, and the client's next try succeeds."""
    shelf.gate = asyncio.Event()
    address = await serve(limits=replace(quick, **{limit: 2}))
    held = [client.wire(), client.wire()]
    for wire in held:
        wire.send(client.rrq("good.cfg"), address)
    late = asyncio.create_task(client.download(address, client.rrq("good.cfg")).run())
    await asyncio.sleep(0.1)
    assert len(shelf.requests) == 2
    shelf.gate.set()
    for wire in held:
        _packet, tid = await wire.receive()
        wire.send(client.ack(1), tid)
    assert await late == b"good\n"


async def test_an_answer_that_takes_too_long_is_a_failure(serve, shelf, client, quick):
    """A hanging answer becomes error 0, so that the phone keeps what it has."""
    shelf.gate = asyncio.Event()
    address = await serve(limits=replace(quick, answer_within=0.05))
    with pytest.raises(client.refused) as refusal:
        await client.fetch(address)
    assert refusal.value.code == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "localhost"])
async def test_every_kind_of_listener_serves(serve, client, host):
    """IPv4 and IPv6, wildcard and single addresses, and names."""
    bound, port = await serve(host)
    to = "::1" if ":" in bound else "127.0.0.1"
    assert await client.fetch((to, port)) == b"good\n"


@pytest.mark.parametrize("name", ["good.cfg", "unknown.cfg"])
async def test_a_wildcard_listener_answers_from_the_address_asked(serve, client, name):
    """A transfer and an ERROR come from the address the request hit, not the routing default."""
    _host, port = await serve("0.0.0.0")
    wire = client.wire()
    wire.send(client.rrq(name), ("127.0.0.77", port))
    _packet, sender = await wire.receive()
    assert sender[0] == "127.0.0.77"


async def test_a_broadcast_request_is_ignored(serve, client, shelf):
    """A request to a broadcast address stays unanswered (RFC 1123 section 4.2.3.5)."""
    _host, port = await serve("0.0.0.0")
    wire = client.wire()
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    wire.send(client.rrq("good.cfg"), ("127.255.255.255", port))
    assert await wire.drain(0.2) == []
    assert shelf.requests == []


async def test_both_wildcards_share_a_port(shelf, client, quick):
    """One port serves both families from two listeners."""
    server = TftpServer(shelf, quick)
    await server.start("0.0.0.0", 0)
    port = server.addresses[0][1]
    await server.start("::", port)
    assert [host for host, _port in server.addresses] == ["0.0.0.0", "::"]
    assert await client.fetch(("127.0.0.1", port)) == b"good\n"
    assert await client.fetch(("::1", port)) == b"good\n"
    await server.stop(0)


async def test_a_port_in_use_is_named(serve, shelf):
    """A start that fails says which address and port."""
    host, port = await serve()
    with pytest.raises(BadConfig, match=f"'127.0.0.1' port {port}"):
        await TftpServer(shelf).start(host, port)


async def test_stop_lets_a_transfer_finish(shelf, client, quick):
    """A transfer that is under way completes within the drain time."""
    shelf.files["four.bin"] = content = os.urandom(2000)
    server = TftpServer(shelf, quick)
    await server.start("127.0.0.1", 0)
    shelf.gate = asyncio.Event()
    fetching = asyncio.create_task(client.fetch(server.addresses[0], "four.bin"))
    await shelf.asked.wait()
    stopping = asyncio.create_task(server.stop(5))
    await asyncio.sleep(0)
    shelf.gate.set()
    assert await fetching == content
    await stopping
    assert server.sessions == 0


@pytest.mark.parametrize("prepared", [True, False])
async def test_stop_tells_the_rest_to_try_again(shelf, client, quick, prepared):
    """After the drain time, a transfer or a waiting client gets error 0."""
    shelf.gate = asyncio.Event()
    server = TftpServer(shelf, quick)
    await server.start("127.0.0.1", 0)
    wire = client.wire()
    wire.send(client.rrq("good.cfg"), server.addresses[0])
    await shelf.asked.wait()
    if prepared:
        shelf.gate.set()
        await wire.receive()
    await server.stop(0)
    assert (await wire.drain(0.1))[-1][:4] == struct.pack("!HH", 5, 0)
    assert server.sessions == 0


async def test_a_served_empty_reply_is_an_empty_file(serve, shelf, client):
    """A SERVED reply without bytes is a file of no bytes, not an error."""
    shelf.files["empty.cfg"] = FileReply(Outcome.SERVED)
    assert await client.fetch(await serve(), "empty.cfg") == b""
