"""Hotdesking: logging in at a phone and out, and who sits where."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import (
    Form,
    Input,
    Listing,
    Moment,
    Secret,
    Shown,
    Text,
    absent,
    listing,
)
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import hotdesk, seats
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class HotdeskSession(Shown):
    """Who sits where, since when, and until when at the longest."""

    id: UUID
    user_id: UUID
    name: str
    extension: str | None
    station_id: UUID
    device_id: UUID | None
    place: str
    """What the phone is called."""
    site_id: UUID | None
    started_at: datetime
    lease_until: datetime
    ended_at: datetime | None
    ended_by: str | None
    release: str | None
    """Once it ended: whether the phone can still register as the person."""
    revision: int


class NewHotdeskSession(Input, Form):
    """A login at a phone, named by its id or MAC, or by the SIP user name of its place account."""

    model_config = Input.model_config

    device: Text = absent()
    sip_username: Text = absent()
    extension: Text
    pin: Secret
    request: Text = absent()
    """An id of the request; repeated with the same id it returns the session it began."""


class HotdeskLogout(Input, Form):
    """A phone at which to log out."""

    model_config = Input.model_config

    device: Text = absent()
    sip_username: Text = absent()
    request: Text = absent()
    """An id of the request; repeated with the same id it changes nothing more."""


class HotdeskExtension(Input):
    """How long a session is to last."""

    until: Moment


class EndedSessions(Shown):
    """How many sessions were ended."""

    ended: int


@ENDPOINTS.post("/hotdesk/login", Permission.PBX, HTTPStatus.OK)
def hotdesk_login(call: Call, body: NewHotdeskSession) -> HotdeskSession:
    """Log somebody in at a phone by extension and PIN."""
    return shown_seat(hotdesk.log_in(call.core, call.actor, **body.sent()))


@ENDPOINTS.post("/hotdesk/logout", Permission.PBX, HTTPStatus.OK)
def hotdesk_logout(call: Call, body: HotdeskLogout) -> None:
    """End the session at a phone."""
    hotdesk.log_out(call.core, call.actor, **body.sent())


@ENDPOINTS.get("/hotdesk/sessions", Permission.READ)
def list_hotdesk_sessions(
    call: Call,
    page: Page,
    *,
    user: UUID | None = None,
    station: UUID | None = None,
    site: UUID | None = None,
    state: Text = "open",
) -> Listing[HotdeskSession]:
    """Who sits where now, the latest first; or ended ones, by what became of their phones.

    ``state`` is open, pending, released, rotated or still-registers.
    """
    rows = seats.list_sessions(
        call.core, call.actor, page, user=user, station=station, site=site, state=state
    )
    return listing(rows, page, shown_seat)


@ENDPOINTS.patch("/hotdesk/sessions/{hotdesk_session}", Permission.WRITE)
def extend_hotdesk_session(
    call: Call, hotdesk_session: UUID, body: HotdeskExtension
) -> HotdeskSession:
    """Let a session last until another moment."""
    return shown_seat(seats.extend(call.core, call.actor, hotdesk_session, body.until))


@ENDPOINTS.delete("/hotdesk/sessions/{hotdesk_session}", Permission.WRITE)
def end_hotdesk_session(call: Call, hotdesk_session: UUID) -> None:
    """End one session."""
    seats.end_session(call.core, call.actor, hotdesk_session)


@ENDPOINTS.delete("/hotdesk/sessions", Permission.WRITE)
def end_all_hotdesk_sessions(call: Call) -> EndedSessions:
    """End every session of the organisation."""
    return EndedSessions(ended=seats.end_all(call.core, call.actor))


def shown_seat(seat: seats.Seat) -> HotdeskSession:
    """A session as it is shown."""
    return HotdeskSession.of(
        seat.session,
        name=seat.user.name,
        extension=seat.user.extension,
        device_id=seat.station.device_id,
        place=seat.place,
        site_id=seat.site,
    )
