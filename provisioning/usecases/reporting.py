"""What only the loss report of a phone looks at."""

from __future__ import annotations

from dataclasses import replace

from provisioning.domain.kinds import Purpose
from provisioning.domain.phone import Phone
from provisioning.store import pictures
from provisioning.store.database import Session
from provisioning.store.snapshots import Snapshot


def reported(session: Session, rows: Snapshot, phone: Phone) -> Phone:
    """The phone with whether there are photos that a phone book could show."""
    faces = pictures.names(session, rows.organisation.id, None, Purpose.AVATAR)
    return replace(phone, photos=bool(faces))
