"""The certificates of every TLS listener: made, renewed, and taken up anew on SIGHUP."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import structlog

from provisioning.crypto.authority import Authority
from provisioning.domain.errors import BrokenRule
from provisioning.doors.tls import ReloadableTls

_log = structlog.get_logger(__name__)


class Listener(StrEnum):
    """The listeners that speak TLS; chains from elsewhere can be installed for each."""

    PHONES = "phones"
    PEOPLE = "people"


class Certificates:
    """Our CA and the TLS of each listener that was asked for."""

    def __init__(self, authority: Authority, names: tuple[str, ...]) -> None:
        self.authority = authority
        self._names = names
        self._listeners: dict[Listener, ReloadableTls] = {}

    def tls(self, listener: Listener) -> ReloadableTls:
        """The TLS of a listener; raises BadConfig or BadCertificate."""
        chain = self.authority.chain_for(listener, self._names, datetime.now(UTC))
        self._listeners[listener] = ReloadableTls(chain, listener=listener)
        return self._listeners[listener]

    def reload(self) -> None:
        """Take up installed chains and renew our own; a listener whose chain fails keeps its."""
        for listener, tls in self._listeners.items():
            try:
                tls.reload(self.authority.chain_for(listener, self._names, datetime.now(UTC)))
            except BrokenRule as error:
                _log.error("tls-chains-kept", listener=listener, reason=str(error))
