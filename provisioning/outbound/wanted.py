"""What a PBX is told to send where, in the few characters that mean nothing else to it.

Asterisk splits variables at commas, FreeSWITCH puts the user name into SQL: nothing but what these
forms allow goes out, whatever stands in the database.
"""

from __future__ import annotations

import re

from provisioning.domain.kinds import Transport
from provisioning.outbound.guard import Refused, phones_address, plain
from provisioning.outbound.sip_messages import uri_of
from provisioning.usecases.ports import Contact

_EVENT = re.compile(r"[A-Za-z0-9._-]{1,64}(?:;[A-Za-z0-9-]{1,32}=[A-Za-z0-9._-]{1,64}){0,4}")
_USER = re.compile(r"[A-Za-z0-9._+*#~-]{1,64}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_TRANSPORTS = tuple(map(str, Transport))


def checked_event(event: str) -> str:
    """An Event header (RFC 6665 section 8.2.1) of a plain form; raises Refused."""
    return _checked("Event", event, _EVENT)


def checked_user(user: str) -> str:
    """A SIP user name as `domain.fields.sip_user` allows it; raises Refused."""
    return _checked("user name", user, _USER)


def checked_domain(domain: str) -> str:
    """A host name or an IPv4 address; raises Refused."""
    return _checked("domain", domain, _HOST)


def contact_uri(contact: Contact) -> str:
    """The URI of the phone itself (RFC 3261 section 19.1); raises Refused."""
    phones_address(contact.host)
    checked_user(contact.user)
    if not 1 <= contact.port <= 65535 or contact.transport not in _TRANSPORTS:
        raise Refused(f"The phone has no port {contact.port} for {plain(contact.transport)}.")
    return uri_of(contact)


def _checked(what: str, value: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(value):
        raise Refused(f"The {what} '{plain(value)[:40]}' cannot be given to a PBX.")
    return value
