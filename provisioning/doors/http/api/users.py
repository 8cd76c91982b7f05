"""Users, their PINs and the stations they are assigned to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from provisioning.domain.errors import InvalidInput
from provisioning.domain.kinds import FallbackKind, Incoming, StepKind
from provisioning.domain.roles import Permission
from provisioning.domain.routing import MOST_STEPS, MOST_TARGETS, SECONDS
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
from provisioning.doors.http.api.stations import Station, shares
from provisioning.usecases import stations
from provisioning.usecases import users as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class Target(Input):
    """What rings in a step: an extension or a number by `number`, a call target by `id`."""

    kind: StepKind
    number: Text = absent()
    id: UUID = absent()


class Step(Input):
    """Targets that ring together, and for how long."""

    targets: Annotated[list[Target], Field(min_length=1, max_length=MOST_TARGETS)]
    seconds: Annotated[int, Field(ge=SECONDS[0], le=SECONDS[1])]


class Fallback(Input):
    """Where calls go that nobody answered; all but voicemail and hang-up name it by `id`."""

    kind: FallbackKind
    id: UUID = absent()


class Option(Shown):
    """A group somebody belongs to, for example the department Sales."""

    id: UUID
    name: str
    category_id: UUID
    category: str


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
    caller_id: UUID | None
    """The number calls go out with; null for the organisation's default."""
    caller_ids: list[UUID]
    """Further numbers to choose from, in order."""
    cost_centre: UUID | None
    incoming: str
    """`fixed`: calls ring where the user is assigned; `hotdesk`: where they log in."""
    steps: list[dict[str, Any]]
    """Find me, follow me: what rings after one another."""
    fallback: dict[str, str]
    """What comes after the steps; empty leaves it to the PBX."""
    options: list[Option]
    has_pin: bool
    has_voicemail_pin: bool
    created_at: datetime
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
    caller_id: UUID | None = absent()
    """A number of the organisation; null for its default."""
    caller_ids: Annotated[list[UUID], Field(max_length=usecases.MOST_CALLER_IDS)] = absent()
    """Needs the feature several-caller-ids."""
    cost_centre: UUID | None = absent()
    incoming: Incoming = absent()
    steps: Annotated[list[Step], Field(max_length=MOST_STEPS)] = absent()
    fallback: Fallback | None = absent()


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


class FirstPin(Pin):
    """A PIN an admin sets; no phone takes it before it was changed, if it must be."""

    must_change: bool = absent()


class SetPin(Shown):
    """That a PIN is set; a generated one is shown this once."""

    has_pin: bool
    pin: str = ""


class VoicemailPin(Input):
    """A voicemail PIN of 4 to 10 digits; empty for no access from elsewhere."""

    pin: Text


class SetVoicemailPin(Shown):
    """Whether a voicemail PIN is set."""

    has_voicemail_pin: bool


class UserStation(Station):
    """A station of a user, with the device or DECT slot it is part of."""

    device_name: str
    mac: str | None
    vendor: str | None
    model: str | None
    state: str | None
    """That of the device; null for a handset."""
    last_seen_at: datetime | None
    dect_system_id: UUID | None
    slot: int | None
    subscription: str | None
    """Whether a handset is known to be subscribed."""


class Order(StrEnum):
    """How a list is sorted; a dash turns it round."""

    OLDEST = "created"
    NEWEST = "-created"


@ENDPOINTS.get("/users", Permission.READ)
def list_users(
    call: Call, page: Page, sort: Order = Order.OLDEST, option: UUID | None = None
) -> Listing[User]:
    """The organisation's users; `q` finds names, e-mails and extensions, `option` a group."""
    newest = sort == Order.NEWEST
    rows = usecases.list_users(call.core, call.actor, page, newest_first=newest, option=option)
    return listing(rows, page, shown_user)


@ENDPOINTS.post("/users", Permission.WRITE)
def add_user(call: Call, body: NewUser) -> MadeUser:
    """Make a user and, where it can be, their SIP account; a login too, if asked."""
    made = usecases.add_user(call.core, call.actor, **body.sent())
    return MadeUser(
        **dict(shown_user(made.person)),
        password=made.password or "",
        sip_account=SipAccount.of(made.account) if made.account else None,
        notes=[made.note] if made.note else [],
    )


