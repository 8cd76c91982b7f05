"""How many connections there may be, counted where a connection is one: at its socket.

Counted at ``accept`` and not by the protocol, so that TLS handshakes that never end count too,
and one beyond the bound costs nothing but being closed.
"""

from __future__ import annotations

import contextlib
import resource
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from provisioning.doors.sources import Source, source_of
from provisioning.doors.tls import ListeningSocket
from provisioning.usecases.core import Network, within
from provisioning.usecases.requests import Address

STALLED_SECONDS = 30
"""How long a client may leave what was sent to it unacknowledged, or its window shut."""


def affordable_connections(wanted: int) -> int:
    """``wanted``, or half of what the process may have open if that is less."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, soft // 2)


class Connections:
    """Counts open connections, in all and by source; proxies are bound by the former only."""

    def __init__(self, total: int, per_source: int, proxies: Sequence[Network] = ()) -> None:
        self._total = total
        self._per_source = per_source
        self._proxies: Sequence[IPv4Network | IPv6Network] = proxies
        self._open: Counter[Source] = Counter()
        self.count = 0
        self.refused = 0

    def admit(self, peer: Address) -> Callable[[], None] | None:
        """Count a connection and return what to call at its end; None if it is one too many."""
        source = source_of(peer)
        full = self._open[source] >= self._per_source and not within(peer, self._proxies)
        if full or self.count >= self._total:
            self.refused += 1
            return None
        self._open[source] += 1
        self.count += 1
        return lambda: self._leave(source)

    def _leave(self, source: Source) -> None:
        self.count -= 1
        self._open[source] -= 1
        if not self._open[source]:
            del self._open[source]


class _CountedSocket(socket.socket):
    """A connection that tells when it is closed."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        """Close the connection; it counts no more."""
        super().close()
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()


class CountingSocket(ListeningSocket):
    """A listening socket that closes connections beyond the bound as they come."""

    connections: Connections

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, or raise ConnectionAbortedError, at which asyncio goes on."""
        plain, address = super().accept()
        on_close = self.connections.admit(ip_address(str(address[0]).partition("%")[0]))
        if on_close is None:
            plain.close()
            raise ConnectionAbortedError("one connection too many")
        kind = (plain.family, plain.type, plain.proto)
        counted = _CountedSocket(*kind, fileno=plain.detach())
        counted.on_close = on_close
        return counted, address


def bound_socket(family: int, address: tuple[Any, ...], connections: Connections) -> CountingSocket:
    """A socket bound to an address, not yet listening. Raises OSError if it cannot be had."""
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(CountingSocket(family, socket.SOCK_STREAM))
        listening.connections = connections
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # A wildcard of each family must be able to share one port.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Accepted sockets inherit it; nothing above TCP ends a write nobody reads.
        stalled = STALLED_SECONDS * 1000
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stalled)
        listening.bind(address)
        opened.pop_all()
    return listening
