"""Bringing a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from provisioning.domain.errors import MigrationNeeded
from provisioning.store.database import Database
from provisioning.store.tables import Base

_FOLDER = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The revision this version of the program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise MigrationNeeded("No migrations are installed.", remedy="Reinstall the package.")
    return head


def current(database: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database up to a revision, or down to an older one."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    at = current(database)
    if at is not None and at not in known:
        raise MigrationNeeded(
            f"The database is at revision {at}, which this version does not know.",
            remedy="Start the newer version that made it, or restore a backup.",
        )
    with database.migrating() as connection:
        going_up = revision == "head" or at is None
        (command.upgrade if going_up else command.downgrade)(_config(connection), revision)


def require_newest(database: Database) -> None:
    """Raise MigrationNeeded unless the database is at the newest revision."""
    at = current(database)
    if at != newest():
        raise MigrationNeeded(
            f"The database is at revision {at or 'none'}, this version needs {newest()}.",
            remedy="Run `provisioning migrate`, then start again.",
        )


def differences(database: Database) -> list[object]:
    """What the tables in the code have that the database has not, or the other way round."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))
