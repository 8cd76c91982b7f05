"""What the audit log tells of a change: who, what, before and after, and never a secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import LargeBinary, select

from provisioning.domain.secret_names import is_secret
from provisioning.store import audit
from provisioning.store.audit import MASK, AuditEvent
from provisioning.store.authors import Author, written_by
from provisioning.store.base import Base
from provisioning.store.catalogue import Category, CategoryOption, UserOption
from provisioning.store.devices import Assignment, Device, Station
from provisioning.store.organisations import Site
from provisioning.store.pacing import PhoneCalls
from provisioning.store.people import SipAccount, User
from provisioning.store.recording import is_told, secret_columns
from provisioning.store.values import SettingValue

TABLES = Base.metadata.sorted_tables
ADMIN = Author("Ada's token", None, "192.0.2.7")


def events(database, **columns):
    """The events that have these column values, in the order they were written."""
    with database.read() as session:
        found = session.scalars(select(AuditEvent).filter_by(**columns)).all()
        session.expunge_all()
    return sorted(found, key=lambda event: event.at)


@pytest.fixture
def changed(database):
    """Make changes as somebody."""

    def make(change, author=ADMIN):
        with database.write() as session:
            if author is not None:
                written_by(session, author)
            return change(session)

    return make


@pytest.fixture
def here(rows):
    """An organisation, made by the server itself."""
    return rows.organisation("here")


def test_a11_change_is_told_with_before_and_after(database, changed, rows, here):
    """A change of a row tells who made it, from where, and the columns that changed."""
    user = rows.plant(User, here, first_name="Ada", last_name="Byron", extension="1001")
    changed(lambda session: setattr(session.get_one(User, user), "last_name", "Lovelace"))
    (event,) = events(database)
    assert (event.organisation_id, event.actor, event.source) == (here, ADMIN.name, ADMIN.source)
    assert (event.action, event.kind, event.object_id) == ("update", "user", user)
    assert event.name == "Ada Lovelace"
    assert (event.before, event.after) == ({"last_name": "Byron"}, {"last_name": "Lovelace"})


def test_a11_making_and_deleting_tell_the_whole_row(database, changed, here):
    """What is made is told with what it is, what is deleted with what it was."""

    def make(session):
        row = Site(organisation_id=here, name="Harbour", networks=["192.0.2.0/24"])
        session.add(row)
        return row.id

    site = changed(make)
    changed(lambda session: session.delete(session.get_one(Site, site)))
    made, deleted = events(database, object_id=site)
    assert (made.action, deleted.action) == ("create", "delete")
    assert made.before == deleted.after == {}
    assert made.after == deleted.before
    assert made.after["networks"] == ["192.0.2.0/24"]
    assert {"revision", "version", "created_at", "id"}.isdisjoint(made.after)


def test_a11_the_servers_own_writes_are_not_told(database, changed, rows, here):
    """What nobody is named for, such as what a fetch writes, leaves no event, not even when it goes along."""
    device = rows.plant(Device, here)
    changed(lambda session: setattr(session.get_one(Device, device), "model", "T54W"), None)
    rows.plant(PhoneCalls, here, device_id=device)
    assert events(database) == []
    changed(lambda session: session.delete(session.get_one(Device, device)))
    assert [event.kind for event in events(database)] == ["device"]


def test_a11_quiet_columns_are_not_told(database, changed, rows, here):
    """When a device was seen and how often a row was written are no events."""
    device = rows.plant(Device, here)
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    changed(lambda session: setattr(session.get_one(Device, device), "last_seen_at", moment))
    assert events(database) == []


def test_a11_what_is_rolled_back_is_not_told(database, changed, here):
    """A change that fails leaves neither itself nor its event."""

    def fail(session):
        session.add(Site(organisation_id=here, name="Harbour"))
        session.flush()
        raise LookupError

    with pytest.raises(LookupError):
        changed(fail)
    assert events(database) == []


def test_a11_deletion_tells_what_goes_along(database, changed, rows, here):
    """Rows the database deletes with another are told one by one, those two steps away too."""
    user = rows.plant(User, here, first_name="Ada")
    account = rows.plant(SipAccount, here, user_id=user, username="1001")
    station = rows.plant(Station, here)
    rows.plant(Assignment, here, user_id=user, station_id=station)
    category = rows.plant(Category, here, name="department")
    option = rows.plant(CategoryOption, here, category_id=category, name="Sales")
    member = rows.plant(UserOption, here, user_id=user, category_id=category, option_id=option)
    changed(lambda session: session.delete(session.get_one(Category, category)))
    told = {(event.kind, event.object_id) for event in events(database, action="delete")}
    assert told == {
        ("category", category), ("category-option", option), ("user-option", member),
    }  # fmt: skip
    changed(lambda session: session.delete(session.get_one(User, user)))
    told = {event.kind: event for event in events(database, action="delete", part_of=user)}
    assert set(told) == {"sip-account", "assignment", "user-option"}
    assert told["sip-account"].object_id == account
    assert told["sip-account"].before["username"] == "1001"


SECRET = "Canary-4711"


def secrets_of(table):
    """A value with the canary for every column of a table that holds a secret."""
    return {
        name: SECRET.encode() if isinstance(table.c[name].type, LargeBinary) else SECRET
        for name in secret_columns(table)
    }


@pytest.mark.parametrize("table", [item.name for item in TABLES if is_told(item)])
def test_a11_no_secret_column_reaches_the_log(database, changed, rows, table):
    """Whatever is encrypted, hashed or a password is masked when changed and when deleted."""
    mapped = {item.class_.__tablename__: item.class_ for item in Base.registry.mappers}[table]
    hidden = secrets_of(mapped.__table__)
    row = rows.plant(mapped, rows.organisation("here"))

    def write(session):
        found = session.get_one(mapped, row)
        for name, value in hidden.items():
            setattr(found, name, value)

    kind = table.replace("_", "-")
    changed(write)
    told = events(database, kind=kind)  # an organisation takes its own with it
    changed(lambda session: session.delete(session.get_one(mapped, row)))
    told += events(database, kind=kind, action="delete")
    assert [event.action for event in told] == ["update"] * bool(hidden) + ["delete"]
    for event in told:
        for side in (event.before, event.after):
            assert {side[name] for name in hidden if name in side} <= {MASK, None}
            assert SECRET not in repr(side)


def test_a11_values_of_secret_settings_are_masked(database, changed, here):
    """A setting of the class secret is masked, wherever its value stands, others are shown."""

    def make(session):
        for key in ("admin.password", "language"):
            session.add(
                SettingValue(
                    organisation_id=here, level="organisation", owner_id=here, key=key, value=SECRET
                )
            )

    changed(make)
    told = {event.name: event.after["value"] for event in events(database)}
    assert told == {"admin.password": MASK, "language": SECRET}


def test_a11_secrets_deep_in_a_column_are_masked(database, changed, rows, here):
    """A password inside a list or a mapping is masked by its name."""
    user = rows.plant(User, here)
    steps = [{"targets": [{"kind": "number", "password": SECRET}], "admin.password": SECRET}]
    changed(lambda session: setattr(session.get_one(User, user), "steps", steps))
    (event,) = events(database)
    assert event.after == {
        "steps": [{"targets": [{"kind": "number", "password": MASK}], "admin.password": MASK}]
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [("pin_hash", True), ("password", True), ("token", True), ("admin.password", True)]
    + [(name, False) for name in ("secrets", "pin_must_change", "name", "code", "language")],
)
def test_names_of_secrets_are_known(name, expected):
    """A name tells whether a secret stands there."""
    assert is_secret(name) is expected


def test_a11_notes_stand_among_the_changes(database, changed, here):
    """What is no change of a row, such as a login, is told in the same form, secrets masked."""
    changed(
        lambda session: audit.note(
            session,
            action="login",
            kind="login",
            organisation_id=here,
            name="ada@example.com",
            after={"outcome": "refused", "password": SECRET},
        )
    )
    (event,) = events(database)
    assert (event.action, event.kind, event.name) == ("login", "login", "ada@example.com")
    assert (event.actor, event.source) == (ADMIN.name, ADMIN.source)
    assert event.after == {"outcome": "refused", "password": MASK}
