"""How long somebody has to wait who was wrong too often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """``free`` failures cost nothing; then the wait doubles up to ``longest``.

    Failures are forgotten when none came for ``memory``.
    """

    free: int
    longest: timedelta
    memory: timedelta
    first: timedelta = timedelta(seconds=5)

    def wait(self, failures: int) -> timedelta:
        """How long nothing is judged after so many failures."""
        if failures < self.free:
            return timedelta(0)
        doubled: int = 2 ** min(failures - self.free, 20)
        return min(self.first * doubled, self.longest)

    def forgets(self, last: datetime, now: datetime) -> bool:
        """Whether failures, of which the last was then, are forgotten by now."""
        return now - last > self.memory


OF_A_LOGIN = Patience(free=5, longest=timedelta(minutes=15), memory=timedelta(days=1))
"""Few enough that a password or a code of six digits cannot be tried out."""

OF_A_MAILBOX = Patience(free=3, longest=timedelta(minutes=15), memory=timedelta(days=1))
"""A mailbox's PIN may have four digits only."""

OF_A_SOURCE = Patience(free=20, longest=timedelta(minutes=5), memory=timedelta(hours=1))
"""An office behind NAT is one source: it gets more tries, and waits for less long."""
