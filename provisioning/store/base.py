"""What every table has: ids, times, an organisation, and keys that cannot cross organisations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Select,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from provisioning.domain.ids import new_id

T = TypeVar("T")

_CHUNK = 500
"""Ids named in one statement; databases bound its parameters."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and always UTC, in any database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base's form
        """Refuse naive moments: they would mean another time on another machine."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base's form
        """Give aware UTC back, also where the database keeps no zone."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of every table; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy's own form


def now() -> datetime:
    """The current moment in UTC."""
    return datetime.now(UTC)


class Row:
    """A row with an id (UUIDv7), when it was made, and a revision that every write counts up.

    The revision is the optimistic lock behind ``If-Match``: a write based on an older one fails.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=now)
    revision: Mapped[int] = mapped_column(default=1)

    def __init__(self, **columns: Any) -> None:
        """Give the row its id at once, so that others can refer to it before it is written."""
        columns.setdefault("id", new_id())
        super().__init__(**columns)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy's own form
        return {"version_id_col": cls.__table__.c.revision}  # type: ignore[attr-defined]  # made by the mapper


class Owned(Row):
    """A row of one organisation."""

    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), index=True
    )


def owned_key() -> UniqueConstraint:
    """What a foreign key that stays within its organisation points to."""
    return UniqueConstraint("organisation_id", "id")


def within(column: str, table: str, *, ondelete: str = "RESTRICT") -> ForeignKeyConstraint:
    """A foreign key to a row of the same organisation; the database itself keeps tenants apart.

    With ``SET NULL`` the row would lose its organisation too, so only RESTRICT and CASCADE fit.
    """
    return ForeignKeyConstraint(
        ["organisation_id", column],
        [f"{table}.organisation_id", f"{table}.id"],
        ondelete=ondelete,
    )


def one_of(column: str, words: type[Any], *, name: str) -> CheckConstraint:
    """A check that a text column holds one of an enumeration's words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def unique_where(name: str, *columns_and_condition: str) -> Index:
    """A unique index over the columns for the rows where the condition, named last, holds."""
    *columns, condition = columns_and_condition
    where = text(condition)
    return Index(name, *columns, unique=True, postgresql_where=where, sqlite_where=where)


def chunks(ids: Iterable[T]) -> Iterator[Sequence[T]]:
    """The ids in parts, none of which is too long for a statement."""
    left = iter(ids)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def found_by(session: Session, statement: Select[Any], column: Any, ids: Iterable[Any]) -> set[Any]:
    """What a statement finds for any of the ids, asked in chunks; nulls left out."""
    found: set[Any] = set()
    for chunk in chunks(row for row in ids if row is not None):
        found |= set(session.scalars(statement.where(column.in_(chunk))))
    return found - {None}
