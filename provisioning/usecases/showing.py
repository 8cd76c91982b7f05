"""Pictures on phones: what they are called there, and the image in the size of the model."""

from __future__ import annotations

import re
from uuid import UUID

from provisioning.domain.kinds import Purpose
from provisioning.store import hotdesk, pictures, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.pictures import Picture
from provisioning.usecases.core import Core
from provisioning.usecases.images import JPEG, PNG, sized

_NAMED = re.compile(r"picture/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-[0-9]{1,9}\.(jpg|png)")
_BY_NUMBER = re.compile(r"photos/([0-9*#+]{1,32})\.png")
_FORMS = {"jpg": JPEG, "png": PNG}

_USUAL_SCREEN = (800, 480)
"""What a wallpaper is made for where nobody knows the model's screen."""
_LARGEST_FACE = 240
_BY_NUMBER_SIZE = (150, 200)
"""What phones take that ask for a photo by number: Mitel's."""


def picture_path(names: pictures.Names, purpose: Purpose, *owners: UUID | None) -> str:
    """What a phone finds behind its screen URL: the first owner's picture there is, or nothing."""
    found = (names.get((owner, purpose)) for owner in owners)
    name = next((name for name in found if name), "")
    return f"picture/{name}.jpg" if name else ""


def asks_for_picture(path: str) -> bool:
    """Whether a path behind a screen URL can be a picture's."""
    return bool(_NAMED.fullmatch(path) or _BY_NUMBER.fullmatch(path))


def shown_picture(core: Core, session: Session, device: Device, path: str) -> tuple[bytes, str]:
    """The image a device asks for, in its size, and its media type; empty if it is not for it."""
    if found := _BY_NUMBER.fullmatch(path):
        face = pictures.photo_by_extension(session, device.organisation_id, found[1])
        return (sized(face.content, *_BY_NUMBER_SIZE, PNG), PNG) if face else (b"", "")
    named = _NAMED.fullmatch(path)
    row = pictures.picture_named(session, device.organisation_id, UUID(named[1])) if named else None
    if named is None or row is None or not _is_for(session, device, row):
        return b"", ""
    form = _FORMS[named[2]]
    return sized(row.content, *_size(core, device, row), form), form


def _is_for(session: Session, device: Device, row: Picture) -> bool:
    """Faces are for everybody's phone book, what somebody chose for their screen is not."""
    if row.purpose == Purpose.AVATAR or row.user_id is None:
        return True
    stations = [station.id for station in queries.stations_of(session, device.id)]
    people = {seat.user_id for seat in queries.assignments_at(session, stations)}
    people |= {seat.user_id for seat in hotdesk.open_at(session, stations).values()}
    return row.user_id in people


def _size(core: Core, device: Device, row: Picture) -> tuple[int, int]:
    vendor = core.registry.vendors.get(device.vendor or "")
    model = vendor.model(device.model) if vendor and device.model else None
    screen = model.screen if model else None
    width, height = (screen.width, screen.height) if screen else (None, None)
    if row.purpose == Purpose.AVATAR:
        if screen and screen.logo and row.user_id is None:
            return screen.logo, screen.logo
        side = min(height // 2 if height else _LARGEST_FACE, _LARGEST_FACE)
        return side, side
    return (width, height) if width and height else _USUAL_SCREEN
