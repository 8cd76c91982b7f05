"""How long somebody has to wait who was wrong too often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """``free`` failures cost nothing; then the wait doubles up to ``longest``.

    Failures are forgotten when none came for ``memory``, or, where it ``leaks``, one by one, ``free``
    of them in that time. ``own`` says that all are of whoever is judged, who is forgiven with the
    right answer; else that takes back nothing but itself.
    """

    free: int
    longest: timedelta
    memory: timedelta
    first: timedelta = timedelta(seconds=5)
    own: bool = False
    leaks: bool = False

    def wait(self, failures: int) -> timedelta:
        """How long nothing is judged after so many failures."""
        if failures < self.free:
            return timedelta(0)
        doubled: int = 2 ** min(failures - self.free, 20)
        return min(self.first * doubled, self.longest)

    def remembered(self, failures: int, last: datetime, now: datetime) -> tuple[int, datetime]:
        """How many of the failures counted at ``last`` count at ``now``, and as of when."""
        if not self.leaks:
            return (0 if now - last > self.memory else failures), now
        each = self.memory / self.free
        gone = max(0, (now - last) // each)
        # What is left of one failure's time counts for the next.
        return (failures - gone, last + gone * each) if gone < failures else (0, now)


OF_A_LOGIN = Patience(free=5, longest=timedelta(minutes=15), memory=timedelta(days=1), own=True)
"""Few enough that a password or a code of six digits cannot be tried out."""

OF_A_MAILBOX = Patience(free=3, longest=timedelta(minutes=15), memory=timedelta(days=1), own=True)
"""A mailbox's PIN may have four digits only."""

OF_A_SOURCE = Patience(free=20, longest=timedelta(minutes=5), memory=timedelta(hours=1), leaks=True)
"""An office behind NAT is one source: it gets more tries, and waits for less long."""

_QUARTER = timedelta(minutes=15)

OF_A_PIN = Patience(free=5, first=_QUARTER, longest=_QUARTER, memory=timedelta(days=1), own=True)
"""A person's PIN at any phone: five tries, then one in a quarter of an hour."""

OF_A_PHONE = Patience(free=10, first=_QUARTER, longest=_QUARTER, memory=timedelta(hours=1))
"""Everybody's PINs at one phone."""

OF_A_PIN_SOURCE = Patience(free=100, longest=timedelta(minutes=5), memory=_QUARTER, leaks=True)
"""Everybody's PINs from one address, behind which a whole office may be."""

OF_A_PBX = Patience(free=1000, longest=timedelta(minutes=5), memory=_QUARTER, leaks=True)
"""Everybody's PINs by one PBX, where thousands mistype theirs at eight in the morning."""
