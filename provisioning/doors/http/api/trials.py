"""Dry runs: what an endpoint answers instead of doing what it is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from provisioning.doors.http.api.models import Shown
from provisioning.doors.http.api.registry import Call, Endpoint
from provisioning.usecases.trials import tried


class Effects(Shown):
    """What a change would do besides: numbers of things by kind, and the phones concerned."""

    creates: dict[str, int]
    changes: dict[str, int]
    deletes: dict[str, int]
    phones: int
    """How many phones would load other files than now."""
    devices: list[UUID]
    """Which, a hundred at most."""
    exact: bool
    """False where there are too many to compare: `phones` then counts all that may differ."""


def effects(
    call: Call, endpoint: Endpoint, arguments: Mapping[str, Any], *, apart: Collection[str]
) -> Effects:
    """What an endpoint would do with these arguments, apart from the objects its path names."""
    found = tried(
        call.core,
        call.actor,
        lambda actor: endpoint.view(replace(call, actor=actor), **arguments),
        apart=frozenset(apart),
    )
    return Effects.of(found)
