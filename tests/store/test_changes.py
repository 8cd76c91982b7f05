"""The change feed: what it tells, and that it loses nothing whoever commits first."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from provisioning.domain.errors import CursorExpired, InvalidInput
from provisioning.domain.settings import Level
from provisioning.store import changes
from provisioning.store.catalogue import CallTarget, Category, CategoryOption, Number, UserOption
from provisioning.store.changes import FeedChange
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    DectSystem,
    Device,
    Station,
)
from provisioning.store.organisations import Organisation, Site
from provisioning.store.people import SipAccount, User
from provisioning.store.values import SettingValue

PATIENCE = 20.0


@pytest.fixture
def world(rows) -> SimpleNamespace:
    """Ada and Bob with an account each, Ada at a desk in a department, and things of the PBX."""
    here = rows.organisation("here")
    ada = rows.plant(User, here, first_name="Ada")
    bob = rows.plant(User, here, first_name="Bob")
    device = rows.plant(Device, here)
    station = rows.plant(Station, here, device_id=device)
    category = rows.plant(Category, here, built_in=True)
    option = rows.plant(CategoryOption, here, category_id=category)
    rows.plant(UserOption, here, user_id=ada, category_id=category, option_id=option)
    return SimpleNamespace(
        here=here,
        ada=ada,
        bob=bob,
        account=rows.plant(SipAccount, here, user_id=ada),
        place=rows.plant(SipAccount, here, station_id=station),
        device=device,
        station=station,
        option=option,
        assignment=rows.plant(Assignment, here, user_id=ada, station_id=station),
        target=rows.plant(CallTarget, here),
        number=rows.plant(Number, here),
    )


@pytest.fixture
def feed(database, world):
    """Read the feed on from where it was read last."""
    place = SimpleNamespace(cursor="")

    def read(limit: int = 500) -> list[tuple[str, UUID, str]]:
        with database.read() as session:
            if not place.cursor:
                place.cursor = changes.end_of(session, world.here)
                return []
            found = changes.after(session, world.here, place.cursor, limit)
        place.cursor = found[-1].cursor if found else place.cursor
        return [(row.kind, row.subject_id, row.action) for row in found]

    read()
    return read


def change(database, world, table: type[Any], which: str, /, **columns: Any) -> None:
    """Change columns of a row of the world in a transaction of its own."""
    with database.write() as session:
        row = session.get_one(table, getattr(world, which))
        for column, value in columns.items():
            setattr(row, column, value)


def remove(database, table: type[Any], row: UUID) -> None:
    """Delete a row in a transaction of its own."""
    with database.write() as session:
        session.delete(session.get_one(table, row))


# --- what is told


CHANGES: dict[str, tuple[Any, str, dict[str, Any], list[tuple[str, str]]]] = {
    "a user": (User, "ada", {"last_name": "L"}, [("user", "ada")]),
    "a voicemail PIN": (User, "ada", {"voicemail_pin_hash": "x"}, [("user", "ada")]),
    "a hotdesk PIN": (User, "ada", {"pin_hash": "x"}, []),
    "an account": (
        SipAccount,
        "account",
        {"password_encrypted": b"new"},
        [("sip-account", "account"), ("user", "ada")],
    ),
    "a call target": (CallTarget, "target", {"number": "700"}, [("call-target", "target")]),
    "a number": (Number, "number", {"label": "Main"}, [("number", "number")]),
    "a department": (
        CategoryOption,
        "option",
        {"name": "Sales"},
        [("category-option", "option"), ("user", "ada")],
    ),
    "who is at a phone": (
        Assignment,
        "assignment",
        {"user_id": "bob"},
        [("user", "ada"), ("user", "bob")],
    ),
    "what a phone is called": (
        Device,
        "device",
        {"name": "Reception"},
        [("user", "ada"), ("sip-account", "place")],
    ),
    "a renewed label": (Station, "station", {"label_code": "x"}, []),
    "when a phone was seen": (Device, "device", {"last_seen_at": datetime(2030, 1, 1, tzinfo=UTC)}, []),
    "a value written as it was": (User, "ada", {"first_name": "Ada"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("table", "name", "columns", "told"), CHANGES.values(), ids=CHANGES.keys())
def test_feed_tells_whom_a_change_concerns(database, world, feed, table, name, columns, told):
    """A change is told as that of everything a PBX's export shows it in, and of nothing else."""
    given = {key: getattr(world, str(value), value) for key, value in columns.items()}
    change(database, world, table, name, **given)
    assert sorted(feed()) == sorted((kind, getattr(world, who), "changed") for kind, who in told)


