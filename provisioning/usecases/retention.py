"""How long what happened is remembered."""

from __future__ import annotations

from datetime import timedelta

from provisioning.domain.patience import OF_A_LOGIN
from provisioning.store import changes, hotdesk, jobs, logs, members
from provisioning.usecases.core import Core

CHANGES_DAYS = 14
"""How long a PBX may be away and still follow the feed of changes."""


def trim(core: Core, *, fetch_days: int, audit_days: int) -> None:
    """Forget requests, and unknown MACs last seen, more than ``fetch_days`` ago.

    The audit log, imports and ended hotdesk sessions are kept ``audit_days``; ended sessions and
    old changes go too. Raises StoreUnavailable.
    """
    moment = core.clock()
    before = moment - timedelta(days=fetch_days)
    audit_before = moment - timedelta(days=audit_days)
    with core.database.write() as session:
        logs.trim(session, fetches_before=before, pending_before=before, audit_before=audit_before)
        jobs.trim(session, audit_before)
        hotdesk.trim(session, audit_before)
        changes.trim(session, moment - timedelta(days=CHANGES_DAYS))
        members.trim(session, now=moment, attempts_before=moment - OF_A_LOGIN.memory)
