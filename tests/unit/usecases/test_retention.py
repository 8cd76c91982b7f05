"""How long requests and unknown MACs are remembered, and whether the process can serve."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from provisioning.store import queries
from provisioning.store.audit import AuditEvent
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.jobs import ImportJob
from provisioning.store.security import Fetch, Pending
from provisioning.usecases.health import is_ready
from provisioning.usecases.retention import trim
from provisioning.usecases.sightings import Sighting


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_trim_forgets_what_is_older_than_asked(core):
    """Requests and unknown MACs go when their days are over, and no sooner."""
    now = core.clock()
    for days, mac in ((29, "001565000001"), (31, "001565000002")):
        at = now - timedelta(days=days)
        core.log.add(
            Sighting(at=at, door="http", address="192.0.2.1", path="x", mac=mac, pending=True)
        )
    core.log.flush()
    trim(core, fetch_days=30, audit_days=365)
    with core.database.read() as session:
        assert [row.mac for row in session.query(Fetch)] == ["001565000001"]
        assert [row.mac for row in session.query(Pending)] == ["001565000001"]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a11_trim_keeps_the_audit_log_for_its_own_time(core):
    """Events go when their days are over, which are others than those of requests."""
    now = core.clock()
    with core.database.write() as session:
        for days in (364, 366):
            at = now - timedelta(days=days)
            session.add(AuditEvent(at=at, action="create", kind="user", name=f"{days} days"))
    trim(core, fetch_days=30, audit_days=365)
    with core.database.read() as session:
        assert [row.name for row in session.query(AuditEvent)] == ["364 days"]


def test_trim_keeps_imports_and_hotdesk_sessions_as_long(core, actor, desk, clock):
    """Imports and ended sessions go with the audit log; who is logged in stays so."""
    with core.database.write() as session:
        (station,) = queries.stations_of(session, desk.device)
        for days in (364, 366):
            at = clock() - timedelta(days=days)
            session.add(
                ImportJob(organisation_id=actor.organisation, kind="users", rows=days, at=at)
            )
            session.add(
                HotdeskSession(
                    organisation_id=actor.organisation, station_id=station.id, user_id=desk.user,
                    started_at=at, lease_until=at, ended_at=at, ended_by="logout",
                )
            )  # fmt: skip
        session.add(
            HotdeskSession(
                organisation_id=actor.organisation, station_id=station.id, user_id=desk.user,
                started_at=at, lease_until=at,
            )
        )  # fmt: skip
    trim(core, fetch_days=30, audit_days=365)
    with core.database.read() as session:
        assert [row.rows for row in session.query(ImportJob)] == [364]
        ended = [row.ended_at for row in session.query(HotdeskSession)]
    assert sorted(ended, key=str) == [clock() - timedelta(days=364), None]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_process_is_ready_while_the_database_answers(core, tmp_path):
    """Without its database a process is not ready, and with it again it is."""
    assert is_ready(core)
    file = Path(core.database.engine.url.database)
    core.database.close()
    file.rename(tmp_path / "away.db")
    file.mkdir()
    assert not is_ready(core)
    file.rmdir()
    (tmp_path / "away.db").rename(file)
    assert is_ready(core)
