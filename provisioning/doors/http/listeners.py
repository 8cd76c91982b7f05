"""TCP listeners for aiohttp servers: both address families, TLS that reloads, bounds, deadlines.

aiohttp's own sites offer neither a handshake timeout nor listening sockets of ours, and its
connections wait an hour for a silent client, without end for one that reads nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.web_protocol import RequestHandler

from provisioning.domain.errors import BadConfig
from provisioning.doors.http.connections import (
    Connections,
    CountingSocket,
    affordable_connections,
    bound_socket,
)
from provisioning.doors.tls import HANDSHAKE_TIMEOUT, SHUTDOWN_TIMEOUT, ReloadableTls
from provisioning.usecases.core import Network

KEEPALIVE_SECONDS = 30.0
"""How long a connection may be silent, before its first request or between two."""

LINGERING_SECONDS = 5.0
"""How long the body of a refused request is still read, so that its answer is seen."""

SLOWEST_BYTES = 4096
"""Bytes a second a client has to read after its first minute."""

CONNECTIONS = 10_000
CONNECTIONS_PER_SOURCE = 512

_FIRST_SECONDS = 60.0
_FILE_SECONDS = 3600.0
_BACKLOG = 1024
_SERVER = "Provisioning"

_log = structlog.get_logger(__name__)


class _NoAccessLog(AbstractAccessLogger):
    """Logs nothing: paths hold tokens, and the fetch log has them masked."""

    enabled = False

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log nothing."""


class _Connection(RequestHandler):
    """One connection: neutral headers, no echo of malformed requests, a deadline for readers."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP with a bare 400; its text may hold a token and is not told."""
        if status != HTTPStatus.BAD_REQUEST:
            return super().handle_error(request, status, exc, message)
        _log.info("http-malformed", peer=request.remote, error=type(exc).__name__)
        refused = web.Response(status=status, text="Malformed request\n")
        refused.force_close()
        return refused

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response within its deadline, which goes by its size."""
        transport = self.transport
        if transport is None:
            return await super().finish_response(request, resp, start_time)
        resp.headers.setdefault(hdrs.SERVER, _SERVER)
        loop = asyncio.get_running_loop()
        late = loop.call_later(_seconds_for(resp), _give_up, transport)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            if not transport.get_write_buffer_size():
                late.cancel()


def _seconds_for(response: web.StreamResponse) -> float:
    if isinstance(response, web.FileResponse):
        return _FILE_SECONDS  # it knows its size only once it is sent
    return _FIRST_SECONDS + (response.content_length or 0) / SLOWEST_BYTES


def _give_up(transport: asyncio.WriteTransport) -> None:
    if transport.get_write_buffer_size():
        transport.abort()


class HttpListeners:
    """The listeners of one aiohttp server (``web.Server``), which they share with its bounds.

    ``name`` is the section of the configuration that an address in use is reported for. At most
    ``per_source`` connections come from one source (an office behind NAT is one), but any number
    from ``proxies``.
    """

    def __init__(
        self,
        server: web.Server,
        name: str,
        *,
        total: int = CONNECTIONS,
        per_source: int = CONNECTIONS_PER_SOURCE,
        proxies: Sequence[Network] = (),
    ) -> None:
        self.connections = Connections(affordable_connections(total), per_source, proxies)
        self._server = server
        self._name = name
        self._listeners: list[asyncio.Server] = []

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of every listener, in the order they were started."""
        sockets = [each for listener in self._listeners for each in listener.sockets]
        return tuple(
            (str(host), int(port)) for host, port, *_ in (s.getsockname() for s in sockets)
        )

    async def start(self, host: str, port: int, tls: ReloadableTls | None = None) -> None:
        """Listen on an address (or every address of a name); may be called for several.

        Port 0 takes any free one. Raises BadConfig if the address or port cannot be had.
        """
        try:
            for listening in await self._bind(host, port):
                self._listeners.append(await self._listen(listening, tls))
        except (OSError, OverflowError, UnicodeError) as error:
            raise BadConfig(
                f"The {self._name} listener cannot have '{host}' port {port}: {error}.",
                remedy="Name an address of this machine and a free port the server may open.",
                field=f"{self._name}.host",
            ) from error

    async def _bind(self, host: str, port: int) -> list[CountingSocket]:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
        unique = dict.fromkeys((family, address) for family, *_, address in found)
        bound: list[CountingSocket] = []
        try:
            for family, address in unique:
                bound.append(bound_socket(family, address, self.connections))
        except OSError:
            for listening in bound:
                listening.close()
            raise
        return bound

    async def _listen(self, listening: socket.socket, tls: ReloadableTls | None) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            self._connection,
            sock=listening,
            backlog=_BACKLOG,
            ssl=tls.context if tls else None,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT if tls else None,
            ssl_shutdown_timeout=SHUTDOWN_TIMEOUT if tls else None,
        )

    def _connection(self) -> _Connection:
        return _Connection(
            self._server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            access_log_class=_NoAccessLog,
        )

    async def stop(self, drain: float) -> None:
        """Accept nothing more, let requests end within ``drain`` seconds, close the rest."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        # Connections already accepted get their turn to be counted as busy.
        await asyncio.sleep(0)
        self._server.pre_shutdown()
        try:
            async with asyncio.timeout(drain):
                await self._server.shutdown(drain)
        except TimeoutError:
            for connection in self._server.connections:
                connection.force_close()
