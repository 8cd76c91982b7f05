"""Whether this process can do its work."""

from __future__ import annotations

from provisioning.domain.errors import StoreUnavailable
from provisioning.store import access
from provisioning.usecases.core import Core


def is_ready(core: Core) -> bool:
    """Whether the database answers."""
    try:
        with core.database.read() as session:
            access.any_login(session)
    except StoreUnavailable:
        return False
    return True
