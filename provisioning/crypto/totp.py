"""One-time codes of an authenticator (RFC 6238): six digits, 30 seconds, HMAC-SHA1.

Those are what every authenticator takes (RFC 6238 section 1.2 and its reference code).
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_SECONDS = 30
DIGITS = 6
_SECRET_BYTES = 20
"""What RFC 4226 section 4 recommends, and HMAC-SHA1 makes the most of."""

_DRIFT = (0, -1, 1)
"""Steps by which a clock may be off (RFC 6238 section 5.2 recommends one)."""

_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


def new_secret() -> str:
    """A new secret in base32, as people type it into an authenticator."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """The ``otpauth://`` URI that an authenticator reads from a QR code."""
    return _totp(secret).get_provisioning_uri(account, issuer)


def code_at(secret: str, moment: datetime) -> str:
    """The code an authenticator shows at a moment."""
    return _totp(secret).generate(moment.timestamp()).decode()


def accepted_step(secret: str, code: str, moment: datetime, after: int) -> int | None:
    """The time step the code belongs to, if it is a good one later than ``after``; else None."""
    plain = code.replace(" ", "")
    if not _CODE.fullmatch(plain):
        return None
    current = int(moment.timestamp()) // STEP_SECONDS
    totp = _totp(secret)
    found = None
    for drift in _DRIFT:
        step = current + drift
        expected = totp.generate(step * STEP_SECONDS)
        if hmac.compare_digest(expected, plain.encode()) and step > after:
            found = step
    return found


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - as the RFC has it
