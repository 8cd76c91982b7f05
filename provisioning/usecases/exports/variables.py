"""What no PBX has an option for, as variables its dial plan can read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioning.usecases.exports.persons import Person, Target
from provisioning.usecases.exports.subscribers import Subscriber

_ODD = re.compile(r"[^A-Za-z0-9+*#.:&_-]")
RIGHTS = ("presence", "calls", "pickup", "park", "ivr", "record", "barge", "listen", "whisper")
FEATURES = (
    "mobile-app", "web-calls", "operator-console", "voicemail", "sim", "hotdesking",
    "several-caller-ids", "busy-reject",
)  # fmt: skip
_OPERATORS = frozenset({"barge", "listen", "whisper"})


def variables(subscriber: Subscriber) -> list[tuple[str, str]]:
    """Names and values; a value holds nothing that means something to a dial plan."""
    return [(name, _ODD.sub("", value)) for name, value in _all(subscriber)]


def _all(subscriber: Subscriber) -> Iterator[tuple[str, str]]:
    line = subscriber.line
    yield "account", str(subscriber.account.id)
    yield "incoming", str(line["line.incoming"])
    yield "outgoing", str(line["line.outgoing"])
    yield "anonymous", _yes(line["line.anonymous"])
    if subscriber.person is not None:
        yield from _of_person(subscriber.person)


def _of_person(person: Person) -> Iterator[tuple[str, str]]:
    held = person.held
    yield "user", str(person.user.id)
    yield "routing", person.user.incoming
    yield "recording", str(held["call.recording"])
    yield "record_calls", str(held["right.record-calls"])
    yield "call_method", str(held["call.method"])
    yield "callback", str(held["call.callback-number"])
    yield "show_calls", _yes(held["privacy.show-calls"])
    yield "mail_waits", _yes(person.mail_waits)
    yield "features", _joined(name for name in FEATURES if person.may(f"feature.{name}"))
    yield "rights", _joined(name for name in RIGHTS if _has(person, name))
    yield "caller_id", person.caller_id.number if person.caller_id else ""
    yield "caller_ids", _joined(number.number for number in person.caller_ids)
    yield "account_code", person.cost_centre.code if person.cost_centre else ""
    yield "steps", str(len(person.steps))
    for place, step in enumerate(person.steps, 1):
        numbers = _joined(target.number for target in step.targets if target.number)
        yield f"step_{place}", f"{step.seconds}:{numbers}"
    yield "fallback", _place(person.fallback)


def _has(person: Person, right: str) -> bool:
    """Whether they have a right; an operator's only with the operator's place (FEATURES D5)."""
    if right in _OPERATORS and not person.may("feature.operator-console"):
        return False
    return person.may(f"right.{right}")


def _place(target: Target | None) -> str:
    if target is None:
        return ""
    return f"{target.kind}:{target.number}" if target.number else target.kind


def _joined(words: Iterator[str]) -> str:
    return "&".join(words)


def _yes(value: object) -> str:
    return "yes" if value else "no"