@ENDPOINTS.get("/users/{user}", Permission.READ)
def read_user(call: Call, user: UUID) -> User:
    """One user."""
    return shown_user(usecases.read_user(call.core, call.actor, user))


@ENDPOINTS.patch("/users/{user}", Permission.WRITE)
def change_user(call: Call, user: UUID, body: UserChange, revision: int | None = None) -> User:
    """Change a user."""
    return shown_user(usecases.change_user(call.core, call.actor, user, body.sent(), revision))


@ENDPOINTS.delete("/users/{user}", Permission.WRITE, dry_run=True)
def delete_user(call: Call, user: UUID, revision: int | None = None) -> None:
    """Delete a user with their accounts and assignments."""
    usecases.delete_user(call.core, call.actor, user, revision)


@ENDPOINTS.put("/users/{user}/pin", Permission.WRITE)
def set_pin(call: Call, user: UUID, body: FirstPin) -> SetPin:
    """Set a user's hotdesk PIN, or generate one."""
    wanted = wanted_pin(body)
    pin = usecases.set_pin(
        call.core, call.actor, user, wanted, must_change=bool(body.sent().get("must_change"))
    )
    return SetPin(has_pin=True) if wanted else SetPin(has_pin=True, pin=pin)


def wanted_pin(body: Pin) -> str | None:
    """The PIN that was sent, None for a generated one."""
    sent = body.sent()
    if bool(sent.get("generate")) == ("pin" in sent):
        raise InvalidInput(
            "A PIN is either given or generated.",
            remedy='Send {"pin": "…"} or {"generate": true}.',
            field="pin",
        )
    pin: str | None = sent.get("pin")
    return pin


@ENDPOINTS.delete("/users/{user}/pin", Permission.WRITE)
def clear_pin(call: Call, user: UUID) -> None:
    """Take a user's PIN away: they cannot log in on phones."""
    usecases.clear_pin(call.core, call.actor, user)


@ENDPOINTS.put("/users/{user}/voicemail-pin", Permission.WRITE)
def set_voicemail_pin(call: Call, user: UUID, body: VoicemailPin) -> SetVoicemailPin:
    """Set a user's voicemail PIN, or none."""
    has = usecases.set_voicemail_pin(call.core, call.actor, user, body.pin)
    return SetVoicemailPin(has_voicemail_pin=has)


@ENDPOINTS.get("/users/{user}/stations", Permission.READ)
def list_user_stations(call: Call, user: UUID) -> Listing[UserStation]:
    """Where a user is assigned: desk phones, handsets, softphones and ports with their state."""
    return whole(map(shown_place, stations.user_stations(call.core, call.actor, user)))


def shown_place(place: stations.Place) -> UserStation:
    """A user's station as it is shown."""
    device, slot = place.part_of.device, place.part_of.slot
    name = device.name if device else place.part_of.system.name if place.part_of.system else ""
    return UserStation.of(
        place.seat.station,
        **shares(place.seat),
        device_name=name,
        mac=str(place.mac) if place.mac else None,
        vendor=device.vendor if device else None,
        model=device.model if device else slot.handset_model if slot else None,
        state=device.state if device else None,
        last_seen_at=device.last_seen_at if device else None,
        dect_system_id=slot.system_id if slot else None,
        slot=slot.number if slot else None,
        subscription=slot.subscription if slot else None,
    )


def shown_user(person: usecases.Person) -> User:
    """A user as they are shown."""
    row = person.user
    return User.of(
        row,
        role=row.role_id,
        caller_id=row.caller_id_number_id,
        caller_ids=list(person.caller_ids),
        cost_centre=row.cost_centre_id,
        options=[Option.of(option) for option in person.options],
        has_pin=row.pin_hash is not None,
        has_voicemail_pin=row.voicemail_pin_hash is not None,
    )
