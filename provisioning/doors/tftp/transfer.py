"""One transfer on its own socket: packets and the timer around a SendWindow."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import structlog

from provisioning.doors.tftp.endpoints import SocketAddress
from provisioning.doors.tftp.packets import (
    ErrorCode,
    Opcode,
    acknowledged_block,
    encode_error,
    opcode_of,
)
from provisioning.doors.tftp.window import SendWindow

TRY_AGAIN = encode_error(ErrorCode.TRY_AGAIN, "Try again later")
_UNKNOWN_TRANSFER = encode_error(ErrorCode.UNKNOWN_TRANSFER, "Unknown transfer ID")

_LARGEST_REPLY = 512
_CLOCK_TOLERANCE = 0.001

_log = structlog.get_logger(__name__)


class Transfer:
    """Sends one window's packets to one peer.

    ``on_proven`` is called at the first acknowledgement. ``may_refuse`` says whether a stranger
    who writes to this socket may be sent an ERROR.
    """

    def __init__(
        self,
        endpoint: socket.socket,
        peer: SocketAddress,
        window: SendWindow,
        *,
        on_proven: Callable[[], None],
        may_refuse: Callable[[SocketAddress], bool],
    ) -> None:
        self._socket = endpoint
        self._peer = peer
        self._window = window
        self._on_proven = on_proven
        self._may_refuse = may_refuse
        self._loop = asyncio.get_running_loop()
        self._whole: asyncio.Future[bool] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    async def run(self) -> bool:
        """Send everything; whether the peer has acknowledged all of it.

        The socket is closed in the end. If cancelled, the peer is told to try again.
        """
        self._loop.add_reader(self._socket, self._readable)
        try:
            self._advance(self._window.begin)
            return await self._whole
        except asyncio.CancelledError:
            self._send(TRY_AGAIN, self._peer)
            raise
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        try:
            datagram, sender = self._socket.recvfrom(_LARGEST_REPLY)
        except OSError:  # nothing there after all, or an ICMP error
            return
        if sender[:2] != self._peer[:2]:
            # RFC 1350 section 4: the stranger is told, the transfer goes on.
            if opcode_of(datagram) is not Opcode.ERROR and self._may_refuse(sender):
                self._send(_UNKNOWN_TRANSFER, sender)
            return
        self._hear(datagram)

    def _hear(self, datagram: bytes) -> None:
        """Take a packet of the peer; all but ACK and ERROR mean nothing here."""
        opcode = opcode_of(datagram)
        if opcode is Opcode.ERROR:
            self._end(whole=False)
        elif opcode is Opcode.ACK and (block := acknowledged_block(datagram)) is not None:
            proven = self._window.proven
            self._advance(lambda: self._window.acknowledge(block))
            if self._window.proven and not proven:
                self._on_proven()

    def _advance(self, step: Callable[[], list[bytes]]) -> None:
        """Take a step of the window and send what it asks for."""
        try:
            packets = step()
        except (OSError, EOFError) as error:
            _log.error("tftp transfer cut short", peer=self._peer[0], error=str(error))
            self._send(TRY_AGAIN, self._peer)
            self._end(whole=False)
            return
        if self._window.finished:
            self._end(whole=True)
        else:
            self._transmit(packets)

    def _transmit(self, packets: list[bytes]) -> None:
        """Send packets and set the timer anew, if there are any."""
        for packet in packets:
            self._send(packet, self._peer)
        if packets:
            self._wait_for_peer()

    def _wait_for_peer(self) -> None:
        """Move the due time; a timer that rings too early looks at it, which is cheaper."""
        self._due = self._loop.time() + self._window.wait
        if self._timer is not None and self._timer.when() > self._due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._due > self._loop.time() + _CLOCK_TOLERANCE:
            self._timer = self._loop.call_at(self._due, self._ring)
        elif packets := self._window.time_out():
            self._transmit(packets)
        else:
            self._end(whole=False)

    def _send(self, packet: bytes, to: SocketAddress) -> None:
        # A full buffer or an unreachable network is a lost packet, which the timer repairs.
        with contextlib.suppress(OSError):
            self._socket.sendto(packet, to)

    def _end(self, *, whole: bool) -> None:
        if not self._whole.done():
            self._whole.set_result(whole)
