"""Contacts: what the phone book holds besides the users themselves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.kinds import NumberKind
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import phonebook as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class Number(Input):
    """A number of a contact."""

    kind: NumberKind
    number: Text


class Contact(Shown):
    """An entry of the phone book that is no user."""

    id: UUID
    user_id: UUID | None
    """Whose own it is; null for the organisation's."""
    first_name: str
    last_name: str
    department: str
    numbers: list[dict[str, str]]
    revision: int


class ContactChange(Input):
    """What can be changed of a contact."""

    first_name: Text = absent()
    last_name: Text = absent()
    department: Text = absent()
    numbers: Annotated[list[Number], Field(max_length=8)] = absent()


class NewOwnContact(ContactChange):
    """A contact to make."""

    first_name: Text


class NewContact(NewOwnContact):
    """A contact of the organisation to make, or of one of its users."""

    user_id: UUID | None = absent()
    """Make it this user's own."""


@ENDPOINTS.get("/phonebook", Permission.READ)
def list_contacts(call: Call, page: Page) -> Listing[Contact]:
    """The organisation's contacts, users' own among them."""
    return listing(usecases.list_contacts(call.core, call.actor, page), page, Contact.of)


@ENDPOINTS.post("/phonebook", Permission.WRITE)
def add_contact(call: Call, body: NewContact) -> Contact:
    """Make a contact of the organisation, or a user's own."""
    return Contact.of(usecases.add_contact(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/phonebook/{contact}", Permission.READ)
def read_contact(call: Call, contact: str) -> Contact:
    """One contact."""
    return Contact.of(usecases.read_contact(call.core, call.actor, contact))


@ENDPOINTS.patch("/phonebook/{contact}", Permission.WRITE)
def change_contact(call: Call, contact: str, body: ContactChange, revision: int | None) -> Contact:
    """Change a contact."""
    row = usecases.change_contact(call.core, call.actor, contact, body.sent(), revision)
    return Contact.of(row)


@ENDPOINTS.delete("/phonebook/{contact}", Permission.WRITE)
def delete_contact(call: Call, contact: str, revision: int | None) -> None:
    """Delete a contact."""
    usecases.delete_contact(call.core, call.actor, contact, revision)
