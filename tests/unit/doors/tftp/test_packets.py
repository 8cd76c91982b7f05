"""Packets: what is read from hostile bytes and what is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.doors.tftp.packets import (
    ErrorCode,
    Opcode,
    acknowledged_block,
    encode_data,
    encode_error,
    encode_oack,
    opcode_of,
    parse_request,
)


@given(st.binary(max_size=3000))
def test_no_datagram_raises(datagram):
    """Every reader takes any bytes."""
    opcode_of(datagram)
    parse_request(datagram)
    acknowledged_block(datagram)


@given(st.integers(0, 65535), st.binary(max_size=20))
def test_an_acknowledgement_gives_its_block(block, tail):
    """The block number is read; what follows it does not matter."""
    assert acknowledged_block(b"\0\4" + block.to_bytes(2, "big") + tail) == block


@pytest.mark.parametrize("datagram", [b"", b"\0\4", b"\0\4\0", b"\0\1x\0octet\0", b"\0\7\0\1"])
def test_what_is_no_acknowledgement_has_no_block(datagram):
    """A cut ACK and other packets give None."""
    assert acknowledged_block(datagram) is None


@pytest.mark.parametrize(
    ("datagram", "opcode"),
    [
        (b"\0\1", Opcode.RRQ),
        (b"\0\6x", Opcode.OACK),
        (b"\0\7", None),
        (b"\1\1", None),
        (b"\1", None),
    ],
)
def test_the_opcode_is_read_or_none(datagram, opcode):
    """Two bytes decide; numbers that TFTP does not know are None."""
    assert opcode_of(datagram) is opcode


def test_option_names_are_folded_and_remembered():
    """Options are found whatever their case and can be repeated as they were written."""
    request = parse_request(b"\0\1Name\0OCTET\0BlkSize\0001024\0tsize\0000\0")
    assert request is not None
    assert (request.name, request.mode) == ("Name", "octet")
    assert request.options == {"blksize": "1024", "tsize": "0"}
    assert request.spellings == {"blksize": "BlkSize", "tsize": "tsize"}


@pytest.mark.parametrize("tail", [b"", b"\0", b"\0\0\0\0\0", b"tsize", b"tsize\0", b"\xff\0\xff\0"])
def test_what_follows_the_mode_malformed_is_ignored(tail):
    """Padding, cut options and foreign bytes do not lose the request."""
    request = parse_request(b"\0\1name\0octet\0" + tail)
    assert request is not None
    assert (request.name, request.mode) == ("name", "octet")
    assert "tsize" not in request.options


@pytest.mark.parametrize("datagram", [b"\0\1", b"\0\1name", b"\0\1name\0", b"\0\1name\0octet"])
def test_a_request_without_a_whole_name_and_mode_is_none(datagram):
    """Name and mode must both be there and end in NUL."""
    assert parse_request(datagram) is None


@given(st.binary().filter(lambda raw: b"\0" not in raw))
def test_a_name_is_text_that_can_be_stored(raw):
    """UTF-8 or Latin-1, a name never holds a lone surrogate."""
    request = parse_request(b"\0\1" + raw + b"\0octet\0")
    assert request is not None
    request.name.encode()


def test_packets_are_written_as_the_rfcs_say():
    """DATA, OACK and ERROR byte by byte, the wrapped block number included."""
    assert encode_data(65537, b"x") == b"\0\3\0\1x"
    assert encode_data(2, b"") == b"\0\3\0\2"
    assert encode_oack({"blksize": "512", "tsize": "9"}) == b"\0\6blksize\000512\0tsize\0009\0"
    assert encode_error(ErrorCode.TRY_AGAIN, "later") == b"\0\5\0\0later\0"
    assert encode_error(ErrorCode.NOT_FOUND, "no") == b"\0\5\0\1no\0"
