"""What all replicas share while they tell phones: the pace, and which phones are in a call."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, case, delete, literal, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.store.base import Base, Owned, now, within
from provisioning.store.statements import run, upsert

CALL_HOURS = 4
"""A call that was not heard to end is taken for over after so long (hotdesk rule HD6)."""

_RELOADS = "reloads"


class Pace(Base):
    """When the next of something may be done, by whichever replica."""

    __tablename__ = "pace"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime] = mapped_column(default=now)


class PhoneCalls(Owned, Base):
    """How many calls a device told of that it has not told the end of, and when the first began."""

    __tablename__ = "phone_calls"
    __table_args__ = (within("device_id", "device", ondelete="CASCADE"),)

    device_id: Mapped[UUID] = mapped_column(unique=True)
    calls: Mapped[int] = mapped_column(Integer, default=1)
    started_at: Mapped[datetime] = mapped_column(default=now)


def hand_out(session: Session, count: int, at: datetime, per_second: int) -> list[datetime]:
    """That many instants from ``at`` on, each the caller's alone, so many in a second.

    ``at`` is the database's moment, or replicas whose clocks differ would wait for each other.
    They are one after the other, so that no two phones are told at the same instant.
    """
    insert = upsert(session, Pace).values(name=_RELOADS, next_at=at)
    session.execute(insert.on_conflict_do_nothing(index_elements=["name"]))
    row = select(Pace.next_at).where(Pace.name == _RELOADS).with_for_update()
    first = max(session.scalars(row).one(), at)
    apart = timedelta(seconds=1) / per_second
    after = update(Pace).where(Pace.name == _RELOADS)
    run(session, after.values(next_at=first + count * apart))
    return [first + number * apart for number in range(count)]


def call_began(session: Session, organisation: UUID, device: UUID, at: datetime) -> None:
    """Note that a device has a call, or one more; those that are taken for over do not count."""
    values = {
        "id": device,  # one row for each device, so its id will do
        "device_id": device,
        "organisation_id": organisation,
        "created_at": at,
        "revision": 1,
        "calls": 1,
        "started_at": at,
    }
    over = PhoneCalls.started_at <= at - timedelta(hours=CALL_HOURS)
    began = literal(at, PhoneCalls.started_at.type)
    more = {
        "calls": case((over, 1), else_=PhoneCalls.calls + 1),
        "started_at": case((over, began), else_=PhoneCalls.started_at),
    }
    insert = upsert(session, PhoneCalls).values(**values)
    session.execute(insert.on_conflict_do_update(index_elements=["device_id"], set_=more))


def call_ended(session: Session, device: UUID) -> None:
    """Note that a call of a device ended; the row goes with the last one."""
    here = PhoneCalls.device_id == device
    run(session, delete(PhoneCalls).where(here, PhoneCalls.calls <= 1))
    run(session, update(PhoneCalls).where(here).values(calls=PhoneCalls.calls - 1))


def in_call(session: Session, devices: Collection[UUID], at: datetime) -> set[UUID]:
    """Which of the devices have a call, as far as they told."""
    begun = PhoneCalls.started_at > at - timedelta(hours=CALL_HOURS)
    return set(
        session.scalars(
            select(PhoneCalls.device_id).where(PhoneCalls.device_id.in_(devices), begun)
        )
    )
