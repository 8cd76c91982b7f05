"""HTTP authentication of phones, server side: Digest (RFC 7616, RFC 2617) and Basic (RFC 7617).

Nonces carry their own proof, so that a challenge by one replica can be answered to another. Only
the counts of nonces already used (``nc``) are kept in memory, per process: a request replayed to
another process within a nonce's five minutes is the same request for the same file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from provisioning.crypto.secrets import KeyUse, check_keys, derive_key

NONCE_SECONDS = 300
_MILLISECONDS = 1000
_TIME_BYTES = 8
_RANDOM_BYTES = 8
_PROOF_BYTES = 16
_WINDOW = 64
_COUNT = re.compile(r"[0-9a-fA-F]{8}")
_RESPONSE = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
HASHES = {"MD5": "md5", "SHA-256": "sha256"}
"""What ``hashlib`` calls the algorithms of RFC 7616 that both sides of ours know."""


class Verdict(StrEnum):
    """What a credential is worth."""

    GOOD = "good"
    STALE = "stale"
    """User and password are right, the nonce is too old or was used: challenge with ``stale``."""
    WRONG = "wrong"


@dataclass(slots=True)
class _Uses:
    """The counts seen of one nonce: the highest, and a bit for each of the 64 up to it."""

    issued: int
    highest: int = 0
    seen: int = 0

    def take(self, count: int) -> bool:
        """Mark a count as used; False if it was, or is too far back to know."""
        if count > self.highest:
            self.seen = (self.seen << min(count - self.highest, _WINDOW)) | 1
            self.seen &= (1 << _WINDOW) - 1
            self.highest = count
            return True
        behind = self.highest - count
        # The distance comes first: a shift by four thousand million would fill the memory.
        if behind >= _WINDOW or self.seen >> behind & 1:
            return False
        self.seen |= 1 << behind
        return True


class Nonces:
    """Gives out nonces and judges them; safe to share between threads.

    ``server_keys`` are the server keys, the first of which makes nonces. ``clock`` gives Unix
    seconds. At most ``remembered`` nonces have their counts kept; when one is dropped early, all
    unknown nonces of its age or older count as stale, so that flooding cannot bring a replay.
    """

    def __init__(
        self,
        server_keys: Sequence[bytes],
        *,
        clock: Callable[[], float] = time.time,
        remembered: int = 10_000,
    ) -> None:
        self._keys = [derive_key(key, KeyUse.NONCES) for key in check_keys(server_keys)]
        self._clock = clock
        self._remembered = remembered
        self._uses: OrderedDict[str, _Uses] = OrderedDict()
        self._forgotten_until = 0
        self._lock = threading.Lock()

    def new(self, realm: str) -> str:
        """Make a nonce for a realm: base64url of time, randomness and proof."""
        now = int(self._clock() * _MILLISECONDS)
        head = now.to_bytes(_TIME_BYTES, "big") + os.urandom(_RANDOM_BYTES)
        return base64.urlsafe_b64encode(head + _proof(self._keys[0], head, realm)).decode()

    def issued(self, nonce: str, realm: str) -> int | None:
        """When the nonce was made, in Unix milliseconds, or None if it is not one of ours."""
        try:
            raw = base64.b64decode(nonce.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return None
        head, proof = raw[:-_PROOF_BYTES], raw[-_PROOF_BYTES:]
        if len(raw) != _TIME_BYTES + _RANDOM_BYTES + _PROOF_BYTES:
            return None
        if not any(hmac.compare_digest(_proof(key, head, realm), proof) for key in self._keys):
            return None
        return int.from_bytes(head[:_TIME_BYTES], "big")

    def is_fresh(self, nonce: str, realm: str) -> bool:
        """Whether the nonce is one of ours that can still be answered."""
        issued = self.issued(nonce, realm)
        return issued is not None and self._is_young(issued)

    def _is_young(self, issued: int) -> bool:
        # Both ways, or a clock set back would leave nonces that live for months.
        now = int(self._clock() * _MILLISECONDS)
        return abs(now - issued) <= NONCE_SECONDS * _MILLISECONDS

    def take(self, nonce: str, issued: int, count: int) -> bool:
        """Use up a count of a nonce whose response was right; False if too old or used before."""
        if not self._is_young(issued):
            return False
        now = int(self._clock() * _MILLISECONDS)
        with self._lock:
            uses = self._uses.get(nonce)
            if uses is None:
                # After a step back of the clock the mark would lie ahead and refuse everybody.
                if issued <= min(self._forgotten_until, now - 1):
                    return False
                uses = self._uses[nonce] = _Uses(issued)
                self._drop_oldest()
            return uses.take(count)

    def _drop_oldest(self) -> None:
        while len(self._uses) > self._remembered:
            _, dropped = self._uses.popitem(last=False)
            self._forgotten_until = max(self._forgotten_until, dropped.issued)


def _proof(key: bytes, head: bytes, realm: str) -> bytes:
    return hmac.digest(key, head + _bytes(realm), "sha256")[:_PROOF_BYTES]


def _bytes(text: str) -> bytes:
    # Headers may hold what is not UTF-8; nothing a client sends may raise here.
    return text.encode("utf-8", "surrogatepass")


def quoted(text: str) -> str:
    """A quoted string (RFC 7230 section 3.2.6)."""
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def challenge_headers(
    realm: str,
    nonces: Nonces,
    *,
    tls: bool,
    stale: bool = False,
    algorithms: Collection[str] = tuple(HASHES),
) -> tuple[str, ...]:
    """The values of the ``WWW-Authenticate`` headers of a 401, in the order to send them.

    MD5 comes before SHA-256, although RFC 7616 section 3.7 puts the preferred one first: clients
    that know both choose for themselves, while firmware written for RFC 2617 takes the first
    challenge and gives up on an algorithm it has never heard of. With the long random passwords
    phones are given, MD5 loses little. Basic is offered last, and only inside TLS.
    """
    ending = ", stale=true" if stale else ""
    common = f'Digest realm={quoted(realm)}, qop="auth", nonce="{nonces.new(realm)}"'
    digests = tuple(f"{common}, algorithm={name}{ending}" for name in algorithms)
    basic = (f'Basic realm={quoted(realm)}, charset="UTF-8"',) if tls else ()
    return digests + basic


@dataclass(frozen=True, slots=True)
class _Answer:
    """The parameters of an Authorization header that have the right form."""

    user: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    count: str
    client_nonce: str
    qop: str


def _read(sent: Mapping[str, str]) -> _Answer | None:
    """Read the parameters; None where one is missing or asks for what was not offered.

    Without ``algorithm`` MD5 is meant (RFC 7616 section 3.4). Without ``qop`` the answer is of
    RFC 2069's kind, which counts nothing and can be replayed: refused. ``userhash`` and the
    ``-sess`` algorithms were not offered.
    """
    lower = {name.lower(): value for name, value in sent.items()}
    answer = _Answer(
        user=lower.get("username", ""),
        realm=lower.get("realm", ""),
        nonce=lower.get("nonce", ""),
        uri=lower.get("uri", ""),
        response=lower.get("response", "").lower(),
        algorithm=lower.get("algorithm", "MD5").upper(),
        count=lower.get("nc", ""),
        client_nonce=lower.get("cnonce", ""),
        qop=lower.get("qop", ""),
    )
    offered = answer.algorithm in HASHES and answer.qop.lower() == "auth"
    formed = _COUNT.fullmatch(answer.count) and _RESPONSE.fullmatch(answer.response)
    if not (offered and formed and answer.client_nonce and answer.user):
        return None
    return None if lower.get("userhash", "false").lower() == "true" else answer


def hashed_login(algorithm: str, *, user: str, realm: str, password: str) -> str:
    """The part of a response that is the same in all (H(A1), RFC 7616 section 3.4.2).

    Whoever has it can answer as that user in that realm, and try passwords out.
    """
    return _hash(algorithm, user, realm, password)


def _hash(algorithm: str, *parts: str) -> str:
    joined = _bytes(":".join(parts))
    return hashlib.new(HASHES[algorithm], joined, usedforsecurity=False).hexdigest()


def response(
    algorithm: str,
    *,
    user: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    used: Sequence[str],
) -> str:
    """The response a password gives (RFC 7616 sections 3.4.1 to 3.4.3).

    ``used`` is what stands between the two hashes: nonce, count, client nonce and ``qop``; the
    nonce alone where there is no ``qop`` (RFC 2617 section 3.2.2.1).
    """
    login = hashed_login(algorithm, user=user, realm=realm, password=password)
    return _hash(algorithm, login, *used, _hash(algorithm, method, uri))


def _expected(answer: _Answer, method: str, login: str) -> str:
    used = (answer.nonce, answer.count, answer.client_nonce, answer.qop)
    return _hash(answer.algorithm, login, *used, _hash(answer.algorithm, method, answer.uri))


def _same_target(uri: str, target: str) -> bool:
    """Whether the ``uri`` parameter names the request's target; it may be absolute."""
    if uri == target:
        return True
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "") == target


