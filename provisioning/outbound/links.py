"""Kept connections to PBXs: opened when there is something to ask, one question at a time.

A PBX that is gone holds nobody up (R16): who asks waits `PATIENCE` at most, only so many wait, and
after a failure the answer is "not yet" at once, for a time that doubles up to a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from provisioning.outbound.guard import (
    LONGEST_LINE,
    PATIENCE,
    Refused,
    allowed_address,
    plain,
    reason,
)
from provisioning.usecases.core import Network
from provisioning.usecases.ports import Connector, Contact, Heard, Telling

MOST_WAITING = 100
"""Questions to one PBX that may wait for their turn."""

MOST_LINES = 10_000
"""Lines a PBX may say before its answer."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_IDLE = 30.0
"""Seconds an unused connection is kept."""


class Lost(Exception):
    """The connection is of no more use: it ended, or what came by it makes no sense."""


class Dialogue(ABC):
    """One logged-in connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.greeting = ""

    @abstractmethod
    async def log_in(self, connector: Connector) -> None:
        """Hear the greeting and log in; raises Refused or Lost."""

    async def send(self, text: str) -> None:
        """Send a text; raises Lost."""
        try:
            self._writer.write(text.encode())
            await self._writer.drain()
        except (OSError, RuntimeError) as error:
            raise Lost(reason(error)) from None

    async def line(self) -> str:
        """The next line, without its end; raises Lost, also for one that is too long."""
        try:
            got = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            raise Lost("the connection ended") from None
        except asyncio.LimitOverrunError:
            raise Lost("a line was too long") from None
        except OSError as error:
            raise Lost(reason(error)) from None
        return got.decode("utf-8", "replace").rstrip("\r\n")

    async def lines(self) -> list[str]:
        """The lines up to the next empty one, those empty before them left out; raises Lost."""
        found: list[str] = []
        for _ in range(MOST_LINES):
            line = await self.line()
            if line:
                found.append(line)
            elif found:
                return found
        raise Lost("there were too many lines")

    async def exactly(self, count: int) -> str:
        """So many bytes; raises Lost."""
        try:
            return (await self._reader.readexactly(count)).decode("utf-8", "replace")
        except asyncio.IncompleteReadError:
            raise Lost("the connection ended") from None
        except OSError as error:
            raise Lost(reason(error)) from None

    def close(self) -> None:
        """Give the connection up at once."""
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.transport.abort()


_log = structlog.get_logger(__name__)

D = TypeVar("D", bound=Dialogue)
Question = Callable[[D], Awaitable[str]]


class Link(Generic[D]):
    """The way to one PBX, for all who have something to ask there."""

    def __init__(
        self, connector: Connector, dialogue: type[D], refuse: Sequence[Network],
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._connector = connector
        self._kind = dialogue
        self._refuse = refuse
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._open: D | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._pause = 0.0
        self._not_before = 0.0
        self._why = ""

    @property
    def unused(self) -> bool:
        """Whether nothing would be lost by forgetting it."""
        forgiven = self._clock() >= self._not_before + _LONGEST_PAUSE
        return not self._waiting and self._open is None and forgiven

    async def ask(self, question: Question[D]) -> str:
        """Ask, and say what was answered; raises Refused, after `PATIENCE` at the latest."""
        if self._waiting >= MOST_WAITING:
            raise Refused(f"{MOST_WAITING} others wait for this PBX already.")
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                return await self._asked(question)
        except TimeoutError:
            raise Refused(f"{self._where} did not answer within {PATIENCE:.0f} seconds.") from None
        finally:
            self._waiting -= 1

    async def _asked(self, question: Question[D]) -> str:
        left = self._not_before - self._clock()
        if left > 0:
            raise Refused(f"{self._why} The next try is in {left:.0f} s.")
        try:
            if self._open is not None:
                with contextlib.suppress(Lost):  # it may have ended while nobody used it
                    return await self._on(self._open, question)
            return await self._on(await self._opened(), question)
        except Lost as error:
            raise self._failed(f"{self._where} broke off: {error}.") from None
        except asyncio.CancelledError:  # nobody waits longer
            self._failed(f"{self._where} did not answer.")
            raise

    async def _on(self, dialogue: D, question: Question[D]) -> str:
        try:
            answer = await question(dialogue)
        except Refused:  # a no is an answer
            self._keep(dialogue)
            raise
        except BaseException:
            dialogue.close()
            self.close()
            raise
        self._keep(dialogue)
        return answer

    async def _opened(self) -> D:
        """A new connection, logged in; a refused login is not tried again at once either."""
        dialogue: D | None = None
        try:
            dialogue = self._kind(*await self._connected())
            await dialogue.log_in(self._connector)
        except BaseException as error:
            if dialogue is not None:
                dialogue.close()
            if isinstance(error, Refused):
                raise self._failed(str(error)) from None
            raise
        return dialogue

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connector = self._connector
        address = await allowed_address(connector.host, connector.port, self._refuse)
        try:
            return await asyncio.open_connection(
                address,
                connector.port,
                limit=LONGEST_LINE,
                ssl=_trust(connector) if connector.tls else None,
                server_hostname=connector.host if connector.tls else None,
            )
        except OSError as error:
            raise Refused(f"{self._where} cannot be reached: {reason(error)}.") from None

    @property
    def _where(self) -> str:
        return plain(f"{self._connector.host}:{self._connector.port}")

    def _failed(self, why: str) -> Refused:
        """Note a failure: nobody tries again for a while."""
        self._pause = min(self._pause * 2 or _FIRST_PAUSE, _LONGEST_PAUSE)
        self._not_before = self._clock() + self._pause
        self._why = why
        return Refused(why)

    def _keep(self, dialogue: D) -> None:
        self._open, self._pause = dialogue, 0.0
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.get_running_loop().call_later(_IDLE, self._close_idle)

    def _close_idle(self) -> None:
        if not self._waiting:
            self.close()

    def close(self) -> None:
        """Give the connection up; the next question opens another."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if self._open is not None:
            self._open.close()
            self._open = None


