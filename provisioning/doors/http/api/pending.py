"""Unknown phones that asked for files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.devices import DeviceChoice, MadeDevice, made_device
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import pending as usecases
from provisioning.usecases.pages import LONGEST_PAGE

ENDPOINTS = Endpoints()

Limit = Annotated[int, Field(ge=1, le=LONGEST_PAGE)]


class Pending(Shown):
    """An unknown MAC and what it asked for last."""

    mac: str
    vendor: str
    model: str
    address: str
    path: str
    user_agent: str
    first_seen_at: datetime
    last_seen_at: datetime
    times: int


class SeveralPending(Input):
    """Unknown phones to register, and what can be said of all of them."""

    macs: Annotated[list[Text], Field(min_length=1, max_length=LONGEST_PAGE)]
    site: Text = absent()
    """The id or the name of a site; the first one unless given."""
    profile: UUID = absent()
    pool: bool = absent()


@ENDPOINTS.get("/pending", Permission.READ)
def list_pending(call: Call, limit: Limit = 50) -> Listing[Pending]:
    """The unknown phones that asked last."""
    call.core.log.flush()  # so that a phone that asked just now is there
    rows = usecases.list_pending(call.core, call.actor, limit)
    return whole(Pending.of(row, mac=str(Mac(row.mac))) for row in rows)


@ENDPOINTS.post("/pending/{mac}/approve", Permission.WRITE)
def approve_pending(call: Call, mac: str, body: DeviceChoice) -> MadeDevice:
    """Register an unknown phone, with the vendor and model it told unless others are given."""
    made = usecases.approve_pending(call.core, call.actor, mac, **body.sent())
    return made_device(call, made)


@ENDPOINTS.post("/pending/approve", Permission.WRITE)
def approve_several(call: Call, body: SeveralPending) -> Listing[MadeDevice]:
    """Register several unknown phones in one go: all of them, or none."""
    sent = body.sent()
    made = usecases.approve_several(call.core, call.actor, sent.pop("macs"), **sent)
    return whole(made_device(call, item) for item in made)


@ENDPOINTS.delete("/pending/{mac}", Permission.WRITE)
def discard_pending(call: Call, mac: str) -> None:
    """Forget an unknown phone until it asks again."""
    usecases.discard_pending(call.core, call.actor, mac)
