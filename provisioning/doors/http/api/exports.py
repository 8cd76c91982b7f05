"""What a PBX pulls: its accounts in its own format, people, call targets, changes, PINs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Content, Form, Input, Listing, Shown, Text, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.catalogue import Number as NumberRow
from provisioning.store.people import SipServer
from provisioning.usecases.exports import asterisk, freeswitch, kamailio, people
from provisioning.usecases.exports.persons import Person
from provisioning.usecases.exports.persons import Target as GivenTarget
from provisioning.usecases.pages import LONGEST_PAGE, Page

ENDPOINTS = Endpoints()

_XML = "text/xml; charset=utf-8"
_PLAIN = "text/plain; charset=utf-8"
_CSV = "text/csv; charset=utf-8"


# --- the formats of PBXs


class DirectoryQuestion(Form):
    """What FreeSWITCH's mod_xml_curl asks; it sends far more than is read."""

    section: Text = ""
    tag_name: Text = ""
    key_name: Text = ""
    key_value: Text = ""
    user: Text = ""
    domain: Text = ""
    sip_auth_realm: Text = ""
    """The realm of the challenge a phone answers."""


class Subscription(Shown):
    """A row of Kamailio's table `subscriber`."""

    username: str
    domain: str
    password: str
    """Empty unless `passwords` asked for it."""
    ha1: str
    ha1b: str


class RowForm(StrEnum):
    """How rows are written."""

    JSON = "json"
    CSV = "csv"


@ENDPOINTS.get("/exports/asterisk", Permission.PBX)
def export_asterisk(
    call: Call,
    server: Text = "",
    part: asterisk.Part = asterisk.Part.PJSIP,
    context: Text = asterisk.CONTEXT,
    template: Text = "",
) -> Content:
    """The accounts of a SIP server as text for pjsip.conf, or what a dial plan needs of them."""
    text = asterisk.asterisk(
        call.core, call.actor, server=server, part=part, context=context, template=template
    )
    return Content(text.encode(), _PLAIN)


@ENDPOINTS.get("/exports/freeswitch", Permission.PBX)
def export_freeswitch(
    call: Call, server: Text = "", domain: Text = "", context: Text = freeswitch.CONTEXT
) -> Content:
    """Everybody on a SIP server as a domain of FreeSWITCH's directory."""
    document = freeswitch.domain_document(
        call.core, call.actor, server=server, domain=domain, context=context
    )
    return Content(document, _XML)


@ENDPOINTS.post("/exports/freeswitch", Permission.PBX, HTTPStatus.OK)
def ask_freeswitch(
    call: Call,
    body: DirectoryQuestion,
    server: Text = "",
    context: Text = freeswitch.CONTEXT,
) -> Content:
    """One user of FreeSWITCH's directory, as mod_xml_curl asks; "not found" is a document too."""
    if body.section not in ("", "directory"):
        return Content(freeswitch.not_found(), _XML)
    document = freeswitch.user_document(
        call.core,
        call.actor,
        user=body.user,
        domain=body.domain or body.key_value,
        realm=body.sip_auth_realm,
        server=server,
        context=context,
    )
    return Content(document, _XML)


@ENDPOINTS.get("/exports/kamailio", Permission.PBX)
def export_kamailio(
    call: Call,
    server: Text = "",
    realm: Text = "",
    format: RowForm = RowForm.JSON,  # noqa: A002 - what it is called in the query
    passwords: bool = False,
) -> Content | Listing[Subscription]:
    """The accounts of a SIP server as rows of Kamailio's table `subscriber`."""
    rows = kamailio.kamailio(call.core, call.actor, server=server, realm=realm, passwords=passwords)
    if format is RowForm.CSV:
        return Content(kamailio.as_csv(rows).encode(), _CSV)
    return whole(map(Subscription.of, rows))


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


def _person(person: Person, servers: Mapping[UUID, SipServer]) -> ExportedPerson:
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
        voicemail=Mailbox(enabled=person.has_mailbox, has_pin=user.voicemail_pin_hash is not None),
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
        items=[_person(person, servers) for person in found],
        next=found[-1].user.id if full else None,
    )


@ENDPOINTS.get("/exports/users/{user}", Permission.PBX)
def export_user(call: Call, user: UUID) -> ExportedPerson:
    """One person with everything that holds for them."""
    return _person(*people.read_person(call.core, call.actor, user))


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


# --- voicemail


class TriedPin(Form, Input):
    """A PIN that somebody entered at a mailbox."""

    extension: Text
    pin: Text


class PinVerdict(Shown):
    """Whether the PIN is right."""

    valid: bool
    retry_after: int
    """Seconds until a PIN is looked at again, after too many wrong ones; else 0."""


@ENDPOINTS.post("/exports/voicemail-pin", Permission.PBX, HTTPStatus.OK)
def check_voicemail_pin(call: Call, body: TriedPin) -> PinVerdict:
    """Whether a PIN opens the mailbox of an extension; wrong ones make the next wait."""
    verdict = people.check_voicemail_pin(
        call.core, call.actor, extension=body.extension, pin=body.pin
    )
    return PinVerdict.of(verdict)


# --- the feed


class Change(Shown):
    """Something that changed or went."""

    cursor: str
    at: datetime
    kind: str
    id: UUID
    action: str


class Changes(Shown):
    """A part of the feed of changes, in order."""

    items: list[Change]
    next: str
    """What to send as `since` the next time."""
    more: bool
    """Whether more is there already."""


@ENDPOINTS.get("/changes", Permission.PBX)
def list_changes(
    call: Call,
    since: Text = "",
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = LONGEST_PAGE,
) -> Changes:
    """What changed behind a cursor; without one nothing but the cursor of now."""
    found = people.changes(call.core, call.actor, since=since, limit=limit)
    return Changes(
        items=[
            Change(
                cursor=row.cursor, at=row.at, kind=row.kind, id=row.subject_id, action=row.action
            )
            for row in found.items
        ],
        next=found.next,
        more=found.more,
    )
