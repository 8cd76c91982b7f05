"""Two replicas on one PostgreSQL, and a process that is killed in the middle of a login."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from provisioning.domain.errors import LoggedInElsewhere, StationOccupied
from provisioning.store.database import Database
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.outbox import Reload
from provisioning.usecases import hotdesk, registering, seats
from provisioning.usecases.pace import Pace
from provisioning.usecases.settings import set_values


@pytest.fixture
def replicas(core, database_url):
    """Two cores that share nothing but the database; each has its own clock."""
    database = Database(database_url)
    yield core, replace(core, database=database, logins=Pace(10_000))
    database.close()


def history(core) -> list[HotdeskSession]:
    """Every session there was."""
    with core.database.read() as session:
        rows = session.scalars(select(HotdeskSession)).all()
        session.expunge_all()
    return list(rows)


def check(rows: list[HotdeskSession]) -> None:
    """No two sessions of one station, or of one person who sits alone, overlap."""
    for column in ("station_id", "user_id"):
        ordered = sorted(rows, key=lambda row: (getattr(row, column), row.started_at))
        for _, group in itertools.groupby(ordered, key=lambda row: getattr(row, column)):
            for former, later in itertools.pairwise(group):
                assert former.ended_at is not None
                assert former.ended_at <= later.started_at


@pytest.fixture
def race(actor, replicas):
    """Seat people at stations by both replicas at once; what came of each try, in order."""

    def run(tries, workers=2) -> list[str]:
        def one(number: int) -> str:
            try:
                hotdesk.take(replicas[number % 2], actor, *tries[number])
            except (StationOccupied, LoggedInElsewhere) as rule:
                return type(rule).__name__
            return "in"

        with ThreadPoolExecutor(workers) as threads:
            return list(threads.map(one, range(len(tries))))

    return run


@pytest.fixture
def stations_of_pool(core, actor, desks):
    """Four pool phones' stations."""
    return [
        desks.station(
            registering.add_device(core, actor, mac=f"0015650003{n:02}", pool=True).device
        ).id
        for n in range(4)
    ]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("elsewhere", ["move", "deny"])
def test_hd11_replicas_race_for_seats(core, actor, ada, bob, stations_of_pool, race, elsewhere):
    """Logins at once by two replicas: winners and clean refusals only, and a history without overlap."""
    organisation = actor.organisation
    set_values(core, actor, "organisation", organisation, {"hotdesk.elsewhere": elsewhere})
    people = [(ada, bob)[n % 2] for n in range(48)]
    tries = [(person, stations_of_pool[n % 4]) for n, person in enumerate(people)]
    told = race(tries, workers=8)
    assert set(told) <= {"in", "StationOccupied", "LoggedInElsewhere"}
    assert told.count("in") >= 1
    check(history(core))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_hd11_of_two_at_one_moment_one_wins(core, actor, ada, bob, stations_of_pool, race):
    """Of two people at one free phone, or one who may sit once at two, exactly one gets in."""
    organisation = actor.organisation
    set_values(core, actor, "organisation", organisation, {"hotdesk.elsewhere": "deny"})
    first, second = stations_of_pool[:2]
    for pair in ([(ada, first), (bob, first)], [(ada, first), (ada, second)]) * 4:
        assert race(pair).count("in") == 1
        assert seats.end_all(core, actor) == 1


@pytest.mark.soak
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_r9_a_thousand_races(core, actor, ada, bob, stations_of_pool, race):
    """A thousand races over two replicas: one winner each, and a history without overlap."""
    organisation = actor.organisation
    set_values(core, actor, "organisation", organisation, {"hotdesk.elsewhere": "deny"})
    first, second = stations_of_pool[:2]
    for number in range(1000):
        pair = ([(ada, first), (bob, first)], [(ada, first), (ada, second)])[number % 2]
        assert race(pair).count("in") == 1
        assert seats.end_all(core, actor) == 1
    check(history(core))


# --- killed

CHILD = Path(__file__).with_name("killed_child.py")


def killed(url: str, at: int, user, station) -> bool:
    """Seat somebody by a process that dies before its statement of that number; whether it did."""
    surroundings = os.environ | {"ROOST_TEST_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(CHILD), str(at), str(user), str(station)],
        env=surroundings,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done
    return done.returncode != 0


def marked(core) -> set:
    """The devices that may have to load their files anew, and how often they were changed."""
    with core.database.read() as session:
        return {(row.device_id, row.revision) for row in session.scalars(select(Reload))}


@pytest.mark.parametrize("steps", [9, pytest.param(1, marks=pytest.mark.soak)])
def test_hd10_a_kill_leaves_the_old_or_the_new_state(
    core, actor, ada, stations_of_pool, database_url, steps
):
    """Whichever statement of a move is the last, all of it has happened or nothing."""
    first, second = stations_of_pool[:2]
    hotdesk.take(core, actor, ada, first)
    for at in itertools.count(1, steps):
        before, was_marked = history(core), marked(core)
        died = killed(database_url, at, ada, second)
        after = history(core)
        check(after)
        (here,) = [row for row in after if row.ended_at is None]
        if here.station_id == first:
            assert len(after) == len(before)
            assert marked(core) == was_marked
        else:
            assert len(after) == len(before) + 1
            assert marked(core) != was_marked
        if not died:
            assert here.station_id == second
            return
        if here.station_id == second:
            hotdesk.take(core, actor, ada, first)
