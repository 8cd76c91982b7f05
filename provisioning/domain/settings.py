"""THE settings table: every setting a phone can show, written once.

Validation, API schema, template names and docs derive from it. Adding a setting is one entry here
and its use in the templates of the dialects that have a parameter for it.
"""

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
    """What a value is about: the whole device, one station of it, or one line."""

    DEVICE = "device"
    STATION = "station"
    LINE = "line"


class Class(StrEnum):
    """How a value is treated: who may see it and what a hotdesk session may do to it."""

    NORMAL = "normal"
    PLACE = "place"
    SECRET = "secret"  # noqa: S105 - a class of settings, not a secret
    PERSONAL = "personal"


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
    NUMBERS = "numbers"


_PLACE_LEVELS = (Level.ORGANISATION, Level.SITE, Level.PROFILE, Level.DEVICE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_URL = re.compile(r"(https?|tftp)://[^\s\"'<>]{1,500}")
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")

CODECS = ("opus", "g722", "pcma", "pcmu", "g729", "g726-32", "ilbc")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key, type, default, where it may stand, and what it is for.

    ``minimum`` and ``maximum`` bound an INTEGER, or the length of a TEXT or LIST. ``choices``
    are the words of a CHOICE or the members allowed in a LIST.
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


def _place(key: str, kind: Kind, default: Value, help_: str, maximum: int = 255) -> Setting:
    return Setting(
        key, kind, default, help_, class_=Class.PLACE, levels=_PLACE_LEVELS, maximum=maximum
    )


def _phone_secret(key: str, help_: str) -> Setting:
    return Setting(key, Kind.TEXT, "", help_, class_=Class.SECRET, levels=_PLACE_LEVELS, maximum=32)


def _line(
    key: str, kind: Kind, default: Value, help_: str, choices: tuple[str, ...] = ()
) -> Setting:
    return Setting(f"line.{key}", kind, default, help_, scope=Scope.LINE, choices=choices)


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
    Kind.URL: _matching(_URL, "a URL that starts with http://, https:// or tftp://"),
    Kind.NUMBERS: _numbers,
}

SETTINGS: tuple[Setting, ...] = (
    # --- what the phone shows and speaks
    Setting("language", Kind.LANGUAGE, "en", "Language of the phone's menus (BCP 47 tag)."),
    Setting("time.zone", Kind.ZONE, "UTC", "IANA time zone of the phone's clock."),
    Setting("time.24h", Kind.BOOLEAN, True, "24-hour clock instead of 12 hours."),
    Setting(
        "time.date-format",
        Kind.CHOICE,
        "iso",
        "Order of day, month and year.",
        choices=("iso", "dmy", "mdy"),
    ),
    Setting("tone.country", Kind.COUNTRY, "", "Country of the call tones; empty: the phone's own."),
    Setting("idle.text", Kind.TEXT, "", "Text on the idle screen while nobody is assigned."),
    # --- the network, which belongs to the place
    _place("ntp.server-1", Kind.HOST, "pool.ntp.org", "First time server (SNTP, RFC 5905)."),
    _place("ntp.server-2", Kind.HOST, "", "Second time server; empty: none."),
    _place("vlan.id", Kind.INTEGER, 0, "VLAN of the phone's own traffic; 0: untagged.", 4094),
    _place("vlan.priority", Kind.INTEGER, 5, "IEEE 802.1p priority of the phone's VLAN.", 7),
    _place("vlan.pc-id", Kind.INTEGER, 0, "VLAN of the port for a computer; 0: untagged.", 4094),
    _place("vlan.pc-priority", Kind.INTEGER, 0, "IEEE 802.1p priority of the PC port.", 7),
    _place("vlan.lldp", Kind.BOOLEAN, True, "Take the VLAN from LLDP-MED when a switch says it."),
    _place("qos.sip-dscp", Kind.INTEGER, 26, "DSCP of signalling (RFC 2474).", 63),
    _place("qos.rtp-dscp", Kind.INTEGER, 46, "DSCP of speech (RFC 3246: EF is 46).", 63),
    _place("syslog.server", Kind.HOST, "", "Host that takes the phone's log; empty: none."),
    _place("syslog.port", Kind.INTEGER, 514, "UDP port of the syslog server.", 65535),
    _place("syslog.level", Kind.INTEGER, 4, "Least severe syslog level sent (RFC 5424).", 7),
    _place("emergency.numbers", Kind.NUMBERS, ("112", "911"), "Numbers never barred.", 20),
    # --- the phone itself
    Setting(
        "web.mode",
        Kind.CHOICE,
        "https",
        "The phone's own web pages.",
        choices=("off", "https", "both"),
        levels=_PLACE_LEVELS,
    ),
    _phone_secret("admin.password", "Password of the phone's administrator; empty: generated."),
    _phone_secret("user.password", "Password of the phone's user level; empty: generated."),
    Setting(
        "provisioning.poll-minutes",
        Kind.INTEGER,
        1440,
        "How often the phone asks for its files; 0: only when it boots.",
        levels=_PLACE_LEVELS,
        maximum=43200,
    ),
    Setting("phonebook.url", Kind.URL, "", "Remote phone book; empty: none."),
    Setting("phonebook.name", Kind.TEXT, "Directory", "Title of the remote phone book."),
    # --- lines
    _line("codecs", Kind.LIST, ("g722", "pcma", "pcmu"), "Codecs in order of preference.", CODECS),
    _line(
        "srtp",
        Kind.CHOICE,
        "off",
        "Encrypted speech (RFC 3711).",
        ("off", "optional", "required"),
    ),
    _line(
        "dtmf",
        Kind.CHOICE,
        "rfc4733",
        "How keypad tones are sent.",
        ("rfc4733", "sip-info", "inband"),
    ),
    Setting(
        "line.register-seconds",
        Kind.INTEGER,
        3600,
        "Registration interval asked of the registrar, in seconds.",
        scope=Scope.LINE,
        minimum=60,
        maximum=86400,
    ),
    _line("call-waiting", Kind.BOOLEAN, True, "Signal a second call during a call."),
)

BY_KEY = {setting.key: setting for setting in SETTINGS}


def setting_for(key: str, level: Level) -> Setting:
    """The setting of that key, if a value may stand at that level; else InvalidSetting."""
    setting = BY_KEY.get(key)
    if setting is None:
        raise InvalidSetting(
            f"There is no setting '{key[:60]}'.",
            remedy="GET /api/v1/settings lists them all.",
            field=key[:60],
        )
    if level not in setting.levels:
        raise InvalidSetting(
            f"The setting '{key}' cannot stand at the level {level}.",
            remedy="It can stand at: " + ", ".join(setting.levels) + ".",
            field=key,
        )
    return setting
