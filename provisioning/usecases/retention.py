"""How long what happened is remembered."""

from __future__ import annotations

from datetime import timedelta

from provisioning.domain.patience import OF_A_LOGIN
from provisioning.store import logs, members
from provisioning.usecases.core import Core


def trim(core: Core, *, fetch_days: int) -> None:
    """Forget requests, and unknown MACs last seen, more than ``fetch_days`` ago; ended sessions.

    Raises StoreUnavailable.
    """
    before = core.clock() - timedelta(days=fetch_days)
    with core.database.write() as session:
        logs.trim(session, fetches_before=before, pending_before=before)
        members.trim(session, now=core.clock(), attempts_before=core.clock() - OF_A_LOGIN.memory)
