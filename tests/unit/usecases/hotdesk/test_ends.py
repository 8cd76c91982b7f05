"""What ends a session: a lease, an admin, what becomes of the person; and that it is all told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from provisioning.domain.errors import (
    Conflict,
    LockedAbove,
    NotFound,
    RightMissing,
    StationOccupied,
)
from provisioning.domain.hotdesk import lease_end
from provisioning.domain.kinds import SessionEnd
from provisioning.domain.roles import Permission
from provisioning.store.audit import AuditEvent
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.outbox import Reload
from provisioning.usecases import (
    devices,
    hotdesk,
    logins,
    me,
    memberships,
    registering,
    seats,
    sessions,
    users,
)
from provisioning.usecases.actors import Actor
from provisioning.usecases.pages import Page
from provisioning.usecases.settings import set_values

HOUR = timedelta(hours=1)


def rows(core) -> list[HotdeskSession]:
    """Every session there was, in order."""
    with core.database.read() as session:
        found = session.scalars(select(HotdeskSession).order_by(HotdeskSession.id)).all()
        session.expunge_all()
    return list(found)


# --- leases


def test_hd5_a_lease_is_of_the_databases_clock(core, ada, pool, desks):
    """A replica whose clock is a year off neither ends sessions nor makes them last."""
    real = core.database.moment
    del core.database.moment  # the fixture's; the database has a clock of its own
    assert real is not core.database.moment
    for year in (datetime(2036, 1, 1, tzinfo=UTC), datetime(1990, 1, 1, tzinfo=UTC)):
        core.clock = lambda year=year: year
        with time_machine.travel(year):
            seat = desks.log_in(pool)
            assert seats.end_leases(core) == 0
        length = seat.session.lease_until - seat.session.started_at
        assert timedelta(hours=12) <= length < timedelta(hours=12, minutes=5)
        assert abs(seat.session.started_at - datetime.now(UTC)) < timedelta(minutes=5)
    with core.database.write() as session:
        past = datetime.now(UTC) - timedelta(minutes=1)
        session.execute(update(HotdeskSession).values(lease_until=past))
    with time_machine.travel(datetime(1990, 1, 1, tzinfo=UTC)):
        assert seats.end_leases(core) == 1
    assert desks.sitting() == {}


def test_hd5_a_lease_survives_a_restart(core, ada, pool, desks, clock, database_url):
    """What ends it stands in the database: a server that starts later ends what ended meanwhile."""
    desks.log_in(pool)
    clock.turn(hours=13)
    assert seats.end_leases(core) == 1
    assert [row.ended_by for row in rows(core)] == [SessionEnd.LEASE]
    assert seats.end_leases(core) == 0


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_hd5_many_leases_end_in_one_turn(core, actor, add_person, desks, clock, monkeypatch):
    """However many end at the same time of day, none waits for the next turn."""
    monkeypatch.setattr(seats, "_AT_ONCE", 2)
    people = [add_person(f"P{n}", f"30{n:02}") for n in range(5)]
    for n, person in enumerate(people):
        device = registering.add_device(core, actor, mac=f"0015650002{n:02}", pool=True).device
        hotdesk.take(core, actor, person, desks.station(device).id)
    clock.turn(hours=13)
    assert seats.end_leases(core) == 5


@pytest.mark.parametrize(
    ("start", "hours", "clock", "ends"),
    [
        ("2026-07-01T15:00+00:00", 12, "18:30", "2026-07-01T16:30+00:00"),
        ("2026-07-01T15:00+00:00", 12, "16:00", "2026-07-02T03:00+00:00"),
        ("2026-07-01T15:00+00:00", 0, "16:00", "2026-07-02T14:00+00:00"),
        ("2026-07-01T15:00+00:00", 1, "", "2026-07-01T16:00+00:00"),
        # Berlin's clocks go forward at 02:00 on 29 March 2026, and back at 03:00 on 25 October.
        ("2026-03-28T21:00+00:00", 0, "03:00", "2026-03-29T01:00+00:00"),
        ("2026-03-29T00:30+00:00", 0, "03:00", "2026-03-29T01:00+00:00"),
        ("2026-10-24T21:00+00:00", 0, "03:00", "2026-10-25T02:00+00:00"),
        ("2026-10-25T00:30+00:00", 0, "03:00", "2026-10-25T02:00+00:00"),
        ("2026-10-25T02:00+00:00", 0, "03:00", "2026-10-26T02:00+00:00"),
        # The hour that comes twice has two ends, of which the next counts.
        ("2026-10-25T01:30+00:00", 12, "02:45", "2026-10-25T01:45+00:00"),
        ("2026-10-25T00:30+00:00", 12, "02:45", "2026-10-25T00:45+00:00"),
    ],
)
def test_hd5_a_lease_ends_by_the_hours_or_the_places_clock(start, hours, clock, ends):
    """Whichever comes first ends it; 03:00 is the place's 03:00 where its clocks change too."""
    found = lease_end(datetime.fromisoformat(start), hours, clock, "Europe/Berlin")
    assert found == datetime.fromisoformat(ends)


