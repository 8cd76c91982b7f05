"""The outbox: which devices have to load their files anew."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Listing, Shown, Text, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import reload as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class ServedFile(Shown):
    """What a device was served last of a file that proves it is current."""

    rule: str
    """The id of the file's rule in the vendor's folder."""
    door: str
    at: datetime
    content_hash: str


class Reload(Shown):
    """A device that may have to load its files anew."""

    device_id: UUID
    state: str
    """`changed` until its files were compared with what it was served last, `saved` if they differ."""
    reason: str
    """What was changed."""
    actor: str
    """Who changed it."""
    created_at: datetime
    saved_at: datetime | None


class DeviceReload(Shown):
    """What a device waits for, null for nothing, and what it was served last."""

    reload: Reload | None
    served: list[ServedFile]


@ENDPOINTS.get("/devices/{device}/reload", Permission.READ)
def read_reload(call: Call, device: str) -> DeviceReload:
    """Whether a device has to load its files anew."""
    found = usecases.read_reload(call.core, call.actor, device)
    return DeviceReload(
        reload=Reload.of(found.reload) if found.reload else None,
        served=[ServedFile.of(row) for row in found.served],
    )


@ENDPOINTS.get("/reloads", Permission.READ)
def list_reloads(call: Call, page: Page, state: Text = "") -> Listing[Reload]:
    """The devices that may have to load their files anew, those in one `state` where it is named."""
    return listing(usecases.list_reloads(call.core, call.actor, page, state=state), page, Reload.of)
