"""Logging in at a phone and out: whose lines it has, who may, and when it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.domain.errors import (
    BrokenRule,
    HotdeskingOff,
    InvalidInput,
    LoggedInElsewhere,
    NotFound,
    PinMustChange,
    StationOccupied,
    TooManyAttempts,
    WrongPin,
)
from provisioning.domain.hotdesk import lease_end
from provisioning.domain.roles import Permission
from provisioning.render.syntax import FORMS
from provisioning.store.devices import Device
from provisioning.usecases import assignments, hotdesk, registering, seats, sip, stations, users
from provisioning.usecases.actors import Actor
from provisioning.usecases.pages import Page
from provisioning.usecases.requests import Door
from provisioning.usecases.settings import set_values
from provisioning.vendors.schema import Syntax

PIN, OTHER = "482913", "917364"


def log_in(core, actor, device, extension="1001", pin=PIN, **more):
    """Log somebody in at a phone."""
    return hotdesk.log_in(core, actor, device=device.id, extension=extension, pin=pin, **more)


def refusal(core, actor, device) -> type[BrokenRule] | None:
    """What a login with a wrong PIN is refused by."""
    try:
        log_in(core, actor, device, pin="000000")
    except BrokenRule as rule:
        return type(rule)
    return None


def sitting(core, actor) -> dict:
    """Who sits at which station."""
    return {
        seat.station.device_id: seat.user.extension
        for seat in seats.list_sessions(core, actor, Page())
    }


def account(phone_of, device, name) -> str:
    """The user name of the first account in a phone's file; empty where there is none."""
    reply = phone_of(device.id, name).fetch(user_agent="", door=Door.HTTPS)
    return (
        dict(FORMS[Syntax.YEALINK].parse(reply.content.decode()))
        .get("account.1.user_name", "")
        .replace("%NULL%", "")
    )


def test_g2_the_phone_has_the_lines_of_whoever_logged_in(core, actor, ada, bob, pool, phone_of):
    """A login swaps the person in and a logout takes everything of theirs away again."""
    name = "001565000001.cfg"
    assert account(phone_of, pool, name) == ""
    log_in(core, actor, pool)
    assert account(phone_of, pool, name) == "1001"
    hotdesk.log_out(core, actor, device=pool.id)
    assert account(phone_of, pool, name) == ""
    log_in(core, actor, pool, "1002", OTHER)
    assert account(phone_of, pool, name) == "1002"


def test_g2_a_session_stands_in_for_the_owner(core, actor, ada, bob, pool, phone_of):
    """At a phone that takes anybody, its owner's lines make room for whoever logs in."""
    own = registering.add_device(core, actor, mac="00:15:65:00:00:03").device
    assignments.assign_device(core, actor, own.id, [bob])
    (seat,) = stations.device_stations(core, actor, own.id)
    stations.change_station(core, actor, seat.station.id, {"hotdesking": "any"})
    log_in(core, actor, own)
    assert account(phone_of, own, "001565000003.cfg") == "1001"
    hotdesk.log_out(core, actor, device=own.id)
    assert account(phone_of, own, "001565000003.cfg") == "1002"


def test_g2_a_pbx_names_the_phone_by_its_place_account(core, actor, ada, pool, server):
    """A dial code is answered by a PBX that knows only the SIP user name of the phone."""
    station = stations.device_stations(core, actor, pool.id)[0].station
    sip.add_account(core, actor, username="place-1", station_id=station.id)
    pbx = Actor("pbx", actor.organisation, frozenset({Permission.PBX}))
    seat = hotdesk.log_in(core, pbx, sip_username="place-1", extension="1001", pin=PIN)
    assert seat.station.id == station.id
    hotdesk.log_out(core, pbx, sip_username="place-1")
    with pytest.raises(NotFound):
        hotdesk.log_out(core, pbx, sip_username="place-1")
    with pytest.raises(NotFound):
        hotdesk.log_in(core, pbx, sip_username="1001", extension="1001", pin=PIN)


