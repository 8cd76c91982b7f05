"""However an import is interrupted, it comes to an end that says so."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from provisioning.domain.errors import StoreUnavailable
from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.store.jobs import ImportJob
from provisioning.usecases import importing, users
from provisioning.usecases.importing import UNHEARD, fail_unheard, read_import, start_import
from provisioning.usecases.pages import Page
from provisioning.usecases.sheets import people

TEXT = b"first_name\nAda\n"


def started(core, actor, state=ImportState.WRITING, *, ago: timedelta) -> ImportJob:
    """An import that a process left behind when it was killed."""
    with core.database.write() as session:
        job = ImportJob(
            organisation_id=actor.organisation, kind="users", state=state, at=core.clock() - ago
        )
        session.add(job)
    return job


def test_an_interrupted_import_is_failed_when_it_was_silent_for_long(core, actor, clock):
    """Only what has not ended and may be at no other replica is given up."""
    old = [
        started(core, actor, state, ago=UNHEARD + timedelta(minutes=1))
        for state in (ImportState.CHECKING, ImportState.WRITING, ImportState.DONE)
    ]
    young = started(core, actor, ago=UNHEARD - timedelta(minutes=1))
    fail_unheard(core)
    states = [read_import(core, actor, job.id).state for job in (*old, young)]
    assert states == ["failed", "failed", "done", "writing"]
    assert "stopped" in read_import(core, actor, old[0].id).errors[0]["what"]


def test_an_import_given_up_writes_nothing_any_more(core, actor, clock, monkeypatch):
    """What was taken for interrupted, and was only slow, is rolled back whole."""
    write = people._Planner._write

    def slow(self, wanted):
        clock.turn(hours=1)
        fail_unheard(core)
        write(self, wanted)

    monkeypatch.setattr(people._Planner, "_write", slow)
    job = importing.import_sheet(core, actor, SheetKind.USERS, TEXT)
    assert job.state == ImportState.FAILED
    assert users.list_users(core, actor, Page()) == []


def test_an_import_that_waits_when_the_server_stops_is_failed(core, actor):
    """What never began says so at once."""
    going = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(going.wait)
        job = start_import(core, actor, SheetKind.USERS, TEXT, dry_run=False, on=pool)
        pool.shutdown(wait=False, cancel_futures=True)
        going.set()
    ended = read_import(core, actor, job.id)
    assert ended.state == ImportState.FAILED
    assert "stopped" in ended.errors[0]["what"]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), StoreUnavailable("away")])
def test_an_end_that_cannot_be_written_is_written_later(core, actor, clock, monkeypatch, error):
    """Where the database is away at the end too, the import fails once it has been silent."""

    def away(*_: object, **__: object):
        raise StoreUnavailable("The database does not answer.")

    def broken(self, wanted):
        monkeypatch.setattr(type(core.database), "write", away)
        raise error

    monkeypatch.setattr(people._Planner, "_write", broken)
    job = importing.import_sheet(core, actor, SheetKind.USERS, TEXT)
    assert job.state == ImportState.CHECKING
    monkeypatch.undo()
    clock.turn(hours=1)
    fail_unheard(core)
    assert read_import(core, actor, job.id).state == ImportState.FAILED
