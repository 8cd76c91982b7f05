"""Changing rows field by field, and refusing changes based on an older reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from provisioning.domain.errors import InvalidInput, StaleRevision


class Revised(Protocol):
    """A row with a revision."""

    revision: Any


Check = Callable[[Any], Any]


def change(row: object, changes: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    """Set each field to its checked value; raises InvalidInput for a field not among ``checks``."""
    for field, value in changes.items():
        if field not in checks:
            raise InvalidInput(
                f"'{field[:40]}' cannot be changed.",
                remedy="It can be: " + ", ".join(sorted(checks)) + ".",
                field=field[:40],
            )
        setattr(row, field, checks[field](value))


def expect(row: Revised, revision: int | None) -> None:
    """Raise StaleRevision if the row has moved on from the revision that was read."""
    if revision is not None and row.revision != revision:
        raise StaleRevision(
            f"It is at revision {row.revision}; the change was based on {revision}.",
            remedy="Read it again and repeat the change.",
        )
