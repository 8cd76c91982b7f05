"""The sender's side of one transfer, without sockets or clocks."""

from __future__ import annotations

from collections import deque

from provisioning.doors.tftp.contents import Contents
from provisioning.doors.tftp.limits import TftpLimits
from provisioning.doors.tftp.options import Terms
from provisioning.doors.tftp.packets import encode_data, encode_oack

_NUMBERS = 0x10000


class SendWindow:
    """Decides which packets go out, and when it is time to give up.

    An OACK counts as block 0 and is alone in flight, so that nothing but one packet is ever under
    way to a client that has not yet acknowledged anything. Packets go again only when the timer
    runs out: a duplicate acknowledgement sends nothing (RFC 1123 section 4.2.3.1). One for a
    block inside the window means that the rest was lost, and the next window begins behind it
    (RFC 7440 section 4).
    """

    def __init__(self, contents: Contents, terms: Terms, limits: TftpLimits) -> None:
        self._contents = contents
        self._terms = terms
        self._limits = limits
        self._in_flight: deque[bytes] = deque()
        self._read_all = False
        self._sends = 0
        # Block numbers grow without bound here and wrap on the wire only.
        self._acknowledged = -1 if terms.acknowledged else 0
        self._next = 1
        self.proven = False

    @property
    def finished(self) -> bool:
        """Whether the last block has been acknowledged."""
        return self._read_all and not self._in_flight

    @property
    def wait(self) -> float:
        """Seconds to wait for an acknowledgement of what was sent last."""
        if self._terms.wait is not None:
            return self._terms.wait
        if self._sends >= self._allowed:
            return self._limits.longest_wait  # no more will be sent, but a late ACK may still come
        doublings = max(0, self._sends - self._limits.steady_sends)
        return min(self._limits.first_wait * 2.0**doublings, self._limits.longest_wait)

    @property
    def _allowed(self) -> int:
        return self._limits.sends if self.proven else self._limits.unproven_sends

    def begin(self) -> list[bytes]:
        """The first packet: the OACK, or the first block if no option was accepted."""
        if self._terms.acknowledged:
            self._in_flight.append(encode_oack(self._terms.acknowledged))
        else:
            self._fill()
        self._sends = 1
        return list(self._in_flight)

    def acknowledge(self, block: int) -> list[bytes]:
        """Take the ACK of a block number from the wire; what to send now, often nothing."""
        passed = (block - self._acknowledged) % _NUMBERS
        if not 0 < passed <= len(self._in_flight):
            return []
        for _ in range(passed):
            self._in_flight.popleft()
        self._acknowledged += passed
        self.proven = True
        self._sends = 1
        self._fill()
        return list(self._in_flight)

    def time_out(self) -> list[bytes]:
        """What to send again after ``wait`` seconds of silence; nothing means: give up."""
        if self._sends >= self._allowed:
            return []
        self._sends += 1
        return list(self._in_flight)

    def _fill(self) -> None:
        """Read blocks until the window is full; a short or empty block is the last one."""
        while not self._read_all and len(self._in_flight) < self._terms.window_size:
            data = self._contents.read(self._terms.block_size)
            self._in_flight.append(encode_data(self._next, data))
            self._next += 1
            self._read_all = len(data) < self._terms.block_size
