"""How much of something is begun in a second, whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """A token bucket: ``most`` at once, and as many more in every second that follows.

    Thread-safe. It is kept by each process for itself, for it is there to protect the process.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._left = float(most)
        self._at = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether there is room for one more now; if so, it is taken."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) * self._most)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
