"""Turns: those who change the same thing that no single row stands for come one after another."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def take_turn(session: Session, thing: str) -> None:
    """Wait until nobody else changes the thing, and keep it until the transaction ends.

    SQLite has one writer at a time as it is, from the moment its transaction begins.
    """
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(thing, 0))))
