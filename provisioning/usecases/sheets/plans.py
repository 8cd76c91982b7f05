"""What an import would do, worked out before anything is locked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from provisioning.store.database import Session
from provisioning.usecases.sheets.cells import RowError

Progress = Callable[[int], None]
"""Told now and then how many rows are checked."""


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
