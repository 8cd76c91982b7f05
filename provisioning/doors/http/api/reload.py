"""The outbox: which devices have to load their files anew."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Listing, Shown, Text, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import progress
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
    address: str
    """Where it fetched it from."""
    since: datetime
    """When it got these bytes first."""


class Reload(Shown):
    """A device that may have to load its files anew."""

    device_id: UUID
    state: str
    """`changed` until its files were compared with what it was served last, `saved` if they differ,
    `told` until it has come, `waiting` where nothing reaches it, `given-up` if it never came."""
    reason: str
    """What was changed."""
    actor: str
    """Who changed it."""
    created_at: datetime
    saved_at: datetime | None
    told_at: datetime | None
    """When it was told last, null where that failed."""
    way: str | None
    """How it was told or tried to be told last: `sip`, `asterisk`, `freeswitch` or `http`."""
    answer: str
    """What the phone, or the PBX for it, answered then."""
    tries: int
    next_at: datetime | None
    """When it is told again if it has not come, null for at once."""
    given_up: str
    """Why it is told no more."""
    held: str
    """Why it was neither told nor tried when its turn came last."""


class DeviceReload(Shown):
    """What a device waits for, null for nothing, what it was served last, and both in words."""

    state: str
    """That of its reload, or `fetched` when it has come since it was told, `current` when it has
    all there is, `never-fetched`."""
    status: str
    """Where it stands, in one line."""
    told_at: datetime | None
    way: str | None
    answer: str
    reload: Reload | None
    served: list[ServedFile]


@ENDPOINTS.get("/devices/{device}/reload", Permission.READ)
def read_reload(call: Call, device: str) -> DeviceReload:
    """How far a device is on its way to what was changed."""
    return _shown(progress.read_reload(call.core, call.actor, device))


@ENDPOINTS.post("/devices/{device}/reload", Permission.WRITE, HTTPStatus.ACCEPTED)
def reload_device(call: Call, device: str) -> DeviceReload:
    """Tell a device to load its files anew at once, whether they differ or not."""
    told = usecases.tell_now(call.core, call.actor, device)
    return _shown(progress.read_reload(call.core, call.actor, told))


@ENDPOINTS.get("/reloads", Permission.READ)
def list_reloads(call: Call, page: Page, state: Text = "") -> Listing[Reload]:
    """The devices that may have to load their files anew, those in one `state` where it is named."""
    return listing(progress.list_reloads(call.core, call.actor, page, state=state), page, Reload.of)


def _shown(found: progress.ReloadStatus) -> DeviceReload:
    row = found.reload
    return DeviceReload(
        state=found.state,
        status=found.status,
        told_at=row.told_at if row else None,
        way=row.way if row else None,
        answer=row.answer if row else "",
        reload=Reload.of(row) if row else None,
        served=[ServedFile.of(file) for file in found.served],
    )
