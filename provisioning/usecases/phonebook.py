"""The phone book: users with an extension, shared contacts, and a user's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.kinds import NumberKind, Purpose
from provisioning.domain.phone import Contact as Entry
from provisioning.domain.phone import Directory, Phone
from provisioning.domain.roles import Permission
from provisioning.store import groups, phonebook, pictures, queries
from provisioning.store.database import Session
from provisioning.store.people import Contact, User
from provisioning.store.snapshots import Snapshot
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page, page_of, row_of
from provisioning.usecases.phones import alone
from provisioning.usecases.showing import picture_path
from provisioning.vendors.schema import FileRule

_SEARCH = ("search", "q", "name", "query", "ln", "fn", "hm")
"""What dialects call the text typed into the search field of a phone; the last three are
Gigaset's online directory, which means all by ``*``.
"""
_MOST_ENTRIES = 2000
"""Entries a phone may ask for at once."""

_FIELDS: dict[str, Check] = {
    "first_name": lambda value: fields.name("first_name", value),
    "last_name": lambda value: fields.name("last_name", value, empty=True),
    "department": lambda value: fields.name("department", value, empty=True),
    "numbers": lambda value: fields.numbers("numbers", value),
}


# --- contacts, as admins keep them


def list_contacts(core: Core, actor: Actor, page: Page) -> list[Contact]:
    """A page of the organisation's contacts, users' own among them."""
    return page_of(core, actor, Contact, page)


def read_contact(core: Core, actor: Actor, contact: UUID | str) -> Contact:
    """One contact; raises NotFound."""
    return row_of(core, actor, Contact, contact)


def add_contact(
    core: Core, actor: Actor, *, user_id: UUID | str | None = None, **columns: Any
) -> Contact:
    """Make a contact of the organisation, or of one of its users; raises InvalidInput."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = Contact(organisation_id=actor.organisation, first_name="", numbers=[])
        if user_id is not None:
            row.user_id = queries.get(session, User, actor.organisation, user_id).id
        change(row, columns, _FIELDS)
        fields.name("first_name", row.first_name)
        session.add(row)
        return row


def change_contact(
    core: Core, actor: Actor, contact: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Contact:  # fmt: skip
    """Change a contact; raises NotFound, InvalidInput or StaleRevision."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Contact, actor.organisation, contact)
        expect(row, revision)
        change(row, changes, _FIELDS)
        return row


def delete_contact(
    core: Core, actor: Actor, contact: UUID | str, revision: int | None = None
) -> None:
    """Delete a contact."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Contact, actor.organisation, contact)
        expect(row, revision)
        session.delete(row)


# --- the phone book, as phones see it


def with_directory(
    session: Session, phone: Phone, rows: Snapshot, query: str, rule: FileRule
) -> Phone:
    """The phone with the page of the phone book that its rule and query ask for."""
    page = directory(
        session, rows.organisation.id, alone(rows), query=query, page_size=rule.page_size
    )
    return replace(phone, directory=page)


def directory(
    session: Session, organisation: UUID, user: UUID | None, *, query: str, page_size: int | None
) -> Directory:
    """The page of the phone book that a phone's query asks for.

    ``query`` is the URL's query; an unknown page is the nearest there is. Names, those of
    departments and other options too, are searched without regard to case and accents, numbers by
    their beginning.
    """
    asked = parse_qs(query, keep_blank_values=True, max_num_fields=20, errors="replace")
    typed = next((asked[name][0] for name in _SEARCH if name in asked), "")
    search = typed.replace("*", " ").strip()[:60]
    found = sorted(
        (
            entry
            for entry, found_by in _entries(session, organisation, user)
            if _matches(entry, found_by, search)
        ),
        key=lambda entry: (_folded(entry.name), entry.numbers),
    )
    size = min(_number(asked, "count", page_size or max(len(found), 1)), _MOST_ENTRIES)
    pages = max(-(-len(found) // size), 1)
    page = min(_number(asked, "page", 1), pages)
    first = min(_number(asked, "first", (page - 1) * size + 1), max(len(found), 1))
    shown = tuple(found[first - 1 : first - 1 + size])
    return Directory(shown, search, page, pages, first, len(found))


def _number(asked: Mapping[str, list[str]], name: str, otherwise: int) -> int:
    """A number from a phone's query, from 1; what is none counts as not said."""
    text = asked.get(name, [""])[0]
    return max(int(text), 1) if text.isdecimal() and len(text) < 7 else otherwise


def _entries(
    session: Session, organisation: UUID, user: UUID | None
) -> Iterable[tuple[Entry, Sequence[str]]]:
    """Whom the phone book shows, each with the names of the groups they are found by."""
    departments = groups.department_names(session, organisation)
    options = groups.option_names(session, organisation)
    faces = pictures.names(session, organisation, None, Purpose.AVATAR)
    for person in phonebook.reachable_users(session, organisation):
        number = (str(NumberKind.INTERNAL), person.extension or "")
        department = departments.get(person.id, "")
        face = picture_path(faces, Purpose.AVATAR, person.id, None)
        entry = Entry(person.first_name, person.last_name, (number,), department, face)
        yield entry, options.get(person.id, ())
    for row in phonebook.contacts(session, organisation, user):
        numbers = tuple((item["kind"], item["number"]) for item in row.numbers)
        yield Entry(row.first_name, row.last_name, numbers, row.department), (row.department,)


def _matches(entry: Entry, found_by: Iterable[str], search: str) -> bool:
    if not search:
        return True
    folded = _folded(search)
    return any(folded in _folded(name) for name in (entry.name, *found_by)) or any(
        number.startswith(search) for _, number in entry.numbers
    )


def _folded(text: str) -> str:
    """A text without case and accents, to compare by."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))
