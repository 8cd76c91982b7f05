"""The phone's own log-in: a person's file for name and PIN, what they change, and how it ends."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from provisioning.domain.kinds import Way
from provisioning.render.syntax import lines
from provisioning.store import outbox, uploads
from provisioning.store.audit import AuditEvent
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.uploads import PhoneUpload
from provisioning.usecases import (
    assignments,
    devices,
    hotdesk,
    phonebook,
    progress,
    releases,
    seats,
    users,
)
from provisioning.usecases.pages import Page
from provisioning.usecases.ports import Heard
from provisioning.usecases.reload import settle, to_tell, told
from provisioning.usecases.requests import (
    Door,
    Outcome,
)
from provisioning.usecases.settings import set_values
from provisioning.usecases.stations import change_station, first_station
from provisioning.usecases.swapping import swap_device

PINS = {"1001": "482913", "1002": "917364"}
WRONG = "000001"
PLACE = "place-1"
OK = Heard(well=True, words="200 OK")
NOT_FOUND, REFUSED = Outcome.NOT_FOUND, Outcome.REFUSED
FAILED, SERVED, CHALLENGE = Outcome.FAILED, Outcome.SERVED, Outcome.CHALLENGE


@pytest.fixture
def clock(clock):
    """A clock that shows today: what is marked and served is written with the real one."""
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
def phone(add_mitel):
    """One of them."""
    return add_mitel()


@pytest.fixture
def settled(core, clock):
    """Look at what changes have marked."""

    def look():
        clock.now = max(clock.now, datetime.now(UTC)) + outbox.COALESCE * 2
        while settle(core):
            pass

    return look


@pytest.fixture
def status(core, actor, phone):
    """The line about the phone."""
    return lambda: progress.read_reload(core, actor, phone.device).status


def sitting(core, actor) -> dict[str, str]:
    """Who sits where, by their first names."""
    found = seats.list_sessions(core, actor, Page())
    return {seat.user.first_name: seat.place for seat in found}


def why(core) -> list[str]:
    """What ended each session, in order."""
    with core.database.read() as session:
        return [
            row.ended_by
            for row in session.scalars(select(HotdeskSession).order_by(HotdeskSession.id))
        ]


# --- in


def test_g2_a_name_and_a_pin_give_the_persons_file(core, actor, ada, phone, settled, status):
    """Whoever knows both sits there; the phone's own file stays the place's, and nothing is told."""
    assert phone.file["topsoftkey2 type"] == "hotdesklogin"
    before = phone.fetch()
    settled()
    first = phone.log_in()
    held = dict(lines.mitel(first.content.decode()))
    assert held["sip line1 user name"] == "1001"
    assert held["sip line1 password"]
    assert held["topsoftkey2 type"] == "hotdesklogin"
    assert PLACE not in first.content.decode()
    assert not {"admin password", "http digest password", "user config url"} & held.keys()
    assert sitting(core, actor) == {"Ada": "Lobby"}
    settled()
    assert status().startswith("current since ")
    assert to_tell(core, core.clock(), 10) == []
    assert phone.fetch() == before
    assert b"Log out" in phone.ask(phone.file["xml application URI"]).content


def test_g6_the_phone_book_is_the_persons(core, actor, ada, phone):
    """What is no file of the place follows whoever the phone holds: their own contacts are found."""
    number = [{"kind": "home", "number": "555"}]
    phonebook.add_contact(core, actor, first_name="Mum", numbers=number, user_id=ada)
    book = phone.name.replace(".cfg", "-phonebook.xml")
    assert b"Mum" not in phone.load(book)
    phone.log_in()
    assert b"Mum" in phone.load(book)


def test_hd10_the_same_person_asks_again(core, actor, ada, phone, clock):
    """Who is there already gets the file anew for their PIN, by the same session, and not without."""
    phone.log_in()
    (first,) = seats.list_sessions(core, actor, Page())
    clock.turn(hours=1)
    assert phone.log_in(pin=WRONG).outcome is CHALLENGE
    assert phone.log_in().outcome is SERVED
    (again,) = seats.list_sessions(core, actor, Page())
    assert again.id == first.id
    assert again.session.lease_until == first.session.lease_until + timedelta(hours=1)


def test_hd4_a_taken_phone_and_a_denied_move_are_refused(core, actor, ada, bob, phone, add_mitel):
    """The rules of the place hold: who sits there stays, and may not sit at two phones."""
    other = add_mitel(2)
    phone.log_in()
    assert phone.log_in("1002").outcome is REFUSED
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.elsewhere": "deny"})
    assert other.log_in().outcome is REFUSED
    assert sitting(core, actor) == {"Ada": "Lobby"}
    users.set_pin(core, actor, bob, PINS["1002"], must_change=True)
    assert other.log_in("1002").outcome is REFUSED


def test_hd4_a_phone_that_asks_for_somebody_else_holds_nobody(
    core, actor, ada, bob, phone, settled, status
):
    """Whoever takes the phone over by its own log-in is not restarted out of it."""
    take_over(core, actor)
    devices.change_device(core, actor, phone.device, {"pool": False})
    station = first_station(core, actor, phone.device).station.id
    change_station(core, actor, station, {"hotdesking": "any"})
    assignments.assign_station(core, actor, station, [bob])
    phone.fetch()
    phone.log_in()
    assert phone.log_in("1002").outcome is SERVED
    assert (sitting(core, actor), why(core)) == ({"Bob": "Lobby"}, ["taken-over", None])
    settled()
    assert status().startswith("current since ")


# --- out, at the phone


@pytest.mark.parametrize(("event", "user"), [("registered", "place-1"), ("startup", "")])
def test_hd8_who_leaves_at_the_phone_is_out(core, actor, ada, phone, settled, status, event, user):
    """The phone tells that it is back at its own account, or that it started: nothing is told to it."""
    phone.log_in()
    assert phone.tell(event, user) == "they left at the phone"
    assert (sitting(core, actor), why(core)) == ({}, ["logout"])
    with core.database.read() as session:
        told_of = session.scalars(
            select(AuditEvent.actor).where(AuditEvent.kind == "hotdesk-session")
        ).all()
    assert set(told_of) == {"phone Lobby"}
    settled()
    assert status().startswith("current since ")
    assert to_tell(core, core.clock(), 10) == []
    core.database.moment = lambda _session: core.clock() + timedelta(minutes=6)
    assert releases.look_after(core) == 1
    assert [row.session.release for row in ended(core, actor)] == ["released"]


def ended(core, actor):
    """The sessions whose phones are known to have let go."""
    return seats.list_sessions(core, actor, Page(), state="released")


def test_hd8_what_the_phone_holds_ends_nothing(core, actor, ada, bob, phone):
    """The person's own account, nobody's, and an address without one change nothing."""
    phone.log_in()
    for user in ("1001", "1002", "", "$$SIPUSERNAME$$", "%00" * 40, "place-1&user=1001" * 9):
        assert phone.tell("registered", user).startswith("it registered what it holds"), user
    assert sitting(core, actor) == {"Ada": "Lobby"}


def test_hd8_a_session_of_a_screen_is_not_ended_by_a_restart(core, actor, ada, phone, desks):
    """What our own screen began is in the phone's file, which it loads when it starts."""
    hotdesk.log_in(core, actor, device=phone.device, extension="1001", pin=PINS["1001"])
    assert phone.fetch()["sip line1 user name"] == "1001"
    assert phone.file["topsoftkey2 type"] == "xml"
    assert phone.tell("startup") == "the phone holds nobody"
    assert phone.tell("registered", PLACE) == "the phone holds nobody"
    assert sitting(core, actor) == {"Ada": "Lobby"}


