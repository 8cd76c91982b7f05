"""What people read and change of their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, RootModel

from provisioning.domain.roles import Permission
from provisioning.domain.settings import SETTINGS
from provisioning.doors.http.api.hotdesk import HotdeskSession, shown_seat
from provisioning.doors.http.api.keys import Key, NewKeys, shown_key
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing, whole
from provisioning.doors.http.api.phonebook import Contact, ContactChange, NewOwnContact
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.doors.http.api.settings import schema_of
from provisioning.doors.http.api.users import (
    Pin,
    SetPin,
    SetVoicemailPin,
    User,
    UserStation,
    VoicemailPin,
    shown_place,
    shown_user,
    wanted_pin,
)
from provisioning.usecases import me as usecases
from provisioning.usecases.keys import read_key
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class OwnSetting(Shown):
    """A setting as it holds for oneself."""

    key: str
    kind: str
    help: str
    choices: list[str]
    minimum: int
    maximum: int
    value: Any
    level: str
    """Where the value stands."""
    editable: bool
    why_not: str
    """Why one cannot change it; empty where one can."""


def _for_members(schema: dict[str, Any]) -> None:
    schema["properties"] = {
        setting.key: {"anyOf": [schema_of(setting), {"type": "null"}]}
        for setting in SETTINGS
        if setting.member is not None
    }
    schema["additionalProperties"] = False


class OwnValues(RootModel[dict[str, Any]]):
    """Values by key; null takes one's own value away again."""

    model_config = ConfigDict(json_schema_extra=_for_members)


class PhoneToTake(Input):
    """A phone to log in at, named by its device's id or MAC, or by its station's id."""

    device: Text = absent()
    station: UUID = absent()


@ENDPOINTS.get("/me", Permission.OWN)
def read_me(call: Call) -> User:
    """The user one is."""
    return shown_user(usecases.read_me(call.core, call.actor))


@ENDPOINTS.get("/me/settings", Permission.OWN)
def list_my_settings(call: Call) -> Listing[OwnSetting]:
    """Every setting of one's own, as it holds, and whether one may change it."""
    return whole(map(_shown, usecases.my_settings(call.core, call.actor)))


@ENDPOINTS.put("/me/settings", Permission.OWN, listed=True)
def change_my_settings(call: Call, body: OwnValues) -> Listing[OwnSetting]:
    """Set values for oneself, all of those sent or none; others stay."""
    return whole(map(_shown, usecases.change_my_settings(call.core, call.actor, body.root)))


@ENDPOINTS.get("/me/keys", Permission.OWN)
def list_my_keys(call: Call) -> Listing[Key]:
    """One's own keys, which go to the free places of whatever phone one has."""
    return whole(map(shown_key, usecases.my_keys(call.core, call.actor)))


@ENDPOINTS.put("/me/keys", Permission.OWN, listed=True)
def replace_my_keys(call: Call, body: NewKeys) -> Listing[Key]:
    """Make these one's own keys."""
    wanted = [read_key(item.sent()) for item in body.items]
    return whole(map(shown_key, usecases.replace_my_keys(call.core, call.actor, wanted)))


@ENDPOINTS.put("/me/pin", Permission.OWN)
def set_my_pin(call: Call, body: Pin) -> SetPin:
    """Set one's own hotdesk PIN, or generate one."""
    wanted = wanted_pin(body)
    pin = usecases.set_my_pin(call.core, call.actor, wanted)
    return SetPin(has_pin=True) if wanted else SetPin(has_pin=True, pin=pin)


@ENDPOINTS.put("/me/voicemail-pin", Permission.OWN)
def set_my_voicemail_pin(call: Call, body: VoicemailPin) -> SetVoicemailPin:
    """Set one's own voicemail PIN, or none."""
    has = usecases.set_my_voicemail_pin(call.core, call.actor, body.pin)
    return SetVoicemailPin(has_voicemail_pin=has)


@ENDPOINTS.get("/me/stations", Permission.OWN)
def list_my_stations(call: Call) -> Listing[UserStation]:
    """Where one is assigned."""
    return whole(map(shown_place, usecases.my_stations(call.core, call.actor)))


@ENDPOINTS.get("/me/sessions", Permission.OWN)
def list_my_sessions(call: Call, page: Page) -> Listing[HotdeskSession]:
    """Where one is logged in on phones, the latest first."""
    return listing(usecases.my_sessions(call.core, call.actor, page), page, shown_seat)


@ENDPOINTS.post("/me/sessions", Permission.OWN)
def take_phone(call: Call, body: PhoneToTake) -> HotdeskSession:
    """Take a phone, as far as the rules of its place let one; no PIN is needed."""
    return shown_seat(usecases.take(call.core, call.actor, **body.sent()))


@ENDPOINTS.delete("/me/sessions/{hotdesk_session}", Permission.OWN)
def end_my_session(call: Call, hotdesk_session: UUID) -> None:
    """Log oneself out at a phone."""
    usecases.end_my_session(call.core, call.actor, hotdesk_session)


@ENDPOINTS.get("/me/contacts", Permission.OWN)
def list_my_contacts(call: Call) -> Listing[Contact]:
    """One's own contacts, which nobody else's phone shows."""
    return whole(map(Contact.of, usecases.my_contacts(call.core, call.actor)))


@ENDPOINTS.post("/me/contacts", Permission.OWN)
def add_my_contact(call: Call, body: NewOwnContact) -> Contact:
    """Make a contact of one's own."""
    return Contact.of(usecases.add_my_contact(call.core, call.actor, **body.sent()))


@ENDPOINTS.patch("/me/contacts/{contact}", Permission.OWN)
def change_my_contact(
    call: Call, contact: UUID, body: ContactChange, revision: int | None = None
) -> Contact:
    """Change a contact of one's own."""
    row = usecases.change_my_contact(call.core, call.actor, contact, body.sent(), revision)
    return Contact.of(row)


@ENDPOINTS.delete("/me/contacts/{contact}", Permission.OWN)
def delete_my_contact(call: Call, contact: UUID, revision: int | None = None) -> None:
    """Delete a contact of one's own."""
    usecases.delete_my_contact(call.core, call.actor, contact, revision)


def _shown(item: usecases.OwnSetting) -> OwnSetting:
    return OwnSetting.of(
        item.setting,
        value=item.held.value,
        level=item.held.origin.level,
        editable=item.refusal is None,
        why_not=str(item.refusal or ""),
    )
