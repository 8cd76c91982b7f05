"""What a PBX pulls: its accounts in its own format, changes, and whether a PIN is right."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import (
    Content,
    Form,
    Input,
    Listing,
    RowForm,
    Shown,
    Text,
    whole,
)
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases.exports import asterisk, freeswitch, kamailio, people
from provisioning.usecases.pages import LONGEST_PAGE

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