def _trust(connector: Connector) -> ssl.SSLContext:
    """Whom to believe over TLS: the public CAs, or the certificates given and nobody else.

    Those may be the PBX's own, which is rarely made for the name it is reached by.
    """
    if not connector.ca_pem:
        return ssl.create_default_context()
    context = ssl.create_default_context(cadata=connector.ca_pem)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class PbxTeller(ABC, Generic[D]):
    """Has PBXs of one kind tell their phones; implements ``usecases.ports.Teller``.

    ``refuse`` are networks never connected to; ``clock`` counts seconds.
    """

    def __init__(
        self, dialogue: type[D], refuse: Sequence[Network] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._dialogue = dialogue
        self._refuse = refuse
        self._clock = clock
        self._links: dict[Connector, Link[D]] = {}

    @abstractmethod
    def question(self, connector: Connector, contact: Contact, event: str) -> Question[D]:
        """What to ask for, to tell this one phone; raises Refused for what cannot be said."""

    async def tell(self, telling: Telling) -> Heard:
        """Have the PBX send a NOTIFY to one phone; what the PBX said of it."""
        connector, contact = telling.connector, telling.contact
        if connector is None or contact is None:
            return Heard(well=False, words="There is no PBX to ask, or no account to name there.")
        try:
            wanted = self.question(connector, contact, telling.event)
        except Refused as error:
            return Heard(well=False, words=str(error))
        return await self._heard(connector, wanted)

    async def reach(self, connector: Connector) -> Heard:
        """Connect and log in; what the PBX said."""
        return await self._heard(connector, _greeting)

    async def _heard(self, connector: Connector, question: Question[D]) -> Heard:
        try:
            return Heard(well=True, words=await self._link(connector).ask(question))
        except Refused as error:
            return Heard(well=False, words=str(error))
        except Exception as error:  # noqa: BLE001 - whatever a PBX says, no queue stops for it
            _log.exception("pbx-failed", host=connector.host, port=connector.port)
            return Heard(well=False, words=f"Asking the PBX failed: {type(error).__name__}.")

    def _link(self, connector: Connector) -> Link[D]:
        if connector not in self._links:
            self._links = {key: link for key, link in self._links.items() if not link.unused}
            made = Link(connector, self._dialogue, self._refuse, self._clock)
            self._links[connector] = made
        return self._links[connector]

    def close(self) -> None:
        """Give every connection up."""
        for link in self._links.values():
            link.close()


async def _greeting(dialogue: Dialogue) -> str:
    return dialogue.greeting
