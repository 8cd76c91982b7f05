"""The sheet of contacts: its columns, what is written into it, and what a changed one comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import BrokenRule, Conflict, InvalidInput, NotFound
from provisioning.domain.kinds import NumberKind
from provisioning.store import sheets
from provisioning.store.database import Session
from provisioning.store.people import Contact, User
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.sheets import cells
from provisioning.usecases.sheets.cells import Row, RowError
from provisioning.usecases.sheets.names import by_name, called
from provisioning.usecases.sheets.plans import Plan, Progress, as_planned

KINDS = tuple(str(kind) for kind in NumberKind)
COLUMNS = ("id", "first_name", "last_name", "department", "owner", *KINDS)
UID = "uid"
"""Where a card tells whom it is of: what looks like an id need not be one of ours."""
BETWEEN = ";"
"""Between the numbers of a cell: blanks, slashes, dots and dashes stand within them."""
_NAMES = ("first_name", "last_name", "department")
_BATCH = 200

Numbers = Sequence[Mapping[str, str]]


def export_contacts(session: Session, organisation: UUID) -> str:
    """The contacts of an organisation as CSV, its users' own too; importing it changes nothing."""
    users = {row.id: row for row in sheets.all_of(session, User, organisation)}
    rows = (_shown(row, users) for row in sheets.all_of(session, Contact, organisation))
    return cells.write(COLUMNS, ([row[column] for column in COLUMNS] for row in rows))


def _shown(contact: Contact, users: Mapping[UUID, User]) -> dict[str, str]:
    found = {
        "id": str(contact.id),
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "department": contact.department,
        "owner": called(users[contact.user_id]) if contact.user_id else "",
    }
    for kind in KINDS:
        numbers = [item["number"] for item in contact.numbers if item["kind"] == kind]
        found[kind] = f"{BETWEEN} ".join(numbers)
    return found


def plan_contacts(
    core: Core,  # noqa: ARG001 - the form of every plan
    session: Session,
    actor: Actor,
    rows: list[Row],
    progress: Progress,
) -> Plan:
    """What the rows come to: every error there is, or the write that does it all."""
    organisation = actor.organisation
    users = by_name(sheets.all_of(session, User, organisation))
    known = sheets.all_of(session, Contact, organisation)
    return _Planner(organisation, users, known).plan(rows, progress)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a contact says, its numbers by kind: a sheet does not tell the order of kinds."""

    user_id: UUID | None
    first_name: str
    last_name: str
    department: str
    numbers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, row: Contact) -> _Entry:
        names = (row.first_name, row.last_name, row.department)
        return cls(row.user_id, *names, _by_kind(row.numbers))

    def columns(self) -> dict[str, Any]:
        """What it is as columns of a contact."""
        return {
            "user_id": self.user_id,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "department": self.department,
            "numbers": [{"kind": kind, "number": number} for kind, number in self.numbers],
        }


def _by_kind(numbers: Numbers) -> tuple[tuple[str, str], ...]:
    pairs = [(item["kind"], item["number"]) for item in numbers]
    return tuple(sorted(pairs, key=lambda pair: KINDS.index(pair[0])))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One row, read: the contact it is for (None for a new one) and what that is to be."""

    row: Row
    contact: Contact | None
    entry: _Entry


