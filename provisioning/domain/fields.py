"""The rules single fields keep, whatever door a value came by."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum

from provisioning.domain.errors import InvalidInput
from provisioning.domain.kinds import NumberKind
from provisioning.domain.settings import is_host

_EXTENSION = re.compile(r"[0-9]{2,10}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\"<>]{1,64}@[^@\s\x00-\x1f\"<>]{1,190}\.[^@\s.]{2,63}")
_SIP_USER = re.compile(r"[A-Za-z0-9._+*#~-]{1,64}")
_DIALLED = re.compile(r"\+?[0-9*#]{1,32}")
_VOICEMAIL_PIN = re.compile(r"[0-9]{4,10}")
_CODE = re.compile(r"[0-9*#+]{1,16}")
_E164 = re.compile(r"\+[1-9][0-9]{3,14}")
_TRUNK = re.compile(r"[(\[]\s*0")
_SPELLING = re.compile(r"[\s()\[\]./-]")
CODES = (
    "voicemail", "pickup", "park", "retrieve", "record", "anonymous", "hotdesk", "caller-id", "barge",
    "listen", "whisper",
)  # fmt: skip
"""The feature codes a SIP server can have; the last four are dialled before a number."""


def _bad(field: str, value: object, allowed: str) -> InvalidInput:
    return InvalidInput(
        f"{value!r:.60} is not allowed for '{field}'.", remedy=f"Give {allowed}.", field=field
    )


def name(field: str, value: str, *, longest: int = 100, empty: bool = False) -> str:
    """A name people see: one line, no control characters, blanks at its ends removed."""
    text = value.strip()
    odd = any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)
    if odd or len(text) > longest or not (text or empty):
        raise _bad(field, value, f"a text on one line of 1 to {longest} characters")
    return text


def extension(value: str | None) -> str | None:
    """An internal number: 2 to 10 digits; empty means none."""
    if value and not _EXTENSION.fullmatch(value):
        raise _bad("extension", value, "2 to 10 digits, or leave it out")
    return value or None


def email(value: str | None) -> str | None:
    """An e-mail address, in lower case; empty means none."""
    if value and not _EMAIL.fullmatch(value):
        raise _bad("email", value, "an address such as ada@example.com, or leave it out")
    return value.lower() if value else None


def voicemail_pin(value: str) -> str:
    """A voicemail PIN: 4 to 10 digits; empty means no access from elsewhere. Never repeated."""
    if value and not _VOICEMAIL_PIN.fullmatch(value):
        raise InvalidInput(
            "A voicemail PIN has 4 to 10 digits and nothing else.",
            remedy="Give such a one, or an empty text to switch remote access off.",
            field="pin",
        )
    return value


def host(field: str, value: str, *, empty: bool = False) -> str:
    """A host name or an IP address."""
    if not (is_host(value) or (empty and not value)):
        raise _bad(field, value, "a host name or an IP address")
    return value


def port(field: str, value: int) -> int:
    """A port number."""
    if not 1 <= value <= 65535:
        raise _bad(field, value, "a port number 1 to 65535")
    return value


def word(field: str, value: str, words: type[StrEnum]) -> str:
    """One of an enumeration's words."""
    listed = [str(item) for item in words]
    if value not in listed:
        raise _bad(field, value, "one of " + ", ".join(listed))
    return value


def networks(field: str, values: list[str]) -> list[str]:
    """Networks in CIDR form, normalised; a host's address is a network of one."""
    found = []
    for value in values:
        try:
            found.append(str(ipaddress.ip_network(value, strict=False)))
        except ValueError:
            raise _bad(field, value, "networks such as 192.0.2.0/24 or 2001:db8::/48") from None
    return found


def sip_user(field: str, value: str) -> str:
    """A SIP user or authentication name."""
    if not _SIP_USER.fullmatch(value):
        raise _bad(field, value, "1 to 64 letters, digits and . _ + * # ~ -")
    return value


def sip_password(field: str, value: str) -> str:
    """A SIP password: what every dialect can carry on one line."""
    if not 1 <= len(value) <= 128 or any(not 32 < ord(c) < 127 for c in value):
        raise InvalidInput(
            f"The value is not allowed for '{field}'.",
            remedy="Give 1 to 128 ASCII characters without blanks.",
            field=field,
        )
    return value


def codes(field: str, values: Mapping[str, str]) -> dict[str, str]:
    """Feature codes by name."""
    for key, value in values.items():
        if key not in CODES:
            raise _bad(field, key, "codes named " + ", ".join(CODES))
        if not _CODE.fullmatch(value):
            raise _bad(f"{field}.{key}", value, "1 to 16 digits, * or #")
    return dict(values)


def e164(field: str, value: str) -> str:
    """A number of the world with its plus sign (ITU-T E.164); blanks, dashes and brackets go.

    A bracketed trunk prefix is refused: without its brackets it would be part of the number.
    """
    plain = _SPELLING.sub("", value)
    if _TRUNK.search(value) or not _E164.fullmatch(plain):
        raise _bad(field, value, "a number such as +49 30 1234567, without a 0 behind the country")
    return plain


def dialled(field: str, value: str) -> str:
    """What a phone dials, without blanks, dashes and brackets; empty means none."""
    plain = _SPELLING.sub("", value)
    if plain and not _DIALLED.fullmatch(plain):
        raise _bad(field, value, "a number of 1 to 32 digits, * or #, or leave it out")
    return plain


def numbers(field: str, values: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """A contact's numbers: at most eight, each with a kind; blanks, dashes and brackets go."""
    found = []
    for value in values:
        kind = word(f"{field}.kind", value["kind"], NumberKind)
        plain = _SPELLING.sub("", value["number"])
        if not _DIALLED.fullmatch(plain):
            raise _bad(f"{field}.number", value["number"], "a number such as 1001 or +49 30 1234")
        found.append({"kind": kind, "number": plain})
    if len(found) > 8:
        raise _bad(field, len(found), "at most 8 numbers")
    return found
