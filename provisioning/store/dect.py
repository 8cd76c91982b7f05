"""Finding DECT members, slots and the handsets in them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.kinds import DectRole
from provisioning.store.devices import DectMember, DectSlot, DectSystem, Device, Station


def lock_system(session: Session, system: DectSystem) -> None:
    """Keep others from placing handsets in a system until this transaction ends."""
    session.refresh(system, with_for_update=True)


def members(session: Session, system: UUID) -> list[tuple[DectMember, Device]]:
    """A system's members with their devices, in order."""
    rows = session.execute(
        select(DectMember, Device)
        .join(Device, Device.id == DectMember.device_id)
        .where(DectMember.system_id == system)
        .order_by(DectMember.position)
    )
    return [(row[0], row[1]) for row in rows]


def membership(session: Session, device: UUID) -> DectMember | None:
    """A device's place in a system."""
    return session.scalar(select(DectMember).where(DectMember.device_id == device))


def manager(session: Session, system: UUID) -> tuple[DectMember, Device] | None:
    """A system's manager."""
    found = session.execute(
        select(DectMember, Device)
        .join(Device, Device.id == DectMember.device_id)
        .where(DectMember.system_id == system, DectMember.role == DectRole.MANAGER)
    ).first()
    return (found[0], found[1]) if found else None


def places(session: Session, system: UUID) -> list[tuple[DectSlot, Station | None]]:
    """A system's slots with the handsets in them, by number."""
    rows = session.execute(
        select(DectSlot, Station)
        .outerjoin(Station, Station.id == DectSlot.station_id)
        .where(DectSlot.system_id == system)
        .order_by(DectSlot.number)
    )
    return [(row[0], row[1]) for row in rows]


def slot_with(session: Session, organisation: UUID, ipui: str) -> DectSlot | None:
    """The slot of the handset with that identity."""
    return session.scalar(
        select(DectSlot).where(DectSlot.organisation_id == organisation, DectSlot.ipui == ipui)
    )
