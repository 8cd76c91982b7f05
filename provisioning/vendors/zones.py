"""What a phone is told of a time zone, and what of the zone its dialect cannot say.

Phones know a zone by a rule, a list of offsets, or words of their own. Where a zone does not fit,
the nearest thing is sent and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfoNotFoundError

from provisioning.domain.timezones import Change, ZoneRule, zone_rule
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model, ZoneForm, ZoneGrammar

# A word stands for another zone only if both had one clock this long ago as well: phones keep
# the law of their firmware's year.
_FIRMWARE_YEARS = 10


@dataclass(frozen=True, slots=True)
class Told:
    """The rule as a phone gets it, its dialect's word for the zone (or none), and what is lost."""

    rule: ZoneRule
    code: str
    losses: tuple[str, ...]


def told(rule: ZoneRule, vendor: Vendor, model: Model | None) -> Told:
    """What a model is told of a zone: offset and saving are the nearest that it knows."""
    grammar = vendor.zone_grammar(model)
    if grammar is None:
        code = vendor.data.timezones.get(rule.name, "")
        return Told(rule, code, ("the phones take no time zone from their files",))
    sent = replace(
        rule,
        offset=_nearest(rule.offset, grammar.offsets),
        saving=_nearest(rule.saving, grammar.savings) if rule.saving else 0,
    )
    code = _code(rule, vendor, grammar)
    return Told(sent, code or grammar.fallback, tuple(_losses(rule, sent, grammar, code)))


def expressible(rule: ZoneRule, vendor: Vendor, model: Model | None = None) -> str:
    """Empty if a model can be told a zone exactly, else the sentence that says what is sent."""
    losses = told(rule, vendor, model).losses
    if not losses:
        return ""
    return f"The time zone {rule.name} is not exact on {vendor.data.name}: {'; '.join(losses)}."


def _losses(rule: ZoneRule, sent: ZoneRule, grammar: ZoneGrammar, code: str) -> Iterator[str]:
    if grammar.form is ZoneForm.NAMES:
        return
    if grammar.form is ZoneForm.CODES:
        if not code:
            instead = f"'{grammar.fallback}' is sent" if grammar.fallback else "they keep theirs"
            yield f"the phones have no word for it, {instead}"
        return
    if sent.offset != rule.offset:
        yield f"no offset of {_hours(rule.offset)} is known, {_hours(sent.offset)} is sent"
    if sent.saving != rule.saving:
        yield f"no saving of {rule.saving} minutes is known, {sent.saving} is sent"
    if rule.irregular:
        yield _irregular(rule)
    if grammar.length is not None and len(rule.compact) > grammar.length:
        yield f"its rule is longer than {grammar.length} characters, the phones keep theirs"
    yield from _change_losses(rule, grammar)


def _change_losses(rule: ZoneRule, grammar: ZoneGrammar) -> Iterator[str]:
    changes = [change for change in (rule.start, rule.end) if change is not None]
    if changes and grammar.form is ZoneForm.OFFSET:
        yield "daylight saving begins and ends as the phones themselves know"
    elif grammar.whole_hours:
        yield from (_whole_hour(change) for change in changes if change.minute)


def _irregular(rule: ZoneRule) -> str:
    if rule.start is None:
        return f"{rule.year} has no yearly rule, the offset {_hours(rule.offset)} is sent"
    return f"its rule changes from year to year, that of {rule.year} is sent"


def _whole_hour(change: Change) -> str:
    return f"changes are at whole hours, {change.hour}:00 is sent for {change.hour}:{change.minute:02d}"


def _hours(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _nearest(minutes: int, known: tuple[int, ...]) -> int:
    return min(known, key=lambda other: (abs(other - minutes), other), default=minutes)


def _code(rule: ZoneRule, vendor: Vendor, grammar: ZoneGrammar) -> str:
    """The dialect's word for a zone, or for one that keeps the same time."""
    words = vendor.data.timezones
    if rule.name in words or grammar.form is not ZoneForm.CODES or rule.irregular:
        return words.get(rule.name, "")
    twin = next((name for name in words if _same(rule.name, name, rule.year)), "")
    return words.get(twin, "")


@lru_cache(maxsize=65536)
def _same(one: str, other: str, year: int) -> bool:
    return all(
        _clock(one, at) == _clock(other, at) for at in (year, year + 1, year - _FIRMWARE_YEARS)
    )


def _clock(name: str, year: int) -> tuple[object, ...]:
    try:
        rule = zone_rule(name, year)
    except (ZoneInfoNotFoundError, ValueError):
        return (name,)
    return (rule.offset, rule.saving, rule.start, rule.end, rule.irregular)
