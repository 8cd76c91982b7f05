"""TLS as the listeners serve it: both kinds of chains, swapped while running, failures told.

asyncio neither logs a failed handshake nor sends its TLS alert, which leaves "the phone does not
fetch" without a trace at either end. The SSL object made here does both; only a client that
hangs up without a word still leaves nothing to tell. Why a bare context:
``create_default_context`` adds checks that factory certificates of phones do not pass.
"""

from __future__ import annotations

import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog

from provisioning.crypto.chains import ServerChain
from provisioning.domain.errors import BadCertificate

HANDSHAKE_TIMEOUT = 10.0
"""Seconds a client has for its handshake: ``ssl_handshake_timeout`` of ``create_server``."""

SHUTDOWN_TIMEOUT = 5.0
"""Seconds a client has to answer our close: ``ssl_shutdown_timeout`` of ``create_server``."""

_RECENT = 256

_log = structlog.get_logger(__name__)

peer_of_handshake: ContextVar[str] = ContextVar("peer_of_handshake", default="")
"""Whose handshake runs in this task; set before a connection is given to the loop."""

_NOT_TRUSTED = (
    "the client does not trust this server's chain: give it the CA, or install a chain it knows"
)
_ADVICE = {
    "HTTP_REQUEST": "plain HTTP was spoken to the HTTPS port: correct the URL's scheme or port",
    "HTTPS_PROXY_REQUEST": "the client takes this port for a proxy",
    "NO_SHARED_CIPHER": "the client knows none of our ciphers: its firmware is too old",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "the client takes no signature our certificates can make",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client has no certificate of its own",
    "CERTIFICATE_VERIFY_FAILED": "the client's certificate is not of a CA imported here",
    "SSLV3_ALERT_BAD_CERTIFICATE": _NOT_TRUSTED,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the client holds our certificate expired: check its clock",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _NOT_TRUSTED,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the client found nothing in common: its firmware is too old",
    "TLSV1_ALERT_UNKNOWN_CA": _NOT_TRUSTED,
    "UNSUPPORTED_PROTOCOL": "the client offers nothing newer than TLS 1.1; only the legacy "
    "listener takes that",
    "VERSION_TOO_LOW": "the client offers nothing newer than TLS 1.1; only the legacy "
    "listener takes that",
    "WRONG_VERSION_NUMBER": "what the client sent is not TLS",
}


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """Why a handshake failed: OpenSSL's ``reason``, what to make of it, and whose it was.

    ``peer`` is empty if the listening socket was not made by ``ListeningSocket``.
    ``verify_code`` is OpenSSL's X509_V_ERR number if a client certificate was refused, else 0.
    """

    reason: str
    advice: str
    peer: str = ""
    verify_code: int = 0
    verify_message: str = ""


class HandshakeFailures:
    """Logs failed handshakes, counts them by reason and keeps the last 256."""

    def __init__(self, listener: str) -> None:
        self.listener = listener
        self.counts: Counter[str] = Counter()
        self.recent: deque[HandshakeFailure] = deque(maxlen=_RECENT)

    def record(self, failure: HandshakeFailure) -> None:
        """Take note of a failure. The reasons are OpenSSL's constants, so that they are few."""
        self.counts[failure.reason] += 1
        self.recent.append(failure)
        _log.warning(
            "tls-handshake-failed",
            listener=self.listener,
            peer=failure.peer,
            reason=failure.reason,
            advice=failure.advice,
            verify_code=failure.verify_code,
            verify_message=failure.verify_message,
        )


class ListeningSocket(socket.socket):
    """A listening socket that tells the handshakes it accepts whose they are.

    asyncio makes a connection's task right after ``accept`` and in the same context, from where
    the SSL object reads ``peer_of_handshake``; it has no other way to learn of its peer.
    """

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection as every socket does, and note the peer's address."""
        connection, address = super().accept()
        peer_of_handshake.set(str(address[0]))
        return connection, address


def _failure(error: ssl.SSLError, peer: str) -> HandshakeFailure:
    reason = error.reason or "UNKNOWN"
    advice = _ADVICE.get(reason, "")
    if isinstance(error, ssl.SSLCertVerificationError):
        return HandshakeFailure(reason, advice, peer, error.verify_code, error.verify_message)
    return HandshakeFailure(reason, advice, peer)


def _reporting_class(report: Callable[[HandshakeFailure], None]) -> type[ssl.SSLObject]:
    """An SSL object that reports why its handshake failed and lets the alert out first."""

    class ReportingSSLObject(ssl.SSLObject):
        """One connection's TLS."""

        _failed: ssl.SSLError | None = None

        def do_handshake(self) -> None:
            """Go on with the handshake; a failure is raised at the call after its alert."""
            if self._failed is not None:
                raise self._failed
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                self._failed = error
                report(_failure(error, peer_of_handshake.get()))
                # asyncio drops what OpenSSL has written when a handshake fails, the alert
                # included, but sends it when more input is wanted. The client then closes, or
                # the handshake's time runs out.
                raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "alert pending") from error

    return ReportingSSLObject


def server_context(chain: ServerChain) -> ssl.SSLContext:
    """A context that serves the RSA and the ECDSA chain, whichever the client can verify.

    TLS 1.2 or newer, no client certificates. Raises BadCertificate if a chain cannot be loaded.
    """
    if not chain.files:
        raise BadCertificate("There is no chain to serve.", remedy="Install one, or use our own.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    for files in chain.files:
        try:
            context.load_cert_chain(files.chain, files.key)
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else error
            raise BadCertificate(
                f"The chain '{files.chain}' with key '{files.key}' cannot be loaded: {reason}.",
                remedy="Install chain and key again.",
            ) from error
    return context


class ReloadableTls:
    """One listener's TLS, whose chains can be replaced while connections are open.

    ``context`` is the object to give to ``create_server``; it stays the same. Each handshake,
    with or without a server name, is moved to the newest context by the server-name callback,
    which OpenSSL calls before it chooses a certificate. Loading into the live context would not
    do: a pair that does not fit leaves it without a key, and a chain could not be taken away.
    """

    def __init__(self, chain: ServerChain, *, listener: str) -> None:
        self.failures = HandshakeFailures(listener)
        self._newest = server_context(chain)
        self.context = server_context(chain)
        self.context.sslobject_class = _reporting_class(self.failures.record)
        self.context.sni_callback = self._move_to_newest

    def reload(self, chain: ServerChain) -> None:
        """Serve these chains from the next handshake on; open connections stay as they are.

        Raises BadCertificate if they cannot be loaded; the former are then served on.
        """
        self._newest = server_context(chain)
        _log.info("tls-chains-reloaded", listener=self.failures.listener)

    def _move_to_newest(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _old: ssl.SSLContext
    ) -> None:
        connection.context = self._newest
