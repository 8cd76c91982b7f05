"""Finding stations by their labels, and those of a site."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.store.devices import Device, Station


def station_by_code(session: Session, code: str) -> Station | None:
    """The station whose label has this code, in any organisation."""
    return session.scalar(select(Station).where(Station.label_code == code))


def stations_at(
    session: Session, site: UUID, without: Collection[str]
) -> list[tuple[Station, Device]]:
    """The stations of a site's devices, those in some states left out."""
    rows = session.execute(
        select(Station, Device)
        .join(Device, Device.id == Station.device_id)
        .where(Device.site_id == site, Device.state.not_in(without))
    )
    return [(station, device) for station, device in rows]
