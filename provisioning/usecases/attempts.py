"""Counting wrong passwords and codes, and making whoever was wrong too often wait.

An attempt is counted before it is judged, so that many at once are no way around; one that turns
out right is taken back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network

from provisioning.domain.errors import TooManyAttempts
from provisioning.domain.patience import (
    OF_A_LOGIN,
    OF_A_PBX,
    OF_A_PHONE,
    OF_A_PIN,
    OF_A_PIN_SOURCE,
    OF_A_SOURCE,
    Patience,
)
from provisioning.store import members
from provisioning.store.devices import Station
from provisioning.usecases.core import Core
from provisioning.usecases.purposes import PURPOSE_ATTEMPT

Counted = Mapping[str, Patience]

_IPV6_OF_ONE = 64
"""The prefix that one subscriber has (RFC 6177)."""


def of_login(core: Core, email: str, source: str) -> dict[str, Patience]:
    """What counts attempts at a login, whether or not there is one of that e-mail.

    The e-mail is kept as an alias: people type passwords into that field. A proxy's address, or
    our own, behind which everybody may stand, is not counted.
    """
    subscriber = subscriber_of(core, source)
    counted = {f"login:{core.cipher.alias(email, PURPOSE_ATTEMPT)}": OF_A_LOGIN}
    return counted | {f"source:{subscriber}": OF_A_SOURCE} if subscriber else counted


def of_pin(
    core: Core, station: Station, extension: str, source: str, *, by_pbx: bool = False
) -> dict[str, Patience]:
    """What counts attempts at a PIN, whether or not somebody has the extension.

    That is kept as an alias too: people type PINs into its field.
    """
    name = core.cipher.alias(f"{station.organisation_id}:{extension}", PURPOSE_ATTEMPT)
    subscriber = subscriber_of(core, source)
    counted = {
        f"pin:{name}": OF_A_PIN,
        f"pin-at:{station.id}": OF_A_PHONE,
    }
    if not subscriber:
        return counted
    if by_pbx:
        return counted | {f"pin-by:{subscriber}": OF_A_PBX}
    return counted | {f"pin-from:{subscriber}": OF_A_PIN_SOURCE}


def subscriber_of(core: Core, source: str) -> str:
    """Whoever has an address, as far as it tells; empty for one that tells nothing."""
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return ""
    plain = getattr(address, "ipv4_mapped", None) or address
    if plain.is_loopback or core.is_proxy(plain):
        return ""
    return str(plain if plain.version == 4 else ip_network((plain, _IPV6_OF_ONE), strict=False))


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that was counted as wrong until it proves right.

    ``left`` is how many more may be wrong before one has to wait, ``blocks`` what it has made wait.
    """

    left: int
    blocks: Mapping[str, datetime | None]


def begin(core: Core, counted: Counted) -> Begun:
    """Count an attempt about to be judged; raises TooManyAttempts while one has to wait."""
    with core.database.write() as session:
        now = core.database.moment(session)
        rows = members.attempts(session, counted, now)
        blocked = [row.blocked_until for row in rows if row.blocked_until]
        until = max(blocked, default=now)
        if until > now:
            raise _too_many(math.ceil((until - now).total_seconds()))
        for row in rows:
            patience = counted[row.key]
            before, row.last_at = patience.remembered(row.failures, row.last_at, now)
            row.failures = before + 1
            row.blocked_until = now + patience.wait(row.failures)
        return Begun(
            left=min(max(0, counted[row.key].free - row.failures) for row in rows),
            blocks={row.key: row.blocked_until for row in rows},
        )


def take_back(core: Core, counted: Counted, begun: Begun | None = None) -> None:
    """Uncount an attempt that was right: one's own failures go, others' stay but for this.

    So does the wait that others brought about since it ``begun``.
    """
    with core.database.write() as session:
        for row in members.attempts(session, counted, core.database.moment(session)):
            own = counted[row.key].own
            row.failures = 0 if own else max(0, row.failures - 1)
            if own or begun is None or row.blocked_until == begun.blocks[row.key]:
                row.blocked_until = None


def uncount(core: Core, counted: Counted, begun: Begun) -> None:
    """Uncount an attempt that was neither right nor wrong; those before it stay.

    Their wait was over when it ``begun``, so what goes is the wait it brought about itself.
    """
    with core.database.write() as session:
        for row in members.attempts(session, counted, core.database.moment(session)):
            row.failures = max(0, row.failures - 1)
            if row.blocked_until == begun.blocks[row.key]:
                row.blocked_until = None


def _too_many(seconds: int) -> TooManyAttempts:
    return TooManyAttempts(
        "Too many passwords or codes were wrong.",
        seconds=seconds,
        remedy=f"Try again after {seconds} seconds, or ask an admin for a one-time link.",
    )
