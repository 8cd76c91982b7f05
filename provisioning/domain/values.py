"""What a setting is: its kind of value and how one is read, where it may stand, what it is about."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from provisioning.domain.errors import InvalidSetting

Value = str | int | bool | tuple[str, ...]
_Parser = Callable[["Setting", object], Value]


class Level(StrEnum):
    """Where a value can stand, in the order in which later levels override earlier ones."""

    BUILT_IN = "built-in"
    VENDOR = "vendor"
    ORGANISATION = "organisation"
    SITE = "site"
    PROFILE = "profile"
    DEVICE = "device"
    ROLE = "role"
    USER = "user"


STORED_LEVELS = tuple(level for level in Level if level not in (Level.BUILT_IN, Level.VENDOR))


class Scope(StrEnum):
    """What a value is about: the whole device, one station of it, one line, a person, or a rule.

    No template looks at the last two. What is about a person decides which lines and keys a phone
    has, or is for the PBX alone; a rule of the place decides what may be done with its phones.
    """

    DEVICE = "device"
    STATION = "station"
    LINE = "line"
    PERSON = "person"
    RULE = "rule"


class Class(StrEnum):
    """How a value is treated: who may see it and what a hotdesk session may do to it."""

    NORMAL = "normal"
    PLACE = "place"
    SECRET = "secret"  # noqa: S105 - a class of settings, not a secret
    PERSONAL = "personal"


IN_FILES = frozenset({Scope.DEVICE, Scope.STATION, Scope.LINE})
"""The scopes of settings that templates look at."""


class Kind(StrEnum):
    """The type of a value."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"
    ZONE = "zone"
    LANGUAGE = "language"
    COUNTRY = "country"
    HOST = "host"
    URL = "url"
    TIME = "time"
    NUMBER = "number"
    NUMBERS = "numbers"
    ADDRESSES = "addresses"


_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_URL = re.compile(r"(https?|tftp)://[^\s\"'<>]{1,500}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")

PER_CLIENT = "per-client"
"""The word of a choice by which a person leaves it to each phone (FEATURES C1, C2)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key, type, default, where it may stand, and what it is for.

    ``minimum`` and ``maximum`` bound an INTEGER, or the length of a TEXT or LIST. ``choices``
    are the words of a CHOICE or the members allowed in a LIST. ``member`` says who changes it for
    themselves: None nobody, an empty text everybody, else those for whom the boolean setting of
    that key (a right or a feature) is true.
    """

    key: str
    kind: Kind
    default: Value
    help: str
    scope: Scope = Scope.DEVICE
    class_: Class = Class.NORMAL
    levels: tuple[Level, ...] = STORED_LEVELS
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 255
    member: str | None = None

    @property
    def name(self) -> str:
        """The key as templates write it, with underscores for dots and dashes."""
        return self.key.replace(".", "_").replace("-", "_")

    def parse(self, value: object) -> Value:
        """Check a value as it came from JSON, a file or a command; return it in its inside form.

        Raises InvalidSetting with a sentence that says what is allowed.
        """
        return _PARSERS[self.kind](self, value)

    def refuse(self, value: object, allowed: str) -> InvalidSetting:
        """The error for a value this setting does not take."""
        shown = "the value" if self.class_ is Class.SECRET else repr(value)[:60]
        return InvalidSetting(
            f"{shown} is not allowed for the setting '{self.key}'.",
            remedy=f"Give {allowed}.",
            field=self.key,
        )


def _text(setting: Setting, value: object) -> str:
    allowed = f"a text of {setting.minimum} to {setting.maximum} characters on one line"
    if not isinstance(value, str) or _CONTROL.search(value):
        raise setting.refuse(value, allowed)
    if not setting.minimum <= len(value) <= setting.maximum:
        raise setting.refuse(value, allowed)
    return value


def _integer(setting: Setting, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise setting.refuse(value, f"a whole number {setting.minimum} to {setting.maximum}")
    if not setting.minimum <= value <= setting.maximum:
        raise setting.refuse(value, f"a whole number {setting.minimum} to {setting.maximum}")
    return value


def _boolean(setting: Setting, value: object) -> bool:
    if not isinstance(value, bool):
        raise setting.refuse(value, "true or false")
    return value


def _choice(setting: Setting, value: object) -> str:
    if value not in setting.choices:
        raise setting.refuse(value, "one of " + ", ".join(setting.choices))
    return str(value)


def _list(setting: Setting, value: object) -> tuple[str, ...]:
    allowed = "a list of different members out of " + ", ".join(setting.choices)
    if not isinstance(value, list | tuple) or len(set(map(str, value))) != len(value):
        raise setting.refuse(value, allowed)
    if any(member not in setting.choices for member in value):
        raise setting.refuse(value, allowed)
    return tuple(value)


def _numbers(setting: Setting, value: object) -> tuple[str, ...]:
    allowed = f"a list of at most {setting.maximum} phone numbers"
    if not isinstance(value, list | tuple) or len(value) > setting.maximum:
        raise setting.refuse(value, allowed)
    if any(not isinstance(number, str) or not _NUMBER.fullmatch(number) for number in value):
        raise setting.refuse(value, allowed)
    return tuple(value)


def _addresses(setting: Setting, value: object) -> tuple[str, ...]:
    allowed = f"a list of at most {setting.maximum} IP addresses, without a network's length"
    if not isinstance(value, list | tuple) or len(value) > setting.maximum:
        raise setting.refuse(value, allowed)
    try:
        found = [ipaddress.ip_address(text) for text in value if isinstance(text, str)]
    except ValueError:
        raise setting.refuse(value, allowed) from None
    if len(found) != len(value) or any(map(_is_nobodys, found)):
        raise setting.refuse(value, allowed)
    return tuple(str(address) for address in dict.fromkeys(found))


def _is_nobodys(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether nothing comes from an address, or it means something on one machine alone."""
    return address.is_unspecified or address.is_multicast or "%" in str(address)


def _zone(setting: Setting, value: object) -> str:
    allowed = "an IANA time zone such as Europe/Berlin"
    if not isinstance(value, str):
        raise setting.refuse(value, allowed)
    if value:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):  # zoneinfo's own error is a KeyError
            raise setting.refuse(value, allowed) from None
    return value


def _matching(pattern: re.Pattern[str], allowed: str) -> _Parser:
    def parse(setting: Setting, value: object) -> str:
        if not isinstance(value, str) or (value and not pattern.fullmatch(value)):
            raise setting.refuse(value, allowed)
        return value

    return parse


def is_host(text: str) -> bool:
    """Whether the text is a host name or an IP address."""
    if _HOST.fullmatch(text):
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _host(setting: Setting, value: object) -> str:
    if not isinstance(value, str) or (value and not is_host(value)):
        raise setting.refuse(value, "a host name or an IP address")
    return value


_PARSERS: dict[Kind, _Parser] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.LIST: _list,
    Kind.ZONE: _zone,
    Kind.LANGUAGE: _matching(_LANGUAGE, "a language tag such as de or pt-BR"),
    Kind.COUNTRY: _matching(_COUNTRY, "a country code of two capitals such as DE"),
    Kind.HOST: _host,
    Kind.TIME: _matching(_TIME, "a time of day such as 18:30, or an empty text"),
    Kind.NUMBER: _matching(_NUMBER, "a phone number, or an empty text"),
    Kind.URL: _matching(_URL, "a URL that starts with http://, https:// or tftp://"),
    Kind.NUMBERS: _numbers,
    Kind.ADDRESSES: _addresses,
}
