"""The database: one engine, short transactions, errors under our own names.

SQLite runs in WAL mode and takes its write lock at the start of a writing transaction, so that
two writers queue instead of failing half-way; PostgreSQL is used as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry

from provisioning.domain.errors import (
    BadConfig,
    MigrationNeeded,
    StaleRevision,
    StoreUnavailable,
)
from provisioning.store import feeding, outbox, recording, versions
from provisioning.store.conflicts import conflict_of

__all__ = ["Database", "Session", "release"]

_BUSY_SECONDS = 30
_MODE = "roost_mode"
_LEVELS = {"read": "REPEATABLE READ READ ONLY", "snapshot": "REPEATABLE READ"}
"""PostgreSQL's isolation level of a transaction, where it is not the usual one."""
_SERIALIZATION_FAILURE = "40001"
"""PostgreSQL's word for a row that was changed since the snapshot (its manual, appendix A)."""
_NO_FILE = (None, "", ":memory:")
"""What an SQLite URL names instead of a file that several connections can share."""


class Database:
    """Where everything shared lives. Thread-safe; one for the whole process.

    ``stir`` is called after a transaction that leaves a phone waiting with somebody in front.
    """

    def __init__(self, url: str) -> None:
        """Open no connection yet; raises BadConfig for a URL that names no known database."""
        self.engine = _engine(url)
        self._read = sessionmaker(
            self.engine.execution_options(**{_MODE: "read"}), expire_on_commit=False
        )
        self._write = sessionmaker(
            self.engine.execution_options(**{_MODE: "write"}), expire_on_commit=False
        )
        self.stir: Callable[[], None] = _nobody
        versions.watch(self._write)
        feeding.watch(self._write)
        recording.watch(self._write)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that reads one snapshot; raises StoreUnavailable."""
        with _named_errors(), self._read() as session:
            yield session
            release(session)

    @contextmanager
    def write(self, *, snapshot: bool = False) -> Iterator[Session]:
        """A transaction: committed when the block ends, rolled back when it raises.

        One of a ``snapshot`` sees nothing that others commit from its first statement on, and
        changes no row that they did; SQLite's are such anyhow.
        Raises StaleRevision where a row was changed since it was read, Conflict (or the class
        of the rule) where a constraint refuses, StoreUnavailable where the database does not
        answer.
        """
        with _named_errors(), self._write() as session:
            with session.begin():
                if snapshot:
                    session.connection(execution_options={_MODE: "snapshot"})
                yield session
            urgent = session.info.pop(outbox.URGENT, False)
        if urgent:
            self.stir()

    def moment(self, session: Session) -> datetime:
        """The database's own clock, which all replicas share, whatever their own clocks say.

        It goes on within a transaction: what was committed before it was asked is earlier.
        """
        if self.is_sqlite:
            text = session.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))
            return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
        found: datetime = session.scalars(select(func.clock_timestamp())).one()
        return found.astimezone(UTC)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A transaction that may rebuild tables.

        SQLite changes a table by dropping the old one, which would take along every row that
        refers to it; so references are not watched meanwhile, but checked before the commit.
        """
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    yield connection
                return
            cursor = connection.connection.cursor()  # outside a transaction, where alone it works
            cursor.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                    if broken:
                        raise MigrationNeeded(
                            f"The migration would break {len(broken)} references.",
                            remedy="Nothing was changed; report it with the version's number.",
                        )
            finally:
                cursor.execute("PRAGMA foreign_keys=ON")
                cursor.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _nobody() -> None:
    """Nobody waits for reloads."""


def release(session: Session) -> None:
    """End a reading session's snapshot; its rows stay readable as they were."""
    session.expunge_all()
    session.rollback()


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except StaleDataError as error:
        raise _stale() from error
    except IntegrityError as error:
        conflict = conflict_of(error)
        if conflict is None:
            raise
        raise conflict from error
    except (OperationalError, NoFreeConnection) as error:
        if getattr(error.__cause__, "sqlstate", None) == _SERIALIZATION_FAILURE:
            raise _stale() from error
        raise StoreUnavailable("The database does not answer.", remedy="Try again.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable("The database went away.", remedy="Try again.") from error
        raise


def _stale() -> StaleRevision:
    return StaleRevision(
        "Somebody else changed this at the same moment.", remedy="Read it again and retry."
    )


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise _bad_url() from error
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
        event.listen(engine, "begin", _begin_repeatable)
        return engine
    if parsed.get_backend_name() != "sqlite" or parsed.database in _NO_FILE:
        raise _bad_url()
    engine = create_engine(parsed, pool_size=16, max_overflow=32, pool_timeout=_BUSY_SECONDS)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _bad_url() -> BadConfig:
    return BadConfig(
        "PROVISIONING_DATABASE_URL names no database this server works with.",
        remedy="Write sqlite:////path/roost.db or postgresql://user:password@host/name.",
        field="database_url",
    )


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, see below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
    # SQLite's own knows the letters of ASCII only.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(_MODE) == "read"
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _begin_repeatable(connection: Connection) -> None:
    """A reading transaction sees one snapshot, as SQLite's does, and a writing one if asked."""
    level = _LEVELS.get(connection.get_execution_options().get(_MODE, ""))
    if level:
        connection.exec_driver_sql(f"SET TRANSACTION ISOLATION LEVEL {level}")
