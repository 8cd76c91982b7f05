"""Trying out a connection to a PBX from a thread, for whoever has just set it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from provisioning.domain.kinds import Way
from provisioning.outbound.asterisk import AsteriskTeller
from provisioning.outbound.freeswitch import FreeswitchTeller
from provisioning.usecases.core import Network
from provisioning.usecases.ports import Connector, Heard, Reach

AT_ONCE = 2
"""Threads that may wait for a PBX; the API has few, and the others are for everybody else."""


def reaching(refuse: Sequence[Network]) -> Reach:
    """What connects to a PBX, outside the ``refuse``d networks, and logs in once."""
    places = threading.BoundedSemaphore(AT_ONCE)

    def reach(connector: Connector) -> Heard:
        if not places.acquire(blocking=False):
            return Heard(well=False, words="Others are being tried; try again in a few seconds.")
        try:
            # A loop of its own: the connection is for this one question.
            return asyncio.run(_reached(connector, refuse))
        finally:
            places.release()

    return reach


async def _reached(connector: Connector, refuse: Sequence[Network]) -> Heard:
    kind = FreeswitchTeller if connector.way is Way.FREESWITCH else AsteriskTeller
    teller = kind(refuse)
    try:
        return await teller.reach(connector)
    finally:
        teller.close()
