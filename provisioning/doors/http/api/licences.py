"""Licences: what an organisation owns and who holds it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.kinds import LicenceKind
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import (
    Count,
    Input,
    Listing,
    Shown,
    Text,
    absent,
    listing,
    whole,
)
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import licences as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class Licence(Shown):
    """Licences of one kind."""

    id: UUID
    kind: str
    add_on: str
    """The name of an add-on; empty for the other kinds."""
    quantity: int
    """How many are owned."""
    free: int
    """How many of them nobody holds."""
    users: list[UUID]
    """Who holds one."""
    revision: int


class LicenceChange(Input):
    """What can be changed of licences."""

    quantity: Count


class NewLicence(LicenceChange):
    """Licences to own."""

    kind: LicenceKind
    add_on: Text = absent()


class NewUserLicences(Input):
    """The licences a user is to hold."""

    licences: Annotated[list[UUID], Field(max_length=100)]


@ENDPOINTS.get("/licences", Permission.READ)
def list_licences(call: Call, page: Page) -> Listing[Licence]:
    """What the organisation owns, and who holds what."""
    return listing(usecases.list_licences(call.core, call.actor, page), page, _shown)


@ENDPOINTS.post("/licences", Permission.WRITE)
def add_licence(call: Call, body: NewLicence) -> Licence:
    """Say that the organisation owns licences of a kind."""
    return _shown(usecases.add_licence(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/licences/{licence}", Permission.READ)
def read_licence(call: Call, licence: UUID) -> Licence:
    """Licences of one kind and who holds them."""
    return _shown(usecases.read_licence(call.core, call.actor, licence))


@ENDPOINTS.patch("/licences/{licence}", Permission.WRITE)
def change_licence(
    call: Call, licence: UUID, body: LicenceChange, revision: int | None = None
) -> Licence:
    """Change how many are owned."""
    return _shown(usecases.change_licence(call.core, call.actor, licence, body.quantity, revision))


@ENDPOINTS.delete("/licences/{licence}", Permission.WRITE, dry_run=True)
def delete_licence(call: Call, licence: UUID, revision: int | None = None) -> None:
    """Delete licences nobody holds."""
    usecases.delete_licence(call.core, call.actor, licence, revision)


@ENDPOINTS.get("/users/{user}/licences", Permission.READ)
def list_user_licences(call: Call, user: UUID) -> Listing[Licence]:
    """The licences a user holds."""
    return whole(map(_shown, usecases.user_licences(call.core, call.actor, user)))


@ENDPOINTS.put("/users/{user}/licences", Permission.WRITE, listed=True)
def set_user_licences(call: Call, user: UUID, body: NewUserLicences) -> Listing[Licence]:
    """Make these the licences a user holds."""
    rows = usecases.set_user_licences(call.core, call.actor, user, body.licences)
    return whole(map(_shown, rows))


def _shown(held: usecases.HeldLicence) -> Licence:
    free = held.row.quantity - len(held.users)
    return Licence.of(held.row, free=free, users=list(held.users))
