"""TFTP packets: tftpy's types, and our own hand where those would stop a listener.

tftpy 0.8.7 decodes a request all or nothing and in ASCII only (an umlaut, a padding byte or a
missing last NUL raises one of four exception types), logs a peer's ERROR text at level error, and
cannot encode ERROR 0. Requests are therefore split here; acknowledgements, DATA, OACK and ERROR
are tftpy's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

# tftpy ships neither type hints nor stubs.
from tftpy.TftpPacketFactory import TftpPacketFactory  # type: ignore[import-untyped]
from tftpy.TftpPacketTypes import (  # type: ignore[import-untyped]
    TftpPacketDAT,
    TftpPacketERR,
    TftpPacketOACK,
)
from tftpy.TftpShared import TftpException  # type: ignore[import-untyped]

_FACTORY = TftpPacketFactory()


class Opcode(IntEnum):
    """The packet types of RFC 1350 section 5 and RFC 2347."""

    RRQ = 1
    WRQ = 2
    DATA = 3
    ACK = 4
    ERROR = 5
    OACK = 6


class ErrorCode(IntEnum):
    """The error numbers this server sends (RFC 1350 appendix)."""

    TRY_AGAIN = 0
    NOT_FOUND = 1
    ACCESS_VIOLATION = 2
    ILLEGAL_OPERATION = 4
    UNKNOWN_TRANSFER = 5


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A read request: ``mode`` in lower case, ``options`` by folded name (RFC 2347).

    ``spellings`` keeps each option's name as the client wrote it: the OACK repeats that, for
    clients that compare the case.
    """

    name: str
    mode: str
    options: dict[str, str]
    spellings: dict[str, str]


def opcode_of(datagram: bytes) -> Opcode | None:
    """The packet's type, or None for what is not TFTP."""
    try:
        return Opcode(int.from_bytes(datagram[:2], "big")) if len(datagram) > 1 else None
    except ValueError:
        return None


def parse_request(datagram: bytes) -> ReadRequest | None:
    """Read an RRQ or WRQ; None if its name or mode is missing or not terminated.

    Only whole, terminated pairs of option name and value count; what follows them (padding, a
    cut-off name) is ignored, as by a server that knows no options.
    """
    fields = datagram[2:].split(b"\0")[:-1]
    if len(fields) < 2:
        return None
    name, mode, *rest = (_text(field) for field in fields)
    # ASCII names only: a Kelvin sign, for one, would fold to the k of blksize.
    pairs = [(o, value) for o, value in zip(rest[::2], rest[1::2], strict=False) if o.isascii()]
    return ReadRequest(
        name=name,
        mode=mode.lower(),
        options={option.lower(): value for option, value in pairs},
        spellings={option.lower(): option for option, _value in pairs},
    )


def acknowledged_block(datagram: bytes) -> int | None:
    """The block number of an ACK, or None if the datagram is not a whole one."""
    try:
        return int(_FACTORY.parse(datagram).blocknumber)
    except (TftpException, struct.error, AttributeError):
        return None


def encode_data(block: int, data: bytes) -> bytes:
    """A DATA packet; ``block`` wraps to 0 after 65535."""
    packet = TftpPacketDAT()
    packet.blocknumber = block & 0xFFFF
    packet.data = data
    return bytes(packet.encode().buffer)


def encode_oack(options: dict[str, str]) -> bytes:
    """An option acknowledgement (RFC 2347) with names and values, all ASCII, as given."""
    packet = TftpPacketOACK()
    packet.options = options
    return bytes(packet.encode().buffer)


def encode_error(code: ErrorCode, text: str) -> bytes:
    """An ERROR packet; tftpy's own table of texts has none for number 0."""
    packet = TftpPacketERR()
    packet.errorcode = int(code)
    packet.errmsgs = {int(code): text.encode("ascii", "replace")}
    return bytes(packet.encode().buffer)


def _text(raw: bytes) -> str:
    """UTF-8, or else Latin-1, which takes any byte: no lone surrogates reach logs or the store."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