def test_hd5_a_time_of_day_that_is_left_out_still_ends_the_lease():
    """02:30 does not exist in the night of the change; the session ends within the hour."""
    start = datetime(2026, 3, 28, 22, tzinfo=UTC)
    found = lease_end(start, 0, "02:30", "Europe/Berlin")
    assert datetime(2026, 3, 29, 0, tzinfo=UTC) < found <= datetime(2026, 3, 29, 2, tzinfo=UTC)


def test_g5_a_place_without_an_end_keeps_who_sits_there(core, actor, ada, pool, desks, clock):
    """Nought hours and no time of day: the session ends only when somebody ends it."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.lease-hours": 0})
    desks.log_in(pool)
    clock.turn(days=365)
    assert seats.end_leases(core) == 0


# --- the person


@pytest.mark.parametrize("what", ["disable", "delete", "password"])
def test_hd13_what_ends_a_person_ends_their_sessions(core, actor, ada, pool, second, desks, what):
    """Disabled, deleted or with a password reset they sit nowhere, from that transaction on."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.elsewhere": "several"})
    desks.log_in(pool)
    desks.log_in(second)
    if what == "disable":
        users.change_user(core, actor, ada, {"enabled": False})
    elif what == "delete":
        users.delete_user(core, actor, ada)
    else:
        made = memberships.add_member(core, actor, email="ada@example.com", role="member", user=ada)
        link = logins.make_reset_link(core, actor, made.member.login.id)
        sessions.reset_password(core, link.token, "four words in no order")
    assert desks.sitting() == {}
    told = {"disable": SessionEnd.DISABLED, "password": SessionEnd.PASSWORD}
    assert {row.ended_by for row in rows(core)} == ({told[what]} if what in told else set())
    with core.database.read() as session:
        marked = set(session.scalars(select(Reload.device_id)))
    assert marked == {pool.id, second.id}


def test_hd13_a_change_that_fails_ends_nothing(core, actor, ada, bob, pool, desks):
    """The sessions end with the change, or not at all."""
    desks.log_in(pool)
    with pytest.raises(Conflict):
        users.change_user(core, actor, ada, {"enabled": False, "extension": "1002"})
    assert desks.sitting() == {pool.id: "1001"}


def test_f10_a_retired_phone_has_nobody(core, actor, ada, pool, desks):
    """With the phone goes who sits there."""
    desks.log_in(pool)
    devices.retire_device(core, actor, pool.id)
    assert [row.ended_by for row in rows(core)] == [SessionEnd.RETIRED]


# --- admins and members


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_g4_all_of_more_than_a_page_are_ended(core, actor, ada, pool, desks):
    """However many sit there, "end all" ends all."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.elsewhere": "several"})
    count = 501
    with core.database.write() as session:
        first = desks.log_in(pool).session
        stations = desks.many_stations(session, count)
        for station in stations:
            session.add(
                HotdeskSession(
                    organisation_id=actor.organisation, station_id=station, user_id=ada,
                    lease_until=first.lease_until, alone=False,
                )
            )  # fmt: skip
    assert seats.end_all(core, actor) == count + 1
    with core.database.read() as session:
        is_open = HotdeskSession.ended_at.is_(None)
        assert session.scalar(select(func.count()).where(is_open)) == 0


def test_g4_the_list_is_of_a_user_a_station_or_a_site(core, actor, ada, bob, pool, second, desks):
    """An admin's page asks who sits at a place, where somebody is, and who has a phone."""
    one, two = desks.log_in(pool), desks.log_in(second, "1002")

    def found(**wanted):
        return [seat.id for seat in seats.list_sessions(core, actor, Page(), **wanted)]

    assert found() == [two.id, one.id]
    assert found(user=ada) == [one.id]
    assert found(station=two.station.id) == [two.id]
    assert found(site=pool.site_id) == [two.id, one.id]
    assert found(state="pending") == []
    seats.end_session(core, actor, one.id)
    assert found() == [two.id]
    assert found(state="pending") == [one.id]


