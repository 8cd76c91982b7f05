"""What an import would do, worked out before anything is locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from uuid import UUID

from provisioning.domain.errors import NotFound, StaleRevision
from provisioning.store.database import Session
from provisioning.usecases.sheets.cells import RowError

Progress = Callable[[int], None]
"""Told now and then how many rows are checked."""


class _Row(Protocol):
    """A row with an id and a revision."""

    id: Any
    revision: Any


R = TypeVar("R", bound=_Row)


def as_planned(rows: Mapping[UUID, R], planned: R, what: str) -> R:
    """The row among those read for writing, if it is still what the plan was made for.

    Raises NotFound or StaleRevision, which call it ``what``.
    """
    row = rows.get(planned.id)
    if row is None:
        raise NotFound(f"{what} was deleted meanwhile.", remedy=AGAIN)
    if row.revision != planned.revision:
        raise StaleRevision(f"{what} was changed meanwhile.", remedy=AGAIN)
    return row


AGAIN = "Nothing was written; import again."


@dataclass
class Plan:
    """What the rows of a sheet come to: errors, or a write that does all of it at once.

    ``write`` is called in the transaction; ``makes`` and ``changes`` count rows, ``leaves`` those
    that say what holds already. Nothing may be written while there are errors.
    """

    errors: list[RowError] = field(default_factory=list)
    makes: int = 0
    changes: int = 0
    leaves: int = 0
    writes: list[Callable[[Session], None]] = field(default_factory=list)

    def write(self, session: Session) -> None:
        """Do all of it within a transaction."""
        for step in self.writes:
            step(session)
