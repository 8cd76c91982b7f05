"""Users, their PINs and the stations they are assigned to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from provisioning.domain.errors import InvalidInput
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import (
    Input,
    Listing,
    Secret,
    Shown,
    Text,
    absent,
    listing,
    whole,
)
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.doors.http.api.sip import FirstSipAccount, SipAccount
from provisioning.doors.http.api.stations import Station, shown_station
from provisioning.store.people import User as Row
from provisioning.usecases import stations
from provisioning.usecases import users as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class User(Shown):
    """The person in an organisation."""

    id: UUID
    first_name: str
    last_name: str
    email: str | None
    extension: str | None
    role: UUID | None
    """The organisation's own role whose presets they start from."""
    enabled: bool
    has_pin: bool
    revision: int


class MadeUser(User):
    """A user just made."""

    sip_account: SipAccount | None
    notes: list[str]
    """What the admin should know, such as why there is no SIP account."""
    password: str
    """The generated password of their login, shown this once; else empty."""


class UserChange(Input):
    """What can be changed of a user."""

    first_name: Text = absent()
    last_name: Text = absent()
    email: Text | None = absent()
    extension: Text | None = absent()
    role: UUID | None = absent()
    enabled: bool = absent()


class FirstLogin(Input):
    """A login to make with a user, of the role member."""

    password: Secret = absent()
    generate: bool = absent()
    must_change: bool = absent()
    """Whether the password has to be changed at the first login."""


class NewUser(UserChange):
    """A user to make."""

    first_name: Text
    sip_account: FirstSipAccount = absent()
    login: FirstLogin = absent()


class Pin(Input):
    """A hotdesk PIN to set, or the wish for a generated one."""

    pin: Text = absent()
    generate: bool = absent()


class SetPin(Shown):
    """That a PIN is set; a generated one is shown this once."""

    has_pin: bool
    pin: str = ""


@ENDPOINTS.get("/users", Permission.READ)
def list_users(call: Call, page: Page, option: UUID | None = None) -> Listing[User]:
    """The organisation's users; `option` lists those in an option of a category."""
    rows = usecases.list_users(call.core, call.actor, page, option=option)
    return listing(rows, page, _shown)


@ENDPOINTS.post("/users", Permission.WRITE)
def add_user(call: Call, body: NewUser) -> MadeUser:
    """Make a user and, where it can be, their SIP account; a login too, if asked."""
    made = usecases.add_user(call.core, call.actor, **_columns(body))
    return MadeUser.of(
        made.user,
        role=made.user.role_id,
        password=made.password or "",
        has_pin=False,
        sip_account=SipAccount.of(made.account) if made.account else None,
        notes=[made.note] if made.note else [],
    )


@ENDPOINTS.get("/users/{user}", Permission.READ)
def read_user(call: Call, user: UUID) -> User:
    """One user."""
    return _shown(usecases.read_user(call.core, call.actor, user))


@ENDPOINTS.patch("/users/{user}", Permission.WRITE)
def change_user(call: Call, user: UUID, body: UserChange, revision: int | None = None) -> User:
    """Change a user."""
    return _shown(usecases.change_user(call.core, call.actor, user, _columns(body), revision))


@ENDPOINTS.delete("/users/{user}", Permission.WRITE, dry_run=True)
def delete_user(call: Call, user: UUID, revision: int | None = None) -> None:
    """Delete a user with their accounts and assignments."""
    usecases.delete_user(call.core, call.actor, user, revision)


@ENDPOINTS.put("/users/{user}/pin", Permission.WRITE)
def set_pin(call: Call, user: UUID, body: Pin) -> SetPin:
    """Set a user's hotdesk PIN, or generate one."""
    sent = body.sent()
    generate = bool(sent.get("generate"))
    if generate == ("pin" in sent):
        raise InvalidInput(
            "A PIN is either given or generated.",
            remedy='Send {"pin": "…"} or {"generate": true}.',
            field="pin",
        )
    pin = usecases.set_pin(call.core, call.actor, user, sent.get("pin"))
    return SetPin(has_pin=True, pin=pin) if generate else SetPin(has_pin=True)


@ENDPOINTS.delete("/users/{user}/pin", Permission.WRITE)
def clear_pin(call: Call, user: UUID) -> None:
    """Take a user's PIN away: they cannot log in on phones."""
    usecases.clear_pin(call.core, call.actor, user)


@ENDPOINTS.get("/users/{user}/stations", Permission.READ)
def list_user_stations(call: Call, user: UUID) -> Listing[Station]:
    """Where a user is assigned."""
    return whole(map(shown_station, stations.user_stations(call.core, call.actor, user)))


def _shown(row: Row) -> User:
    return User.of(row, role=row.role_id, has_pin=row.pin_hash is not None)


def _columns(body: UserChange) -> dict[str, Any]:
    sent = body.sent()
    if "role" in sent:
        sent["role_id"] = sent.pop("role")
    return sent
