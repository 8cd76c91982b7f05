"""THE settings table: every setting a phone or a person can have, written once.

Validation, API schema, template names and docs derive from it. Adding a setting is one entry here
and its use: in the templates of the dialects that have a parameter for it, or, for what is about
a person, where lines and keys are made or in what the PBX is given. FEATURES' ids stand behind
the entries they ask for.
"""

from __future__ import annotations

from provisioning.domain.errors import InvalidSetting
from provisioning.domain.kinds import Way
from provisioning.domain.values import (
    PER_CLIENT,
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
_PEOPLE_LEVELS = (Level.ORGANISATION, Level.ROLE, Level.USER)
_INCOMING, _OUTGOING, _VOICEMAIL = "right.incoming", "right.outgoing", "feature.voicemail"

CODECS = ("opus", "g722", "pcma", "pcmu", "g729", "g726-32", "ilbc")
WAYS = tuple(Way)
FUNCTIONS = (
    "record", "anonymous", "account-code", "callback", "caller-ids", "barge", "listen", "whisper",
    "shared-voicemail", "voicemail", "pickup",
)  # fmt: skip
"""Functions of a person that can have a key made for them."""


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


def _line(
    key: str,
    kind: Kind,
    default: Value,
    help_: str,
    choices: tuple[str, ...] = (),
    *,
    member: str | None = None,
) -> Setting:
    return Setting(
        f"line.{key}", kind, default, help_, scope=Scope.LINE, choices=choices, member=member
    )


def _allowed(key: str, help_: str, *, member: str) -> Setting:
    words = (PER_CLIENT, "enabled", "disabled")
    return _line(key, Kind.CHOICE, PER_CLIENT, help_, words, member=member)


def _person(
    key: str,
    kind: Kind,
    default: Value,
    help_: str,
    *,
    choices: tuple[str, ...] = (),
    member: str | None = None,
    scope: Scope = Scope.PERSON,
) -> Setting:
    return Setting(
        key, kind, default, help_,
        scope=scope, levels=_PEOPLE_LEVELS, choices=choices, member=member,
    )  # fmt: skip


def _feature(
    key: str, help_: str, *, default: bool = False, scope: Scope = Scope.PERSON
) -> Setting:
    return _person(f"feature.{key}", Kind.BOOLEAN, default, help_, scope=scope)


def _right(key: str, help_: str, *, default: bool = True, scope: Scope = Scope.PERSON) -> Setting:
    return _person(f"right.{key}", Kind.BOOLEAN, default, help_, scope=scope)


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
    _rule_among(
        "hotdesk.elsewhere", "A login while logged in at another phone.", "move", "deny", "several"
    ),
    _rule_among(
        "hotdesk.take-over", "Who may take an occupied phone.", "nobody", "owner", "permission"
    ),
    _rule(
        "guest.numbers", Kind.NUMBERS, (), "Numbers to call while nobody is logged in.", maximum=50
    ),
    _rule("reload.ways", Kind.LIST, WAYS, "Ways to tell phones to reload, in order.", choices=WAYS),
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
    _line(
        "call-waiting",
        Kind.BOOLEAN,
        True,
        "Signal a second call during a call.",
        member=_INCOMING,
    ),
    # --- calls of a person
    _allowed("incoming", "Incoming calls; disabled: do not disturb.", member=_INCOMING),
    _allowed("outgoing", "Outgoing calls; disabled: emergency calls only.", member=_OUTGOING),
    _line("anonymous", Kind.BOOLEAN, False, "Calls hide the caller's number.", member=_OUTGOING),
    _person(
        "call.method",
        Kind.CHOICE,
        "own-line",
        "How outgoing calls are made.",
        choices=("own-line", "callback", "other-account"),
        member=_OUTGOING,
    ),
    _person(
        "call.callback-number",
        Kind.NUMBER,
        "",
        "Number dialled for the method callback.",
        member=_OUTGOING,
    ),
    Setting(
        "call.account",
        Kind.INTEGER,
        1,
        "Account the method other-account calls by, from 1.",
        scope=Scope.PERSON,
        levels=_PEOPLE_LEVELS,
        minimum=1,
        maximum=20,
        member=_OUTGOING,
    ),
    _person(
        "call.recording",
        Kind.CHOICE,
        "never",
        "Which calls are recorded.",
        choices=("never", "external", "always", "on-demand"),
    ),
    # --- features, switched on and off by admins
    _feature("mobile-app", "The mobile app may be used."),
    _feature("web-calls", "Calls may be made from a browser."),
    _feature("operator-console", "The keys and rights of an operator's place."),
    _feature("voicemail", "A mailbox, its key and its lamp.", default=True),
    _feature("sim", "A SIM card that is the same line as the desk phone."),
    _feature("hotdesking", "May log in on phones.", default=True),
    _feature("several-caller-ids", "More than one number to call out with."),
    _feature("busy-reject", "Busy on busy, and a rejected call is rejected on every device."),
    # --- rights: what a person may do
    _right("incoming", "May configure incoming calls, on the phone too.", scope=Scope.DEVICE),
    _right("outgoing", "May configure outgoing calls, on the phone too.", scope=Scope.DEVICE),
    _right("avatar", "May choose a picture of their own."),
    _right("cover", "May choose a wallpaper of their own.", scope=Scope.DEVICE),
    _right("presence", "Sees the state of the department's members."),
    _right("calls", "Sees and can pick up the department's calls."),
    _right("pickup", "May pick up others' calls."),
    _right("park", "May park calls and pick up parked ones."),
    _right("ivr", "May send calls to voice applications."),
    _right("barge", "May join others' calls, as an operator.", default=False),
    _right("listen", "May listen to others' calls, as an operator.", default=False),
    _right("whisper", "May speak to one side of others' calls, as an operator.", default=False),
    _right("record", "May record calls."),
    _person(
        "right.record-calls",
        Kind.CHOICE,
        "own",
        "Whose calls a person may record.",
        choices=("own", "department", "all"),
    ),
    _person(
        "privacy.show-calls",
        Kind.BOOLEAN,
        True,
        "Others see whom a person speaks with.",
        member="",
    ),
    _person(
        "voicemail.notify",
        Kind.BOOLEAN,
        False,
        "Tell of new messages by e-mail.",
        member=_VOICEMAIL,
    ),
    _person(
        "voicemail.summary",
        Kind.BOOLEAN,
        False,
        "The e-mail holds a summary of the message.",
        member=_VOICEMAIL,
    ),
    _person(
        "voicemail.transcript",
        Kind.BOOLEAN,
        False,
        "The e-mail holds the message as text.",
        member=_VOICEMAIL,
    ),
    _person(
        "voicemail.attach",
        Kind.BOOLEAN,
        False,
        "The message is attached to the e-mail.",
        member=_VOICEMAIL,
    ),
    _person(
        "voicemail.delete-after",
        Kind.BOOLEAN,
        False,
        "Messages sent by e-mail are deleted.",
        member=_VOICEMAIL,
    ),
    _person(
        "sms.zones",
        Kind.LIST,
        (),
        "Where text messages may go.",
        choices=("national", "eu", "international"),
    ),
    _person(
        "sms.types",
        Kind.LIST,
        (),
        "Text messages the system sends.",
        choices=("survey", "answer-group", "missed-call", "voicemail"),
    ),
    # --- keys
    Setting(
        "keys.functions",
        Kind.LIST,
        FUNCTIONS[:9],
        "Functions a person has that get a key.",
        scope=Scope.PERSON,
        levels=_PEOPLE_LEVELS,
        choices=FUNCTIONS,
        member="",
    ),
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
