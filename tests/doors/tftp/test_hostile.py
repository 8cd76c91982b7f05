"""Datagrams that ended other listeners: each must leave this one serving."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.usecases.requests import FileReply, Outcome

HOSTILE = {
    "non-numeric block size": b"\0\1good.cfg\0octet\0blksize\0many\0",
    "negative block size": b"\0\1good.cfg\0octet\0blksize\0-1\0",
    "block size of 5000 digits": b"\0\1good.cfg\0octet\0blksize\0" + b"9" * 1500 + b"\0",
    "block size out of range": b"\0\1big.bin\0octet\0blksize\00065536\0",
    "huge window": b"\0\1big.bin\0octet\0windowsize\00065535\0",
    "file name outside ASCII": b"\0\1g\xff\xfe\xfc.cfg\0octet\0",
    "option outside ASCII": b"\0\1good.cfg\0octet\0blk\xffsize\0\xe9\0",
    "option that folds to an ASCII one": "\0\1good.cfg\0octet\0bl\u212asize\000512\0".encode(),
    "unterminated option": b"\0\1good.cfg\0octet\0blksize\0001024",
    "option without a value": b"\0\1good.cfg\0octet\0blksize\0",
    "option given twice": b"\0\1good.cfg\0octet\0blksize\000512\0BLKSIZE\0001024\0",
    "empty option": b"\0\1good.cfg\0octet\0\0\0\0",
    "mode missing": b"\0\1good.cfg\0",
    "unterminated mode": b"\0\1good.cfg\0octet",
    "nothing but an opcode": b"\0\1",
    "empty name": b"\0\1\0octet\0",
    "directory": b"\0\1/\0octet\0",
    "path upwards": b"\0\1../../etc/passwd\0octet\0",
    "name that is too long": b"\0\1" + b"a" * 600 + b"\0octet\0",
    "mail mode": b"\0\1good.cfg\0mail\0",
    "write request": b"\0\2good.cfg\0octet\0",
    "malformed write request": b"\0\2",
    "failing answer": b"\0\1broken.cfg\0octet\0",
    "empty datagram": b"",
    "one byte": b"\0",
    "unknown opcode": b"\0\x63good.cfg\0octet\0",
    "acknowledgement": struct.pack("!HH", 4, 1),
    "cut acknowledgement": b"\0\4\0",
    "data": struct.pack("!HH", 3, 1) + b"data",
    "error": struct.pack("!HH", 5, 0) + b"no\0",
    "option acknowledgement": b"\0\6blksize\000512\0",
    "oversize datagram": b"\0\1good.cfg\0octet\0" + b"x" * 60_000,
}


@pytest.mark.parametrize("datagram", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_datagram_leaves_the_listener_serving(serve, shelf, client, datagram):
    """After any single datagram, the next good request is served."""
    shelf.files |= {"broken.cfg": RuntimeError("template"), "big.bin": bytes(100_000)}
    address = await serve()
    client.wire().send(datagram, address)
    assert await client.fetch(address) == b"good\n"


@pytest.fixture
def faulty(shelf, tmp_path):
    """A shelf whose entries fail, each in its own way."""
    shelf.files |= {
        "challenge.cfg": FileReply(Outcome.CHALLENGE, challenges=("Digest",)),
        "broken.cfg": RuntimeError("template"),
        "failed.cfg": FileReply(Outcome.FAILED),
        "missing.bin": tmp_path / "missing.bin",
        "folder": tmp_path,
    }
    return shelf


@pytest.mark.parametrize(
    ("request_packet", "code"),
    [
        (b"\0\1unknown.cfg\0octet\0", 1),
        (b"\0\1challenge.cfg\0octet\0", 1),
        (b"\0\1a/good.cfg\0octet\0", 1),
        (b"\0\1" + b"a" * 129 + b"\0octet\0", 1),
        (b"\0\1broken.cfg\0octet\0", 0),
        (b"\0\1failed.cfg\0octet\0", 0),
        (b"\0\1missing.bin\0octet\0", 0),
        (b"\0\1folder\0octet\0", 0),
        (b"\0\2good.cfg\0octet\0", 2),
        (b"\0\1good.cfg\0mail\0", 4),
        (b"\0\1good.cfg\0", 4),
    ],
)
async def test_a_refusal_has_its_error_number(serve, faulty, client, request_packet, code):
    """Unknown and refused are error 1, a failure is error 0, never the other way round."""
    address = await serve()
    with pytest.raises(client.refused) as refusal:
        await client.download(address, request_packet).run()
    assert refusal.value.code == code


async def test_unknown_and_refused_look_alike(serve, shelf, client):
    """Every error 1 is the same packet, whatever its reason."""
    shelf.files["challenge.cfg"] = FileReply(Outcome.CHALLENGE)
    address = await serve()
    packets = set()
    for name in ("unknown.cfg", "challenge.cfg", "a/good.cfg", "x" * 200):
        wire = client.wire()
        wire.send(client.rrq(name), address)
        packets.add((await wire.receive())[0])
    assert len(packets) == 1


async def test_a_challenged_path_is_refused_without_asking(serve, shelf, client):
    """TFTP cannot carry a challenge, so nobody is asked about an ``a/`` path."""
    address = await serve()
    with pytest.raises(client.refused):
        await client.fetch(address, "/a/good.cfg")
    assert shelf.requests == []


async def test_an_unacknowledged_request_draws_four_packets_at_most(serve, shelf, client):
    """A forged source address receives no more than four blocks (amplification)."""
    shelf.files["big.bin"] = bytes(1 << 20)
    address = await serve()
    for options in ({}, {"blksize": 65464, "windowsize": 64}):
        wire = client.wire()
        wire.send(client.rrq("big.bin", **options), address)
        received = await wire.drain(0.6)
        assert len(received) == 4
        assert sum(map(len, received)) <= 4 * (1428 + 4)


async def test_error_packets_are_rationed_by_source(serve, client, quick):
    """Beyond its burst, a source that asks for nonsense hears nothing more."""
    address = await serve(limits=replace(quick, error_burst=3, errors_per_second=0.001))
    wire = client.wire()
    for number in range(20):
        wire.send(client.rrq(f"unknown{number}.cfg"), address)
    assert len(await wire.drain(0.3)) == 3
    assert await client.fetch(address) == b"good\n"


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    datagrams=st.lists(
        st.one_of(
            st.binary(max_size=600),
            st.builds(
                lambda opcode, body: opcode.to_bytes(2, "big") + body,
                st.integers(0, 8),
                st.binary(max_size=200),
            ),
            st.builds(
                lambda parts: b"\0\1" + b"\0".join(parts),
                st.lists(
                    st.sampled_from([b"good.cfg", b"octet", b"netascii", b"blksize", b"tsize"])
                    | st.binary(max_size=12),
                    max_size=9,
                ),
            ),
        ),
        max_size=5,
    )
)
def test_random_datagrams_never_stop_the_listener(hostile_door, datagrams):
    """Whatever arrives, a good transfer works afterwards and nothing was raised on the loop."""
    assert hostile_door(datagrams) == b"good\n"


async def test_random_answers_to_a_transfer_do_not_end_it(serve, shelf, client):
    """Junk from the peer itself, on the transfer's own port, is passed over."""
    shelf.files["three.bin"] = bytes(1200)
    address = await serve()
    wire = client.wire()
    wire.send(client.rrq("three.bin"), address)
    _first, tid = await wire.receive()
    for junk in (b"", b"\0", b"\0\4", b"\0\4\0", b"\0\x09\0\1", b"\0\1x\0octet\0", b"\0\3\0\1x"):
        wire.send(junk, tid)
    for block in (1, 2, 3):
        wire.send(client.ack(block), tid)
    with contextlib.suppress(TimeoutError):
        while (packet := (await wire.receive(0.5))[0])[:4] != struct.pack("!HH", 3, 3):
            assert packet[:2] == b"\0\3"
    assert packet[:4] == struct.pack("!HH", 3, 3)
