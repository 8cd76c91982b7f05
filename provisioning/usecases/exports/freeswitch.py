"""Directory documents for FreeSWITCH, as its mod_xml_curl asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from provisioning.domain.errors import BrokenRule
from provisioning.domain.fields import host
from provisioning.domain.kinds import Secrets
from provisioning.domain.roles import Permission
from provisioning.store import roster as rosters
from provisioning.store.database import Session
from provisioning.store.people import SipServer
from provisioning.store.roster import Roster
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.exports.persons import MIXED, Person
from provisioning.usecases.exports.subscribers import Subscriber, server_of, subscribers
from provisioning.usecases.exports.variables import variables

CONTEXT = "default"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CODECS = {
    "opus": "OPUS", "g722": "G722", "pcma": "PCMA", "pcmu": "PCMU", "g729": "G729",
    "g726-32": "G726-32", "ilbc": "iLBC",
}  # fmt: skip
_TONES = {"rfc4733": "rfc2833", "sip-info": "info", "inband": "none", MIXED: "rfc2833"}
_ENCRYPTION = {"off": "forbidden", "optional": "optional", "required": "mandatory"}

Named = Iterable[tuple[str, str]]


def domain_document(
    core: Core, actor: Actor, *, server: str = "", domain: str = "", context: str = CONTEXT
) -> bytes:
    """Everybody on a server as one domain, by default called as the server is reached.

    Raises NotFound, SecretsAreGiven, or InvalidInput for a domain that is no host.
    """
    actor.require(Permission.PBX)
    wanted = host("domain", domain, empty=True)
    with core.database.read() as session:
        row = server_of(session, actor, server)
        found = rosters.roster(session, actor.organisation)
    wanted = wanted or row.registrar
    users = [(item.login, item, item.ha1(wanted)) for item in subscribers(core, found, row)]
    return _directory(wanted, context, users)


def user_document(
    core: Core,
    actor: Actor,
    *,
    user: str,
    domain: str,
    server: str = "",
    realm: str = "",
    context: str = CONTEXT,
) -> bytes:
    """One user of a domain, or the document that says there is none.

    Without ``server`` the domain is the name a server is reached by. The password goes out as
    the hash for ``realm``, the one FreeSWITCH challenged with, by default the domain.
    """
    actor.require(Permission.PBX)
    if not user or not domain:
        return not_found()
    with core.database.read() as session:
        try:
            host("domain", domain)
            row = server_of(session, actor, server) if server else _called(session, actor, domain)
        except BrokenRule:
            return not_found()  # FreeSWITCH then asks its next source; an error would be logged
        found = _alone(session, actor, row, user) if row else None
    if row is None or found is None:
        return not_found()
    for item in subscribers(core, found, row):
        login = user if user == item.account.username else item.login
        ha1 = item.ha1(realm or domain, login=login)
        return _directory(domain, context, [(login, item, ha1)])
    return not_found()


def _called(session: Session, actor: Actor, domain: str) -> SipServer | None:
    rows = rosters.servers(session, actor.organisation)
    named = [row for row in rows if row.registrar.lower() == domain.lower()]
    return next((row for row in named if row.secrets == Secrets.OURS), None)


def _alone(session: Session, actor: Actor, server: SipServer, user: str) -> Roster | None:
    account = rosters.account_called(session, server, user)
    if account is None:
        return None
    return rosters.roster(session, actor.organisation, account=account)


def not_found() -> bytes:
    """The document that says a thing is not here."""
    root, section = _document("result")
    ET.SubElement(section, "result", status="not found")
    return _bytes(root)


def _document(section: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("document", type="freeswitch/xml")
    return root, ET.SubElement(root, "section", name=section)


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root)
    head = b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    return head + ET.tostring(root, encoding="unicode").encode() + b"\n"


def _directory(domain: str, context: str, users: Iterable[tuple[str, Subscriber, str]]) -> bytes:
    root, section = _document("directory")
    groups = ET.SubElement(ET.SubElement(section, "domain", name=domain), "groups")
    found: dict[str, ET.Element] = {}
    for login, subscriber, ha1 in users:
        name = _group(subscriber.person)
        if name not in found:
            group = ET.SubElement(groups, "group", name=_plain(name))
            found[name] = ET.SubElement(group, "users")
        _user(found[name], login, subscriber, ha1, context)
    return _bytes(root)


def _group(person: Person | None) -> str:
    return person.department.name if person is not None and person.department else "default"


def _user(users: ET.Element, login: str, subscriber: Subscriber, ha1: str, context: str) -> None:
    user = ET.SubElement(users, "user", id=login)
    if subscriber.number != login:
        user.set("number-alias", subscriber.number)
    _named(user, "param", _params(subscriber, ha1))
    _named(user, "variable", _variables(subscriber, context))


def _named(parent: ET.Element, tag: str, items: Named) -> None:
    block = ET.SubElement(parent, f"{tag}s")
    for name, value in items:
        ET.SubElement(block, tag, name=name, value=_plain(value))


def _plain(text: str) -> str:
    """A text without what XML 1.0 has no way to write (section 2.2)."""
    return _NOT_XML.sub("", text)


def _params(subscriber: Subscriber, ha1: str) -> Iterator[tuple[str, str]]:
    # Without any of password and a1-hash, FreeSWITCH would let everybody in.
    yield "a1-hash", ha1
    person = subscriber.person
    mailbox = person is not None and person.has_mailbox
    yield "vm-enabled", _true(mailbox)
    if person is not None and mailbox and person.held["voicemail.notify"] and person.user.email:
        yield "vm-mailto", person.user.email
        yield "vm-email-all-messages", "true"
        yield "vm-attach-file", _true(person.held["voicemail.attach"])
        yield "vm-keep-local-after-email", _true(not person.held["voicemail.delete-after"])


def _variables(subscriber: Subscriber, context: str) -> Iterator[tuple[str, str]]:
    line, person = subscriber.line, subscriber.person
    yield "user_context", context
    yield "effective_caller_id_name", subscriber.name
    yield "effective_caller_id_number", subscriber.number
    if person is not None:
        yield from _of_person(person)
    codecs = line["line.codecs"]
    yield "absolute_codec_string", ",".join(_CODECS[codec] for codec in codecs if codec in _CODECS)  # type: ignore[union-attr]  # a LIST
    yield "dtmf_type", _TONES[str(line["line.dtmf"])]
    yield "rtp_secure_media", _ENCRYPTION[str(line["line.srtp"])]
    for key, value in variables(subscriber):
        yield f"roost_{key}", value


def _of_person(person: Person) -> Iterator[tuple[str, str]]:
    if person.caller_id is not None:
        yield "outbound_caller_id_name", person.caller_id.label or person.user.name
        yield "outbound_caller_id_number", person.caller_id.number
    if person.department is not None:
        yield "callgroup", str(person.department.id)
    if person.cost_centre is not None and person.cost_centre.code:
        yield "accountcode", person.cost_centre.code
    if language := str(person.held["language"]):
        yield "default_language", language
    yield "timezone", str(person.held["time.zone"])


def _true(value: object) -> str:
    return "true" if value else "false"
