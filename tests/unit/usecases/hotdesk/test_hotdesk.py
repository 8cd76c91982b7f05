"""Logging in at a phone and out: whose lines it has, who may, and when it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from provisioning.domain.errors import (
    BrokenRule,
    HotdeskingOff,
    InvalidInput,
    LoggedInElsewhere,
    NotFound,
    PinMustChange,
    StationOccupied,
)
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


def account(phone_of, device, name) -> str:
    """The user name of the first account in a phone's file; empty where there is none."""
    reply = phone_of(device.id, name).fetch(user_agent="", door=Door.HTTPS)
    return (
        dict(FORMS[Syntax.YEALINK].parse(reply.content.decode()))
        .get("account.1.user_name", "")
        .replace("%NULL%", "")
    )


def test_g2_the_phone_has_the_lines_of_whoever_logged_in(
    core, actor, ada, bob, pool, phone_of, desks
):
    """A login swaps the person in and a logout takes everything of theirs away again."""
    name = "001565000001.cfg"
    assert account(phone_of, pool, name) == ""
    desks.log_in(pool)
    assert account(phone_of, pool, name) == "1001"
    hotdesk.log_out(core, actor, device=pool.id)
    assert account(phone_of, pool, name) == ""
    desks.log_in(pool, "1002")
    assert account(phone_of, pool, name) == "1002"


def test_g2_a_session_stands_in_for_the_owner(core, actor, ada, bob, pool, phone_of, desks):
    """At a phone that takes anybody, its owner's lines make room for whoever logs in."""
    own = registering.add_device(core, actor, mac="00:15:65:00:00:03").device
    assignments.assign_device(core, actor, own.id, [bob])
    (seat,) = stations.device_stations(core, actor, own.id)
    stations.change_station(core, actor, seat.station.id, {"hotdesking": "any"})
    desks.log_in(own)
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


def test_g3_a_pin_that_must_change_is_told_by_its_own_error(core, actor, ada, pool, desks):
    """A first PIN opens no phone before its user has changed it, and says so."""
    users.set_pin(core, actor, ada, OTHER, must_change=True)
    with pytest.raises(PinMustChange):
        desks.log_in(pool, pin=OTHER)
    users.set_pin(core, actor, ada, PIN)
    assert desks.log_in(pool).user.id == ada


def test_g1_only_phones_and_people_that_may(core, actor, ada, pool, desks):
    """A phone that takes nobody, one that is no pool phone, a person without the feature: refused."""
    own = registering.add_device(core, actor, mac="00:15:65:00:00:03").device
    with pytest.raises(HotdeskingOff):
        desks.log_in(own)
    set_values(core, actor, "user", ada, {"feature.hotdesking": False})
    with pytest.raises(HotdeskingOff):
        desks.log_in(pool)
    assert desks.sitting() == {}


def test_g1_who_may_no_longer_log_in_gets_no_further_lease(core, actor, ada, pool, clock, desks):
    """Somebody who sits there makes it last longer only while the phone and they still may."""
    station = desks.log_in(pool).station
    clock.turn(hours=1)
    before = desks.log_in(pool).session.lease_until
    assert before == clock() + timedelta(hours=12)
    stations.change_station(core, actor, station.id, {"hotdesking": "off"})
    with pytest.raises(HotdeskingOff):
        desks.log_in(pool)
    stations.change_station(core, actor, station.id, {"hotdesking": "pool"})
    set_values(core, actor, "user", ada, {"feature.hotdesking": False})
    clock.turn(hours=1)
    with pytest.raises(HotdeskingOff):
        desks.log_in(pool)
    (seat,) = seats.list_sessions(core, actor, Page())
    assert seat.session.lease_until == before


