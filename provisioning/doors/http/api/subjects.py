"""Every subject of the API, in the order of its document."""

from __future__ import annotations

from provisioning.doors.http.api import (
    access,
    dect,
    devices,
    files,
    keys,
    me,
    organisations,
    pending,
    phonebook,
    settings,
    sip,
    stations,
    users,
    vendors,
)
from provisioning.doors.http.api.registry import Endpoint

_SUBJECTS = (
    organisations,
    sip,
    users,
    me,
    devices,
    files,
    stations,
    pending,
    dect,
    settings,
    keys,
    phonebook,
    vendors,
    access,
)


def endpoints() -> tuple[Endpoint, ...]:
    """The endpoints of every subject."""
    return tuple(endpoint for subject in _SUBJECTS for endpoint in subject.ENDPOINTS)
