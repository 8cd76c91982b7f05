"""What a TFTP client may ask of the server, and the counters that hold it to that."""

from __future__ import annotations

import resource
from collections import Counter, OrderedDict
from dataclasses import dataclass

from provisioning.doors.sources import Source

_DESCRIPTORS_KEPT_BACK = 256
_DESCRIPTORS_PER_TRANSFER = 2
_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class TftpLimits:
    """The bounds of the door; times are seconds, sizes are bytes.

    ``sessions`` counts requests being answered and transfers together; ``sessions_per_source``
    those of one IPv4 address or IPv6 /64 (an office behind NAT is one source). A request beyond
    either is dropped without a word and the client repeats it. ``unproven_sends`` bounds what a
    forged source address receives: no more packets than that before its first acknowledgement.
    ``first_wait`` doubles up to ``longest_wait``, but only after ``steady_sends`` of a packet: a
    phone gives up after some seconds, and on a lossy network every early try counts. A client's
    own timeout (RFC 2349) takes their place, up to ``longest_asked_wait``. The default block keeps a datagram
    unfragmented on Ethernet with IPv6 and a tunnel's header to spare.
    """

    sessions: int = 4096
    sessions_per_source: int = 512
    largest_block: int = 1428
    largest_window: int = 16
    first_wait: float = 1.0
    longest_wait: float = 4.0
    longest_asked_wait: float = 30.0
    steady_sends: int = 5
    sends: int = 8
    unproven_sends: int = 4
    answer_within: float = 30.0
    longest_name: int = 128
    errors_per_second: float = 100.0
    error_burst: int = 1000
    receive_buffer: int = 4 << 20


DEFAULT_LIMITS = TftpLimits()


def affordable_sessions(wanted: int) -> int:
    """``wanted``, or fewer if the process may not open a socket and a file for each."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    spare = max(soft - _DESCRIPTORS_KEPT_BACK, soft // 2)
    return min(wanted, spare // _DESCRIPTORS_PER_TRANSFER)


class Sessions:
    """Counts open sessions, in all and by source."""

    def __init__(self, total: int, per_source: int) -> None:
        self._total = total
        self._per_source = per_source
        self._open: Counter[Source] = Counter()
        self.count = 0

    def admit(self, source: Source) -> bool:
        """Open a session for the source, or answer False if it or the server is full."""
        if self.count >= self._total or self._open[source] >= self._per_source:
            return False
        self._open[source] += 1
        self.count += 1
        return True

    def leave(self, source: Source) -> None:
        """Close a session that was admitted."""
        self.count -= 1
        self._open[source] -= 1
        if not self._open[source]:
            del self._open[source]


class ErrorAllowance:
    """A token bucket per source for ERROR packets; the sources seen longest ago are forgotten."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[Source, tuple[float, float]] = OrderedDict()

    def take(self, source: Source, now: float) -> bool:
        """Whether one more ERROR may go to the source at the monotonic time ``now``."""
        left, since = self._buckets.pop(source, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._per_second)
        allowed = left >= 1
        self._buckets[source] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        return allowed
