"""Counting wrong passwords and codes, and making whoever was wrong too often wait.

An attempt is counted before it is judged, so that many at once are no way around; one that turns
out right is taken back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import ip_address, ip_network

from provisioning.domain.errors import TooManyAttempts
from provisioning.domain.patience import OF_A_LOGIN, OF_A_SOURCE, Patience
from provisioning.store import members
from provisioning.usecases.core import Core

Counted = Mapping[str, Patience]

_IPV6_OF_ONE = 64
"""The prefix that one subscriber has (RFC 6177)."""


def of_login(core: Core, email: str, source: str) -> dict[str, Patience]:
    """What counts attempts at a login, whether or not there is one of that e-mail.

    The e-mail is kept as a hash: people type passwords into that field. A proxy's address, or our
    own, behind which everybody may stand, is not counted.
    """
    name = sha256(email.encode("utf-8", "surrogatepass")).hexdigest()
    subscriber = _subscriber(core, source)
    counted = {f"login:{name}": OF_A_LOGIN}
    return counted | {f"source:{subscriber}": OF_A_SOURCE} if subscriber else counted


def _subscriber(core: Core, source: str) -> str:
    """Whoever has an address, as far as it tells; empty for one that tells nothing."""
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return ""
    plain = getattr(address, "ipv4_mapped", None) or address
    if plain.is_loopback or core.is_proxy(plain):
        return ""
    return str(plain if plain.version == 4 else ip_network((plain, _IPV6_OF_ONE), strict=False))


def begin(core: Core, counted: Counted) -> None:
    """Count an attempt about to be judged; raises TooManyAttempts while one has to wait."""
    now = core.clock()
    with core.database.write() as session:
        rows = members.attempts(session, counted, now)
        blocked = [row.blocked_until for row in rows if row.blocked_until]
        until = max(blocked, default=now)
        if until > now:
            raise _too_many(math.ceil((until - now).total_seconds()))
        for row in rows:
            patience = counted[row.key]
            row.failures = 1 + (0 if patience.forgets(row.last_at, now) else row.failures)
            row.last_at = now
            row.blocked_until = now + patience.wait(row.failures)


def take_back(core: Core, counted: Counted) -> None:
    """Uncount an attempt that was right: a login's failures go, a source's stay but for this."""
    with core.database.write() as session:
        for row in members.attempts(session, counted, core.clock()):
            failures = row.failures - 1 if counted[row.key] is OF_A_SOURCE else 0
            row.failures, row.blocked_until = max(0, failures), None


def uncount(core: Core, counted: Counted) -> None:
    """Uncount an attempt that was neither right nor wrong; those before it stay."""
    with core.database.write() as session:
        for row in members.attempts(session, counted, core.clock()):
            row.failures = max(0, row.failures - 1)
            waits = counted[row.key].wait(row.failures)
            row.blocked_until = row.last_at + waits if waits else None


def _too_many(seconds: int) -> TooManyAttempts:
    return TooManyAttempts(
        "Too many passwords or codes were wrong.",
        seconds=seconds,
        remedy=f"Try again after {seconds} seconds, or ask an admin for a one-time link.",
    )
