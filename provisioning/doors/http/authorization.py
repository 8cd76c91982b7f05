"""Reading the Authorization header a phone answers a challenge with.

Only read here: whether the credentials are right is for ``usecases.proof``. Firmware writes this
header in every way the grammar allows and in some it does not, so that quotes, blanks and empty
members are taken as they come; what could be read in two ways is not read at all.
"""

from __future__ import annotations

import base64
import binascii
import re

from provisioning.usecases.requests import BasicCredential, DigestCredential

_SCHEME = re.compile(r"[ \t]*([A-Za-z0-9-]{1,20})[ \t]+(.*)", re.DOTALL)
_PARAMETER = re.compile(
    r"""
    [\s,]*
    ([!#$%&'*+.^_`|~0-9A-Za-z-]+)                  # a token (RFC 9110 section 5.6.2)
    \s*=\s*
    (?: "((?:[^"\\]|\\.)*)" | ([^\s",]*) )         # quoted or bare
    \s*(?=,|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_REST = re.compile(r"[\s,]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MOST_PARAMETERS = 20


def parse_authorization(
    header: str, *, method: str, target: str
) -> BasicCredential | DigestCredential | None:
    """Read a header's value; None if it is of another scheme or malformed. Never raises."""
    match = _SCHEME.fullmatch(header)
    if match is None:
        return None
    scheme, rest = match[1].lower(), match[2]
    if scheme == "basic":
        return _basic(rest.strip())
    if scheme == "digest":
        parameters = _parameters(rest)
        return DigestCredential(method, target, parameters) if parameters else None
    return None


def _basic(encoded: str) -> BasicCredential | None:
    """User and password (RFC 7617 section 2): UTF-8 as our challenge asks, else Latin-1."""
    try:
        raw = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4))
    except (ValueError, binascii.Error):
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    user, colon, password = text.partition(":")
    return BasicCredential(user, password) if colon else None


def _parameters(text: str) -> dict[str, str]:
    """The parameters by lower-case name; empty if any of it is malformed or comes twice."""
    found: dict[str, str] = {}
    position = 0
    while match := _PARAMETER.match(text, position):
        name, quoted, bare = match.groups()
        if name.lower() in found or len(found) == _MOST_PARAMETERS:
            return {}
        found[name.lower()] = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
        position = match.end()
    return found if _REST.fullmatch(text, position) else {}