def test_g3_wrong_pins_and_unknown_people_are_one_answer_and_make_wait(core, actor, ada, pool):
    """Nobody learns which extensions there are, and after some tries nothing is judged at all."""
    with pytest.raises(WrongPin) as wrong:
        log_in(core, actor, pool, pin="000000")
    with pytest.raises(WrongPin) as unknown:
        log_in(core, actor, pool, "9999", "000000")
    assert str(wrong.value) == str(unknown.value)
    told = [refusal(core, actor, pool) for _ in range(10)]
    assert told[-1] is TooManyAttempts
    with pytest.raises(TooManyAttempts):
        log_in(core, actor, pool)


def test_g3_a_pin_that_must_change_is_told_by_its_own_error(core, actor, ada, pool):
    """A first PIN opens no phone before its user has changed it, and says so."""
    users.set_pin(core, actor, ada, OTHER, must_change=True)
    with pytest.raises(PinMustChange):
        log_in(core, actor, pool, pin=OTHER)
    users.set_pin(core, actor, ada, PIN)
    assert log_in(core, actor, pool).user.id == ada


def test_g1_only_phones_and_people_that_may(core, actor, ada, pool):
    """A phone that takes nobody, one that is no pool phone, a person without the feature: refused."""
    own = registering.add_device(core, actor, mac="00:15:65:00:00:03").device
    with pytest.raises(HotdeskingOff):
        log_in(core, actor, own)
    set_values(core, actor, "user", ada, {"feature.hotdesking": False})
    with pytest.raises(HotdeskingOff):
        log_in(core, actor, pool)
    assert sitting(core, actor) == {}


def test_g1_who_may_no_longer_log_in_gets_no_further_lease(core, actor, ada, pool, clock):
    """Somebody who sits there makes it last longer only while the phone and they still may."""
    station = log_in(core, actor, pool).station
    clock.turn(hours=1)
    before = log_in(core, actor, pool).session.lease_until
    assert before == clock() + timedelta(hours=12)
    stations.change_station(core, actor, station.id, {"hotdesking": "off"})
    with pytest.raises(HotdeskingOff):
        log_in(core, actor, pool)
    stations.change_station(core, actor, station.id, {"hotdesking": "pool"})
    set_values(core, actor, "user", ada, {"feature.hotdesking": False})
    clock.turn(hours=1)
    with pytest.raises(HotdeskingOff):
        log_in(core, actor, pool)
    (seat,) = seats.list_sessions(core, actor, Page())
    assert seat.session.lease_until == before


@pytest.mark.parametrize("rule", ["move", "deny", "several"])
def test_g5_a_login_elsewhere(core, actor, ada, pool, second, rule):
    """A second login moves the person, is refused, or stands beside the first, as the place says."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.elsewhere": rule})
    log_in(core, actor, pool)
    if rule == "deny":
        with pytest.raises(LoggedInElsewhere):
            log_in(core, actor, second)
    else:
        log_in(core, actor, second)
    left = {"move": {second.id}, "deny": {pool.id}, "several": {pool.id, second.id}}
    assert set(sitting(core, actor)) == left[rule]


def test_g5_an_occupied_phone_is_taken_over_only_by_the_rules(core, actor, ada, bob, pool):
    """Nobody takes an occupied phone, unless the place lets those with permission."""
    log_in(core, actor, pool)
    with pytest.raises(StationOccupied):
        log_in(core, actor, pool, "1002", OTHER)
    organisation = actor.organisation
    set_values(core, actor, "organisation", organisation, {"hotdesk.take-over": "permission"})
    log_in(core, actor, pool, "1002", OTHER)
    assert sitting(core, actor) == {pool.id: "1002"}


def test_g5_a_lease_ends_by_itself(core, actor, ada, pool, clock, phone_of):
    """After the place's hours the session is over and the phone is a guest's again."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.lease-hours": 2})
    log_in(core, actor, pool)
    clock.turn(hours=1, minutes=59)
    assert seats.end_leases(core) == 0
    clock.turn(minutes=2)
    assert seats.end_leases(core) == 1
    assert sitting(core, actor) == {}
    assert account(phone_of, pool, "001565000001.cfg") == ""


