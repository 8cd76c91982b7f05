"""Conflicts of writers: the answer 412 with both versions, so that nothing anybody wrote is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from provisioning.domain.errors import BrokenRule, Conflict, StaleRevision
from provisioning.domain.roles import Permission
from provisioning.domain.secret_names import is_secret
from provisioning.doors.http.api.models import Shown
from provisioning.doors.http.api.registry import Call, Endpoint
from provisioning.usecases.actors import together

_MOST_TRIES = 4
"""How often a list is compared where something else is changed at the same moment."""


def with_both_versions(
    error: StaleRevision, call: Call, reader: Endpoint | None, arguments: Mapping[str, Any]
) -> StaleRevision:
    """The error with what was sent and, where the asker may read it, what holds now.

    ``reader`` is the GET of the same path, if there is one.
    """
    told: dict[str, Any] = {}
    if arguments.get("revision") is not None:
        told["based_on"] = arguments["revision"]
    current = _current(call, reader, arguments)
    if current is not None:
        told["current"] = current.model_dump(mode="json", exclude_unset=True)
        told |= {"revision": found} if (found := getattr(current, "revision", None)) else {}
    body = arguments.get("body")
    if isinstance(body, BaseModel):
        told["sent"] = _without_secrets(body.model_dump(mode="json", exclude_unset=True))
    return StaleRevision(error.what, remedy=error.remedy, field=error.field, more=told)


def set_list(
    call: Call, endpoint: Endpoint, reader: Endpoint, given: Mapping[str, Any], if_match: str
) -> object:
    """Set a list that has no revision, unless it is no longer the one ``If-Match`` names.

    Nobody else sets it meanwhile by this path, and what is written by another one between the
    comparison and the change is compared again instead of overwritten. Raises StaleRevision.
    """
    # A turn of the whole organisation: an owner may be named by its id and by its MAC.
    turn = f"{call.actor.organisation}{endpoint.path}"
    compared = if_match.strip() not in ("", "*")
    tries = _MOST_TRIES if compared else 1
    while True:
        tries -= 1
        same = False
        try:
            # The snapshot begins before the comparison: what it lacks cannot be overwritten.
            with together(call.core, call.actor, turn=turn, snapshot=compared) as actor:
                if compared:
                    _compare(call, reader, given, if_match.strip())
                same = True
                return endpoint.view(replace(call, actor=actor), **given)
        except (StaleRevision, Conflict):
            # A list that differs does so for good; who was overtaken in writing looks again.
            if not (same and tries):
                raise


def _compare(call: Call, reader: Endpoint, given: Mapping[str, Any], tag: str) -> None:
    current = reader.view(_reading(call, reader), **_named(reader, given))
    if not isinstance(current, Shown) or etag_of(current) != tag:
        raise StaleRevision(
            "The list is no longer the one that 'If-Match' names.",
            remedy="Read it again and repeat the change.",
        )


def _reading(call: Call, reader: Endpoint) -> Call:
    """The call with the right to read: whoever may set a list need not, to have it compared."""
    if not isinstance(reader.permission, Permission):
        return call
    permissions = call.actor.permissions | {reader.permission}
    return replace(call, actor=replace(call.actor, permissions=permissions))


def etag_of(answer: Shown) -> str:
    """The entity tag of an answer that has no revision: it is made of what it says."""
    content = answer.model_dump_json(exclude_unset=True).encode()
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _current(call: Call, reader: Endpoint | None, arguments: Mapping[str, Any]) -> Shown | None:
    """What holds now, unless it went meanwhile."""
    try:
        return _read(call, reader, arguments)
    except BrokenRule:
        return None


def _read(call: Call, reader: Endpoint | None, arguments: Mapping[str, Any]) -> Shown | None:
    """What the GET of the same path answers, where the asker may ask it; raises as that does."""
    needed = reader.permission if reader is not None else None
    if reader is None or not isinstance(needed, Permission) or not call.actor.may(needed):
        return None
    found = reader.view(call, **_named(reader, arguments))
    return found if isinstance(found, Shown) else None


def _named(reader: Endpoint, arguments: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in reader.parameters}
    return {name: value for name, value in arguments.items() if name in names}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_secrets(inner) for name, inner in value.items() if not is_secret(name)
        }
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value
