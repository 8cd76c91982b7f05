"""Statements that change rows past the ORM: many at once, and quickly."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def run(session: Session, statement: Any) -> int:
    """Change rows no session holds; how many there were."""
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)


def upsert(session: Session, table: type[Any]) -> Any:
    """An INSERT that can say what to do where the row is there already."""
    postgres = session.get_bind().dialect.name == "postgresql"
    return (postgresql.insert if postgres else sqlite.insert)(table.__table__)
