"""Conflicts of writers: the answer 412 with both versions, so that nothing anybody wrote is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from provisioning.domain.errors import BrokenRule, StaleRevision
from provisioning.domain.secret_names import is_secret
from provisioning.doors.http.api.models import Shown
from provisioning.doors.http.api.registry import Call, Endpoint


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


def _current(call: Call, reader: Endpoint | None, arguments: Mapping[str, Any]) -> Shown | None:
    if reader is None or reader.permission is None or not call.actor.may(reader.permission):
        return None
    named = {item.name for item in reader.parameters}
    try:
        found = reader.view(
            call, **{name: value for name, value in arguments.items() if name in named}
        )
    except BrokenRule:
        return None  # it went meanwhile
    return found if isinstance(found, Shown) else None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_secrets(inner) for name, inner in value.items() if not is_secret(name)
        }
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value
