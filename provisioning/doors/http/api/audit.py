"""The audit log: who changed what, and what phones fetched. There is no way to change it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import (
    Content,
    Listing,
    Moment,
    RowForm,
    Shown,
    Text,
    listing,
)
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.audit import Wanted
from provisioning.usecases import audit as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()

_CSV = "text/csv"


class Event(Shown):
    """What happened."""

    id: UUID
    at: datetime
    actor: str
    """The name of a token or person, `command line`, or the MAC of a phone."""
    source: str
    """The address it came from; empty for the server itself."""
    action: str
    """`create`, `update`, `delete`, `reload`, `fetch` …"""
    kind: str
    """What it happened to: `user`, `device`, `setting` …"""
    object_id: UUID | None
    object_name: str
    """What it was called then."""
    changed: list[str]
    """The names of what changed."""


class WholeEvent(Event):
    """What happened, with what stood there before and what stands there now."""

    before: dict[str, Any]
    after: dict[str, Any]


@ENDPOINTS.get("/audit", Permission.ACCOUNT)
def list_audit(
    call: Call,
    page: Page,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    actor: Text = "",
    kind: Text = "",
    object: UUID | None = None,  # noqa: A002 - the parameter's name in the query
    action: Text = "",
    format: RowForm | None = None,  # noqa: A002 - likewise
) -> Content | Listing[Event]:
    """The changes of the organisation, newest first; `kind=fetch` lists what phones fetched.

    As CSV it comes whole, with what changed.
    """
    wanted = Wanted(since, until, actor, kind, object, action)
    if format is RowForm.CSV or (format is None and _CSV in call.accept):
        content = usecases.export_events(call.core, call.actor, wanted, page.q)
        return Content(content, f"{_CSV}; charset=utf-8")
    return listing(usecases.list_events(call.core, call.actor, wanted, page), page, Event.of)


@ENDPOINTS.get("/audit/{event}", Permission.ACCOUNT)
def read_audit(call: Call, event: UUID) -> WholeEvent:
    """One event with its before and after."""
    return WholeEvent.of(usecases.read_event(call.core, call.actor, event))
