"""Answering a Digest challenge as a client (RFC 7616), of SIP (RFC 3261 section 22) or HTTP."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from provisioning.crypto.digest import HASHES, quoted, response

_PARAMETER = re.compile(
    r"""
    [\s,]*
    ([!#$%&'*+.^_`|~0-9A-Za-z-]+) \s*=\s*
    (?: "((?:[^"\\]|\\.)*)" | ([^\s",]*) )
    \s*(?=,|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_DIGEST = re.compile(r"\s*digest\s+(.*)", re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MOST_PARAMETERS = 20


def answer(
    challenges: Sequence[str], *, method: str, uri: str, user: str, password: str
) -> str | None:
    """The value of the Authorization header that answers the first challenge we can.

    MD5 and SHA-256, with ``qop=auth`` or without ``qop`` as RFC 2617 still allows; None where
    there is no such challenge. Never raises for what a server sends.
    """
    for challenge in challenges:
        found = _parameters(challenge)
        algorithm = found.get("algorithm", "MD5").upper()
        offered = [word.strip().lower() for word in found.get("qop", "").split(",")]
        known = algorithm in HASHES and (offered == [""] or "auth" in offered)
        if known and "realm" in found and found.get("nonce"):
            return _answer(
                found, algorithm, "auth" in offered,
                method=method, uri=uri, user=user, password=password,
            )  # fmt: skip
    return None


def _answer(
    found: dict[str, str],
    algorithm: str,
    counted: bool,
    *,
    method: str,
    uri: str,
    user: str,
    password: str,
) -> str:
    realm, nonce, client = found["realm"], found["nonce"], secrets.token_hex(8)
    members = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    members["response"] = response(
        algorithm,
        user=user,
        realm=realm,
        password=password,
        method=method,
        uri=uri,
        used=(nonce, "00000001", client, "auth") if counted else (nonce,),
    )
    if "opaque" in found:
        members["opaque"] = found["opaque"]
    written = [f"{name}={quoted(value)}" for name, value in members.items()]
    written.append(f"algorithm={algorithm}")
    if counted:
        written += ["qop=auth", "nc=00000001", f'cnonce="{client}"']
    return "Digest " + ", ".join(written)


def _parameters(challenge: str) -> dict[str, str]:
    """The parameters by lower-case name; empty if it is of another scheme or malformed."""
    match = _DIGEST.fullmatch(challenge)
    if match is None or _CONTROL.search(challenge):
        return {}
    found: dict[str, str] = {}
    position, text = 0, match[1]
    while len(found) <= _MOST_PARAMETERS and (part := _PARAMETER.match(text, position)):
        name, escaped, bare = part.groups()
        if name.lower() in found:
            return {}
        found[name.lower()] = bare if escaped is None else _ESCAPED.sub(r"\1", escaped)
        position = part.end()
    return found if not text[position:].strip(" \t,") else {}
