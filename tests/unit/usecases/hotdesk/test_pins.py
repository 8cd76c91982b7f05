"""PINs: how often they are judged, by whom and where, and that nobody learns who there is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from provisioning.crypto import passwords
from provisioning.domain.errors import (
    BrokenRule,
    HotdeskingOff,
    TooManyAttempts,
    TooManyLogins,
    WrongPin,
)
from provisioning.store import members
from provisioning.store.database import Database
from provisioning.usecases import hotdesk, pins, registering, users
from provisioning.usecases.pace import Pace

WRONG = "000001"


@pytest.fixture
def checks(monkeypatch) -> list[str]:
    """The hashes that PINs were compared with."""
    found: list[str] = []
    lock = threading.Lock()
    real = passwords._matches

    def counted(hasher, stored, secret):
        with lock:
            found.append(stored)
        return real(hasher, stored, secret)

    monkeypatch.setattr(passwords, "_matches", counted)
    return found


@pytest.fixture
def second_core(core, database_url, clock):
    """Another replica: the same database and keys, nothing else in common."""
    database = Database(database_url)
    database.moment = core.database.moment
    yield replace(core, database=database, logins=Pace(200))
    database.close()


def test_hd9_five_wrong_pins_make_the_person_wait(ada, pool, second, desks, clock, checks):
    """Each refusal says how many tries are left; then nothing is judged for fifteen minutes."""
    checks.clear()
    told = [desks.refusal(pool).more["tries_left"] for _ in range(5)]
    assert told == [4, 3, 2, 1, 0]
    waits = desks.refusal(second, pin="482913")
    assert isinstance(waits, TooManyAttempts)
    assert waits.more == {"seconds": 900}
    assert len(checks) == 5
    clock.turn(minutes=15, seconds=1)
    assert desks.log_in(second).user.id == ada
    assert desks.refusal(pool).more["tries_left"] == 4  # the right one forgave the person


def test_hd9_ten_wrong_pins_close_the_phone_to_everybody(ada, bob, pool, second, desks):
    """Whoever tries many extensions at one phone is stopped there, and nowhere else."""
    told = [desks.refusal(pool, str(number)) for number in range(2000, 2010)]
    assert all(isinstance(rule, WrongPin) for rule in told)
    assert isinstance(desks.refusal(pool, "1002", "917364"), TooManyAttempts)
    assert desks.log_in(second, "1002").user.id == bob


def test_hd9_a_right_pin_forgives_only_itself(ada, bob, pool, desks):
    """Who knows one PIN cannot use it to go on guessing others at the same phone."""
    for number in range(2000, 2009):
        desks.refusal(pool, str(number))
    desks.log_in(pool, "1002")
    assert isinstance(desks.refusal(pool, "2009"), WrongPin)
    assert isinstance(desks.refusal(pool, "2010"), TooManyAttempts)


def test_hd9_a_source_is_counted_over_all_phones(core, actor, ada, desks, clock, monkeypatch):
    """A hundred wrong PINs from one address stop it at every phone; other addresses go on."""
    monkeypatch.setattr(
        core.pins, "verify", lambda stored, pin: stored is not None and pin != WRONG
    )
    devices = [
        registering.add_device(core, actor, mac=f"0015650001{n:02}", pool=True).device
        for n in range(13)
    ]

    def come(n: int, pin: str = WRONG, extension: str = "", source: str = "192.0.2.7") -> str:
        device = devices[n]
        try:
            hotdesk.log_in_here(
                core, desks.phone(device), desks.station(device).id,
                extension=extension, pin=pin, source=source,
            )  # fmt: skip
        except BrokenRule as rule:
            return type(rule).__name__
        return "in"

    told = {come(n // 9, extension=f"{2000 + n}") for n in range(100)}
    assert told == {"WrongPin"}
    assert come(12, "482913", "1001") == "TooManyAttempts"
    assert come(12, "482913", "1001", source="192.0.2.8") == "in"


def test_hd9_a_pbx_gets_more_tries_than_an_office(core, actor, ada, pool, desks):
    """A PBX is everybody's address: a thousand may be wrong by dial code before all have to wait."""
    pbx = replace(actor, source="192.0.2.7")
    with core.database.write() as session:
        now = core.database.moment(session)
        (counted,) = members.attempts(session, ["pin-by:192.0.2.7"], now)
        counted.failures = 998
    dial = partial(hotdesk.log_in, core, pbx, device=pool.id, extension="1001")
    for _ in range(2):
        with pytest.raises(WrongPin):
            dial(pin=WRONG)
    with pytest.raises(TooManyAttempts):
        dial(pin="482913")
    assert desks.log_in(pool).user.id == ada  # by another PBX


def test_hd9_nobody_is_known_by_the_work_or_the_answer(ada, pool, desks, checks):
    """For an unknown extension, for one without a PIN and for a wrong PIN one hash is computed."""
    found = []
    for extension in ("1001", "9999", "10 01", "1" * 900, "\ud800"):
        checks.clear()
        found.append((len(checks), str(desks.refusal(pool, extension)), len(checks)))
    assert {(text, work) for _, text, work in found} == {(found[0][1], 1)}