def test_feed_tells_what_went_with_all_it_took_along(database, world, feed):
    """A deleted user is gone, and so are the accounts the database deletes with them."""
    remove(database, User, world.ada)
    told = feed()
    assert ("user", world.ada, "gone") in told
    assert ("sip-account", world.account, "gone") in told
    remove(database, Device, world.device)
    assert ("sip-account", world.place, "gone") in feed()


@pytest.mark.parametrize(
    ("level", "key", "told"),
    [
        (Level.USER, "call.recording", True),
        (Level.DEVICE, "line.codecs", True),
        (Level.USER, "language", True),
        (Level.DEVICE, "vlan.id", False),
    ],
)
def test_feed_tells_of_the_settings_a_pbx_is_given(database, world, rows, feed, level, key, told):
    """A value about people or lines is told as its owner's change, one about a phone is not."""
    owner = world.ada if level is Level.USER else world.device
    rows.plant(SettingValue, world.here, level=level, owner_id=owner, key=key, value="x")
    assert feed() == ([(str(level), owner, "changed")] if told else [])


def test_several_changes_of_one_thing_are_told_once(database, world, feed):
    """A transaction tells each thing once, as what it is in the end."""
    with database.write() as session:
        session.get_one(User, world.ada).last_name = "L"
        session.flush()
        session.get_one(User, world.ada).last_name = "M"
        bob = session.get_one(User, world.bob)
        bob.last_name = "B"
        session.flush()
        session.delete(bob)
    assert feed() == [("user", world.ada, "changed"), ("user", world.bob, "gone")]


def test_what_is_rolled_back_is_not_told(database, world, feed):
    """A transaction that fails tells nothing, and leaves no gap that matters."""

    def fail() -> None:
        with database.write() as session:
            session.get_one(User, world.ada).first_name = "Lost"
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    change(database, world, User, "bob", last_name="B")
    assert feed() == [("user", world.bob, "changed")]


def test_organisations_have_feeds_of_their_own(database, world, rows, feed):
    """What changes elsewhere is told there, and deleting an organisation breaks nothing."""
    there = rows.organisation("there")
    rows.plant(User, there)
    assert feed() == []
    remove(database, Organisation, there)
    with database.read() as session:
        assert changes.end_of(session, there) == changes.START


# --- in which order


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_transaction_that_commits_late_is_told_late(database, world, feed):
    """Who changed first but commits last comes behind a cursor that has gone on meanwhile."""
    with database.write() as early:
        early.get_one(User, world.ada).last_name = "Early"
        early.flush()
        change(database, world, User, "bob", last_name="Late")
        assert feed() == [("user", world.bob, "changed")]
    assert feed() == [("user", world.ada, "changed")]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_numbers_are_committed_in_their_order(database, world, feed):
    """Between a number's taking and its commit nobody else takes one, so no reader skips it."""
    second = threading.Thread(
        target=change, args=(database, world, User, "bob"), kwargs={"last_name": "Second"}
    )
    with database.write() as first:
        noted = changes.Noted("user", world.ada, changes.Action.CHANGED)
        changes.append(first, world.here, [noted])
        second.start()
        deadline = time.monotonic() + PATIENCE
        while not waiting(database):
            assert time.monotonic() < deadline, "the second transaction waits for the first"
            time.sleep(0.02)
        assert feed() == []
    second.join(PATIENCE)
    assert feed() == [("user", world.ada, "changed"), ("user", world.bob, "changed")]


def waiting(database) -> bool:
    """Whether a transaction waits for another one's lock."""
    with database.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_many_writers_lose_nothing(database, world, feed):
    """A reader that follows while many write at once has told every change in the end."""
    targets = [f"7{number:02}" for number in range(24)]

    def write(numbers: list[str]) -> None:
        for number in numbers:
            with database.write() as session:
                row = CallTarget(
                    organisation_id=world.here, kind="ring-group", name=number, number=number
                )
                session.add(row)

    writers = [threading.Thread(target=write, args=(targets[start::4],)) for start in range(4)]
    for writer in writers:
        writer.start()
    told = []
    while any(writer.is_alive() for writer in writers):
        told += feed(3)
    while part := feed(3):
        told += part
    with database.read() as session:
        made = {row.id for row in session.query(CallTarget) if row.id != world.target}
    assert len(made) == len(targets)
    assert sorted(subject for _, subject, _ in told) == sorted(made)


# --- cursors


