"""How long what happened is remembered."""

from __future__ import annotations

from datetime import timedelta

from provisioning.store import logs
from provisioning.usecases.core import Core


def trim(core: Core, *, fetch_days: int, audit_days: int) -> None:
    """Forget requests, and unknown MACs last seen, more than ``fetch_days`` ago.

    The audit log is kept ``audit_days``. Raises StoreUnavailable.
    """
    before = core.clock() - timedelta(days=fetch_days)
    changes = core.clock() - timedelta(days=audit_days)
    with core.database.write() as session:
        logs.trim(session, fetches_before=before, pending_before=before, audit_before=changes)
