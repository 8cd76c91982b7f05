"""Reading the audit log, and the phones' fetches in the same form. Nothing here changes it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from provisioning.domain.errors import NotFound, TooLarge
from provisioning.domain.roles import Permission
from provisioning.domain.spreadsheets import guarded
from provisioning.store import audit, queries
from provisioning.store.audit import AuditEvent, Wanted
from provisioning.store.database import Session
from provisioning.store.security import Fetch
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.pages import LONGEST_PAGE, Page

FETCH = "fetch"
"""The kind, and the action, of what phones asked for."""

MOST_EXPORTED = 50_000
"""Lines of a CSV file at most."""

_TITLES = (
    "at", "actor", "source", "action", "kind", "object_id", "object_name", "before", "after",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, to what, by whom and from where; ``before`` and ``after`` what it changed."""

    id: UUID
    at: datetime
    actor: str
    source: str
    action: str
    kind: str
    object_id: UUID | None
    object_name: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def changed(self) -> list[str]:
        """The names of what it changed."""
        return sorted(self.before.keys() | self.after.keys())


def list_events(core: Core, actor: Actor, wanted: Wanted, page: Page) -> list[Event]:
    """A page of the organisation's events, newest first; fetches where that kind is asked for."""
    actor.require(Permission.ACCOUNT)
    if wanted.kind == FETCH:
        core.log.flush()
    with core.database.read() as session:
        return _page(session, actor, wanted, page)


def read_event(core: Core, actor: Actor, event: UUID) -> Event:
    """One event, or one fetch; raises NotFound."""
    actor.require(Permission.ACCOUNT)
    with core.database.read() as session:
        row = queries.by_id(session, AuditEvent, event) or queries.by_id(session, Fetch, event)
        if row is None or row.organisation_id != actor.organisation_id:
            raise NotFound(f"There is no event {event}.", remedy="List them to see the ids.")
        return _changed(row) if isinstance(row, AuditEvent) else _fetched(row)


def export_events(core: Core, actor: Actor, wanted: Wanted, q: str = "") -> bytes:
    """All the events asked for as CSV, newest first; no cell is a formula.

    Raises TooLarge where there are more than a file should hold.
    """
    actor.require(Permission.ACCOUNT)
    if wanted.kind == FETCH:
        core.log.flush()
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_TITLES)
    with core.database.read() as session:
        for number, event in enumerate(_all(session, actor, wanted, q), 1):
            if number > MOST_EXPORTED:
                raise TooLarge(
                    f"More than {MOST_EXPORTED} events match.",
                    remedy="Ask for less at a time with 'since' and 'until'.",
                )
            lines.writerow([guarded(_cell(getattr(event, title))) for title in _TITLES])
    return text.getvalue().encode()


def _all(session: Session, actor: Actor, wanted: Wanted, q: str) -> Iterator[Event]:
    cursor = None
    while True:
        events = _page(session, actor, wanted, Page(q=q, limit=LONGEST_PAGE, cursor=cursor))
        yield from events
        session.expunge_all()
        if len(events) < LONGEST_PAGE:
            return
        cursor = events[-1].id


def _page(session: Session, actor: Actor, wanted: Wanted, page: Page) -> list[Event]:
    part = {"q": page.q, "limit": page.limit, "cursor": page.cursor}
    if wanted.kind == FETCH:
        return [
            _fetched(row) for row in audit.fetches(session, actor.organisation_id, wanted, **part)
        ]
    return [_changed(row) for row in audit.events(session, actor.organisation_id, wanted, **part)]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
    return "" if value is None else str(value)


def _changed(row: AuditEvent) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        actor=row.actor,
        source=row.source,
        action=row.action,
        kind=row.kind,
        object_id=row.object_id,
        object_name=row.name,
        before=row.before,
        after=row.after,
    )


_FETCHED = (
    "door", "path", "user_agent", "vendor", "model", "firmware", "grade", "outcome", "reason",
    "size",
)  # fmt: skip


def _fetched(row: Fetch) -> Event:
    """A line of the fetch log as an event: the phone acts, on itself."""
    return Event(
        id=row.id,
        at=row.at,
        actor=row.mac,
        source=row.address,
        action=FETCH,
        kind=FETCH,
        object_id=row.device_id,
        object_name=row.path,
        before={},
        after={name: getattr(row, name) for name in _FETCHED},
    )
