"""Devices: registering, changing, retiring, and their ways to us."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.roles import Permission
from provisioning.domain.trust import WindowStage
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.doors.http.api.stations import Station, shown_station
from provisioning.usecases import devices as usecases
from provisioning.usecases import inventory, registering, stations, swapping
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()

Modules = Annotated[int, Field(ge=0, le=10)]


class Assigned(Shown):
    """Somebody a device is assigned to."""

    id: UUID
    name: str
    extension: str | None


class Device(Shown):
    """A thing that fetches."""

    id: UUID
    mac: str | None
    """Written AA:BB:CC:DD:EE:FF; null for a softphone."""
    name: str
    vendor: str | None
    model: str | None
    model_confirmed: bool
    """Whether a proven request named the model."""
    firmware: str
    site: UUID
    profile: UUID | None
    state: str
    pool: bool
    users: list[Assigned]
    """Who has its stations, in order."""
    shared: bool
    """Whether several users have it."""
    nomadic: bool
    expansion_modules: int
    last_seen_at: datetime | None
    revision: int


class MadeDevice(Device):
    """A device just registered."""

    enrolment_url: str = ""
    """The link that sets up a softphone once; only for a device without a MAC."""


class DeviceChange(Input):
    """What can be changed of a device."""

    vendor: Text | None = absent()
    model: Text | None = absent()
    name: Text = absent()
    site: Text = absent()
    """The id or the name of a site."""
    profile: UUID | None = absent()
    pool: bool = absent()
    """Whether it is a phone for whoever comes; such a phone takes no assigned users."""
    expansion_modules: Modules = absent()
    state: Text = absent()
    """`blocked`, or `registered` to unblock."""


class DeviceChoice(Input):
    """What can be said of a device when it is registered; the rest is guessed."""

    vendor: Text = absent()
    model: Text = absent()
    name: Text = absent()
    site: Text = absent()
    """The id or the name of a site; the first one unless given."""
    profile: UUID = absent()
    pool: bool = absent()
    expansion_modules: Modules = absent()
    users: Annotated[list[UUID], Field(max_length=100)] = absent()
    """Whom to assign to it in the same step, in order."""


class NewDevice(DeviceChoice):
    """A device to register; a wrong guess is corrected at its first fetch."""

    mac: Text = absent()
    """Any usual spelling; left out for a softphone."""


class NewPhone(Input):
    """The phone that takes another's place."""

    mac: Text
    """Any usual spelling."""
    vendor: Text = absent()
    model: Text = absent()
    """The old one's, unless told, where the vendor is the same."""


class Swapped(Shown):
    """What a swap did, or would do."""

    device: Device | None
    """The device that has the place now; null where it was only asked."""
    losses: list[str]
    """What the new model cannot do of what is asked of the phone."""


class Ways(Shown):
    """How a device reaches us: its own URLs, and the challenged one with its credentials."""

    token_url: str
    http_token_url: str
    password_url: str
    username: str
    password: str


class Window(Shown):
    """A device's provisioning window."""

    stage: WindowStage
    window_until: datetime | None
    bound_source: str
    """The first address that came in it."""
    first_served_at: datetime | None
    window_served: int
    """How many secret files it has served."""
    adopted_at: datetime | None
    """When the device first came back with proof."""
    proven_at: datetime | None
    alarm: str
    """What an admin should look at."""


class Enrolment(Shown):
    """A softphone's link, good once and for ten minutes."""

    enrolment_url: str


@ENDPOINTS.get("/devices", Permission.READ)
def list_devices(call: Call, page: Page, retired: bool = False) -> Listing[Device]:
    """The organisation's devices; `retired` lists those that are retired instead."""
    rows = inventory.list_devices(call.core, call.actor, page, retired=retired)
    return listing(rows, page, _shown)


@ENDPOINTS.post("/devices", Permission.WRITE)
def add_device(call: Call, body: NewDevice) -> MadeDevice:
    """Register a device and open its provisioning window."""
    return made_device(call, registering.add_device(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/devices/{device}", Permission.READ)
def read_device(call: Call, device: str) -> Device:
    """One device, by its id or any spelling of its MAC."""
    return _shown(inventory.read_device(call.core, call.actor, device))


@ENDPOINTS.patch("/devices/{device}", Permission.WRITE)
def change_device(
    call: Call, device: str, body: DeviceChange, revision: int | None = None
) -> Device:
    """Change a device."""
    row = usecases.change_device(call.core, call.actor, device, body.sent(), revision)
    return _shown(inventory.read_device(call.core, call.actor, row.id))


@ENDPOINTS.delete("/devices/{device}", Permission.WRITE, dry_run=True)
def retire_device(call: Call, device: str, revision: int | None = None) -> None:
    """Retire a device: its users leave it and its MAC is free."""
    usecases.retire_device(call.core, call.actor, device, revision)


@ENDPOINTS.post("/devices/{device}/swap", Permission.WRITE, HTTPStatus.OK)
def swap_device(call: Call, device: str, body: NewPhone, dry_run: bool = False) -> Swapped:
    """Put another phone in a device's place; `dry_run` only tells what it cannot do."""
    swap = swapping.swap_device(call.core, call.actor, device, **body.sent(), dry_run=dry_run)
    if swap.device is None:
        return Swapped(device=None, losses=list(swap.losses))
    made = inventory.read_device(call.core, call.actor, swap.device.id)
    return Swapped(device=_shown(made), losses=list(swap.losses))


@ENDPOINTS.get("/devices/{device}/stations", Permission.READ)
def list_device_stations(call: Call, device: str) -> Listing[Station]:
    """A device's stations, in order."""
    return whole(map(shown_station, stations.device_stations(call.core, call.actor, device)))


@ENDPOINTS.get("/devices/{device}/provisioning-url", Permission.SECRETS)
def read_provisioning_url(call: Call, device: str) -> Ways:
    """A device's own URLs and credentials."""
    return Ways.of(usecases.provisioning_urls(call.core, call.actor, device))


@ENDPOINTS.get("/devices/{device}/window", Permission.READ)
def read_window(call: Call, device: str) -> Window:
    """The state of a device's provisioning window."""
    state = inventory.read_window(call.core, call.actor, device)
    return Window.of(state.trust, stage=state.stage)


@ENDPOINTS.post("/devices/{device}/window", Permission.WRITE, HTTPStatus.OK)
def reopen_window(call: Call, device: str) -> Window:
    """Open a device's provisioning window again and replace its token."""
    trust = usecases.reopen_window(call.core, call.actor, device)
    return Window.of(trust, stage=WindowStage.OPEN)


@ENDPOINTS.post("/devices/{device}/enrolment", Permission.WRITE)
def enrol(call: Call, device: str) -> Enrolment:
    """A new link for a softphone; former ones end."""
    return Enrolment(enrolment_url=registering.enrol(call.core, call.actor, device))


def made_device(call: Call, made: registering.NewDevice) -> MadeDevice:
    """A device just registered, with its link if it has one."""
    shown = _shown(inventory.read_device(call.core, call.actor, made.device.id))
    link = {"enrolment_url": made.enrolment_url} if made.enrolment_url else {}
    return MadeDevice(**dict(shown), **link)


def _shown(item: inventory.Listed) -> Device:
    row = item.device
    return Device.of(
        row,
        mac=str(item.mac) if item.mac else None,
        pool=item.pool,
        users=[Assigned.of(user) for user in item.people],
        shared=len(item.people) > 1,
        site=row.site_id,
        profile=row.profile_id,
    )