def test_g4_a_member_sees_takes_and_ends_only_their_own(core, actor, ada, bob, pool, second, desks):
    """Signed in one takes a phone without a PIN, as far as the place's rules let anybody."""
    mine = Actor("ada", actor.organisation, frozenset({Permission.OWN}), user_id=ada)
    theirs = desks.log_in(second, "1002")
    seat = me.take(core, mine, device=pool.id)
    assert desks.sitting() == {pool.id: "1001", second.id: "1002"}
    assert [own.id for own in me.my_sessions(core, mine, Page())] == [seat.id]
    with pytest.raises(StationOccupied):
        me.take(core, mine, theirs.station.id)
    with pytest.raises(NotFound):
        me.end_my_session(core, mine, theirs.id)
    me.end_my_session(core, mine, seat.id)
    assert desks.sitting() == {second.id: "1002"}
    set_values(core, actor, "user", ada, {"feature.hotdesking": False})
    with pytest.raises((RightMissing, LockedAbove)):
        me.take(core, mine, device=pool.id)


def test_hd4_a_phone_in_use_names_nobody_unless_the_place_lets_it(
    core, actor, ada, bob, pool, desks
):
    """Who sits at an occupied phone is told only where the place shows names."""
    desks.log_in(pool)
    quiet = desks.refusal(pool, "1002", "917364")
    assert (type(quiet), dict(quiet.more)) == (StationOccupied, {})
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.show-name": True})
    told = desks.refusal(pool, "1002", "917364")
    assert told.more == {"name": "Ada Lovelace"}
    assert "Ada Lovelace" in told.what


# --- the same request twice


def test_hd10_a_login_repeated_is_the_same_session(core, ada, bob, pool, second, desks):
    """A PBX that asks again after a lost answer gets the session its first request began."""
    one = desks.log_in(pool, request="a1")
    assert desks.log_in(pool, request="a1").id == one.id
    assert len(rows(core)) == 1
    with pytest.raises(Conflict, match="another login"):
        desks.log_in(second, "1002", request="a1")
    hotdesk.log_out(core, desks.actor, device=pool.id, request="b1")
    again = desks.log_in(pool, request="a1")
    assert (again.id, again.session.ended_by) == (one.id, SessionEnd.LOGOUT)
    assert desks.sitting() == {}


def test_hd10_a_logout_repeated_ends_nobody_elses_session(core, ada, bob, pool, desks):
    """The second of two equal logouts changes nothing, although somebody has come meanwhile."""
    desks.log_in(pool)
    hotdesk.log_out(core, desks.actor, device=pool.id, request="b1")
    desks.log_in(pool, "1002")
    hotdesk.log_out(core, desks.actor, device=pool.id, request="b1")
    assert desks.sitting() == {pool.id: "1002"}


# --- the log


def test_hd15_every_login_and_end_is_told(core, actor, ada, bob, pool, second, desks, clock):
    """Who did it, from where, at which station, and what ended it stand in the audit log."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.take-over": "owner"})
    phone = desks.phone(pool, source="192.0.2.77")
    station = desks.station(pool)
    hotdesk.log_in_here(core, phone, station.id, extension="1001", pin="482913")
    desks.log_in(second)
    clock.turn(hours=13)
    seats.end_leases(core)
    with core.database.read() as session:
        events = session.scalars(
            select(AuditEvent).where(AuditEvent.kind == "hotdesk-session").order_by(AuditEvent.id)
        ).all()
    told = [
        (event.action, event.actor, event.source, event.after.get("ended_by")) for event in events
    ]
    assert told == [
        ("create", "phone Lobby", "192.0.2.77", None),
        ("update", "command line", "", "moved"),
        ("create", "command line", "", None),
        ("update", "server", "", "lease"),
    ]
    assert events[0].after["station_id"] == str(station.id)
    assert events[0].part_of == ada


def test_hd6_a_logout_is_true_at_once(core, ada, pool, desks):
    """Ending a session waits for no call: it is recorded, and its phone alone is marked, urgently."""
    desks.log_in(pool)
    with core.database.write() as session:
        for row in session.scalars(select(Reload)):
            session.delete(row)
    hotdesk.log_out(core, desks.actor, device=pool.id)
    assert desks.sitting() == {}
    with core.database.read() as session:
        marked = [(row.device_id, row.urgent) for row in session.scalars(select(Reload))]
    assert marked == [(pool.id, True)]
