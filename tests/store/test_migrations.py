"""Migrations on real databases: up, down, up again, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import MetaData, inspect, select, text

from provisioning.domain.errors import Conflict, MigrationNeeded
from provisioning.domain.ids import new_id
from provisioning.store import groups
from provisioning.store.catalogue import Category
from provisioning.store.database import Database
from provisioning.store.migrate import current, differences, migrate, newest, require_newest
from provisioning.store.people import SipAccount, User


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A database without tables."""
    database = Database(empty_url)
    yield database
    database.close()


def test_new_database_gets_the_tables_of_the_code(empty):
    """A migrated database has exactly the tables, columns, keys and indexes of the code."""
    assert current(empty) is None
    migrate(empty)
    assert current(empty) == newest()
    assert differences(empty) == []


def test_schema_goes_down_to_nothing_and_up_again(empty):
    """Every migration can be undone, and what comes after is the same schema."""
    migrate(empty)
    migrate(empty, "base")
    assert current(empty) is None
    assert set(inspect(empty.engine).get_table_names()) <= {"alembic_version"}
    migrate(empty)
    assert differences(empty) == []


def test_migrating_again_changes_nothing(empty):
    """A database that is at the newest revision stays as it is."""
    migrate(empty)
    migrate(empty)
    require_newest(empty)


def test_old_database_is_refused(empty):
    """A database that was never migrated is refused with the command that helps."""
    with pytest.raises(MigrationNeeded, match="provisioning migrate"):
        require_newest(empty)


def test_difference_is_seen(empty):
    """A column the code does not know is told of."""
    migrate(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("ALTER TABLE profile ADD COLUMN colour VARCHAR"))
    assert "colour" in str(differences(empty))


def planted(database: Database) -> UUID:
    """An organisation of the first version with a user and their account; its id."""
    moment, owner, server, user = datetime.now(UTC), new_id(), new_id(), new_id()
    rows: dict[str, dict[str, object]] = {
        "organisation": {"id": owner, "name": "o", "token_hash": b"h", "token_encrypted": b"t"},
        "user": {"id": user, "organisation_id": owner, "first_name": "Ada", "last_name": ""},
        "sip_server": {"id": server, "organisation_id": owner, "name": "s", "registrar": "pbx"},
        "sip_account": {
            "id": new_id(), "organisation_id": owner, "sip_server_id": server, "user_id": user,
            "username": "1001", "password_encrypted": b"p",
        },
    }  # fmt: skip
    values = {
        "organisation": {"version": 1},
        "user": {
            "enabled": True, "pin_must_change": False, "features": {}, "call_settings": {},
            "rights": {}, "voicemail": {}, "routing": {},
        },
        "sip_server": {
            "port": 5060, "transport": "udp", "outbound_proxy": "", "outbound_port": 5060,
            "backup": "", "backup_port": 5060, "codes": {}, "secrets": "ours", "is_default": True,
        },
        "sip_account": {"position": 1, "auth_name": ""},
    }  # fmt: skip
    tables = MetaData()
    tables.reflect(database.engine)
    with database.engine.begin() as connection:
        for name, columns in rows.items():
            table = tables.tables[name]
            given = {"created_at": moment, "revision": 1} | values[name] | columns
            bound = {
                column: value.hex if isinstance(value, UUID) and database.is_sqlite else value
                for column, value in given.items()
            }
            connection.execute(table.insert().values(**bound))
    return owner


def test_rows_of_the_first_version_survive(empty):
    """A database with people in it keeps them and what refers to them, and gets its departments."""
    migrate(empty, "0001")
    owner = planted(empty)
    migrate(empty)
    with empty.read() as session:
        assert session.scalars(select(User.first_name)).all() == ["Ada"]
        assert session.scalars(select(SipAccount.username)).all() == ["1001"]
        assert session.scalars(select(Category.organisation_id)).all() == [owner]
        assert groups.department(session, owner).name == "department"


def test_references_are_watched_again_after_a_migration(empty):
    """The connection that migrated still refuses a row that refers to nothing."""
    migrate(empty)
    with pytest.raises(Conflict), empty.write() as session:
        session.add(Category(organisation_id=new_id(), name="x"))


def test_database_of_a_newer_version_is_left_alone(empty):
    """A revision this version does not know is refused and nothing is changed."""
    migrate(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MigrationNeeded, match="9999"):
        migrate(empty)
    with pytest.raises(MigrationNeeded, match="9999"):
        require_newest(empty)
    assert current(empty) == "9999"