# --- out, by the server


def by_admin(core, actor, phone, ada):
    """An admin ends the session."""
    (seat,) = seats.list_sessions(core, actor, Page())
    seats.end_session(core, actor, seat.id)


def by_lease(core, _actor, _phone, _ada):
    """The lease ends."""
    core.database.moment = lambda _session: core.clock() + timedelta(days=1)
    assert seats.end_leases(core) == 1


def by_disabling(core, actor, _phone, ada):
    """The person is disabled."""
    users.change_user(core, actor, ada, {"enabled": False})


def by_pin(core, actor, _phone, ada):
    """The person's PIN is changed."""
    users.set_pin(core, actor, ada, "555123")


def by_screen(_core, _actor, phone, _ada):
    """The person logs out on our screen, at the phone itself."""
    phone.ask(phone.file["xml application URI"] + "/logout?sure=1")


@pytest.mark.parametrize("end", [by_admin, by_lease, by_disabling, by_pin, by_screen])
def test_hd6_a_phone_that_holds_whom_the_server_ends_restarts(
    core, actor, ada, phone, settled, status, clock, end
):
    """It is told so until it has fetched its files anew, though they are the same, and not in a call."""
    before = phone.fetch()
    phone.log_in()
    settled()
    calling(core, phone, "call-started")
    end(core, actor, phone, ada)
    assert sitting(core, actor) == {}
    settled()
    assert to_tell(core, clock.now, 10) == []
    assert "it is in a call" in status()
    calling(core, phone, "call-ended")
    (item,) = to_tell(core, clock.now + timedelta(seconds=1), 10)
    assert (item.way, item.event) == (Way.SIP, "check-sync;reboot=true")
    assert item.contact.user == "1001"  # the only line it has
    told(core, item, OK)
    settled()
    assert status().startswith("told")
    assert phone.tell("startup") == "the phone holds nobody"
    assert phone.fetch() == before
    settled()
    assert status().startswith("current since ")


