"""The TFTP server: requests in, the answer function asked once, a transfer or an ERROR out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from provisioning.domain.errors import BadConfig
from provisioning.doors.sources import Source, source_of
from provisioning.doors.tftp.contents import (
    Contents,
    FileContents,
    MemoryContents,
    NetasciiContents,
)
from provisioning.doors.tftp.endpoints import (
    Arrival,
    Listener,
    SocketAddress,
    answer_once,
    bind_listeners,
    open_transfer_socket,
    peer_address,
)
from provisioning.doors.tftp.limits import (
    DEFAULT_LIMITS,
    ErrorAllowance,
    Sessions,
    TftpLimits,
    affordable_sessions,
)
from provisioning.doors.tftp.options import negotiate
from provisioning.doors.tftp.packets import (
    ErrorCode,
    Opcode,
    ReadRequest,
    encode_error,
    opcode_of,
    parse_request,
)
from provisioning.doors.tftp.transfer import TRY_AGAIN, Transfer
from provisioning.doors.tftp.window import SendWindow
from provisioning.usecases.paths import split_path
from provisioning.usecases.requests import Challenged, Door, FileReply, FileRequest, Outcome

Answer = Callable[[FileRequest], Awaitable[FileReply]]

# One text for every reason, so that a refused name looks like an unknown one.
_NOT_FOUND = encode_error(ErrorCode.NOT_FOUND, "File not found")
_READ_ONLY = encode_error(ErrorCode.ACCESS_VIOLATION, "This server takes no files")
_MALFORMED = encode_error(ErrorCode.ILLEGAL_OPERATION, "Malformed request")
_WRONG_MODE = encode_error(ErrorCode.ILLEGAL_OPERATION, "Ask in octet or netascii mode")

_MODES = ("octet", "netascii")

_log = structlog.get_logger(__name__)


_FIRST_ACK_WITHIN = 1.0
"""Seconds a stopping server waits for the first word of a peer."""


@dataclass(frozen=True, slots=True, eq=False)
class _Session:
    """A request being answered or sent."""

    arrival: Arrival
    request: ReadRequest
    question: FileRequest

    @property
    def key(self) -> tuple[SocketAddress, str]:
        """What a repetition of the same request has in common with it."""
        return self.arrival.peer, self.request.name

    @property
    def source(self) -> Source:
        """Whose session it is."""
        return source_of(self.question.peer)


class TftpServer:
    """Serves files read-only over TFTP (RFC 1350, 2347, 2348, 2349, 7440).

    ``answer`` is asked once for each request; a client that repeats itself while the answer is
    prepared, or before it has acknowledged anything, is not asked for again. ``reuse_port`` lets
    several processes listen on one port; the kernel keeps a client with one of them.
    """

    def __init__(
        self, answer: Answer, limits: TftpLimits = DEFAULT_LIMITS, *, reuse_port: bool = False
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._reuse_port = reuse_port
        self._listeners: list[Listener] = []
        self._tasks: dict[asyncio.Task[None], _Session] = {}
        self._unproven: dict[tuple[SocketAddress, str], _Session] = {}
        self._sessions = Sessions(affordable_sessions(limits.sessions), limits.sessions_per_source)
        self._errors = ErrorAllowance(limits.errors_per_second, limits.error_burst)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of every listener, in the order they were started."""
        return tuple(listener.address for listener in self._listeners)

    @property
    def sessions(self) -> int:
        """How many requests are being answered or sent right now."""
        return self._sessions.count

    async def start(self, host: str, port: int) -> None:
        """Listen on an address (or every address of a name); may be called for several.

        Port 0 takes any free one. Raises BadConfig if the address or port cannot be had.
        """
        try:
            bound = await bind_listeners(
                host, port, self._limits.receive_buffer, reuse_port=self._reuse_port
            )
        except (OSError, OverflowError, UnicodeError) as error:
            raise BadConfig(
                f"TFTP cannot listen on '{host}' port {port}: {error}.",
                remedy="Name an address of this machine and a free port the server may open.",
                field="tftp.host",
            ) from error
        self._listeners += [Listener(each, self._arrived) for each in bound]

    async def stop(self, drain: float) -> None:
        """Take no more requests, give transfers ``drain`` seconds, tell the rest to try again.

        A transfer whose peer has acknowledged nothing is given a second: nobody may be there.
        """
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=min(drain, _FIRST_ACK_WITHIN))
        for task, session in self._tasks.items():
            if self._unproven.get(session.key) is session:
                task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=max(0.0, drain - _FIRST_ACK_WITHIN))
        remaining = set(self._tasks)
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)

    def _arrived(self, arrival: Arrival) -> None:
        """Look at a datagram on a listener: only requests mean anything there."""
        opcode = opcode_of(arrival.datagram)
        if opcode is Opcode.WRQ:
            self._refuse(arrival, _READ_ONLY)
        elif opcode is Opcode.RRQ:
            request = parse_request(arrival.datagram)
            if request is None:
                self._refuse(arrival, _MALFORMED)
            elif request.mode not in _MODES:
                self._refuse(arrival, _WRONG_MODE)
            else:
                self._admit(arrival, request)

    def _admit(self, arrival: Arrival, request: ReadRequest) -> None:
        """Open a session, unless it is a repetition, cannot be found, or one too many."""
        question = self._question(arrival, request)
        if question is None:
            self._refuse(arrival, _NOT_FOUND)
            return
        session = _Session(arrival, request, question)
        if session.key in self._unproven or not self._sessions.admit(session.source):
            return
        self._unproven[session.key] = session
        task = asyncio.get_running_loop().create_task(self._serve(session))
        self._tasks[task] = session
        task.add_done_callback(lambda done: self._left(done, session))

    def _left(self, task: asyncio.Task[None], session: _Session) -> None:
        """Close a session, however it ended."""
        self._tasks.pop(task, None)
        self._proven(session)
        self._sessions.leave(session.source)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("tftp session failed", peer=str(session.question.peer), exc_info=error)

    def _proven(self, session: _Session) -> None:
        """From now on the same request is a new one, from a client that has started over."""
        if self._unproven.get(session.key) is session:
            del self._unproven[session.key]

    def _question(self, arrival: Arrival, request: ReadRequest) -> FileRequest | None:
        """The request as the use cases know it; None if TFTP can never answer it."""
        credential, path = split_path(request.name.removeprefix("./"))
        # An ``a/`` path waits for an answer to a challenge, which TFTP cannot carry.
        if isinstance(credential, Challenged) or not 0 < len(path) <= self._limits.longest_name:
            return None
        peer = peer_address(arrival.peer)
        return FileRequest(path=path, peer=peer, door=Door.TFTP, credential=credential)

    async def _serve(self, session: _Session) -> None:
        """Ask for the file and send it, or say why not."""
        try:
            reply = await self._ask(session.question)
        except asyncio.CancelledError:
            self._refuse(session.arrival, TRY_AGAIN)
            raise
        if reply.outcome is Outcome.FAILED:
            self._refuse(session.arrival, TRY_AGAIN)
        elif reply.outcome is not Outcome.SERVED:
            self._refuse(session.arrival, _NOT_FOUND)
        else:
            await self._send(session, reply)

    async def _ask(self, question: FileRequest) -> FileReply:
        """The answer; a failure or an answer that takes too long is FAILED, never "not found"."""
        try:
            async with asyncio.timeout(self._limits.answer_within):
                return await self._answer(question)
        except Exception:  # noqa: BLE001  # whatever breaks, the phone must not hear "no file"
            _log.exception("tftp answer failed", peer=str(question.peer), path=question.path)
            return FileReply(Outcome.FAILED)

    async def _send(self, session: _Session, reply: FileReply) -> None:
        """Transfer a served file from a socket of its own."""
        try:
            contents = _contents(reply, session.request.mode)
        except OSError as error:
            _log.error("tftp file cannot be read", path=session.question.path, error=str(error))
            self._refuse(session.arrival, TRY_AGAIN)
            return
        with contextlib.closing(contents):
            try:
                endpoint = open_transfer_socket(session.arrival.local)
            except OSError as error:  # no descriptor left: silence makes the client ask again
                _log.error("tftp transfer cannot open a socket", error=str(error))
                return
            terms = negotiate(session.request, self._limits, contents.size)
            await Transfer(
                endpoint,
                session.arrival.peer,
                SendWindow(contents, terms, self._limits),
                on_proven=lambda: self._proven(session),
                may_refuse=self._may_refuse,
            ).run()

    def _refuse(self, arrival: Arrival, error: bytes) -> None:
        if self._may_refuse(arrival.peer):
            answer_once(error, arrival)

    def _may_refuse(self, peer: SocketAddress) -> bool:
        now = asyncio.get_running_loop().time()
        return self._errors.take(source_of(peer_address(peer)), now)


def _contents(reply: FileReply, mode: str) -> Contents:
    """The reply's bytes in the mode asked for. Raises OSError if its file cannot be opened."""
    if reply.file is not None:
        stored = FileContents.open(reply.file)
        return NetasciiContents(stored) if mode == "netascii" else stored
    plain = MemoryContents(reply.content)
    return NetasciiContents(plain) if mode == "netascii" else plain
