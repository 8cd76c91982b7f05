"""Which names hold secrets: what they hold is never logged, told or sent back."""

from __future__ import annotations

import re

from provisioning.domain.settings import BY_KEY, Class

_SECRET = re.compile(r"(?:hash|encrypted|password|token|secret|pin|access_code)$")


def is_secret(name: str) -> bool:
    """Whether a column, field or setting of that name holds a secret."""
    setting = BY_KEY.get(name)
    return bool(_SECRET.search(name)) or (setting is not None and setting.class_ is Class.SECRET)