class _Planner:
    def __init__(
        self, organisation: UUID, users: Mapping[str, User], known: Sequence[Contact]
    ) -> None:
        self._organisation, self._users = organisation, users
        self._contacts = {row.id: row for row in known}
        self._entries = {row.id: _Entry.of(row) for row in known}
        self._result = Plan()

    def plan(self, rows: list[Row], progress: Progress) -> Plan:
        wanted = []
        for number, row in enumerate(rows, 1):
            wanted += self._read(row)
            if number % _BATCH == 0 or number == len(rows):
                progress(number)
        self._check_twice(wanted)
        if not self._result.errors:
            self._write(wanted)
        return self._result

    # --- reading

    def _read(self, row: Row) -> list[_Wanted]:
        errors: list[RowError] = []
        values: dict[str, Any] = {}
        contact = None
        try:
            contact = self._matched(row)
        except BrokenRule as rule:
            errors.append(row.error("id", rule))
        for column, cell in row.cells.items():
            try:
                values |= self._value(column, cell)
            except BrokenRule as rule:
                errors.append(row.error(column, rule))
        if contact is None and "first_name" not in values and not errors:
            missing = InvalidInput("The contact has no first name.", remedy="Give one.")
            errors.append(row.error("first_name", missing))
        if not errors:
            entry = self._entry(contact, values)
            try:
                fields.numbers("numbers", entry.columns()["numbers"])
            except BrokenRule as rule:
                errors.append(row.error("", rule))
            else:
                return [_Wanted(row, contact, entry)]
        self._result.errors += errors
        return []

    def _matched(self, row: Row) -> Contact | None:
        text = row.cells.get("id", "")
        found = self._known(text or row.cells.get(UID, ""))
        if text and found is None:
            raise NotFound(
                f"There is no contact with the id {text[:40]!r}.",
                remedy="Leave the cell empty for a new one.",
            )
        return found

    def _known(self, text: str) -> Contact | None:
        try:
            return self._contacts.get(UUID(text))
        except ValueError:
            return None

    def _value(self, column: str, cell: str) -> dict[str, Any]:
        if column in _NAMES:
            return {column: fields.name(column, cell, empty=column != "first_name")}
        if column == "owner":
            return {"user_id": self._owner(cell)}
        if column in KINDS:
            numbers = [item for item in map(str.strip, cell.split(BETWEEN)) if item]
            given = [{"kind": column, "number": number} for number in numbers]
            return {column: fields.numbers(column, given)}
        return {}

    def _owner(self, cell: str) -> UUID | None:
        if cell and cell.lower() not in self._users:
            raise NotFound(
                f"There is no user '{cell[:40]}'.",
                remedy="Give an extension, an e-mail or an id; leave it empty to share it.",
            )
        return self._users[cell.lower()].id if cell else None

    def _entry(self, contact: Contact | None, values: Mapping[str, Any]) -> _Entry:
        """What a contact comes to; columns left out stay as they are."""
        now: Numbers = contact.numbers if contact else ()
        numbers: list[Mapping[str, str]] = []
        for kind in KINDS:
            numbers += values.get(kind, [item for item in now if item["kind"] == kind])
        owner = contact.user_id if contact else None
        names = {name: values.get(name, getattr(contact, name, "")) for name in _NAMES}
        return _Entry(values.get("user_id", owner), numbers=_by_kind(numbers), **names)

    # --- what contradicts

    def _check_twice(self, wanted: list[_Wanted]) -> None:
        seen: dict[UUID, int] = {}
        for item in wanted:
            if item.contact is None:
                continue
            if item.contact.id in seen:
                twice = Conflict(
                    f"The contact is in line {seen[item.contact.id]} already.",
                    remedy="Give each contact one row.",
                )
                self._result.errors.append(item.row.error("id", twice))
            seen[item.contact.id] = item.row.line

    # --- writing

    def _write(self, wanted: list[_Wanted]) -> None:
        changed = [
            (item.contact, item.entry)
            for item in wanted
            if item.contact is not None and item.entry != self._entries[item.contact.id]
        ]
        after = self._entries | {contact.id: entry for contact, entry in changed}
        # What says the same as another is no second contact: a file may come twice.
        there = set(after.values())
        named = dict.fromkeys(item.entry for item in wanted if item.contact is None)
        new = [entry for entry in named if entry not in there]
        self._result.makes, self._result.changes = len(new), len(changed)
        self._result.leaves = len(wanted) - len(new) - len(changed)
        self._result.writes = [
            lambda session: self._change(session, changed),
            lambda session: self._make(session, new),
        ]

    def _change(self, session: Session, changed: list[tuple[Contact, _Entry]]) -> None:
        rows = sheets.by_ids(session, Contact, [contact.id for contact, _ in changed])
        for contact, entry in changed:
            row = as_planned(rows, contact, f"The contact {contact.id}")
            columns = entry.columns()
            if entry.numbers == self._entries[row.id].numbers:
                del columns["numbers"]
            for name, value in columns.items():
                setattr(row, name, value)
        session.flush()

    def _make(self, session: Session, new: list[_Entry]) -> None:
        session.add_all(
            Contact(organisation_id=self._organisation, **entry.columns()) for entry in new
        )
        session.flush()
