"""Every subject of the API, in the order of its document."""

from __future__ import annotations

from provisioning.doors.http.api import (
    access,
    audit,
    bulk,
    catalogue,
    categories,
    connectors,
    dect,
    devices,
    exports,
    files,
    hotdesk,
    imports,
    keys,
    labels,
    licences,
    me,
    memberships,
    organisations,
    pending,
    people,
    phonebook,
    pictures,
    reload,
    session,
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
    connectors,
    users,
    bulk,
    categories,
    catalogue,
    licences,
    me,
    pictures,
    devices,
    files,
    reload,
    stations,
    labels,
    hotdesk,
    pending,
    dect,
    settings,
    keys,
    phonebook,
    imports,
    vendors,
    exports,
    people,
    audit,
    access,
    memberships,
    session,
)


def endpoints() -> tuple[Endpoint, ...]:
    """The endpoints of every subject."""
    return tuple(endpoint for subject in _SUBJECTS for endpoint in subject.ENDPOINTS)
