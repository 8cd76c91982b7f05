"""THE settings table: every setting a phone or a person can have, written once.

Validation, API schema, template names and docs derive from it. Adding a setting is one entry here,
or in ``personal_settings`` for what is about a person, and its use: in the templates of the
dialects that have a parameter for it, or, for what is about a person, where lines and keys are made
or in what the PBX is given.
"""

from __future__ import annotations

from provisioning.domain.errors import InvalidSetting
from provisioning.domain.hotdesk import Elsewhere, TakeOver
from provisioning.domain.kinds import Way
from provisioning.domain.personal_settings import (
    FUNCTIONS,
    INCOMING,
    PERSONAL,
    line_setting,
)
from provisioning.domain.values import (
    STORED_LEVELS,
    Class,
    Kind,
    Level,
    Scope,
    Setting,
    Value,
    is_host,
)

__all__ = [
    "BY_KEY",
    "CODECS",
    "FUNCTIONS",
    "SETTINGS",
    "STORED_LEVELS",
    "Class",
    "Kind",
    "Level",
    "Scope",
    "Setting",
    "Value",
    "is_host",
    "setting_for",
]

_PLACE_LEVELS = (Level.ORGANISATION, Level.SITE, Level.PROFILE, Level.DEVICE)

CODECS = ("opus", "g722", "pcma", "pcmu", "g729", "g726-32", "ilbc")
WAYS = tuple(Way)


def _place(key: str, kind: Kind, default: Value, help_: str, maximum: int = 255) -> Setting:
    return Setting(
        key, kind, default, help_, class_=Class.PLACE, levels=_PLACE_LEVELS, maximum=maximum
    )


def _rule(
    key: str,
    kind: Kind,
    default: Value,
    help_: str,
    *,
    choices: tuple[str, ...] = (),
    maximum: int = 255,
) -> Setting:
    """A rule of the place: no template looks at it, no person overrides it."""
    return Setting(
        key, kind, default, help_,
        scope=Scope.RULE, class_=Class.PLACE, levels=_PLACE_LEVELS, choices=choices, maximum=maximum,
    )  # fmt: skip


def _rule_among(key: str, help_: str, *choices: str) -> Setting:
    """A rule that is one of several words, by default the first."""
    return _rule(key, Kind.CHOICE, choices[0], help_, choices=choices)


def _phone_secret(key: str, help_: str) -> Setting:
    return Setting(key, Kind.TEXT, "", help_, class_=Class.SECRET, levels=_PLACE_LEVELS, maximum=32)


SETTINGS: tuple[Setting, ...] = (
    # --- what the phone shows and speaks
    Setting(
        "language", Kind.LANGUAGE, "en", "Language of the phone's menus (BCP 47 tag).", member=""
    ),
    Setting("time.zone", Kind.ZONE, "UTC", "IANA time zone of the phone's clock.", member=""),
    Setting("time.24h", Kind.BOOLEAN, True, "24-hour clock instead of 12 hours.", member=""),
    Setting(
        "time.date-format",
        Kind.CHOICE,
        "iso",
        "Order of day, month and year.",
        choices=("iso", "dmy", "mdy"),
        member="",
    ),
    Setting("tone.country", Kind.COUNTRY, "", "Country of the call tones; empty: the phone's own."),
    Setting(
        "idle.text",
        Kind.TEXT,
        "",
        "Text on the idle screen while nobody is assigned; unset: the organisation's display name.",
    ),
    Setting(
        "idle.barred-text",
        Kind.TEXT,
        "Emergency calls only",
        "Text on the idle screen of a person whose outgoing calls are disabled.",
        scope=Scope.PERSON,
    ),
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
    _rule(
        "hotdesk.lease-hours", Kind.INTEGER, 12, "Hours a login lasts; 0: no such end.", maximum=999
    ),
    _rule("hotdesk.daily-end", Kind.TIME, "", "Time of day at which logins end; empty: never."),
    _rule_among("hotdesk.elsewhere", "A login while logged in at another phone.", *Elsewhere),
    _rule_among("hotdesk.take-over", "Who may take an occupied phone.", *TakeOver),
    _rule("hotdesk.show-name", Kind.BOOLEAN, False, "A phone in use tells by whom it is."),
    _place(
        "hotdesk.native",
        Kind.BOOLEAN,
        False,
        "The login key opens the phone's own log-in, where it has one, instead of our screen.",
    ),
    _rule(
        "hotdesk.open-pin",
        Kind.BOOLEAN,
        False,
        "Phones whose screens cannot hide a PIN ask for it all the same.",
    ),
    _rule(
        "guest.numbers", Kind.NUMBERS, (), "Numbers to call while nobody is logged in.", maximum=50
    ),
    _rule("reload.ways", Kind.LIST, WAYS, "Ways to tell phones to reload, in order.", choices=WAYS),
    _place(
        "reload.http-from",
        Kind.ADDRESSES,
        (),
        "Addresses this server asks phones from over HTTP; empty: those that must know them take none.",
        10,
    ),
    _rule("firmware.wanted", Kind.TEXT, "", "Firmware version the phones are to run.", maximum=64),
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
    line_setting(
        "codecs", Kind.LIST, ("g722", "pcma", "pcmu"), "Codecs in order of preference.", CODECS
    ),
    line_setting(
        "srtp",
        Kind.CHOICE,
        "off",
        "Encrypted speech (RFC 3711).",
        ("off", "optional", "required"),
    ),
    line_setting(
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
    line_setting(
        "call-waiting",
        Kind.BOOLEAN,
        True,
        "Signal a second call during a call.",
        member=INCOMING,
    ),
    *PERSONAL,
)

BY_KEY = {setting.key: setting for setting in SETTINGS}

OF_THE_PHONE = ("language", "time.zone")
"""Settings of phones that a PBX speaks and tells the time by, too."""


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
