"""Where a person's calls go: the steps of follow me, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import InvalidInput
from provisioning.domain.keys import is_id
from provisioning.domain.kinds import FallbackKind, StepKind, TargetKind

MOST_STEPS = 10
MOST_TARGETS = 20
SECONDS = (5, 120)
_PLAIN = frozenset({FallbackKind.VOICEMAIL, FallbackKind.HANG_UP})


def _bad(field: str, what: str, remedy: str) -> InvalidInput:
    return InvalidInput(f"'{field}' {what}.", remedy=remedy, field=field)


def steps(values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Steps in order, each with targets that ring together for some seconds; [] for none.

    A target is {"kind": "extension" or "number", "number"} or {"kind": "target", "id"}. Raises
    InvalidInput for what has not this form; whether an id is known is asked elsewhere.
    """
    if len(values) > MOST_STEPS:
        raise _bad("steps", f"has {len(values)} steps", f"Give at most {MOST_STEPS}.")
    return [_step(f"steps[{place}]", value) for place, value in enumerate(values)]


def _step(where: str, value: Mapping[str, Any]) -> dict[str, Any]:
    targets, seconds = value.get("targets", ()), value.get("seconds")
    least, most = SECONDS
    if not isinstance(seconds, int) or not least <= seconds <= most:
        raise _bad(f"{where}.seconds", "is not allowed", f"Give {least} to {most} seconds.")
    if not 1 <= len(targets) <= MOST_TARGETS:
        raise _bad(f"{where}.targets", f"has {len(targets)}", f"Give 1 to {MOST_TARGETS} targets.")
    found = [_target(f"{where}.targets[{place}]", item) for place, item in enumerate(targets)]
    if any(found.index(item) != place for place, item in enumerate(found)):
        raise _bad(f"{where}.targets", "names a target twice", "Name each once.")
    return {"targets": found, "seconds": seconds}


def _target(where: str, value: Mapping[str, Any]) -> dict[str, str]:
    kind = fields.word(f"{where}.kind", str(value.get("kind")), StepKind)
    number, named = str(value.get("number") or ""), str(value.get("id") or "")
    if kind == StepKind.TARGET:
        if number or not is_id(named):
            raise _bad(where, "names no call target", "Give the 'id' of one and no 'number'.")
        return {"kind": kind, "id": named}
    if named:
        raise _bad(where, "has an 'id'", "Give a 'number'; ids are for the kind target.")
    plain = fields.dialled(f"{where}.number", number)
    if not plain:
        raise _bad(where, "has no phone number", "Give one such as +49 30 1234 as 'number'.")
    if kind == StepKind.EXTENSION and not fields.extension(plain):
        raise _bad(where, "has no extension", "Give 2 to 10 digits as 'number'.")
    return {"kind": kind, "number": plain}


def fallback(value: Mapping[str, Any] | None) -> dict[str, str]:
    """What comes after the steps: {"kind"} or {"kind", "id"}; None or {} leaves it to the PBX."""
    if not value:
        return {}
    kind = fields.word("fallback.kind", str(value.get("kind")), FallbackKind)
    named = str(value.get("id") or "")
    if kind in _PLAIN:
        if named:
            raise _bad("fallback.id", f"does not go with {kind}", "Leave it out.")
        return {"kind": kind}
    if not is_id(named):
        raise _bad("fallback.id", "is missing", f"Give the id of the {kind} it goes to.")
    return {"kind": kind, "id": named}


def step_targets(values: Sequence[Mapping[str, Any]]) -> Iterator[UUID]:
    """The ids of the call targets that steps name."""
    for step in values:
        yield from (UUID(item["id"]) for item in step["targets"] if "id" in item)


def target_kind(value: Mapping[str, str]) -> TargetKind | None:
    """The kind of call target a fallback goes to; None where it goes elsewhere."""
    kinds = {str(kind): kind for kind in TargetKind}
    return kinds.get(value.get("kind", ""))
