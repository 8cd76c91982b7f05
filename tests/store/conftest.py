"""Rows of any table, with whatever they need around them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Boolean, ForeignKeyConstraint, Integer, LargeBinary, Uuid, delete

from provisioning.domain.ids import new_id
from provisioning.domain.keys import Area, KeyType
from provisioning.domain.kinds import IdentityKind, LicenceKind, Pbx, Purpose, SheetKind, TargetKind
from provisioning.domain.settings import Level
from provisioning.store.base import Base, UtcDateTime
from provisioning.store.database import Database, Session
from provisioning.store.organisations import Organisation

CLASSES: dict[str, type[Any]] = {
    mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers
}
FIRST_HOLDER = {"sip_account": "user_id"}
"""The columns a check asks for although they may be null."""

DISTINCT = {"licence": "add_on"}
"""Columns of which no two rows have the same value although they have a default."""

WORDS = {
    "call_target": {"kind": TargetKind.RING_GROUP},
    "connector": {"kind": Pbx.ASTERISK},
    "device_identity": {"kind": IdentityKind.MAC},
    "feed_change": {"action": "changed"},
    "key": {"level": Level.ORGANISATION, "area": Area.LINE, "type": KeyType.NONE},
    "import_job": {"kind": SheetKind.USERS},
    "licence": {"kind": LicenceKind.ADD_ON},
    "picture": {"purpose": Purpose.AVATAR},
    "setting": {"level": Level.ORGANISATION},
}
"""Columns that take only certain words and have no default."""


def references(table: str) -> dict[str, ForeignKeyConstraint]:
    """The columns of a table that refer to another row, its organisation left out."""
    found = {}
    for key in CLASSES[table].__table__.foreign_key_constraints:
        columns = [column for column in key.column_keys if column != "organisation_id"]
        if columns:
            found[columns[0]] = key
    return found


class Rows:
    """Plants rows: columns that are not given get distinct values, references rows of their own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._count = itertools.count(1)
        self._open: Session | None = None

    def organisation(self, name: str = "") -> UUID:
        """A new organisation."""
        return self.plant(Organisation, None, **({"name": name} if name else {}))

    def plant(self, table: type[Any], organisation: UUID | None, **columns: Any) -> UUID:
        """A new row and whatever it needs; its id."""
        name = table.__tablename__
        keys = references(name)
        given = WORDS.get(name, {}) | columns
        if "organisation_id" in table.__table__.c and name not in ("login", "role"):
            given.setdefault("organisation_id", organisation)
        for column in table.__table__.c:
            distinct = DISTINCT.get(name) == column.name
            if column.name in given or (column.default is not None and not distinct):
                continue
            wanted = not column.nullable or (
                FIRST_HOLDER.get(name) == column.name
                and not any(other in given for other in ("user_id", "station_id"))
            )
            if wanted and column.name in keys:
                parent = CLASSES[keys[column.name].referred_table.name]
                given[column.name] = self.plant(parent, organisation)
            elif wanted and not column.primary_key:
                given[column.name] = self._value(column.type)
        given.setdefault("id", new_id())
        with self._session() as session:
            if name == "reload":  # the outbox has marked the device that was just planted
                session.execute(delete(table).where(table.device_id == given["device_id"]))
            session.add(table(**given))
            session.flush()
        return given["id"]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Plant everything of the block in one transaction."""
        with self.database.write() as session:
            self._open = session
            yield
            self._open = None

    def _session(self) -> AbstractContextManager[Session]:
        return nullcontext(self._open) if self._open else self.database.write()

    def _value(self, kind: Any) -> object:
        number = next(self._count)
        if isinstance(kind, Boolean):
            return False
        if isinstance(kind, Integer):
            return number
        if isinstance(kind, LargeBinary):
            return f"bytes {number}".encode()
        if isinstance(kind, UtcDateTime):
            return datetime(2030, 1, 1, tzinfo=UTC)
        if isinstance(kind, Uuid):
            return new_id()
        return f"row {number}"


@pytest.fixture
def rows(database: Database) -> Rows:
    """Rows of any table in a fresh database."""
    return Rows(database)
