"""The door's sockets: listeners that know which of our addresses was asked, and transfer ends.

A listener on a wildcard address asks the kernel for each datagram's own destination
(``IP_PKTINFO``, RFC 3542 for IPv6) and answers from there. Asking the routing table for "our
address towards that peer" would be wrong on a machine with a second or a floating address, and a
phone drops answers from an address it did not ask. Plain sockets with readers on the loop stand in
for asyncio's transports, which cannot receive that ancillary data; they also cost a tenth of an
endpoint to make.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from provisioning.usecases.requests import Address

SocketAddress = tuple[str, int] | tuple[str, int, int, int]

# Absent from the socket module before Python 3.14; the number is Linux's.
_IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
_PKTINFO4 = struct.Struct("=i4s4s")  # interface, our address to answer from, destination
_PKTINFO6 = struct.Struct("=16sI")  # destination, interface
_ANCILLARY = socket.CMSG_SPACE(_PKTINFO6.size) + socket.CMSG_SPACE(_PKTINFO4.size)

_LARGEST_REQUEST = 2048  # RFC 2347 allows 512
_DATAGRAMS_PER_TURN = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """A datagram, who sent it, and the address of ours (port 0) it came to."""

    datagram: bytes
    peer: SocketAddress
    local: SocketAddress


def peer_address(peer: SocketAddress) -> Address:
    """The address in a socket address, without a scope."""
    host = peer[0].partition("%")[0]
    return IPv6Address(host) if len(peer) == 4 else IPv4Address(host)


def open_transfer_socket(local: SocketAddress) -> socket.socket:
    """A socket on a port of its own, which is the transfer's TID (RFC 1350 section 4).

    Raises OSError if the process has no descriptor left.
    """
    family = socket.AF_INET6 if len(local) == 4 else socket.AF_INET
    endpoint = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        endpoint.bind(local)
    except OSError:
        endpoint.close()
        raise
    return endpoint


def answer_once(datagram: bytes, arrival: Arrival) -> None:
    """Send a lone packet from a new TID; what cannot be sent counts as lost.

    Not from the listener: an answer must still go out while a stopping server drains.
    """
    with contextlib.suppress(OSError), open_transfer_socket(arrival.local) as endpoint:
        endpoint.sendto(datagram, arrival.peer)


class Listener:
    """A bound socket that hands every request datagram to ``on_arrival``."""

    def __init__(self, bound: socket.socket, on_arrival: Callable[[Arrival], None]) -> None:
        self._socket = bound
        self._on_arrival = on_arrival
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound, self._readable)

    @property
    def address(self) -> tuple[str, int]:
        """The host and port the socket is bound to."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                datagram, control, flags, peer = self._socket.recvmsg(_LARGEST_REQUEST, _ANCILLARY)
            except OSError:  # nothing more to read, or an ICMP error about an earlier answer
                return
            local = self._local_address(control)
            if local is not None and not flags & socket.MSG_TRUNC:
                self._on_arrival(Arrival(datagram, peer, local))

    def _local_address(self, control: list[tuple[int, int, bytes]]) -> SocketAddress | None:
        """Where to answer from; None for a broadcast, which is ignored (RFC 1123 4.2.3.5)."""
        for level, kind, data in control:
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
                _interface, ours, destination = _PKTINFO4.unpack_from(data)
                return (socket.inet_ntoa(ours), 0) if ours == destination else None
            if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
                raw, interface = _PKTINFO6.unpack_from(data)
                address = IPv6Address(raw)
                scope = interface if address.is_link_local else 0
                return None if address.is_multicast else (str(address), 0, 0, scope)
        bound: Any = self._socket.getsockname()
        return (bound[0], 0, *bound[2:])


async def bind_listeners(
    host: str, port: int, receive_buffer: int, *, reuse_port: bool
) -> list[socket.socket]:
    """Bind a socket to every address ``host`` names; all of them or none.

    Raises OSError if a name is unknown or an address or port cannot be had.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )
    with contextlib.ExitStack() as opened:
        bound = []
        for family, address in dict.fromkeys((family, address) for family, *_, address in found):
            listening = opened.enter_context(
                socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            )
            _prepare(listening, receive_buffer, reuse_port=reuse_port)
            listening.bind(address)
            bound.append(listening)
        opened.pop_all()
    return bound


def _prepare(listening: socket.socket, receive_buffer: int, *, reuse_port: bool) -> None:
    if listening.family == socket.AF_INET6:
        # A wildcard of each family must be able to share one port.
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        listening.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    if reuse_port:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # A morning's power cut sends every phone's request at once; the default holds a few hundred.
    with contextlib.suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
