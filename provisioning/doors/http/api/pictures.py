"""Pictures: avatar and cover of the organisation, and of its people."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from provisioning.domain.kinds import Purpose
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Content, Shown, Takes, Upload
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.pictures import Picture as Row
from provisioning.usecases import me
from provisioning.usecases import pictures as usecases
from provisioning.usecases.images import LARGEST_FILE, MEDIA_TYPES

ENDPOINTS = Endpoints()

Image = Annotated[Upload, Takes(tuple(MEDIA_TYPES), LARGEST_FILE)]


class Picture(Shown):
    """A picture as it is kept."""

    media_type: str
    width: int
    height: int
    revision: int


def _content(row: Row) -> Content:
    return Content(row.content, row.media_type, row.revision)


# --- the organisation


@ENDPOINTS.get("/organisation/avatar", Permission.READ)
def read_organisation_avatar(call: Call) -> Content:
    """The organisation's avatar, which stands for whoever has none."""
    return _content(usecases.read_picture(call.core, call.actor, None, Purpose.AVATAR))


@ENDPOINTS.put("/organisation/avatar", Permission.ACCOUNT)
def set_organisation_avatar(call: Call, upload: Image, revision: int | None = None) -> Picture:
    """Set the organisation's avatar."""
    row = usecases.set_picture(
        call.core, call.actor, None, Purpose.AVATAR, upload.content, revision=revision
    )
    return Picture.of(row)


@ENDPOINTS.delete("/organisation/avatar", Permission.ACCOUNT)
def delete_organisation_avatar(call: Call, revision: int | None = None) -> None:
    """Take the organisation's avatar away."""
    usecases.delete_picture(call.core, call.actor, None, Purpose.AVATAR, revision)


@ENDPOINTS.get("/organisation/cover", Permission.READ)
def read_organisation_cover(call: Call) -> Content:
    """The wallpaper of phones whose person has chosen none."""
    return _content(usecases.read_picture(call.core, call.actor, None, Purpose.COVER))


@ENDPOINTS.put("/organisation/cover", Permission.ACCOUNT)
def set_organisation_cover(call: Call, upload: Image, revision: int | None = None) -> Picture:
    """Set the wallpaper of phones whose person has chosen none."""
    row = usecases.set_picture(
        call.core, call.actor, None, Purpose.COVER, upload.content, revision=revision
    )
    return Picture.of(row)


@ENDPOINTS.delete("/organisation/cover", Permission.ACCOUNT)
def delete_organisation_cover(call: Call, revision: int | None = None) -> None:
    """Take the organisation's wallpaper away."""
    usecases.delete_picture(call.core, call.actor, None, Purpose.COVER, revision)


# --- its people


@ENDPOINTS.get("/users/{user}/photo", Permission.READ)
def read_photo(call: Call, user: UUID) -> Content:
    """A user's photo."""
    return _content(usecases.read_picture(call.core, call.actor, user, Purpose.AVATAR))


@ENDPOINTS.put("/users/{user}/photo", Permission.WRITE)
def set_photo(call: Call, user: UUID, upload: Image, revision: int | None = None) -> Picture:
    """Set a user's photo."""
    row = usecases.set_picture(
        call.core, call.actor, user, Purpose.AVATAR, upload.content, revision=revision
    )
    return Picture.of(row)


@ENDPOINTS.delete("/users/{user}/photo", Permission.WRITE)
def delete_photo(call: Call, user: UUID, revision: int | None = None) -> None:
    """Take a user's photo away."""
    usecases.delete_picture(call.core, call.actor, user, Purpose.AVATAR, revision)


@ENDPOINTS.get("/users/{user}/cover", Permission.READ)
def read_cover(call: Call, user: UUID) -> Content:
    """The wallpaper a user has chosen."""
    return _content(usecases.read_picture(call.core, call.actor, user, Purpose.COVER))


@ENDPOINTS.put("/users/{user}/cover", Permission.WRITE)
def set_cover(call: Call, user: UUID, upload: Image, revision: int | None = None) -> Picture:
    """Choose a wallpaper for a user."""
    row = usecases.set_picture(
        call.core, call.actor, user, Purpose.COVER, upload.content, revision=revision
    )
    return Picture.of(row)


@ENDPOINTS.delete("/users/{user}/cover", Permission.WRITE)
def delete_cover(call: Call, user: UUID, revision: int | None = None) -> None:
    """Take the wallpaper away that a user has chosen."""
    usecases.delete_picture(call.core, call.actor, user, Purpose.COVER, revision)


# --- oneself


@ENDPOINTS.get("/me/photo", Permission.OWN)
def read_my_photo(call: Call) -> Content:
    """One's own photo."""
    return _content(me.my_picture(call.core, call.actor, Purpose.AVATAR))


@ENDPOINTS.put("/me/photo", Permission.OWN)
def set_my_photo(call: Call, upload: Image, revision: int | None = None) -> Picture:
    """Set one's own photo."""
    row = me.set_my_picture(
        call.core, call.actor, Purpose.AVATAR, upload.content, revision=revision
    )
    return Picture.of(row)


@ENDPOINTS.delete("/me/photo", Permission.OWN)
def delete_my_photo(call: Call, revision: int | None = None) -> None:
    """Take one's own photo away."""
    me.delete_my_picture(call.core, call.actor, Purpose.AVATAR, revision)


@ENDPOINTS.get("/me/cover", Permission.OWN)
def read_my_cover(call: Call) -> Content:
    """The wallpaper one has chosen."""
    return _content(me.my_picture(call.core, call.actor, Purpose.COVER))


@ENDPOINTS.put("/me/cover", Permission.OWN)
def set_my_cover(call: Call, upload: Image, revision: int | None = None) -> Picture:
    """Choose a wallpaper of one's own."""
    row = me.set_my_picture(call.core, call.actor, Purpose.COVER, upload.content, revision=revision)
    return Picture.of(row)


@ENDPOINTS.delete("/me/cover", Permission.OWN)
def delete_my_cover(call: Call, revision: int | None = None) -> None:
    """Go back to the organisation's wallpaper."""
    me.delete_my_picture(call.core, call.actor, Purpose.COVER, revision)
