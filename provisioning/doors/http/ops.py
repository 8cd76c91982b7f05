"""The operator's door: whether the process lives and whether it can serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

_ANSWER_WITHIN = 5.0


def ops_application(ready: Callable[[], bool]) -> web.Application:
    """``/healthz`` answers as long as the process lives, ``/readyz`` if ``ready()`` is true.

    ``ready`` runs in a thread; one that takes longer than 5 seconds counts as no.
    """

    async def healthz(_request: web.Request) -> web.Response:
        """The process lives."""
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        """The process can serve."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                answers = await asyncio.to_thread(ready)
        except TimeoutError:
            answers = False
        if answers:
            return web.Response(text="ready\n")
        return web.Response(status=503, text="The database does not answer.\n")

    application = web.Application()
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    return application
