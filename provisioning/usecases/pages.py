"""Reading rows for a door: one of them, or a page of a long list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.store import queries
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: what its names contain, how many at most, after which id."""

    q: str = ""
    limit: int = 50
    cursor: UUID | None = None


LONGEST_PAGE = queries.LONGEST_PAGE
"""Rows of a page at most."""


def page_of(core: Core, actor: Actor, table: type[R], page: Page) -> list[R]:
    """A page of the organisation's rows, in the order they were made."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return queries.owned(
            session, table, actor.organisation, q=page.q, limit=page.limit, cursor=page.cursor
        )


def row_of(core: Core, actor: Actor, table: type[R], row_id: UUID | str) -> R:
    """The organisation's row with that id; raises NotFound, also for another tenant's."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return queries.get(session, table, actor.organisation, row_id)
