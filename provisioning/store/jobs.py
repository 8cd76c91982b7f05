"""The table of imports: what was asked, how far it is, what was wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.store.base import Base, Owned, now, one_of, owned_key


class ImportJob(Owned, Base):
    """One import of a CSV text; the text itself is not kept.

    ``rows`` are those of the text, ``checked`` how many are looked at, ``errors`` the first of
    ``error_count``: {"line", "column", "what", "remedy"}. ``makes``, ``changes`` and ``leaves``
    count what the rows come to. ``at`` is when it was last heard of.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        owned_key(),
        one_of("kind", SheetKind, name="kind"),
        one_of("state", ImportState, name="state"),
    )

    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default=ImportState.CHECKING)
    dry_run: Mapped[bool] = mapped_column(default=False)
    started_by: Mapped[str] = mapped_column(default="")
    rows: Mapped[int] = mapped_column(default=0)
    checked: Mapped[int] = mapped_column(default=0)
    makes: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)
    leaves: Mapped[int] = mapped_column(default=0)
    error_count: Mapped[int] = mapped_column(default=0)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    at: Mapped[datetime] = mapped_column(default=now)


OPEN = (ImportState.CHECKING, ImportState.WRITING)
"""The states that an import does not end in."""


def unheard(session: Session, before: datetime) -> list[ImportJob]:
    """Imports that have not ended and were last heard of before a moment; nobody else takes them."""
    return list(
        session.scalars(
            select(ImportJob)
            .where(ImportJob.state.in_(OPEN), ImportJob.at < before)
            .with_for_update(skip_locked=True)
        )
    )


def trim(session: Session, before: datetime) -> None:
    """Delete the imports last heard of before a moment."""
    session.execute(delete(ImportJob).where(ImportJob.at < before))
