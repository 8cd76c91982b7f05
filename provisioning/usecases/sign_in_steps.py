"""Signing in by plain pages in two steps: what was typed in the first waits, sealed, for the code.

The page of the second step carries it back to us: the server keeps nothing, and the page holds no
password that anybody could read.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.domain.errors import InvalidInput, UnreadableSecret
from provisioning.usecases.core import Core
from provisioning.usecases.purposes import PURPOSE_SIGN_IN

TIME_FOR_CODE = timedelta(minutes=5)
"""How long the second step may take."""


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What somebody typed who now looks for their code."""

    email: str
    password: str


def seal(core: Core, typed: FirstStep) -> str:
    """What was typed, readable by this server only and for five minutes."""
    until = (core.clock() + TIME_FOR_CODE).isoformat()
    plain = json.dumps([typed.email, typed.password, until])
    return base64.urlsafe_b64encode(core.cipher.encrypt(plain, PURPOSE_SIGN_IN)).decode()


def unseal(core: Core, sealed: str) -> FirstStep:
    """What was typed in the first step; raises InvalidInput if that is too long ago, or not ours."""
    try:
        blob = base64.b64decode(sealed, altchars=b"-_", validate=True)
        email, password, until = json.loads(core.cipher.decrypt(blob, PURPOSE_SIGN_IN))
    except (UnreadableSecret, binascii.Error, ValueError):
        raise _begin_again() from None
    if datetime.fromisoformat(until) < core.clock():
        raise _begin_again()
    return FirstStep(email, password)


def _begin_again() -> InvalidInput:
    return InvalidInput("The first step of signing in is over.", remedy="Begin again.")
