"""The part of THE settings table that is about people: their calls, features, rights and mailbox."""

from __future__ import annotations

from provisioning.domain.values import PER_CLIENT, Kind, Level, Scope, Setting, Value

PEOPLE_LEVELS = (Level.ORGANISATION, Level.ROLE, Level.USER)
INCOMING, _OUTGOING, _VOICEMAIL = "right.incoming", "right.outgoing", "feature.voicemail"

FUNCTIONS = (
    "record", "anonymous", "account-code", "callback", "caller-ids", "barge", "listen", "whisper",
    "shared-voicemail", "voicemail", "pickup",
)  # fmt: skip
"""Functions of a person that can have a key made for them."""


def line_setting(
    key: str,
    kind: Kind,
    default: Value,
    help_: str,
    choices: tuple[str, ...] = (),
    *,
    member: str | None = None,
) -> Setting:
    """A setting of a line; ``key`` is its name behind `line.`."""
    return Setting(
        f"line.{key}", kind, default, help_, scope=Scope.LINE, choices=choices, member=member
    )


def _allowed(key: str, help_: str, *, member: str) -> Setting:
    words = (PER_CLIENT, "enabled", "disabled")
    return line_setting(key, Kind.CHOICE, PER_CLIENT, help_, words, member=member)


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
        scope=scope, levels=PEOPLE_LEVELS, choices=choices, member=member,
    )  # fmt: skip


def _feature(
    key: str, help_: str, *, default: bool = False, scope: Scope = Scope.PERSON
) -> Setting:
    return _person(f"feature.{key}", Kind.BOOLEAN, default, help_, scope=scope)


def _right(key: str, help_: str, *, default: bool = True, scope: Scope = Scope.PERSON) -> Setting:
    return _person(f"right.{key}", Kind.BOOLEAN, default, help_, scope=scope)


SHOW_CALLS = "privacy.show-calls"
"""The one setting of a person that others' phones show."""

PERSONAL: tuple[Setting, ...] = (
    # --- calls of a person
    _allowed("incoming", "Incoming calls; disabled: do not disturb.", member=INCOMING),
    _allowed("outgoing", "Outgoing calls; disabled: emergency calls only.", member=_OUTGOING),
    line_setting(
        "anonymous", Kind.BOOLEAN, False, "Calls hide the caller's number.", member=_OUTGOING
    ),
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
        levels=PEOPLE_LEVELS,
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
        SHOW_CALLS,
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
        levels=PEOPLE_LEVELS,
        choices=FUNCTIONS,
        member="",
    ),
)
