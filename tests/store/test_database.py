"""Transactions on real databases: what is kept, what is refused, and under which name."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from provisioning.domain.errors import (
    BadConfig,
    Conflict,
    DuplicateExtension,
    DuplicateMac,
    DuplicateName,
    StaleRevision,
    StoreUnavailable,
)
from provisioning.domain.kinds import IdentityKind
from provisioning.store import conflicts
from provisioning.store.base import Base
from provisioning.store.database import Database
from provisioning.store.devices import DectSlot, Device, DeviceIdentity
from provisioning.store.organisations import Organisation, Site
from provisioning.store.people import SipAccount, User

SQLITE_ONLY = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
POSTGRES_ONLY = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


@dataclass
class Anything(Exception):
    """Something goes wrong in the middle."""


def test_failed_transaction_leaves_nothing(rows, database):
    """A transaction that raises keeps none of its rows, flushed or not."""
    here = rows.organisation()
    with database.read() as session:
        version = session.get_one(Organisation, here).version

    def fail() -> None:
        with database.write() as session:
            session.add(Site(organisation_id=here, name="flushed"))
            session.get_one(Organisation, here).name = "flushed"
            session.flush()
            session.add(Site(organisation_id=here, name="not flushed"))
            raise Anything

    with pytest.raises(Anything):
        fail()
    with database.read() as session:
        assert session.scalars(select(Site)).all() == []
        assert session.get_one(Organisation, here).version == version


def test_row_changed_meanwhile_is_stale(rows, database):
    """Writing a row that somebody changed since it was read is refused, and theirs stands."""
    here = rows.organisation()
    site = rows.plant(Site, here, name="as read")
    with database.read() as session:
        read = session.get_one(Site, site)
    with database.write() as session:
        session.get_one(Site, site).name = "theirs"
    read.name = "ours"
    with pytest.raises(StaleRevision), database.write() as session:
        session.add(read)
    with database.read() as session:
        assert session.get_one(Site, site).name == "theirs"


@POSTGRES_ONLY
def test_of_two_transactions_on_one_row_the_later_is_stale(rows, database):
    """Where writers do not queue, the one that writes second is refused."""
    site = rows.plant(Site, rows.organisation())

    def both() -> None:
        with database.write() as late:
            row = late.get_one(Site, site)
            with database.write() as early:
                early.get_one(Site, site).name = "early"
            row.name = "late"

    with pytest.raises(StaleRevision):
        both()
    with database.read() as session:
        assert session.get_one(Site, site).name == "early"


@SQLITE_ONLY
def test_writers_of_sqlite_queue(rows, database):
    """Of two writers the second waits from its very start, and then sees what the first wrote."""
    site = rows.plant(Site, rows.organisation(), name="0")
    reading, seen = threading.Event(), []

    def second() -> None:
        reading.wait()
        with database.write() as session:
            row = session.get_one(Site, site)
            seen.append(row.name)
            row.name = "2"

    thread = threading.Thread(target=second)
    thread.start()
    with database.write() as session:
        session.get_one(Site, site).name = "1"
        reading.set()
    thread.join()
    assert seen == ["1"]
    with database.read() as session:
        assert session.get_one(Site, site).name == "2"


def test_reader_sees_one_snapshot(rows, database):
    """What is written while a reader reads is not seen until it begins anew."""
    site = rows.plant(Site, rows.organisation(), name="before")
    with database.read() as reader:
        assert reader.scalar(select(Site.name)) == "before"
        with database.write() as writer:
            writer.get_one(Site, site).name = "after"
        assert reader.scalar(select(Site.name)) == "before"
    with database.read() as reader:
        assert reader.scalar(select(Site.name)) == "after"


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody:x@127.0.0.1:1/nothing", "sqlite:////nowhere/at/all/roost.db"],
    ids=["postgresql", "sqlite"],
)
def test_database_that_is_away_is_unavailable(url):
    """A database that cannot be reached is told of as such, for reading and for writing."""
    database = Database(url)
    for transaction in (database.read, database.write):
        with pytest.raises(StoreUnavailable), transaction() as session:
            session.execute(select(Organisation))
    database.close()


@POSTGRES_ONLY
def test_database_that_goes_away_is_unavailable(rows, database, postgres):
    """A connection that ends in the middle loses the transaction; the next one works again."""
    rows.organisation()

    def lose() -> None:
        with database.write() as session:
            process = session.scalar(text("SELECT pg_backend_pid()"))
            session.add(Organisation(name="lost", token_hash=b"lost", token_encrypted=b""))
            postgres.execute(f"SELECT pg_terminate_backend({process})")

    with pytest.raises(StoreUnavailable):
        lose()
    with database.read() as session:
        assert len(session.scalars(select(Organisation)).all()) == 1


def test_database_without_a_free_connection_is_unavailable(database, monkeypatch):
    """When every connection is taken and none comes free in time, callers should try again."""
    pool = database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0)
    monkeypatch.setattr(pool, "_max_overflow", 0)
    held = [database.engine.connect() for _ in range(pool.size())]
    with pytest.raises(StoreUnavailable), database.read() as session:
        session.execute(text("SELECT 1"))
    for connection in held:
        connection.close()


@pytest.mark.parametrize(
    "url", ["mysql://ada:secret@host/name", "sqlite://", "sqlite:///:memory:", "no url: secret"]
)
def test_url_of_an_unknown_database_is_refused(url):
    """Only files of SQLite and databases of PostgreSQL are taken, and no password is repeated."""
    with pytest.raises(BadConfig, match="PROVISIONING_DATABASE_URL") as refused:
        Database(url)
    assert "secret" not in str(refused.value)


# --- what a constraint means


@pytest.mark.parametrize(
    ("table", "columns", "rule", "field"),
    [
        (DeviceIdentity, {"kind": IdentityKind.MAC, "value": "0" * 11 + "1"}, DuplicateMac, "mac"),
        (User, {"extension": "1001"}, DuplicateExtension, "extension"),
        (User, {"email": "ada@example.com"}, DuplicateName, "email"),
        (Site, {"name": "main"}, DuplicateName, "name"),
    ],
)
def test_duplicate_is_named_for_its_rule(rows, table, columns, rule, field):
    """The loser of a race is told which rule it broke and which field is concerned."""
    here = rows.organisation()
    rows.plant(table, here, **columns)
    with pytest.raises(Conflict) as refused:
        rows.plant(table, here, **columns)
    assert type(refused.value) is rule
    assert refused.value.field == field
    assert refused.value.remedy


def test_same_name_in_another_organisation_is_no_duplicate(rows):
    """Names and extensions are an organisation's own, a MAC is everybody's."""
    here, there = rows.organisation(), rows.organisation()
    for organisation in (here, there):
        rows.plant(Site, organisation, name="main")
        rows.plant(User, organisation, extension="1001")
    identity = {"kind": IdentityKind.MAC, "value": "001565aabbcc"}
    rows.plant(DeviceIdentity, here, **identity)
    with pytest.raises(DuplicateMac):
        rows.plant(DeviceIdentity, there, **identity)
    rows.plant(DeviceIdentity, there, **identity, active=False)


def test_account_name_is_unique_on_its_server(rows):
    """A constraint over several columns is recognised on both databases."""
    here = rows.organisation()
    first = rows.plant(SipAccount, here, username="1001")
    with rows.database.read() as session:
        server = session.get_one(SipAccount, first).sip_server_id
    with pytest.raises(DuplicateName):
        rows.plant(SipAccount, here, username="1001", sip_server_id=server)


def test_constraint_without_a_rule_of_its_own_is_a_conflict(rows):
    """A duplicate nobody gave a name to is still a conflict and no failure."""
    here = rows.organisation()
    first = rows.plant(DectSlot, here, number=1)
    with rows.database.read() as session:
        system = session.get_one(DectSlot, first).system_id
        device = rows.plant(Device, here)
    rows.plant(DectSlot, here, number=2, system_id=system)
    with pytest.raises(Conflict):
        rows.plant(DectSlot, here, number=2, system_id=system)
    with pytest.raises(Conflict):
        rows.plant(Device, here, id=device)


def test_row_in_use_cannot_go(rows, database):
    """A row others refer to is kept by the database, which is a conflict."""
    here = rows.organisation()
    site = rows.plant(Site, here)
    rows.plant(Device, here, site_id=site)
    with pytest.raises(Conflict, match="refers"), database.write() as session:
        session.delete(session.get_one(Site, site))


def test_fault_of_ours_is_no_conflict(rows):
    """A failed check is not blamed on the user: it stays the failure it is."""
    with pytest.raises(IntegrityError):
        rows.plant(DectSlot, rows.organisation(), number=0)


def test_every_named_constraint_exists():
    """The table of constraints names only such as the tables have."""
    names = {
        str(item.name)
        for table in Base.metadata.sorted_tables
        for item in (*table.constraints, *table.indexes)
    }
    assert set(conflicts._RULES) <= names
