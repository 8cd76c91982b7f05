"""Imports and exports of users, devices and contacts: checked first, then written at once.

The checks read only, so that nobody waits for them; the transaction that writes holds what was
worked out before. Whoever changed one of its rows in between makes it fail whole, and it is run
again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from provisioning.domain.errors import BrokenRule, Conflict, InvalidInput, StoreUnavailable
from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.domain.roles import Permission
from provisioning.store import jobs, phonebook
from provisioning.store.database import Session
from provisioning.store.jobs import ImportJob
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page, page_of, row_of
from provisioning.usecases.sheets import cards, cells, contacts, fleet, people, phones, staff
from provisioning.usecases.sheets.cells import Row, RowError
from provisioning.usecases.sheets.plans import Plan, Progress

MOST_ERRORS = 1000
"""Errors that are kept; all are counted."""

UNHEARD = timedelta(minutes=30)
"""How long an import that has not ended says nothing before it is taken for interrupted."""

_Reader = Callable[[str], list[Row]]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sheet:
    columns: tuple[str, ...]
    required: tuple[str, ...]
    plan: Callable[[Core, Session, Actor, list[Row], Progress], Plan]
    export: Callable[[Session, UUID], str]


_SHEETS: dict[SheetKind, _Sheet] = {
    SheetKind.USERS: _Sheet(staff.COLUMNS, (), people.plan_users, staff.export_users),
    SheetKind.DEVICES: _Sheet(fleet.COLUMNS, ("mac",), phones.plan_devices, fleet.export_devices),
    SheetKind.CONTACTS: _Sheet(
        contacts.COLUMNS, (), contacts.plan_contacts, contacts.export_contacts
    ),
}


def export_sheet(core: Core, actor: Actor, kind: SheetKind) -> str:
    """The organisation's users, devices or contacts as CSV; importing it again changes nothing."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _SHEETS[kind].export(session, actor.organisation)


def export_cards(core: Core, actor: Actor) -> str:
    """The organisation's shared contacts as vCards; importing them again changes nothing."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return cards.write(phonebook.contacts(session, actor.organisation, None))


def start_import(
    core: Core, actor: Actor, kind: SheetKind, content: bytes, *, dry_run: bool, on: Executor
) -> ImportJob:
    """Begin to import a CSV text (UTF-8) and return at once; ``read_import`` tells how far it is.

    Raises InvalidInput for a text that is no CSV of the right columns.
    """
    return _start(core, actor, kind, content, _rows_of(kind), dry_run=dry_run, on=on)


def start_cards(
    core: Core, actor: Actor, content: bytes, *, owner: str | None, dry_run: bool, on: Executor
) -> ImportJob:
    """Begin to import vCards and return at once; ``owner`` names the user whose own they are.

    Without one, new contacts are shared and known ones stay whose they are. Raises InvalidInput
    for a text that is no vCards.
    """
    read = partial(cards.read, owner=owner)
    return _start(core, actor, SheetKind.CONTACTS, content, read, dry_run=dry_run, on=on)


def import_sheet(
    core: Core,
    actor: Actor,
    kind: SheetKind,
    content: bytes,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> ImportJob:
    """Import a CSV text and return when it is done; raises as ``start_import``."""
    read = _rows_of(kind)
    return _import(core, actor, kind, content, read, dry_run=dry_run, progress=progress)


def import_cards(
    core: Core,
    actor: Actor,
    content: bytes,
    *,
    owner: str | None = None,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> ImportJob:
    """Import vCards and return when it is done; ``start_cards`` says what ``owner`` is."""
    kind, read = SheetKind.CONTACTS, partial(cards.read, owner=owner)
    return _import(core, actor, kind, content, read, dry_run=dry_run, progress=progress)


def fail_unheard(core: Core) -> None:
    """Mark imports as failed that were interrupted, as far as their silence tells.

    Another process may be at those that were heard of within ``UNHEARD``. Raises StoreUnavailable.
    """
    with core.database.write() as session:
        for job in jobs.unheard(session, core.clock() - UNHEARD):
            _set(core, job, state=ImportState.FAILED, **_errors([_INTERRUPTED]))


def list_imports(core: Core, actor: Actor, page: Page) -> list[ImportJob]:
    """A page of the organisation's imports."""
    return page_of(core, actor, ImportJob, page)


def read_import(core: Core, actor: Actor, job: UUID | str) -> ImportJob:
    """One import, as far as it is; raises NotFound."""
    return row_of(core, actor, ImportJob, job)