def test_g5_a_daily_end_is_of_the_places_clock():
    """The time of day counts in the place's zone, today or tomorrow, and the hours if they end first."""
    start = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)  # 17:00 in Berlin
    assert lease_end(start, 12, "18:30", "Europe/Berlin") == start + timedelta(hours=1, minutes=30)
    assert lease_end(start, 12, "16:00", "Europe/Berlin") == start + timedelta(hours=12)
    assert lease_end(start, 0, "16:00", "Europe/Berlin") == start + timedelta(hours=23)
    assert lease_end(start, 1, "", "") == start + timedelta(hours=1)


def test_g4_an_admin_sees_ends_and_extends_sessions(core, actor, ada, bob, pool, second, clock):
    """Who sits where is listed; one session is ended, extended, or all of them ended."""
    one = log_in(core, actor, pool)
    two = log_in(core, actor, second, "1002", OTHER)
    assert sitting(core, actor) == {pool.id: "1001", second.id: "1002"}
    later = clock() + timedelta(days=2)
    assert seats.extend(core, actor, one.id, later).session.lease_until == later
    for moment in (clock(), clock() + timedelta(days=60)):
        with pytest.raises(InvalidInput):
            seats.extend(core, actor, one.id, moment)
    seats.end_session(core, actor, two.id)
    assert sitting(core, actor) == {pool.id: "1001"}
    with pytest.raises(NotFound):
        seats.extend(core, actor, two.id, later)
    assert seats.end_all(core, actor) == 1
    assert sitting(core, actor) == {}


def test_g4_sessions_are_found_by_whose_they_are(core, actor, ada, bob, pool, second):
    """A part of a name or an extension finds the sessions of whoever has it."""
    log_in(core, actor, pool)
    log_in(core, actor, second, "1002", OTHER)
    found = seats.list_sessions(core, actor, Page(q="bo"))
    assert [seat.user.extension for seat in found] == ["1002"]
    assert seats.list_sessions(core, actor, Page(q="nobody")) == []


def test_an_end_in_the_hour_that_comes_twice_is_never_before_the_login():
    """Where clocks go back, a login ends by the next moment its clock shows the time."""
    start = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert lease_end(start, 12, "02:45", "Europe/Berlin") == datetime(
        2026, 10, 25, 1, 45, tzinfo=UTC
    )
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert lease_end(before, 12, "02:45", "Europe/Berlin") == datetime(
        2026, 10, 25, 0, 45, tzinfo=UTC
    )


def test_g4_a_neighbour_sees_and_ends_nothing(core, actor, neighbour, ada, pool):
    """Sessions are an organisation's own."""
    seat = log_in(core, actor, pool)
    assert seats.list_sessions(core, neighbour, Page()) == []
    with pytest.raises(NotFound):
        seats.end_session(core, neighbour, seat.id)
    with pytest.raises(NotFound):
        hotdesk.log_in(core, neighbour, device=pool.id, extension="1001", pin=PIN)


def test_g2_a_change_of_somebody_reaches_the_phone_they_sit_at(core, actor, ada, pool):
    """Whoever is logged in is renamed and deleted on that phone too, cached or not."""
    log_in(core, actor, pool)

    def version() -> int:
        with core.database.read() as session:
            return session.get_one(Device, pool.id).version

    for work in (
        lambda: users.change_user(core, actor, ada, {"first_name": "Grace"}),
        lambda: users.delete_user(core, actor, ada),
    ):
        before = version()
        work()
        assert version() > before


def test_two_who_log_in_at_once_get_one_seat(core, actor, ada, bob, pool):
    """Of two logins at one phone at the same moment one is refused cleanly."""

    def try_it(who):
        try:
            log_in(core, actor, pool, *who)
        except BrokenRule as rule:
            return type(rule).__name__
        return "in"

    with ThreadPoolExecutor(2) as workers:
        found = sorted(workers.map(try_it, [("1001", PIN), ("1002", OTHER)]))
    assert found.count("in") == 1
    assert set(found) <= {"in", "StationOccupied", "Conflict", "StaleRevision"}
    assert len(sitting(core, actor)) == 1
