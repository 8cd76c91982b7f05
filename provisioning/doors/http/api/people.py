"""What any PBX pulls: people with what holds for them, and what they and their calls refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Listing, Shown
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.catalogue import Number as NumberRow
from provisioning.store.people import SipServer
from provisioning.usecases.exports import people
from provisioning.usecases.exports.persons import Person
from provisioning.usecases.exports.persons import Target as GivenTarget
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


# --- people


class OwnNumber(Shown):
    """A number of the organisation."""

    number: str
    label: str


class Charged(Shown):
    """A cost centre."""

    name: str
    code: str


class HeldLicence(Shown):
    """A licence a person holds; an add-on has a name."""

    kind: str
    add_on: str


class PersonAccount(Shown):
    """A SIP account of a person, without its password."""

    id: UUID
    server: str
    """The name of its SIP server."""
    username: str
    auth_name: str
    position: int


class Target(Shown):
    """Where a call goes; the number is empty where there is none to dial."""

    kind: str
    number: str
    name: str
    id: str
    """Of the call target or user, where it is one."""


class Step(Shown):
    """Targets that ring together."""

    seconds: int
    targets: list[Target]


class Mailbox(Shown):
    """A person's voicemail. The PIN is kept as a hash only: ask `exports/voicemail-pin`."""

    enabled: bool
    has_pin: bool
    mail_waits: bool
    """Whether the e-mail of a message is sent only when its text or summary is there."""


class ExportedPerson(Shown):
    """Everything a PBX needs to know of one person."""

    id: UUID
    first_name: str
    last_name: str
    name: str
    email: str | None
    extension: str | None
    enabled: bool
    incoming: str
    """`fixed`: calls ring at the assigned phones; `hotdesk`: wherever they have logged in."""
    department: str
    categories: dict[str, str]
    """What they belong to, by the category's name."""
    cost_centre: Charged | None
    caller_id: OwnNumber | None
    """Their own, or the organisation's."""
    caller_ids: list[OwnNumber]
    """The others they may call out with."""
    accounts: list[PersonAccount]
    licences: list[HeldLicence]
    steps: list[Step]
    fallback: Target | None
    """Null leaves it to the PBX."""
    voicemail: Mailbox
    settings: dict[str, Any]
    """Every value that holds for them, by the names of the settings table."""


def shown_person(person: Person, servers: Mapping[UUID, SipServer]) -> ExportedPerson:
    """A person as the API shows them."""
    user = person.user
    return ExportedPerson.of(
        user,
        department=person.department.name if person.department else "",
        categories=dict(person.options),
        cost_centre=Charged.of(person.cost_centre) if person.cost_centre else None,
        caller_id=_number(person.caller_id) if person.caller_id else None,
        caller_ids=[_number(row) for row in person.caller_ids],
        accounts=[
            PersonAccount.of(account, server=servers[account.sip_server_id].name)
            for account in person.accounts
        ],
        licences=[HeldLicence.of(row) for row in person.licences],
        steps=[
            Step(seconds=step.seconds, targets=[_target(item) for item in step.targets])
            for step in person.steps
        ],
        fallback=_target(person.fallback) if person.fallback else None,
        voicemail=Mailbox(
            enabled=person.has_mailbox,
            has_pin=user.voicemail_pin_hash is not None,
            mail_waits=person.mail_waits,
        ),
        settings=dict(sorted((dict(person.held) | dict(person.line)).items())),
    )


def _number(row: NumberRow) -> OwnNumber:
    return OwnNumber.of(row)


def _target(target: GivenTarget) -> Target:
    return Target.of(target)


@ENDPOINTS.get("/exports/users", Permission.PBX)
def export_users(call: Call, page: Page) -> Listing[ExportedPerson]:
    """People with everything that holds for them."""
    found, servers = people.list_people(call.core, call.actor, page)
    full = len(found) >= page.limit
    return Listing(
        items=[shown_person(person, servers) for person in found],
        next=found[-1].user.id if full else None,
    )


@ENDPOINTS.get("/exports/users/{user}", Permission.PBX)
def export_user(call: Call, user: UUID) -> ExportedPerson:
    """One person with everything that holds for them."""
    return shown_person(*people.read_person(call.core, call.actor, user))


# --- what people refer to


class Server(Shown):
    """A SIP server."""

    id: UUID
    name: str
    registrar: str
    port: int
    transport: str
    secrets: str
    codes: dict[str, str]
    is_default: bool


class ExportedNumber(OwnNumber):
    """A number of the organisation with its id."""

    id: UUID
    is_default: bool


class CallTarget(Shown):
    """A thing of the PBX that calls can go to."""

    id: UUID
    kind: str
    name: str
    number: str


class CostCentre(Charged):
    """A cost centre with its id."""

    id: UUID


class Named(Shown):
    """A thing with a name."""

    id: UUID
    name: str


class Option(Named):
    """A group of a category."""

    category_id: UUID


class Catalogue(Shown):
    """What people and their calls refer to."""

    servers: list[Server]
    numbers: list[ExportedNumber]
    targets: list[CallTarget]
    cost_centres: list[CostCentre]
    categories: list[Named]
    options: list[Option]


@ENDPOINTS.get("/exports/catalogue", Permission.PBX)
def export_catalogue(call: Call) -> Catalogue:
    """SIP servers, numbers, call targets, cost centres, departments and other groups."""
    found = people.read_catalogue(call.core, call.actor)
    return Catalogue(
        servers=[Server.of(row) for row in found.servers],
        numbers=[ExportedNumber.of(row) for row in found.numbers],
        targets=[CallTarget.of(row) for row in found.targets],
        cost_centres=[CostCentre.of(row) for row in found.cost_centres],
        categories=[Named.of(row) for row in found.categories],
        options=[Option.of(row) for row in found.options],
    )