def calling(core, phone, event):
    """A call begins or ends at the phone."""
    url = phone.folder().replace("users/", f"event/{event}")
    assert phone.ask(url).content == b"OK\n"


@pytest.mark.parametrize("sign", ["registered", "startup", "log-in"])
def test_hd6_a_phone_that_let_go_by_itself_is_not_restarted(
    core, actor, ada, bob, phone, settled, status, clock, sign
):
    """Who logs out at it meanwhile, or the next person, is not in the way of a restart any more."""
    phone.log_in()
    settled()
    by_admin(core, actor, phone, ada)
    settled()
    assert phone.tell("registered", "1001").startswith("it registered what it holds")
    assert status() == "saved"
    if sign == "log-in":
        assert phone.log_in("1002").outcome is SERVED
    else:
        assert phone.tell(sign, "place-1") == "the phone holds nobody"
    settled()
    assert to_tell(core, clock.now, 10) == []
    assert status().startswith("current since ")


def test_hd6_what_was_fetched_before_the_end_shows_no_restart(
    core, actor, ada, phone, settled, status, clock
):
    """A fetch that is written down after the end, but came before it, counts for nothing."""
    phone.log_in()
    settled()
    clock.turn(seconds=1)
    phone.fetch()  # still in the queue
    clock.turn(seconds=1)
    by_admin(core, actor, phone, ada)
    settled()
    assert status() == "saved"


def test_hd3_a_login_elsewhere_restarts_the_phone_before(
    core, actor, ada, phone, add_mitel, settled
):
    """Who moves from one such phone to another is taken off the first, and not off the second."""
    other = add_mitel(2)
    settled()
    phone.log_in()
    other.log_in()
    settled()
    assert why(core) == ["moved", None]
    (item,) = to_tell(core, core.clock(), 10)
    assert (item.device, item.event) == (phone.device, "check-sync;reboot=true")


def test_other_changes_are_told_gently(core, actor, ada, phone, settled, clock):
    """Only such an end restarts the phone; while it holds somebody it is told by their line."""
    phone.log_in()
    settled()
    set_values(core, actor, "device", phone.device, {"vlan.id": 7})
    settled()
    (item,) = to_tell(core, clock.now, 10)
    assert (item.event, item.contact.user) == ("check-sync", "1001")


def test_hd7_a_phone_that_never_restarts_has_a_password_that_is_none(
    core, actor, ada, phone, settled
):
    """Some minutes after such an end the password is another: its file alone proves nothing."""
    old = dict(lines.mitel(phone.log_in().content.decode()))["sip line1 password"]
    by_admin(core, actor, phone, ada)
    core.database.moment = lambda _session: core.clock() + timedelta(minutes=6)
    assert releases.look_after(core) == 1
    assert phone.log_in().content.decode().count(old) == 0