def _start(
    core: Core, actor: Actor, kind: SheetKind, content: bytes, read: _Reader, *, dry_run: bool,
    on: Executor,
) -> ImportJob:  # fmt: skip
    job, rows = _accept(core, actor, kind, content, read, dry_run=dry_run)
    begun = on.submit(_run, core, actor, job.id, kind, rows, dry_run=dry_run)
    begun.add_done_callback(partial(_look_for_end, core, job.id))
    return job


def _import(
    core: Core, actor: Actor, kind: SheetKind, content: bytes, read: _Reader, *, dry_run: bool,
    progress: Progress,
) -> ImportJob:  # fmt: skip
    job, rows = _accept(core, actor, kind, content, read, dry_run=dry_run)
    _run(core, actor, job.id, kind, rows, dry_run=dry_run, progress=progress)
    return read_import(core, actor, job.id)


def _rows_of(kind: SheetKind) -> _Reader:
    sheet = _SHEETS[kind]
    return partial(cells.read, columns=sheet.columns, required=sheet.required)


def _accept(
    core: Core, actor: Actor, kind: SheetKind, content: bytes, read: _Reader, *, dry_run: bool
) -> tuple[ImportJob, list[Row]]:
    actor.require(Permission.WRITE)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"Byte {error.start + 1} is not UTF-8.", remedy="Save the file as UTF-8."
        ) from None
    rows = read(text)
    if not rows:
        raise InvalidInput(
            "There is no row and no card.", remedy="Give a header and a row for each thing."
        )
    with changing(core, actor) as session:
        job = ImportJob(
            organisation_id=actor.organisation,
            kind=kind,
            dry_run=dry_run,
            started_by=actor.name,
            rows=len(rows),
            at=core.clock(),
        )
        session.add(job)
    return job, rows


def _run(
    core: Core,
    actor: Actor,
    job: UUID,
    kind: SheetKind,
    rows: list[Row],
    *,
    dry_run: bool,
    progress: Progress = lambda _: None,
) -> None:
    """Check, then write; whatever happens ends in a state that says so.

    While the database is away none can be written: ``fail_unheard`` writes it later.
    """

    def told(checked: int) -> None:
        _note(core, job, checked=checked)
        progress(checked)

    try:
        with core.database.read() as session:
            plan = _SHEETS[kind].plan(core, session, actor, rows, told)
        _note(core, job, **_counts(plan))
        if plan.errors or dry_run:
            _note(core, job, state=ImportState.REFUSED if plan.errors else ImportState.CHECKED)
            return
        _note(core, job, state=ImportState.WRITING)
        with changing(core, actor) as session:
            plan.write(session)
            _put(core, session, job, state=ImportState.DONE)
    except BrokenRule as rule:
        _fail(core, job, RowError(0, "", rule.what, rule.remedy))
    except Exception:  # noqa: BLE001 - the job must not stand as running for ever
        _log.exception("import-failed", job=str(job))
        _fail(core, job, RowError(0, "", "Something inside the server failed; its log says what."))


_INTERRUPTED = RowError(
    0, "", "The server was stopped while it was at this import.", "Nothing was written; import again."
)  # fmt: skip


def _look_for_end(core: Core, job: UUID, begun: Future[None]) -> None:
    """Say so where an import was taken back before it began."""
    if begun.cancelled():
        _fail(core, job, _INTERRUPTED)


def _fail(core: Core, job: UUID, error: RowError) -> None:
    try:
        with core.database.write() as session:
            row = session.get_one(ImportJob, job)
            if row.state in jobs.OPEN:
                _set(core, row, state=ImportState.FAILED, **_errors([error]))
    except StoreUnavailable as away:
        _log.warning("import-end-not-noted", job=str(job), reason=str(away))


def _counts(plan: Plan) -> dict[str, Any]:
    return {
        "makes": plan.makes,
        "changes": plan.changes,
        "leaves": plan.leaves,
        **_errors(sorted(plan.errors, key=lambda error: error.line)),
    }


def _errors(found: list[RowError]) -> dict[str, Any]:
    return {
        "error_count": len(found),
        "errors": [asdict(error) for error in found[:MOST_ERRORS]],
    }


def _note(core: Core, job: UUID, **columns: Any) -> None:
    """Write how far the import is, in a short transaction of its own."""
    with core.database.write() as session:
        _put(core, session, job, **columns)


def _put(core: Core, session: Session, job: UUID, **columns: Any) -> None:
    """Write it in a transaction; raises Conflict for an import given up as interrupted."""
    row = session.get_one(ImportJob, job)
    if row.state not in jobs.OPEN:
        raise Conflict("The import was given up meanwhile.", remedy="Import again.")
    _set(core, row, **columns)


def _set(core: Core, row: ImportJob, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(row, name, value)
    row.at = core.clock()
