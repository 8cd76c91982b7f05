"""The devices that are to be told: who takes which, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, literal, or_, select, update
from sqlalchemy.orm import Session, aliased

from provisioning.domain.kinds import ReloadState
from provisioning.store.authors import author_of
from provisioning.store.base import now
from provisioning.store.devices import Device
from provisioning.store.outbox import COMING, URGENT, Reload, ServedFile
from provisioning.store.statements import run, upsert

LEASE = timedelta(seconds=120)
"""How long a device is left to whoever tells it; a phone has 32 seconds to answer, twice."""

CALLING = "it is in a call"
"""What holds a device until its call is over."""

_CHANGED, _SAVED, _TOLD = str(ReloadState.CHANGED), str(ReloadState.SAVED), str(ReloadState.TOLD)
_WAITING = str(ReloadState.WAITING)


def _ready(row: Any, at: datetime) -> Any:
    return and_(
        row.state.in_((_SAVED, _TOLD, _WAITING)),
        or_(row.next_at.is_(None), row.next_at <= at),
        or_(row.coming_until.is_(None), row.coming_until <= at),
        or_(row.claimed_until.is_(None), row.claimed_until <= at),
    )


def any_ready(session: Session, at: datetime) -> bool:
    """Whether a device is to be told."""
    return session.scalar(select(Reload.id).where(_ready(Reload, at)).limit(1)) is not None


def _by_site_in_turn(at: datetime, limit: int) -> Select[Any]:
    """The first of every site, then the second of every site, and so on; who waits goes first."""
    row = aliased(Reload)
    turn = func.row_number().over(
        partition_by=(Device.site_id, row.urgent), order_by=(row.saved_at, row.id)
    )
    numbered = (
        select(row.id.label("id"), row.urgent.label("urgent"), turn.label("turn"))
        .join(Device, Device.id == row.device_id)
        .where(_ready(row, at))
        .subquery()
    )
    order = (numbered.c.urgent.desc(), numbered.c.turn, numbered.c.id)
    return select(numbered.c.id).order_by(*order).limit(limit)


def claim(session: Session, at: datetime, limit: int) -> list[Reload]:
    """Devices to be told, in the order to tell them, for this caller alone until the lease ends."""
    ids: list[UUID] = list(session.scalars(_by_site_in_turn(at, limit)))
    chosen = select(Reload).where(Reload.id.in_(ids), _ready(Reload, at)).order_by(Reload.id)
    rows = list(session.scalars(chosen.with_for_update(skip_locked=True)))
    session.expunge_all()
    taken = update(Reload).where(Reload.id.in_([row.id for row in rows]))
    run(session, taken.values(claimed_until=at + LEASE))
    return sorted(rows, key=lambda row: ids.index(row.id))


def _same(row_id: UUID, changes: int) -> Any:
    return update(Reload).where(Reload.id == row_id, Reload.changes == changes)


def put_off(session: Session, row: Reload, until: datetime, why: str, *, waiting: bool) -> None:
    """Hold a device that was not tried until a moment; ``waiting`` where nothing reaches it."""
    still = case((Reload.state == _CHANGED, _CHANGED), else_=_WAITING if waiting else Reload.state)
    values = {"state": still, "next_at": until, "held": why, "claimed_until": None}
    run(session, _same(row.id, row.changes).values(**values))


def note_told(session: Session, row_id: UUID, changes: int, **values: Any) -> bool:
    """Write what came of telling or trying; whether the device still waits for the same change.

    A state given is not set where the device came meanwhile: its files are looked at first.
    """
    state = values.pop("state", None)
    if state is not None:
        values["state"] = case((Reload.state == _CHANGED, _CHANGED), else_=state)
    values |= {"claimed_until": None, "tries": Reload.tries + 1, "held": ""}
    return run(session, _same(row_id, changes).values(**values)) > 0


def coming(session: Session, device: UUID, at: datetime) -> None:
    """Leave a device alone for a while: it loads its files by itself."""
    session.flush()  # what this transaction changed marks the device first
    row = update(Reload).where(Reload.device_id == device)
    run(session, row.values(coming_until=at + COMING))


def ask(session: Session, device: Device, reason: str) -> None:
    """Have a device told at once, whether its files differ or not."""
    author, at = author_of(session), now()
    values: dict[str, Any] = {
        "reason": reason,
        "actor": author.name if author else "",
        "state": _SAVED,
        "due_at": at,
        "saved_at": at,
        "urgent": True,
        "answer": "",
        "tries": 0,
        "given_up": "",
        "held": "",
    }
    new = {
        "id": device.id,
        "device_id": device.id,
        "organisation_id": device.organisation_id,
        "created_at": at,
        "revision": 1,
        "changes": 1,
    }
    again = dict.fromkeys(("claimed_until", "told_at", "way", "next_at", "coming_until"))
    counted = {"revision": Reload.revision + 1, "changes": Reload.changes + 1}
    insert = upsert(session, Reload).values(**new, **values)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["device_id"], set_={**values, **again, **counted}
        )
    )
    session.info[URGENT] = True


def call_is_over(session: Session, device: UUID) -> None:
    """A device that waited for its call to end is to be told at once; back-off stays as it is."""
    waited = update(Reload).where(Reload.device_id == device, Reload.held == CALLING)
    if run(session, waited.values(next_at=literal(None), held="")):
        session.info[URGENT] = True


def same_address(session: Session, organisation: UUID, address: str, device: UUID) -> bool:
    """Whether another device of the organisation came from that address too."""
    others = select(ServedFile.id).where(
        ServedFile.organisation_id == organisation,
        ServedFile.address == address,
        ServedFile.device_id != device,
    )
    return session.scalar(others.limit(1)) is not None


def addresses(session: Session, devices: Sequence[UUID]) -> dict[UUID, str]:
    """Where each device fetched a file of its own from last."""
    rows = session.execute(
        select(ServedFile.device_id, ServedFile.address)
        .where(ServedFile.device_id.in_(devices))
        .order_by(ServedFile.at)
    )
    return {row.device_id: row.address for row in rows}
