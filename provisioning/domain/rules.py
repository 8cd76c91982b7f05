"""Rules over more than one value: what a setting needs of others, and of the person it is for.

One table. A rule is checked when one of the values it looks at is changed, on what would hold
afterwards; what it looks at and is not known there (an e-mail at the level of a role) leaves it
unchecked, because people below may have it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from provisioning.domain.errors import SettingsDisagree
from provisioning.domain.kinds import FallbackKind, Incoming

EMAIL, ACCOUNTS = "user.email", "user.accounts"
INCOMING, FALLBACK, CALLER_IDS = "user.incoming", "user.fallback", "user.caller-ids"
"""Facts of a person that rules look at beside settings: the address, how many SIP accounts, where
calls ring, the kind of fallback, how many numbers besides the first."""

Known = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold of the values of some keys, in their order.

    ``sentence`` says what is needed and names the other setting, ``remedy`` what to do.
    """

    name: str
    keys: tuple[str, ...]
    keeps: Callable[..., bool]
    sentence: str
    remedy: str


def _needs(name: str, key: str, other: str, sentence: str, remedy: str) -> Rule:
    """A rule by which a value that is on needs another that is on, or is not empty."""
    return Rule(name, (key, other), lambda on, there: not on or bool(there), sentence, remedy)


def _operates(action: str) -> Rule:
    return _needs(
        f"{action}-operator",
        f"right.{action}",
        "feature.operator-console",
        f"'right.{action}' is an operator's right.",
        "Switch 'feature.operator-console' on with it.",
    )


RULES: tuple[Rule, ...] = (
    _needs(
        "voicemail-address", "voicemail.notify", EMAIL,
        "'voicemail.notify' needs an e-mail address, and the user has none.",
        "Give the user an 'email', or leave 'voicemail.notify' off.",
    ),
    *(
        _needs(
            f"voicemail-{part}", f"voicemail.{part}", "voicemail.notify",
            f"'voicemail.{part}' needs 'voicemail.notify': it is about that e-mail.",
            "Switch 'voicemail.notify' on with it.",
        )
        for part in ("summary", "transcript", "attach", "delete-after")
    ),
    _needs(
        "voicemail-kept", "voicemail.delete-after", "voicemail.attach",
        "'voicemail.delete-after' needs 'voicemail.attach': the message would be lost.",
        "Switch 'voicemail.attach' on with it.",
    ),
    Rule(
        "callback-number", ("call.method", "call.callback-number"),
        lambda method, number: method != "callback" or bool(number),
        "'call.method' callback needs 'call.callback-number', which is empty.",
        "Give 'call.callback-number' with it.",
    ),
    Rule(
        "other-account", ("call.method", "call.account", ACCOUNTS),
        lambda method, account, accounts: method != "other-account" or account <= accounts,
        "'call.account' names a SIP account the user does not have.",
        "Give the place of one they have, counted from 1, or another 'call.method'.",
    ),
    _operates("barge"),
    _operates("listen"),
    _operates("whisper"),
    Rule(
        "hotdesk-incoming", (INCOMING, "feature.hotdesking"),
        lambda incoming, may: incoming != Incoming.HOTDESK or bool(may),
        "'incoming' hotdesk needs 'feature.hotdesking': their calls would ring nowhere.",
        "Switch 'feature.hotdesking' on, or set 'incoming' to fixed first.",
    ),
    Rule(
        "voicemail-fallback", (FALLBACK, "feature.voicemail"),
        lambda kind, has: kind != FallbackKind.VOICEMAIL or bool(has),
        "'fallback' voicemail needs 'feature.voicemail'.",
        "Switch 'feature.voicemail' on, or choose another 'fallback' first.",
    ),
    _needs(
        "several-caller-ids", CALLER_IDS, "feature.several-caller-ids",
        "'caller_ids' needs 'feature.several-caller-ids'.",
        "Switch 'feature.several-caller-ids' on, or take the 'caller_ids' away first.",
    ),
)  # fmt: skip
"""Every rule, in the order in which the first broken one is told."""


def concerned(changed: Collection[str]) -> tuple[Rule, ...]:
    """The rules that look at one of some values."""
    return tuple(rule for rule in RULES if any(key in changed for key in rule.keys))


def broken(known: Known, changed: Collection[str]) -> Iterator[Rule]:
    """The rules that a change of some values breaks, given all that is known afterwards."""
    for rule in concerned(changed):
        decided = all(key in known for key in rule.keys)
        if decided and not rule.keeps(*(known[key] for key in rule.keys)):
            yield rule


def check(known: Known, changed: Collection[str]) -> None:
    """Raise SettingsDisagree if a change of some values breaks a rule."""
    for rule in broken(known, changed):
        field = next(key for key in rule.keys if key in changed)
        raise SettingsDisagree(rule.sentence, remedy=rule.remedy, field=_FIELDS.get(field, field))


_FIELDS = {
    EMAIL: "email", INCOMING: "incoming", FALLBACK: "fallback", CALLER_IDS: "caller_ids",
}  # fmt: skip
"""What facts are called in a request."""
