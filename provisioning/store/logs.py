"""Writing the fetch log and the pending table in batches, and trimming them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from provisioning.store import outbox
from provisioning.store.audit import AuditEvent
from provisioning.store.devices import Device
from provisioning.store.security import Fetch, Pending


class Seen(Protocol):
    """A sighting, as far as it is written here."""

    id: UUID
    at: datetime
    door: str
    address: str
    path: str
    user_agent: str
    organisation_id: UUID | None
    device_id: UUID | None
    mac: str
    vendor: str
    model: str
    firmware: str
    grade: str
    outcome: str
    reason: str
    size: int
    content_hash: str
    proof_rule: str


_COLUMNS = [column.name for column in Fetch.__table__.columns]


def write_fetches(session: Session, batch: Sequence[Seen]) -> None:
    """Write sightings into the fetch log, and what each device was served and when it was seen."""
    session.execute(
        insert(Fetch), [{name: getattr(seen, name) for name in _COLUMNS} for seen in batch]
    )
    latest = {seen.device_id: seen.at for seen in batch if seen.device_id is not None}
    for device, at in sorted(latest.items(), key=lambda item: str(item[0])):
        session.execute(
            update(Device)
            .where(Device.id == device)
            .values(last_seen_at=at)
            .execution_options(synchronize_session=False)
        )
    outbox.write_served(session, batch)


def write_pending(session: Session, batch: Sequence[Seen], *, cap: int) -> None:
    """Note unknown MACs, at most ``cap`` of them; a full table takes no new ones."""
    latest = {seen.mac: seen for seen in batch if seen.mac}
    if not latest:
        return
    known = {
        row.mac: row for row in session.scalars(select(Pending).where(Pending.mac.in_(latest)))
    }
    room = cap - (session.scalar(select(func.count()).select_from(Pending)) or 0)
    for mac, seen in latest.items():
        row = known.get(mac)
        if row is None:
            if room <= 0:
                continue
            room -= 1
            row = Pending(mac=mac, first_seen_at=seen.at, times=0)
            session.add(row)
        row.times += sum(1 for other in batch if other.mac == mac)
        row.last_seen_at = seen.at
        row.address, row.path, row.user_agent = seen.address, seen.path, seen.user_agent
        row.vendor, row.model = seen.vendor, seen.model
        row.organisation_id = seen.organisation_id


def trim(
    session: Session, *, fetches_before: datetime, pending_before: datetime, audit_before: datetime
) -> None:
    """Delete what is older than the retention asks to keep, and what is of devices gone."""
    session.execute(delete(Fetch).where(Fetch.at < fetches_before))
    session.execute(delete(Pending).where(Pending.last_seen_at < pending_before))
    session.execute(delete(AuditEvent).where(AuditEvent.at < audit_before))
    outbox.forget_served(session)


def forget_pending(session: Session, macs: Sequence[str]) -> None:
    """Take MACs from the pending table: they are registered now."""
    session.execute(delete(Pending).where(Pending.mac.in_(macs)))
