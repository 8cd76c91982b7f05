"""The teller: looks at what was changed and tells phones, woken at once by whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from provisioning.domain.errors import StoreUnavailable
from provisioning.domain.kinds import Way
from provisioning.usecases.core import Core
from provisioning.usecases.ports import Heard, Teller, Telling
from provisioning.usecases.reload import batch, settle, to_tell, told

AT_ONCE = 256
"""Phones told at the same time: one that is off takes half a minute to be sure of."""

_IDLE_SECONDS = 1.0
"""How often it is looked what other processes changed."""

_AHEAD_SECONDS = 0.2
"""For how long ahead phones are claimed, so that somebody in front of one waits no longer."""

_log = structlog.get_logger(__name__)


class PhoneTeller:
    """Settles and tells in turns, and begins one at once when it is stirred.

    ``tellers`` is the table of the ways this process has.
    """

    def __init__(self, core: Core, tellers: Mapping[Way, Teller]) -> None:
        self._core = core
        self._tellers = tellers
        self._stirred = asyncio.Event()
        self._turns: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._away = False

    def start(self) -> None:
        """Begin the turns; changes that somebody waits for wake them from now on."""
        loop = asyncio.get_running_loop()
        self._core.database.stir = lambda: _call_soon(loop, self._stirred)
        self._turns = loop.create_task(self._run(), name="teller")

    async def stop(self) -> None:
        """Begin no turn more, and leave those under way to whoever claims them next."""
        tasks = [task for task in (self._turns, *self._under_way) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            more = await self._turn()
            if more:
                continue
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._stirred.wait()
            except TimeoutError:
                pass

    async def _turn(self) -> bool:
        """Look at what was changed and tell whom that concerns; whether there may be more.

        It ends when the last of those claimed is told, so that who is urgent then comes next.
        """
        self._stirred.clear()
        try:
            looked_at = await asyncio.to_thread(settle, self._core)
            tellings = await asyncio.to_thread(self._claim)
        except StoreUnavailable as error:
            if not self._away:  # an outage is told once, not at every turn
                _log.warning("teller-postponed", reason=str(error))
            self._away = True
            return False
        except Exception:  # noqa: BLE001 - it lives through every bug
            _log.exception("teller-failed")
            return False
        self._away = False
        for telling in tellings:
            task = asyncio.get_running_loop().create_task(self._tell(telling))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        if tellings:
            await asyncio.sleep(tellings[-1].wait.total_seconds())
        return bool(looked_at or tellings)

    def _claim(self) -> list[Telling]:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return []
        return to_tell(self._core, self._core.clock(), min(room, batch(self._core, _AHEAD_SECONDS)))

    async def _tell(self, telling: Telling) -> None:
        await asyncio.sleep(telling.wait.total_seconds())
        teller = self._tellers.get(telling.way)
        heard = Heard(well=False, words="this server has no such way")
        if teller is not None:
            heard = await teller.tell(telling)
        try:
            await asyncio.to_thread(told, self._core, telling, heard)
        except StoreUnavailable as error:
            _log.warning("telling-not-noted", device=str(telling.device), reason=str(error))
        except Exception:  # noqa: BLE001 - likewise
            _log.exception("telling-not-noted", device=str(telling.device))


def _call_soon(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Wake the teller from whichever thread made the change."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(event.set)
