"""What a device is given: its files, where their lines come from, what is lost, what it fetched."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from provisioning.domain.effective import Effective
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Content, Listing, Shown, listing, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import effective, inventory
from provisioning.usecases import previews as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class File(Shown):
    """A file a device can fetch."""

    path: str
    secret: bool
    """Whether it needs the site's trust."""
    proof: bool
    """Whether fetching it shows that the device is current."""
    session: bool
    """Whether it holds all that a hotdesk session changes."""
    media_type: str


class Origin(Shown):
    """A setting's value and where it was set."""

    key: str
    value: Any
    level: str
    owner: str
    who: str
    when: datetime | None
    locked: bool


class Line(Shown):
    """A line of a file and the settings whose values stand in it."""

    text: str
    origins: list[Origin]


class Fetch(Shown):
    """A line of the fetch log."""

    id: UUID
    at: datetime
    door: str
    address: str
    path: str
    user_agent: str
    vendor: str
    model: str
    firmware: str
    grade: str
    """How surely it came from the device."""
    outcome: str
    reason: str
    size: int
    content_hash: str


class LineValues(Shown):
    """What holds on one line."""

    extension: str
    items: list[Origin]


class DeviceValues(Shown):
    """What holds for a device and on each of its lines."""

    items: list[Origin]
    lines: list[LineValues]
    person: list[Origin]
    """What holds of the settings about a person for its user, if it has exactly one."""


class Loss(Shown):
    """Something that was asked of a device and cannot be shown by it."""

    text: str


@ENDPOINTS.get("/devices/{device}/files", Permission.READ)
def list_files(call: Call, device: str) -> Listing[File]:
    """The files a device can fetch."""
    return whole(map(File.of, usecases.list_files(call.core, call.actor, device)))


@ENDPOINTS.get("/devices/{device}/files/{path:.+}", Permission.READ)
def preview_file(
    call: Call, device: str, path: str, explain: bool = False
) -> Content | Listing[Line]:
    """The bytes of a file as the device would get it; `explain` says where its lines come from."""
    if not explain:
        return Content(*usecases.preview(call.core, call.actor, device, path))
    lines = usecases.explain(call.core, call.actor, device, path)
    return whole(
        Line(text=line.text, origins=[origin_of(call, held) for held in line.origins])
        for line in lines
    )


@ENDPOINTS.get("/devices/{device}/losses", Permission.READ)
def list_losses(call: Call, device: str) -> Listing[Loss]:
    """What was asked of a device and cannot be shown by it."""
    losses = usecases.loss_report(call.core, call.actor, device)
    return whole(Loss(text=text) for text in losses)


@ENDPOINTS.get("/devices/{device}/fetches", Permission.READ)
def list_fetches(call: Call, device: str, page: Page) -> Listing[Fetch]:
    """What a device has asked for, newest first."""
    return listing(inventory.list_fetches(call.core, call.actor, device, page), page, Fetch.of)


@ENDPOINTS.get("/devices/{device}/effective", Permission.READ)
def read_device_values(call: Call, device: str) -> DeviceValues:
    """The value that holds for each setting of a device, and where it was set."""
    found = effective.device_values(call.core, call.actor, device)
    lines = [
        LineValues(extension=line.extension, items=[origin_of(call, held) for held in line.values])
        for line in found.lines
    ]
    return DeviceValues(
        items=[origin_of(call, held) for held in found.device],
        lines=lines,
        person=[origin_of(call, held) for held in found.person],
    )


def origin_of(call: Call, held: Effective) -> Origin:
    """A value with its origin, as the asker may see it."""
    seen = effective.visible(call.actor, held)
    origin = seen.origin
    return Origin(
        key=seen.key,
        value=seen.value,
        level=origin.level,
        owner=origin.owner,
        who=origin.who,
        when=origin.when,
        locked=seen.locked,
    )