@pytest.mark.parametrize("rule", ["move", "deny", "several"])
def test_g5_a_login_elsewhere(core, actor, ada, pool, second, rule, desks):
    """A second login moves the person, is refused, or stands beside the first, as the place says."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.elsewhere": rule})
    desks.log_in(pool)
    if rule == "deny":
        with pytest.raises(LoggedInElsewhere):
            desks.log_in(second)
    else:
        desks.log_in(second)
    left = {"move": {second.id}, "deny": {pool.id}, "several": {pool.id, second.id}}
    assert set(desks.sitting()) == left[rule]


def test_g5_an_occupied_phone_is_taken_over_only_by_the_rules(core, actor, ada, bob, pool, desks):
    """Nobody takes an occupied phone, unless the place lets those with permission."""
    desks.log_in(pool)
    with pytest.raises(StationOccupied):
        desks.log_in(pool, "1002")
    organisation = actor.organisation
    set_values(core, actor, "organisation", organisation, {"hotdesk.take-over": "permission"})
    desks.log_in(pool, "1002")
    assert desks.sitting() == {pool.id: "1002"}


def test_g5_a_lease_ends_by_itself(core, actor, ada, pool, clock, phone_of, desks):
    """After the place's hours the session is over and the phone is a guest's again."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.lease-hours": 2})
    desks.log_in(pool)
    clock.turn(hours=1, minutes=59)
    assert seats.end_leases(core) == 0
    clock.turn(minutes=2)
    assert seats.end_leases(core) == 1
    assert desks.sitting() == {}
    assert account(phone_of, pool, "001565000001.cfg") == ""


def test_g4_an_admin_sees_ends_and_extends_sessions(
    core, actor, ada, bob, pool, second, clock, desks
):
    """Who sits where is listed; one session is ended, extended, or all of them ended."""
    one = desks.log_in(pool)
    two = desks.log_in(second, "1002")
    assert desks.sitting() == {pool.id: "1001", second.id: "1002"}
    later = clock() + timedelta(days=2)
    assert seats.extend(core, actor, one.id, later).session.lease_until == later
    for moment in (clock(), clock() + timedelta(days=60)):
        with pytest.raises(InvalidInput):
            seats.extend(core, actor, one.id, moment)
    seats.end_session(core, actor, two.id)
    assert desks.sitting() == {pool.id: "1001"}
    with pytest.raises(NotFound):
        seats.extend(core, actor, two.id, later)
    assert seats.end_all(core, actor) == 1
    assert desks.sitting() == {}


def test_g4_sessions_are_found_by_whose_they_are(core, actor, ada, bob, pool, second, desks):
    """A part of a name or an extension finds the sessions of whoever has it."""
    desks.log_in(pool)
    desks.log_in(second, "1002")
    found = seats.list_sessions(core, actor, Page(q="bo"))
    assert [seat.user.extension for seat in found] == ["1002"]
    assert seats.list_sessions(core, actor, Page(q="nobody")) == []


def test_g4_a_neighbour_sees_and_ends_nothing(core, actor, neighbour, ada, pool, desks):
    """Sessions are an organisation's own."""
    seat = desks.log_in(pool)
    assert seats.list_sessions(core, neighbour, Page()) == []
    with pytest.raises(NotFound):
        seats.end_session(core, neighbour, seat.id)
    with pytest.raises(NotFound):
        hotdesk.log_in(core, neighbour, device=pool.id, extension="1001", pin=PIN)


def test_g2_a_change_of_somebody_reaches_the_phone_they_sit_at(core, actor, ada, pool, desks):
    """Whoever is logged in is renamed and deleted on that phone too, cached or not."""
    desks.log_in(pool)

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


def test_two_who_log_in_at_once_get_one_seat(core, actor, ada, bob, pool, desks):
    """Of two logins at one phone at the same moment one is refused cleanly."""

    def try_it(who):
        try:
            desks.log_in(pool, who)
        except BrokenRule as rule:
            return type(rule).__name__
        return "in"

    with ThreadPoolExecutor(2) as workers:
        found = sorted(workers.map(try_it, ["1001", "1002"]))
    assert found.count("in") == 1
    assert set(found) <= {"in", "StationOccupied", "Conflict", "StaleRevision"}
    assert len(desks.sitting()) == 1
