"""Telling a phone by a SIP NOTIFY to its own address, by UDP, TCP or TLS.

Over TLS nobody's identity is proven (`guard.any_certificate`). What is sent holds no secret: an
event, and to a challenge the digest that only this request can use.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, cast

import structlog

from provisioning.crypto.challenges import answer as answer_to
from provisioning.outbound.guard import (
    Refused,
    any_certificate,
    bracketed,
    phones_address,
    reason,
)
from provisioning.outbound.sip_messages import Answer, Notify, length_of, parse_answer, uri_of
from provisioning.usecases.core import Network
from provisioning.usecases.ports import Contact, Heard, Telling

T1 = 0.5
"""Seconds a round trip is thought to take (RFC 3261 section 17.1.1.1)."""

_T2_FACTOR = 8
"""T2, the longest time between two sendings, is 4 s where T1 is 0.5 s (section 17.1.2.2)."""
_TIMEOUT_FACTOR = 64
_LONGEST = 65_535
_SILENT = Heard(well=False, words="no answer")

_log = structlog.get_logger(__name__)


class SipNotify:
    """Tells phones by SIP; implements ``usecases.ports.Teller``.

    ``refuse`` are networks nothing is sent to, ``t1`` is the timer all others are made of.
    """

    def __init__(self, refuse: Sequence[Network] = (), *, t1: float = T1) -> None:
        self._refuse = refuse
        self._t1 = t1
        self._datagrams: dict[int, _Datagrams] = {}
        self._opening = asyncio.Lock()

    async def tell(self, telling: Telling) -> Heard:
        """Send the NOTIFY and wait for the final answer; a challenge is answered once."""
        contact = telling.contact
        if contact is None or not telling.event:
            return Heard(well=False, words="there is no SIP address to tell it at")
        try:
            phones_address(contact.host, self._refuse)
            async with self._path(contact) as path:
                return await _converse(path, Notify(contact, telling.event, path.local))
        except Refused as error:
            return Heard(well=False, words=str(error))
        except TimeoutError:
            return _SILENT
        except OSError as error:  # ssl.SSLError is one
            return Heard(well=False, words=f"it cannot be reached: {reason(error)}")
        except Exception:  # noqa: BLE001 - what a phone sends ends no teller
            _log.exception("notify-failed", device=str(telling.device))
            return Heard(well=False, words="the server failed to tell it")

    async def close(self) -> None:
        """Let the sockets go."""
        for datagrams in self._datagrams.values():
            datagrams.close()
        self._datagrams.clear()

    @contextlib.asynccontextmanager
    async def _path(self, contact: Contact) -> AsyncIterator[_Path]:
        if contact.transport == "udp":
            datagrams = await self._family(contact.host)
            yield _ByDatagram(datagrams, contact, _local_host(contact), self._t1)
            return
        async with asyncio.timeout(self._t1 * _TIMEOUT_FACTOR):
            tls = any_certificate() if contact.transport == "tls" else None
            reader, writer = await asyncio.open_connection(contact.host, contact.port, ssl=tls)
        try:
            yield _ByStream(reader, writer, self._t1)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _family(self, host: str) -> _Datagrams:
        """The socket all datagrams of an IP version leave by."""
        version = ip_address(host).version
        async with self._opening:
            if version not in self._datagrams:
                _, made = await asyncio.get_running_loop().create_datagram_endpoint(
                    _Datagrams,
                    local_addr=("::" if version == 6 else "0.0.0.0", 0),  # noqa: S104 - phones are everywhere
                )
                self._datagrams[version] = made
            return self._datagrams[version]


async def _converse(path: _Path, notify: Notify) -> Heard:
    answer = await path.ask(notify, notify.message())
    if answer.status in (401, 407):
        line = _credentials(answer, notify.contact)
        if line is not None:
            answer = await path.ask(notify, notify.message(line))
    return Heard(well=200 <= answer.status < 300, words=answer.words)


def _credentials(answer: Answer, contact: Contact) -> str | None:
    """The header that answers a challenge with the account's credentials (section 22)."""
    by_proxy = answer.status == 407
    value = answer_to(
        answer.proxy_challenges if by_proxy else answer.challenges,
        method="NOTIFY",
        uri=uri_of(contact),
        user=contact.auth_name or contact.user,
        password=contact.password,
    )
    name = "Proxy-Authorization" if by_proxy else "Authorization"
    return f"{name}: {value}" if value and contact.password else None