def test_hd4_a_screen_takes_a_held_phone_over(core, actor, ada, bob, phone, settled):
    """Who takes it by our screen has their file on it, once the restart has taken off who was held."""
    take_over(core, actor)
    station = first_station(core, actor, phone.device).station.id
    phone.log_in()
    hotdesk.take(core, actor, bob, station)
    settled()
    (item,) = to_tell(core, core.clock(), 10)
    assert item.event == "check-sync;reboot=true"
    assert phone.fetch()["sip line1 user name"] == "1002"


def test_a_phone_in_place_of_another_holds_nobody(core, actor, ada, phone):
    """The session moves to the new phone, whose own file shows it."""
    phone.log_in()
    swapped = swap_device(core, actor, phone.device, mac="1400E9000009", model="6930")
    assert sitting(core, actor) == {"Ada": "Lobby"}
    new = replace(phone, device=swapped.device.id, name="1400E9000009.cfg")
    assert new.fetch()["sip line1 user name"] == "1001"


# --- what was changed at the phone

MINE = "softkey1 mine: 7\nring tone: 3\n"


def test_g2_what_was_changed_comes_back_with_the_person(core, actor, ada, phone, add_mitel):
    """Nothing at first; what one phone sent the next one gets, but never the names of our files."""
    other = add_mitel(2)
    phone.log_in()
    assert (phone.local().outcome, phone.local().content) == (SERVED, b"")
    ours = "sip line1 password: x\n^SIP Line1 proxy ip: evil\n!admin password: 1\nhttp server: e\n"
    junk = "\x00 \n: \nno line\n# comment\n"
    body = (ours + MINE + junk).encode() + b"\xff\xfe\n"
    assert phone.local(method="PUT", body=body).content == b"OK\n"
    assert phone.local().content.decode() == MINE
    other.log_in()
    assert other.local().content.decode() == MINE
    assert phone.local().outcome is NOT_FOUND
    assert other.local(method="PUT", body=b"ring tone: 4\n").outcome is SERVED
    assert other.local().content == b"ring tone: 4\n"
    with core.database.read() as session:
        (row,) = session.scalars(select(PhoneUpload)).all()
        assert b"ring tone" not in row.content_encrypted


def test_hd8_nobody_finds_what_another_changed(core, actor, ada, bob, phone):
    """User A, log-out, user B: B's file is empty, A's is nobody's, and it goes with the person."""
    phone.log_in()
    phone.local(method="PUT", body=MINE.encode())
    assert phone.local("1002", method="PUT", body=b"ring tone: 9\n").outcome is NOT_FOUND
    phone.tell("registered", PLACE)
    assert phone.local().outcome is NOT_FOUND
    assert phone.local(method="PUT", body=b"").outcome is NOT_FOUND
    bobs = phone.log_in("1002").content.decode()
    assert not re.search("Ada|1001", bobs)
    assert phone.local("1002").content == b""
    assert phone.local("1001").outcome is NOT_FOUND
    users.delete_user(core, actor, ada)
    with core.database.read() as session:
        assert uploads.kept(session, ada) is None


# --- where there is none


def test_only_where_it_is_switched_on_and_known(core, actor, ada, phone, add_mitel, settled):
    """Older models, TFTP, other names, other methods and places without it have no such files."""
    old = add_mitel(2, "6757i")
    assert "user config url" not in old.file
    users_of_old = old.file["xml application URI"].replace("hotdesk", "users/1001.cfg")
    assert old.ask(users_of_old, "1001", PINS["1001"]).outcome is NOT_FOUND
    assert phone.log_in(door=Door.TFTP).outcome is NOT_FOUND
    for name in ("", "x", "1001.xml", ".cfg"):
        assert phone.ask(phone.folder() + name, "1001", PINS["1001"]).outcome is NOT_FOUND
    for method in ("HEAD", "PUT"):
        assert phone.log_in(method=method).outcome is NOT_FOUND
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.native": False})
    assert phone.log_in().outcome is NOT_FOUND
    held = phone.fetch()
    assert held["topsoftkey2 type"] == "xml"
    assert {held[f"action uri {name}"] for name in ("startup", "registered")} == {""}
    assert held["user config url"] == ""
    assert sitting(core, actor) == {}


def take_over(core, actor):
    """Let owners and admins take occupied phones."""
    values = {"hotdesk.take-over": "permission"}
    set_values(core, actor, "organisation", actor.organisation, values)