@pytest.mark.parametrize("sources", [1, 40])
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_at13_brute_force_over_two_replicas(core, second_core, ada, desks, actor, checks, sources):
    """Forty guesses at once, by two replicas, from one address or many: five are judged."""
    devices = [
        registering.add_device(core, actor, mac=f"0015650001{n:02}", pool=True).device
        for n in range(8)
    ]
    seats = [(desks.phone(device), desks.station(device).id) for device in devices]
    checks.clear()

    def guess(n: int) -> str:
        phone, station = seats[n % 8]
        replica = second_core if n % 2 else core
        source = f"192.0.2.{n % sources}"
        try:
            hotdesk.log_in_here(
                replica, phone, station, extension="1001", pin=f"55{n:04}", source=source
            )
        except BrokenRule as rule:
            return type(rule).__name__
        return "in"

    with ThreadPoolExecutor(8) as workers:
        told = list(workers.map(guess, range(40)))
    assert len(checks) == told.count("WrongPin") == 5
    assert told.count("TooManyAttempts") == 35


def test_hd9_a_new_pin_holds_at_once_and_ends_sessions(core, actor, ada, pool, desks):
    """The former PIN opens nothing any more, and who sits by it is out."""
    desks.log_in(pool)
    users.set_pin(core, actor, ada, "917365")
    assert desks.sitting() == {}
    assert isinstance(desks.refusal(pool, pin="482913"), WrongPin)
    desks.log_in(pool, pin="917365")
    users.clear_pin(core, actor, ada)
    assert desks.sitting() == {}
    assert isinstance(desks.refusal(pool, pin="917365"), WrongPin)


def test_hd9_a_pin_changed_after_it_was_judged_opens_nothing(
    core, actor, ada, pool, desks, monkeypatch
):
    """Between the look at the PIN and the seat there is no gap for a former one."""

    def judged(*args, **more):
        found = pins.owner_of_pin(*args, **more)
        users.set_pin(core, actor, ada, "917365")
        return found

    monkeypatch.setattr(hotdesk, "owner_of_pin", judged)
    assert isinstance(desks.refusal(pool, pin="482913"), WrongPin)
    assert desks.sitting() == {}


def test_hd2_a_lock_out_logs_nobody_out(ada, bob, pool, desks):
    """Whoever sits at a phone stays there, whatever is tried around them."""
    desks.log_in(pool)
    for number in range(2000, 2010):
        desks.refusal(pool, str(number))
    assert isinstance(desks.refusal(pool, "1002", "917364"), TooManyAttempts)
    assert desks.sitting() == {pool.id: "1001"}


def test_hd12_a_storm_is_told_to_come_again(core, ada, pool, desks, checks):
    """Beyond so many logins in a second nothing is judged, and nobody's tries are used up."""
    core.logins = Pace(2, clock=lambda: 0.0)
    checks.clear()
    told = [desks.refusal(pool) for _ in range(4)]
    assert [type(rule) for rule in told] == [WrongPin, WrongPin, TooManyLogins, TooManyLogins]
    core.logins = Pace(2)
    assert desks.refusal(pool).more["tries_left"] == 2


def test_hd12_the_pace_is_so_many_in_a_second():
    """The bucket fills again by the clock, and never above its size."""
    now = [0.0]
    pace = Pace(4, clock=lambda: now[0])
    assert [pace.take() for _ in range(5)] == [True] * 4 + [False]
    now[0] = 0.5
    assert [pace.take() for _ in range(3)] == [True, True, False]
    now[0] = 100.0
    assert [pace.take() for _ in range(5)] == [True] * 4 + [False]


def test_hd9_a_pin_is_only_judged_at_ones_own_phone(core, ada, pool, second, desks, checks):
    """A phone logs people in at its own station, not at another's."""
    checks.clear()
    with pytest.raises(BrokenRule, match="at itself only"):
        hotdesk.log_in_here(
            core, desks.phone(pool), desks.station(second).id, extension="1001", pin="482913"
        )
    assert checks == []
    seat = hotdesk.log_in_here(
        core, desks.phone(pool), desks.station(pool).id, extension="1001", pin="482913"
    )
    assert seat.place == "Lobby"
    hotdesk.log_out_here(core, desks.phone(pool), desks.station(pool).id)
    assert desks.sitting() == {}


def test_g1_a_phone_that_takes_nobody_says_so_after_the_pin(core, actor, ada, desks, clock):
    """Of a phone's rules only those learn who know a PIN."""
    own = registering.add_device(core, actor, mac="00:15:65:00:00:03").device
    assert isinstance(desks.refusal(own), WrongPin)
    assert isinstance(desks.refusal(own, pin="482913"), HotdeskingOff)