def test_an_expired_cursor_is_told(database, world, feed):
    """Behind what was trimmed nobody reads on unknowing; the latest cursor stays good."""
    with database.read() as session:
        old = changes.end_of(session, world.here)
    change(database, world, User, "ada", last_name="L")
    with database.write() as session:
        changes.trim(session, datetime.now(UTC) + timedelta(days=1))
    with database.read() as session:
        latest = changes.end_of(session, world.here)
        assert latest != changes.START
        assert changes.after(session, world.here, latest, 10) == []
        assert session.query(FeedChange).count() == 1
        for cursor in (old, changes.START):
            with pytest.raises(CursorExpired):
                changes.after(session, world.here, cursor, 10)


def test_a_young_change_is_not_trimmed(database, world, feed):
    """Trimming leaves what is younger than the moment asked for."""
    with database.write() as session:
        changes.trim(session, datetime.now(UTC) - timedelta(days=1))
    change(database, world, User, "ada", last_name="L")
    assert feed() == [("user", world.ada, "changed")]


def test_a_cursor_behind_which_nothing_was_lost_stays_good(database, world, feed):
    """Who was told everything long ago is told what came since, also after trimming."""
    change(database, world, User, "ada", last_name="Old")
    with database.read() as session:
        cursor = changes.end_of(session, world.here)
    with database.write() as session:
        session.execute(text("UPDATE feed_change SET at = :at"), {"at": datetime(2020, 1, 1)})  # noqa: DTZ001
    change(database, world, User, "ada", last_name="New")
    with database.write() as session:
        changes.trim(session, datetime.now(UTC) - timedelta(days=14))
    with database.read() as session:
        found = changes.after(session, world.here, cursor, 10)
    assert [(row.kind, row.subject_id) for row in found] == [("user", world.ada)]


def test_a_base_that_moves_concerns_whoever_has_its_handsets(database, world, rows, feed):
    """The people at a system's handsets are told of when one of its bases changes its site."""
    system = rows.plant(DectSystem, world.here)
    base = rows.plant(Device, world.here)
    rows.plant(DectMember, world.here, system_id=system, device_id=base)
    handset = rows.plant(Station, world.here, device_id=None)
    rows.plant(DectSlot, world.here, system_id=system, station_id=handset, number=1)
    rows.plant(Assignment, world.here, user_id=world.bob, station_id=handset)
    site = rows.plant(Site, world.here)
    feed()
    with database.write() as session:
        session.get_one(Device, base).site_id = site
    assert feed() == [("user", world.bob, "changed")]


def test_new_devices_are_looked_up_in_no_statement_each(database, world, rows, monkeypatch):
    """What is made at once costs the feed no question for each row, and no look at all others."""
    asked, gathered, new = [], [], Session.new
    site = rows.plant(Site, world.here)
    counted = property(lambda session: gathered.append(session) or new.fget(session))
    monkeypatch.setattr(Session, "new", counted)  # which gathers all new rows each time

    def note(*call) -> None:
        asked.append(call[2])

    event.listen(database.engine, "before_cursor_execute", note)
    with database.write() as session:
        for number in range(50):
            device = Device(
                organisation_id=world.here, site_id=site, admin_password_encrypted=b"",
                user_password_encrypted=b"", name=str(number),
            )  # fmt: skip
            session.add(device)
            session.add(Station(organisation_id=world.here, device_id=device.id))
    event.remove(database.engine, "before_cursor_execute", note)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) < 20
    assert len(gathered) < 20


def test_a_cursor_of_another_history_is_expired(database, world, feed):
    """After a backup was restored, a number that was given anew does not pass for the old one."""
    with database.read() as session:
        number, _, tag = changes.end_of(session, world.here).partition("-")
        other = tag[:-1] + ("0" if tag[-1] != "0" else "1")
        for cursor in (f"{number}-{other}", f"{int(number) + 1}-{tag}"):
            with pytest.raises(CursorExpired):
                changes.after(session, world.here, cursor, 10)


@pytest.mark.parametrize("cursor", ["1", "x", "1-", "-1-000000000000", "9" * 19, "0 ", "\uff11"])
def test_a_text_that_is_no_cursor_is_refused(database, world, cursor):
    """Only cursors of the feed's own form are looked up."""
    with database.read() as session, pytest.raises(InvalidInput):
        changes.after(session, world.here, cursor, 10)


def test_a_feed_begins_at_the_start(database, rows):
    """The first cursor of a feed without changes is good for its first change."""
    here = rows.organisation()
    with database.write() as session:
        for table in (FeedChange, changes.Feed):
            for row in session.query(table):
                session.delete(row)
    with database.read() as session:
        assert changes.end_of(session, here) == changes.START
        assert changes.after(session, here, changes.START, 10) == []
    user = rows.plant(User, here)
    with database.read() as session:
        (told,) = changes.after(session, here, changes.START, 10)
    assert told.subject_id == user
