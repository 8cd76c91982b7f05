"""Migrations on real databases: up, down, up again, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect, text

from provisioning.domain.errors import MigrationNeeded
from provisioning.store.database import Database
from provisioning.store.migrate import current, differences, migrate, newest, require_newest


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
