"""Configuration text for Asterisk: PJSIP objects, and a dial plan that knows the people.

Written by the parser of Asterisk's main/config.c: a semicolon begins a comment unless a backslash
stands before it, which is taken away; a value is what follows the first equals sign, without the
blanks at its ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from provisioning.domain.errors import InvalidInput
from provisioning.domain.kinds import TargetKind
from provisioning.domain.roles import Permission
from provisioning.store.roster import roster
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.exports.persons import MIXED, Person
from provisioning.usecases.exports.subscribers import Subscriber, server_of, subscribers
from provisioning.usecases.exports.variables import variables

CONTEXT = "from-internal"
MOST_CONTACTS = 10
"""Phones that may be registered at once for one account."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,79}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_QUOTED = str.maketrans({'"': "'", "\\": "/", "<": "(", ">": ")"})
"""Characters that would end a caller id's name, and what stands for them."""

_CODECS = {
    "opus": "opus", "g722": "g722", "pcma": "alaw", "pcmu": "ulaw", "g729": "g729",
    "g726-32": "g726", "ilbc": "ilbc",
}  # fmt: skip
_TONES = {"rfc4733": "rfc4733", "sip-info": "info", "inband": "inband", MIXED: "auto_info"}
_ENCRYPTION = {
    "off": (("media_encryption", "no"),),
    "optional": (("media_encryption", "sdes"), ("media_encryption_optimistic", "yes")),
    "required": (("media_encryption", "sdes"),),
}

Options = Iterable[tuple[str, str]]


class Part(StrEnum):
    """The file of Asterisk's that is asked for."""

    PJSIP = "pjsip"
    DIALPLAN = "dialplan"


def asterisk(
    core: Core,
    actor: Actor,
    *,
    server: str = "",
    part: str = Part.PJSIP,
    context: str = CONTEXT,
    template: str = "",
) -> str:
    """The text of pjsip.conf's endpoints, or of the dial plan, for the accounts of a server.

    Raises NotFound, SecretsAreGiven, or InvalidInput for a name Asterisk would not take.
    """
    actor.require(Permission.PBX)
    for field, name in (("context", context), ("template", template)):
        if name and not _NAME.fullmatch(name):
            raise InvalidInput(
                f"'{name[:40]}' is no name of a section.",
                remedy="Give letters, digits, _ and -.",
                field=field,
            )
    with core.database.read() as session:
        row = server_of(session, actor, server)
        found = roster(session, actor.organisation)
    listed = list(subscribers(core, found, row))
    if part == Part.DIALPLAN:
        return _text(_dialplan(listed))
    head = f"; PJSIP endpoints on {row.registrar}. Made by an export: changes here are lost."
    return _text([head, *_pjsip(listed, context or CONTEXT, template)])


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def escaped(value: str) -> str:
    """A value as the parser reads it back; a character that ends lines cannot stand in one."""
    return _CONTROL.sub(" ", value).replace(";", r"\;").strip()


# --- pjsip.conf


def _pjsip(listed: Iterable[Subscriber], context: str, template: str) -> Iterator[str]:
    for subscriber in listed:
        name = subscriber.account.username
        inherited = f"({template})" if template else ""
        yield from _section(f"[{name}]{inherited}", "endpoint", _endpoint(subscriber, context))
        yield from _section(f"[{name}]", "auth", _auth(subscriber))
        yield from _section(f"[{name}]", "aor", _aor(subscriber))


def _section(head: str, type_: str, options: Options) -> Iterator[str]:
    yield from ("", head, f"type = {type_}")
    yield from (f"{key} = {escaped(value)}" for key, value in options)


def _endpoint(subscriber: Subscriber, context: str) -> Iterator[tuple[str, str]]:
    line, person = subscriber.line, subscriber.person
    name = subscriber.account.username
    yield from (("context", context), ("auth", name), ("aors", name))
    yield "callerid", f'"{subscriber.name.translate(_QUOTED)}" <{subscriber.number}>'
    if line["line.anonymous"]:
        yield "callerid_privacy", "prohib"
    codecs = line["line.codecs"]
    yield "disallow", "all"
    yield "allow", ",".join(_CODECS[codec] for codec in codecs if codec in _CODECS)  # type: ignore[union-attr]  # a LIST
    yield "dtmf_mode", _TONES[str(line["line.dtmf"])]
    yield from _ENCRYPTION[str(line["line.srtp"])]
    if boxes := _mailboxes(subscriber):
        yield from (("mailboxes", boxes), ("mwi_subscribe_replaces_unsolicited", "yes"))
    if person is not None:
        yield from _of_person(person)
    if not line["line.call-waiting"] or (person and person.may("feature.busy-reject")):
        yield "device_state_busy_at", "1"
    for key, value in variables(subscriber):
        yield "set_var", f"ROOST_{key.upper()}={value}"


def _of_person(person: Person) -> Iterator[tuple[str, str]]:
    if person.department is not None:
        yield "named_call_group", str(person.department.id)
        if person.may("right.calls") and person.may("right.pickup"):
            yield "named_pickup_group", str(person.department.id)
    if person.cost_centre is not None and person.cost_centre.code:
        yield "accountcode", person.cost_centre.code
    if language := str(person.held["language"]):
        yield "language", language


def _auth(subscriber: Subscriber) -> Options:
    yield "auth_type", "userpass"
    yield "username", subscriber.login
    yield "password", subscriber.password


def _aor(subscriber: Subscriber) -> Options:
    yield "max_contacts", str(MOST_CONTACTS)
    if boxes := _mailboxes(subscriber):
        yield "mailboxes", boxes


def _mailboxes(subscriber: Subscriber) -> str:
    """Their own mailbox, and the shared one their calls end at (FEATURES E5)."""
    person = subscriber.person
    if person is None:
        return ""
    boxes = [person.user.extension] if person.has_mailbox else []
    last = person.fallback
    if last is not None and last.kind == TargetKind.SHARED_VOICEMAIL and last.number:
        boxes.append(last.number)
    return ",".join(f"{box}@default" for box in boxes)


# --- extensions.conf


def _dialplan(listed: Iterable[Subscriber]) -> Iterator[str]:
    """What a dial plan needs to know of whom it calls, by number, and what shows their state."""
    numbers: dict[str, list[Subscriber]] = {}
    for subscriber in listed:
        if subscriber.number.isdigit():
            numbers.setdefault(subscriber.number, []).append(subscriber)
    yield "; What is set for the people. Made by an export: changes here are lost."
    yield "[roost-people]"
    for number, accounts in numbers.items():
        first, *others = variables(accounts[0])
        yield f"exten = {number},1,{_set(*first)}"
        yield from (f" same = n,{_set(key, value)}" for key, value in others)
        yield f" same = n,{_set('dial', _devices(accounts))}"
        yield " same = n,Return()"
    yield from ("", "[roost-hints]")
    for number, accounts in numbers.items():
        yield f"exten = {number},hint,{_devices(accounts)}"


def _set(name: str, value: str) -> str:
    """A variable of the one called; those of the caller come from their endpoint."""
    return f"Set(ROOST_CALLED_{name.upper()}={value})"


def _devices(accounts: Iterable[Subscriber]) -> str:
    return "&".join(f"PJSIP/{subscriber.account.username}" for subscriber in accounts)