def verify_digest(
    sent: Mapping[str, str],
    nonces: Nonces,
    *,
    method: str,
    target: str,
    realm: str,
    user: str,
    password: str | None = None,
    hashed: str | None = None,
) -> Verdict:
    """Judge the parameters of an ``Authorization: Digest`` header.

    ``target`` is the request's target as it came (path and query, still encoded), ``user`` and
    ``password`` what is stored, or ``hashed``, its ``hashed_login`` by MD5. Neither, or an empty
    one, is never matched, in the same time. STALE is only said to who knows the password. No
    parameter, however odd, raises.
    """
    answer = _read(sent)
    if answer is None or answer.realm != realm or not _same_target(answer.uri, target):
        return Verdict.WRONG
    issued = nonces.issued(answer.nonce, realm)
    known = password or (hashed if answer.algorithm == "MD5" else None)
    secret = password or os.urandom(16).hex()
    login = hashed_login(answer.algorithm, user=answer.user, realm=realm, password=secret)
    expected = _expected(answer, method, known if known and not password else login)
    right = hmac.compare_digest(expected, answer.response) & _same(answer.user, user)
    if not (right and known) or issued is None:
        return Verdict.WRONG
    count = int(answer.count, 16)
    return Verdict.GOOD if nonces.take(answer.nonce, issued, count) else Verdict.STALE


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(_bytes(one), _bytes(other))


def verify_basic(sent_user: str, sent_password: str, *, user: str, password: str | None) -> Verdict:
    """Judge user and password of an ``Authorization: Basic`` header; both have to be right."""
    right = _same(sent_user, user) & _same(sent_password, password or os.urandom(16).hex())
    return Verdict.GOOD if right and password else Verdict.WRONG
