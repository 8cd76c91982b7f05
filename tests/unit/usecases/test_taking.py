"""Taking a phone by its label, where several try at once and where it may not be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from provisioning.domain.errors import BrokenRule, Forbidden, NobodysOwn, NotFound
from provisioning.domain.roles import Permission
from provisioning.usecases import devices, me, registering, seats, stations, taking
from provisioning.usecases.pages import Page
from provisioning.usecases.taking import Standing


@pytest.fixture
def person(add_person, actor):
    """Make somebody who acts for themselves."""

    def make(first, extension):
        own = frozenset({Permission.OWN})
        return replace(actor, permissions=own, user_id=add_person(first, extension), name=first)

    return make


@pytest.fixture
def station(core, actor):
    """A pool phone's station."""
    row = registering.add_device(core, actor, mac="00:15:65:00:00:01", pool=True).device
    return stations.device_stations(core, actor, row.id)[0].station


def seated(core, actor):
    """Who sits somewhere."""
    return [seat.user.extension for seat in seats.list_sessions(core, actor, Page())]


def test_hd11_of_many_who_take_one_phone_at_once_one_has_it(core, actor, person, station):
    """Six people press the button at the same moment: one sits there, the others are refused."""
    people = [person(f"Person{number}", f"10{number:02}") for number in range(6)]

    def attempt(who):
        try:
            return me.take(core, who, station.id).user.extension
        except BrokenRule as rule:
            return type(rule).__name__

    with ThreadPoolExecutor(6) as workers:
        told = list(workers.map(attempt, people))
    assert seated(core, actor) == [name for name in told if name.isdecimal()]
    assert len(seated(core, actor)) == 1
    assert {name for name in told if not name.isdecimal()} <= {"StationOccupied", "Conflict"}


def test_taking_twice_is_taking_once(core, actor, person, station):
    """A second press renews the lease of the same session."""
    ada = person("Ada", "1001")
    first = me.take(core, ada, station.id)
    again = me.take(core, ada, station.id)
    assert first.session.id == again.session.id
    assert taking.look(core, ada, station.label_code).standing is Standing.YOURS
    assert [held.seat.id for held in taking.phones(core, ada)] == [first.session.id]


def test_only_people_of_the_organisation_take_its_phones(core, actor, neighbour, person, station):
    """A stranger, a credential of nobody and one without rights are refused alike by every verb."""
    ada = person("Ada", "1001")
    stranger = replace(ada, organisation_id=neighbour.organisation)
    for call, what in (
        (me.take, station.id),
        (taking.look, station.label_code),
    ):
        with pytest.raises(NotFound):
            call(core, stranger, what)
        with pytest.raises(NobodysOwn):
            call(core, actor, what)
        with pytest.raises(Forbidden):
            call(core, replace(ada, permissions=frozenset()), what)
    assert seated(core, actor) == []


def test_a_blocked_phone_is_no_ones_to_take_but_still_shown_to_who_sits_there(
    core, actor, person, station
):
    """The label of a blocked phone leads nowhere, and whoever sits there can still log out."""
    ada = person("Ada", "1001")
    me.take(core, ada, station.id)
    devices.change_device(core, actor, station.device_id, {"state": "blocked"})
    with pytest.raises(NotFound):
        taking.look(core, ada, station.label_code)
    (held,) = taking.phones(core, ada)
    assert held.seat.station.id == station.id
    me.end_my_session(core, ada, held.seat.id)
    assert seated(core, actor) == []
