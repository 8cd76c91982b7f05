"""A phone that keeps the file of who was there: the SIP password changes, or it is shown."""

from __future__ import annotations

import pytest

from provisioning.domain.kinds import Release
from provisioning.store import queries
from provisioning.store.people import SipServer
from provisioning.usecases import dect, handsets, hotdesk, registering, seats, stations
from provisioning.usecases.pages import Page
from provisioning.usecases.purposes import PURPOSE_SIP
from provisioning.usecases.releases import look_after
from provisioning.usecases.swapping import swap_device

NAME = "001565000001.cfg"
MAC, SPARE = "00:15:65:00:00:09", "00:0B:82:00:00:02"


@pytest.fixture
def phone(phone_of, pool):
    """The pool phone, which fetches."""
    return phone_of(pool.id, NAME)


def fetch(phone) -> str:
    """Load the phone's file twice: with the first it may get our CA and be led elsewhere."""
    agent = "Yealink SIP-T54W 96.86.0.45 00:15:65:00:00:01"
    return [phone.fetch(user_agent=agent).content.decode() for _ in range(2)][1]


def password(core, user) -> str:
    """The SIP password of a user."""
    with core.database.read() as session:
        (account,) = queries.accounts_of(session, users=[user])
    return core.cipher.decrypt(account.password_encrypted, PURPOSE_SIP)


def releases(core, actor, user) -> dict[str, int]:
    """How many of a user's ended sessions are how far."""
    found = {
        str(word): len(seats.list_sessions(core, actor, Page(), user=user, state=word))
        for word in Release
    }
    return {word: count for word, count in found.items() if count}


def test_hd7_a_phone_that_was_off_has_a_password_that_is_none(
    core, actor, ada, pool, phone, desks, clock
):
    """Some minutes after the end the old password is another; a day later nothing of theirs is sent."""
    fetch(phone)
    desks.log_in(pool)
    old = password(core, ada)
    assert old in fetch(phone)
    hotdesk.log_out(core, desks.actor, device=pool.id)
    assert look_after(core) == 0
    clock.turn(minutes=5)
    assert look_after(core) == 1
    assert password(core, ada) != old
    assert releases(core, actor, ada) == {"rotated": 1}
    clock.turn(days=1)
    assert look_after(core) == 0
    text = fetch(phone)
    assert old not in text
    assert password(core, ada) not in text
    assert "Lovelace" not in text


def test_hd7_a_phone_that_came_back_costs_nobody_a_password(
    core, actor, ada, pool, phone, desks, clock
):
    """Once it has fetched what it is to have, the account stays as it is."""
    fetch(phone)
    desks.log_in(pool)
    old = password(core, ada)
    fetch(phone)
    hotdesk.log_out(core, desks.actor, device=pool.id)
    fetch(phone)
    clock.turn(minutes=5)
    assert look_after(core) == 1
    assert (password(core, ada), releases(core, actor, ada)) == (old, {"released": 1})


def test_hd7_a_phone_that_never_had_the_file_is_not_waited_for(
    core, actor, ada, pool, phone, desks, clock
):
    """A login that no fetch followed left nothing on the phone."""
    fetch(phone)
    desks.log_in(pool)
    hotdesk.log_out(core, desks.actor, device=pool.id)
    clock.turn(minutes=5)
    assert look_after(core) == 1
    assert releases(core, actor, ada) == {"released": 1}


def test_hd7_whoever_is_back_keeps_the_password(core, actor, ada, pool, phone, desks, clock):
    """Somebody who logs in again at the same phone is to register there."""
    fetch(phone)
    desks.log_in(pool)
    old = password(core, ada)
    fetch(phone)
    hotdesk.log_out(core, desks.actor, device=pool.id)
    desks.log_in(pool)
    clock.turn(minutes=5)
    look_after(core)
    assert (password(core, ada), releases(core, actor, ada)) == (old, {"released": 1})


def test_hd7_passwords_of_the_pbx_side_are_shown_as_still_registered(
    core, actor, ada, pool, phone, desks, clock
):
    """Where the PBX gives them, the list says that the old phone registers until it came back."""
    with core.database.write() as session:
        for server in session.query(SipServer):
            server.secrets = "given"
    fetch(phone)
    desks.log_in(pool)
    old = password(core, ada)
    fetch(phone)
    hotdesk.log_out(core, desks.actor, device=pool.id)
    for _ in range(2):
        clock.turn(minutes=6)
        assert look_after(core) == 1
        assert (password(core, ada), releases(core, actor, ada)) == (old, {"still-registers": 1})
    fetch(phone)
    clock.turn(minutes=6)
    assert look_after(core) == 1
    assert releases(core, actor, ada) == {"released": 1}


def a_handset(core, actor):
    """A handset, and its removal."""
    system = dect.add_system(core, actor, name="tower").id
    station = handsets.put_handset(core, actor, system).station
    return station, lambda: handsets.remove_handset(core, actor, station.id)


def a_desk(core, actor):
    """The station of a device of unknown model, and its being a base."""
    device = registering.add_device(core, actor, mac=MAC, vendor="yealink-dect").device
    system = dect.add_system(core, actor, name="tower").id
    seat = stations.first_station(core, actor, device.id)
    return seat.station, lambda: dect.add_member(core, actor, system, device.id)


def a_port(core, actor):
    """The second port of an adapter, and a swap for one that has none."""
    made = {"vendor": "grandstream", "model": "HT802"}
    device = registering.add_device(core, actor, mac=MAC, **made).device
    smaller = {"mac": SPARE, "vendor": "grandstream", "model": "HT801"}
    seat = stations.device_stations(core, actor, device.id)[1]
    return seat.station, lambda: swap_device(core, actor, device.id, **smaller)


@pytest.mark.parametrize(
    ("place", "left"),
    [(a_handset, False), (a_handset, True), (a_desk, False), (a_desk, True), (a_port, True)],
)
def test_hd7_a_place_that_goes_takes_the_password_along(
    core, actor, ada, desks, clock, place, left
):
    """Whoever sits at what is no more, or just left it, is out and has another password."""
    station, go = place(core, actor)
    stations.change_station(core, actor, station.id, {"hotdesking": "any"})
    seat = hotdesk.take(core, actor, ada, station.id)
    old = password(core, ada)
    if left:
        seats.end_session(core, actor, seat.id)
    go()
    assert desks.sitting() == {}
    assert password(core, ada) != old


def test_hd7_one_replica_looks_at_a_phone(core, actor, ada, pool, phone, desks, clock, monkeypatch):
    """What one has claimed no other looks at; one that dies leaves it to the others a minute later."""
    fetch(phone)
    desks.log_in(pool)
    fetch(phone)
    hotdesk.log_out(core, desks.actor, device=pool.id)
    clock.turn(minutes=5)

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("provisioning.usecases.releases._look_at", killed)
        with pytest.raises(KeyboardInterrupt):
            look_after(core)
    assert look_after(core) == 0
    clock.turn(minutes=1)
    assert look_after(core) == 1
    assert releases(core, actor, ada) == {"rotated": 1}
