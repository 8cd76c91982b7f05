"""What all that goes out has in common: whom it may reach, and how much it listens to.

Whoever may set a connector or register a phone names hosts. A host is resolved once, every
address it has must lie outside the refused networks (PROTOCOLS AT8), and the connection is made to
the address that was looked at, so that a name that changes its mind in between gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address

from provisioning.usecases.core import Network, within
from provisioning.usecases.requests import Address

PATIENCE = 5.0
"""Seconds a question may take, with connecting and waiting for one's turn."""

LONGEST_LINE = 8192
"""Bytes of a line."""

_LONGEST_WORDS = 200


class Refused(Exception):
    """Somebody said no: the other side, or we. Its text is for an admin and holds no secret."""


async def allowed_address(host: str, port: int, refuse: Sequence[Network]) -> str:
    """The address to connect to; raises Refused for one nobody may reach, or none at all.

    All addresses of a name have to be allowed. Numbers in odd spellings (``2130706433``,
    ``0x7f.1``) are what the system takes them for.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except (OSError, UnicodeError):
        raise Refused(f"The name {plain(host)} has no address.") from None
    addresses = [str(where[0]) for *_, where in found]
    for address in addresses:
        # An address with a zone (fe80::1%eth0) is link-local; the zone is not part of it.
        _look_at(ip_address(address.partition("%")[0]), plain(host), refuse)
    return addresses[0]


def phones_address(host: str, refuse: Sequence[Network] = ()) -> Address:
    """A phone's own address; raises Refused for what is none, or one nobody may reach."""
    try:
        address = ip_address(host)
    except ValueError:
        raise Refused(f"{plain(host) or 'Nothing'} is no phone's address.") from None
    _look_at(address, str(address), refuse)
    return address


def _look_at(address: Address, name: str, refuse: Sequence[Network]) -> None:
    if within(address, refuse):
        raise Refused(f"{name} is in a network this server never connects to (outbound.refuse).")


def bracketed(address: Address) -> str:
    """An address as URIs have it: IPv6 in brackets (RFC 3986 section 3.2.2)."""
    return f"[{address}]" if address.version == 6 else str(address)


def any_certificate() -> ssl.SSLContext:
    """TLS 1.2 or later with whoever answers, for phones.

    A phone's certificate is its own or its maker's and names no address: TLS keeps listeners out,
    and nobody's identity is proven.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def plain(text: str) -> str:
    """What somebody else said, fit to be stored and shown: one short line, no control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_WORDS]


def reason(error: BaseException) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, TimeoutError):
        return "it did not answer"
    if isinstance(error, OSError) and error.strerror:
        return plain(error.strerror)
    return plain(str(error)) or type(error).__name__
