"""The fetch log and the pending table: queued at each request, written in batches.

At most the queue is lost when the process is killed; nothing that an admin set ever stands here.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from provisioning.domain.errors import StoreUnavailable
from provisioning.domain.ids import new_id
from provisioning.store import logs
from provisioning.store.database import Database

_QUEUED = 20_000
_TOKEN = re.compile(r"^/*((?:t|s|o)/)[^/]+")
_LONGEST = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\uffff]")


def masked(path: str) -> str:
    """A path fit for logs: no token in it, nothing unprintable, not too long."""
    return _UNPRINTABLE.sub("?", _TOKEN.sub(r"\1***", path))[:_LONGEST]


def printable(text: str) -> str:
    """A text from outside, fit for logs."""
    return _UNPRINTABLE.sub("?", text)[:_LONGEST]


@dataclass(slots=True)
class Sighting:
    """One request as the fetch log keeps it. ``pending`` is set for an unknown MAC.

    ``proof_rule`` names the file rule where its fetch shows that the device is current.
    """

    at: datetime
    door: str
    address: str
    path: str
    user_agent: str = ""
    organisation_id: UUID | None = None
    device_id: UUID | None = None
    mac: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    grade: str = "none"
    outcome: str = ""
    reason: str = ""
    size: int = 0
    content_hash: str = ""
    pending: bool = False
    proof_rule: str = ""
    id: UUID = field(default_factory=new_id)


class FetchLog:
    """The queue between the doors and the store; safe to use from any thread."""

    def __init__(self, database: Database, *, pending_cap: int = 1000) -> None:
        self._database = database
        self._pending_cap = pending_cap
        self._queue: deque[Sighting] = deque(maxlen=_QUEUED)
        self._lock = threading.Lock()

    def add(self, sighting: Sighting) -> None:
        """Queue a sighting; the oldest go first when nobody writes them."""
        self._queue.append(sighting)

    def flush(self) -> int:
        """Write what is queued; how many were written. Keeps them when the store is away."""
        with self._lock:
            batch: list[Sighting] = []
            while self._queue and len(batch) < 5000:
                batch.append(self._queue.popleft())
            if not batch:
                return 0
            try:
                with self._database.write() as session:
                    logs.write_fetches(session, batch)
                    logs.write_pending(
                        session, [s for s in batch if s.pending], cap=self._pending_cap
                    )
            except StoreUnavailable:
                self._queue.extendleft(reversed(batch))
                raise
            return len(batch)
