"""Finding rows by a part of a name, a number or an address."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_, select

_SEARCHED = (
    "name", "first_name", "last_name", "email", "extension", "username", "mac", "number", "label",
    "code", "department", "kind", "add_on",
)  # fmt: skip


def holding(table: type[Any], q: str) -> list[ColumnElement[bool]]:
    """The conditions that a name of a row holds a text, whatever its case."""
    searched = [getattr(table, name) for name in _SEARCHED if hasattr(table, name)]
    like = f"%{_escape_like(q.lower())}%"
    mapped = (column for column in searched if hasattr(column, "type"))
    return [func.lower(cast(column, String)).like(like, escape="\\") for column in mapped]


def called(column: Any, table: type[Any], q: str) -> ColumnElement[bool]:
    """The condition that a column names a row of the table that ``q`` finds."""
    condition: ColumnElement[bool] = column.in_(select(table.id).where(or_(*holding(table, q))))
    return condition


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
