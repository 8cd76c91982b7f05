"""Users, devices and contacts as CSV or vCards: imports that tell how far they are, and exports."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from provisioning.domain.kinds import SheetKind
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Content, Listing, Shown, Takes, Text, Upload, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import importing as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()

LARGEST_SHEET = 16 * 1024 * 1024
_CSV = "text/csv"
_VCARD = "text/vcard"
Sheet = Annotated[Upload, Takes((_CSV,), LARGEST_SHEET)]
Cards = Annotated[Upload, Takes((_VCARD,), LARGEST_SHEET)]


class RowError(Shown):
    """What is wrong in one row; the header is line 1, line 0 the whole."""

    line: int
    column: str
    what: str
    remedy: str


class Import(Shown):
    """An import and how far it is."""

    id: UUID
    kind: str
    state: str
    """`checking`, `writing`, or an end: `done`, `checked` (a dry run without errors), `refused`
    (there are errors, nothing was written), `failed`."""
    dry_run: bool
    started_by: str
    created_at: datetime
    at: datetime
    """When it was last heard of."""
    rows: int
    checked: int
    makes: int
    changes: int
    leaves: int
    """Rows that say what holds already."""
    error_count: int
    errors: list[RowError]
    """The first of them."""


@ENDPOINTS.post("/imports/{kind}", Permission.WRITE, HTTPStatus.ACCEPTED)
def start_import(call: Call, kind: SheetKind, upload: Sheet, dry_run: bool = False) -> Import:
    """Import a CSV of users, devices or contacts: all rows or none; a dry run writes nothing."""
    job = usecases.start_import(
        call.core, call.actor, kind, upload.content, dry_run=dry_run, on=call.background
    )
    return Import.of(job)


@ENDPOINTS.get("/imports", Permission.READ)
def list_imports(call: Call, page: Page) -> Listing[Import]:
    """The organisation's imports."""
    return listing(usecases.list_imports(call.core, call.actor, page), page, Import.of)


@ENDPOINTS.get("/imports/{job}", Permission.READ)
def read_import(call: Call, job: UUID) -> Import:
    """One import, as far as it is."""
    return Import.of(usecases.read_import(call.core, call.actor, job))


@ENDPOINTS.get("/exports/csv/{kind}", Permission.READ)
def export_sheet(call: Call, kind: SheetKind) -> Content:
    """The users, devices or contacts as CSV; importing it again changes nothing."""
    text = usecases.export_sheet(call.core, call.actor, kind)
    return Content(text.encode(), f"{_CSV}; charset=utf-8")


@ENDPOINTS.post("/phonebook/vcard", Permission.WRITE, HTTPStatus.ACCEPTED)
def import_cards(
    call: Call, upload: Cards, owner: Text | None = None, dry_run: bool = False
) -> Import:
    """Import vCards as shared contacts, or as the own ones of the user named: all or none."""
    job = usecases.start_cards(
        call.core, call.actor, upload.content, owner=owner, dry_run=dry_run, on=call.background
    )
    return Import.of(job)


@ENDPOINTS.get("/phonebook/vcard", Permission.READ)
def export_cards(call: Call) -> Content:
    """The shared contacts as vCards; importing them again changes nothing."""
    text = usecases.export_cards(call.core, call.actor)
    return Content(text.encode(), f"{_VCARD}; charset=utf-8")