def _local_host(contact: Contact) -> str:
    """Our own address as seen from the phone; nothing is sent to find it."""
    family = socket.AF_INET6 if ip_address(contact.host).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((contact.host, contact.port))
        return bracketed(ip_address(probe.getsockname()[0]))


class _Path(ABC):
    """How a request goes to a phone and its answer comes back; ``local`` is our end of it."""

    local: str

    @abstractmethod
    async def ask(self, notify: Notify, message: bytes) -> Answer:
        """Send a request; the final answer to it. Raises TimeoutError or OSError."""


# --- datagrams


@dataclass
class _Waiting:
    """A request under way: whose answers count, and those that came."""

    notify: Notify
    host: str
    answers: asyncio.Queue[Answer] = field(default_factory=asyncio.Queue)


class _Datagrams(asyncio.DatagramProtocol):
    """One socket for many requests; an answer is given to the request it belongs to."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[str, _Waiting] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is sent by."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Give an answer to its request; anything else is nothing to us.

        It has to come from the phone's address, from whichever port, and to name branch and
        CSeq of what is asked now: garbage, late and doubled answers and those of others do not.
        """
        answer = parse_answer(data)
        waiting = self._waiting.get(answer.branch) if answer else None
        if answer is None or waiting is None or not _same_host(addr[0], waiting.host):
            return
        if waiting.notify.is_answered_by(answer):
            waiting.answers.put_nowait(answer)

    @contextlib.contextmanager
    def waiting_for(self, notify: Notify, host: str) -> Iterator[asyncio.Queue[Answer]]:
        """Take the answers to a request while the block runs."""
        branch = notify.branch
        self._waiting[branch] = waiting = _Waiting(notify, host)
        try:
            yield waiting.answers
        finally:
            del self._waiting[branch]

    def send(self, message: bytes, contact: Contact) -> None:
        """Send a datagram."""
        if self._transport is not None:
            self._transport.sendto(message, (contact.host, contact.port))

    @property
    def port(self) -> int:
        """The port answers come to."""
        assert self._transport is not None  # noqa: S101 - it is made connected
        return int(self._transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        """Let the socket go."""
        if self._transport is not None:
            self._transport.close()


def _same_host(one: str, other: str) -> bool:
    try:
        return ip_address(one.partition("%")[0]) == ip_address(other)
    except ValueError:
        return False


class _ByDatagram(_Path):
    """A non-INVITE client transaction over UDP (RFC 3261 section 17.1.2)."""

    def __init__(self, datagrams: _Datagrams, contact: Contact, host: str, t1: float) -> None:
        self._datagrams, self._contact, self._t1 = datagrams, contact, t1
        self.local = f"{host}:{datagrams.port}"

    async def ask(self, notify: Notify, message: bytes) -> Answer:
        """Send, and again with timer E until an answer is final; timer F ends it."""
        longest, wait = self._t1 * _T2_FACTOR, self._t1
        with self._datagrams.waiting_for(notify, self._contact.host) as answers:
            async with asyncio.timeout(self._t1 * _TIMEOUT_FACTOR):
                while True:
                    self._datagrams.send(message, self._contact)
                    proceeding = False
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            while (answer := await answers.get()).status < 200:
                                proceeding = True
                        return answer
                    wait = longest if proceeding else min(2 * wait, longest)


# --- streams


class _ByStream(_Path):
    """The same over TCP or TLS, where nothing is sent twice."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, t1: float
    ) -> None:
        self._reader, self._writer, self._t1 = reader, writer, t1
        host, port = writer.get_extra_info("sockname")[:2]
        self.local = f"{bracketed(ip_address(host))}:{port}"

    async def ask(self, notify: Notify, message: bytes) -> Answer:
        """Send, and read until the final answer comes; timer F ends it."""
        async with asyncio.timeout(self._t1 * _TIMEOUT_FACTOR):
            self._writer.write(message)
            await self._writer.drain()
            while True:
                answer = await self._next()
                if answer and answer.status >= 200 and notify.is_answered_by(answer):
                    return answer

    async def _next(self) -> Answer | None:
        """The next message as an answer, None if it is none; raises OSError where it ends."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = length_of(head)
            if length > _LONGEST:
                raise ConnectionResetError(0, "it sent too much")
            await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ConnectionResetError(0, "it closed the connection without an answer") from error
        return parse_answer(head.lstrip(b"\r\n"))
