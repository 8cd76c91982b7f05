"""Option negotiation: what the client asked for, and what it gets (RFC 2347)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from provisioning.doors.tftp.limits import TftpLimits
from provisioning.doors.tftp.packets import ReadRequest

DEFAULT_BLOCK = 512  # RFC 1350 section 5

_BLOCK_SIZES = range(8, 65464 + 1)  # RFC 2348
_TIMEOUTS = range(1, 255 + 1)  # RFC 2349
_WINDOW_SIZES = range(1, 65535 + 1)  # RFC 7440
_DECIMAL = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one transfer.

    ``wait`` is the client's retransmission interval in seconds, None if it named none.
    ``acknowledged`` is the OACK's content; if it is empty, no OACK is sent.
    """

    block_size: int
    window_size: int
    wait: float | None
    acknowledged: dict[str, str]


def negotiate(request: ReadRequest, limits: TftpLimits, size: int | None) -> Terms:
    """Settle the terms for a content of ``size`` bytes (None: not known beforehand).

    An option that is unknown, not a decimal number or out of its RFC's range is left out of the
    OACK as if it had not been asked. Never raises.
    """
    accepted: dict[str, int] = {}
    if block_size := _asked(request, "blksize", _BLOCK_SIZES):
        accepted["blksize"] = min(block_size, limits.largest_block)
    if window_size := _asked(request, "windowsize", _WINDOW_SIZES):
        accepted["windowsize"] = min(window_size, limits.largest_window)
    if timeout := _asked(request, "timeout", _TIMEOUTS):
        accepted["timeout"] = timeout
    if size is not None and _DECIMAL.fullmatch(request.options.get("tsize", "")):
        accepted["tsize"] = size
    return Terms(
        block_size=accepted.get("blksize", DEFAULT_BLOCK),
        window_size=accepted.get("windowsize", 1),
        wait=min(timeout, limits.longest_asked_wait) if timeout else None,
        acknowledged={
            request.spellings[name]: str(accepted[name])
            for name in request.options
            if name in accepted
        },
    )


def _asked(request: ReadRequest, name: str, allowed: range) -> int | None:
    text = request.options.get(name, "")
    if not _DECIMAL.fullmatch(text) or int(text) not in allowed:
        return None
    return int(text)
