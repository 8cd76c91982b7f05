"""Identifiers: UUIDv7 (RFC 9562 section 5.7), which sort by the time they were made; label codes."""

from __future__ import annotations

import re
import secrets
import time
from uuid import UUID

_LABEL_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LABEL_LENGTH = 16
_LABEL = re.compile(f"[{_LABEL_ALPHABET}]{{{_LABEL_LENGTH}}}")


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= secrets.randbits(12) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return UUID(int=value)


def new_label_code() -> str:
    """What a phone's label is known by: 16 characters of base32, 80 random bits.

    Nobody guesses one, and people can still type it. It proves nothing: it only names a station.
    """
    return "".join(secrets.choice(_LABEL_ALPHABET) for _ in range(_LABEL_LENGTH))


def is_label_code(text: str) -> bool:
    """Whether a text has the form of a label's code; says nothing of whether there is one."""
    return _LABEL.fullmatch(text) is not None
