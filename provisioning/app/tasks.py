"""What the server does again and again beside serving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from provisioning.domain.errors import StoreUnavailable

_log = structlog.get_logger(__name__)


class Timers:
    """Functions called in a thread at intervals; a failure is logged and the next turn comes."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def every(self, seconds: float, work: Callable[[], object], name: str) -> None:
        """Call ``work`` every so many seconds, first after one such interval."""
        turns = self._turns(seconds, work, name)
        self._tasks.append(asyncio.get_running_loop().create_task(turns, name=name))

    async def stop(self) -> None:
        """Begin no turn more; one that runs ends by itself."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _turns(self, seconds: float, work: Callable[[], object], name: str) -> None:
        away = False
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(work)
            except StoreUnavailable as error:
                if not away:  # an outage is told once, not at every turn
                    _log.warning("timer-postponed", timer=name, reason=str(error))
                away = True
            except Exception:  # noqa: BLE001 - a timer lives through every bug
                _log.exception("timer-failed", timer=name)
            else:
                away = False
