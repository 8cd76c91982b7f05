"""The sheet of users: what a changed one comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.crypto.passwords import generate_password
from provisioning.domain import fields
from provisioning.domain.errors import (
    BrokenRule,
    DuplicateExtension,
    DuplicateName,
    InvalidInput,
    NotFound,
    StaleRevision,
)
from provisioning.domain.kinds import Secrets, SessionEnd
from provisioning.domain.settings import BY_KEY, Level
from provisioning.store import hotdesk, sheets
from provisioning.store.catalogue import CategoryOption, UserOption
from provisioning.store.database import Session
from provisioning.store.people import SipAccount, User
from provisioning.store.values import SettingValue
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.memberships import keeping_an_admin, last_admin
from provisioning.usecases.purposes import PURPOSE_SIP
from provisioning.usecases.seats import end
from provisioning.usecases.sheets import cells
from provisioning.usecases.sheets.cells import Row, RowError
from provisioning.usecases.sheets.guards import SETTINGS, Guards
from provisioning.usecases.sheets.plans import AGAIN, Plan, Progress, as_planned
from provisioning.usecases.sheets.staff import Known

_FIELDS: dict[str, Callable[[str], Any]] = {
    "first_name": lambda cell: fields.name("first_name", cell),
    "last_name": lambda cell: fields.name("last_name", cell, empty=True),
    "email": fields.email,
    "extension": fields.extension,
    "enabled": lambda cell: cells.yes("enabled", cell),
}
_UNIQUE = ("extension", "email")
_BATCH = 200


def plan_users(
    core: Core, session: Session, actor: Actor, rows: list[Row], progress: Progress
) -> Plan:
    """What the rows come to: every error there is, or the write that does it all."""
    planner = _Planner(core, actor, Known.read(session, actor.organisation))
    return planner.plan(rows, Guards(core, session, actor), progress)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One row, read: whom it is for (None for somebody new) and what they are to be."""

    row: Row
    user: User | None
    values: Mapping[str, Any]
    changed: Mapping[str, Any]
    """Those of the values that are not what holds already."""


class _Planner:
    def __init__(self, core: Core, actor: Actor, known: Known) -> None:
        self._core, self._actor, self._known = core, actor, known
        self._found = {
            column: {getattr(user, column): user for user in known.users.values()}
            for column in _UNIQUE
        }
        self._departments = {name: option for option, name in known.options.items()}
        self._result = Plan()

    def plan(self, rows: list[Row], guards: Guards, progress: Progress) -> Plan:
        wanted = []
        for number, row in enumerate(rows, 1):
            wanted += self._read(row)
            if number % _BATCH == 0 or number == len(rows):
                progress(number)
        self._check_twice(wanted)
        self._check_unique(wanted)
        self._check_guards(guards, wanted)
        if not self._result.errors:
            self._write(wanted)
        return self._result

    # --- reading

    def _read(self, row: Row) -> list[_Wanted]:
        values: dict[str, Any] = {}
        errors = []
        for column, cell in row.cells.items():
            try:
                values |= self._value(column, cell)
            except BrokenRule as rule:
                errors.append(row.error(column, rule))
        try:
            user = self._matched(row)
        except BrokenRule as rule:
            errors.append(row.error("id", rule))
            user = None
        if user is None and "first_name" not in values and not errors:
            missing = InvalidInput("The user has no first name.", remedy="Give one.")
            errors.append(row.error("first_name", missing))
        self._result.errors += errors
        return [] if errors else [_Wanted(row, user, values, self._changed(user, values))]

    def _changed(self, user: User | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if user is None:
            return values
        now = self._known.shown(user)
        return {
            column: value
            for column, value in values.items()
            if now[column] != (cells.word(value) if isinstance(value, bool) else str(value or ""))
        }

    def _value(self, column: str, cell: str) -> dict[str, Any]:
        if column == "id":
            return {}
        if column in _FIELDS:
            if column == "enabled" and not cell:
                return {}
            return {column: _FIELDS[column](cell)}
        if column in SETTINGS:
            return {column: BY_KEY[SETTINGS[column]].parse(cell) if cell else None}
        if column == "department":
            return {column: fields.name(column, cell, empty=True)}
        if cell and cell not in self._known.cost_centres:
            raise NotFound(f"There is no cost centre '{cell[:40]}'.", remedy="Make it first.")
        return {column: cell}

    def _matched(self, row: Row) -> User | None:
        """Whom a row is for: by their id, else their extension, else their e-mail."""
        if text := row.cells.get("id", ""):
            try:
                user = self._known.users.get(UUID(text))
            except ValueError:
                user = None
            if user is None:
                raise NotFound(
                    f"There is no user with the id {text[:40]!r}.",
                    remedy="Leave the cell empty for somebody new.",
                )
            return user
        for column in _UNIQUE:
            cell = row.cells.get(column, "")
            user = self._found[column].get(cell.lower() if column == "email" else cell)
            if cell and user is not None:
                return user
        return None

    # --- what contradicts

    def _check_twice(self, wanted: list[_Wanted]) -> None:
        seen: dict[UUID, int] = {}
        for item in wanted:
            if item.user is None:
                continue
            if item.user.id in seen:
                self._result.errors.append(
                    RowError(
                        item.row.line, "id",
                        f"{item.user.name} is in line {seen[item.user.id]} already.",
                        "Give each user one row.",
                    )
                )  # fmt: skip
            seen[item.user.id] = item.row.line

    def _check_unique(self, wanted: list[_Wanted]) -> None:
        """Extensions and e-mails as they will stand, those of users without a row too."""
        touched = {item.user.id for item in wanted if item.user is not None}
        for column, rule in zip(_UNIQUE, (DuplicateExtension, DuplicateName), strict=True):
            held = {
                getattr(user, column): user.name
                for user in self._known.users.values()
                if user.id not in touched
            }
            for item in wanted:
                value = item.values.get(column, getattr(item.user, column, None))
                if value is None:
                    continue
                if value in held:
                    broken = rule(f"{value} is {held[value]}'s.", remedy="Choose another.")
                    self._result.errors.append(item.row.error(column, broken))
                held[value] = f"line {item.row.line}"

    def _check_guards(self, guards: Guards, wanted: list[_Wanted]) -> None:
        for item in wanted:
            for column, rule in guards.broken(item.user, item.changed):
                self._result.errors.append(item.row.error(column, rule))
        enabled = {
            item.user.id: item.changed["enabled"]
            for item in wanted
            if item.user is not None and "enabled" in item.changed
        }
        if not guards.keep_an_admin(enabled):
            last = next(item for item in reversed(wanted) if item.changed.get("enabled") is False)
            self._result.errors.append(last.row.error("enabled", last_admin()))

    # --- writing

    def _write(self, wanted: list[_Wanted]) -> None:
        new = [item for item in wanted if item.user is None]
        changed = [item for item in wanted if item.user is not None and item.changed]
        self._result.makes, self._result.changes = len(new), len(changed)
        self._result.leaves = len(wanted) - len(new) - len(changed)
        made: list[tuple[_Wanted, User, list[Any]]] = []
        for item in new:
            user = User(organisation_id=self._actor.organisation, **self._columns(item))
            made.append((item, user, self._accounts(user)))
        self._result.writes = [
            lambda session: self._end_sessions(session, changed),
            lambda session: self._look_again(session, [*new, *changed]),
            lambda session: self._add_departments(session, [*new, *changed]),
            lambda session: self._change(session, changed),
            lambda session: self._make(session, made),
        ]

    def _columns(self, item: _Wanted) -> dict[str, Any]:
        columns = {name: value for name, value in item.values.items() if name in _FIELDS}
        if "cost_centre" in item.values:
            columns["cost_centre_id"] = self._known.cost_centres.get(item.values["cost_centre"])
        return columns

    def _accounts(self, user: User) -> list[Any]:
        """The account of somebody new, where the server's secrets are ours and the name is free."""
        server, name = self._known.server, user.extension
        if server is None or name is None or server.secrets == Secrets.GIVEN:
            return []
        if name in self._known.accounts:
            return []
        self._known.accounts.add(name)
        account = SipAccount(
            organisation_id=user.organisation_id,
            sip_server_id=server.id,
            user_id=user.id,
            username=name,
            password_encrypted=self._core.cipher.encrypt(generate_password(), PURPOSE_SIP),
        )
        return [account]

    def _look_again(self, session: Session, wanted: list[_Wanted]) -> None:
        """Raise what the guards say now, if they have changed since the plan."""
        guards = Guards(self._core, session, self._actor)
        for item in wanted:
            for _, rule in guards.broken(item.user, item.changed):
                raise rule

    def _end_sessions(self, session: Session, changed: list[_Wanted]) -> None:
        """End wherever those sit who are disabled; first of all, as changing one of them does."""
        parting = {
            item.user.id
            for item in changed
            if item.user is not None and item.changed.get("enabled") is False
        }
        if parting:
            organisation = self._actor.organisation
            hotdesk.take_seats(session, organisation)
            taken = hotdesk.open_in(session, organisation)
            seats = [row for row in taken if row.user_id in parting]
            end(self._core, session, seats, SessionEnd.DISABLED)

    def _add_departments(self, session: Session, wanted: list[_Wanted]) -> None:
        """Make the departments that rows name and nobody made yet."""
        for name in dict.fromkeys(item.changed.get("department") for item in wanted):
            if name and name not in self._departments:
                made = CategoryOption(
                    organisation_id=self._actor.organisation,
                    category_id=self._known.category,
                    name=name,
                )
                session.add(made)
                self._departments[name] = made.id
        session.flush()

    def _change(self, session: Session, changed: list[_Wanted]) -> None:
        disabling = any(item.changed.get("enabled") is False for item in changed)
        guard = keeping_an_admin(session, self._actor.organisation) if disabling else nullcontext()
        with guard:
            self._change_users(session, changed)

    def _change_users(self, session: Session, changed: list[_Wanted]) -> None:
        """Everything is read before anything is set: a flush looks at all phones concerned."""
        rows = sheets.by_ids(session, User, [item.user.id for item in changed if item.user])
        pairs = [
            (item, as_planned(rows, item.user, f"The user {item.user.name}"))
            for item in changed
            if item.user
        ]
        options = sheets.all_of(session, UserOption, self._actor.organisation)
        placed = {row.user_id: row for row in options if row.category_id == self._known.category}
        planned = (row for row in self._known.values.values() if row.owner_id in rows)
        values = sheets.by_ids(session, SettingValue, [row.id for row in planned])
        # Two users may swap extensions, and nobody is in two departments: what there may be once
        # is nobody's while it is given out anew.
        for item, user in pairs:
            for column in _UNIQUE:
                if column in item.values and getattr(user, column) != item.values[column]:
                    setattr(user, column, None)
            if "department" in item.changed:
                self._leave(session, user, placed.get(user.id))
        session.flush()
        for item, user in pairs:
            for column, value in self._columns(item).items():
                setattr(user, column, value)
            self._others(session, item, user, values)
        session.flush()

    def _make(self, session: Session, made: list[tuple[_Wanted, User, list[Any]]]) -> None:
        session.add_all(user for _, user, _ in made)
        session.flush()
        for item, user, accounts in made:
            session.add_all(accounts)
            self._others(session, item, user, {})
        session.flush()

    def _others(
        self, session: Session, item: _Wanted, user: User, values: Mapping[UUID, SettingValue]
    ) -> None:
        """What stands in other tables: the department and the settings."""
        if department := item.changed.get("department"):
            session.add(
                UserOption(
                    organisation_id=user.organisation_id,
                    user_id=user.id,
                    category_id=self._known.category,
                    option_id=self._departments[department],
                )
            )
        for column, key in SETTINGS.items():
            if column in item.changed:
                self._set(session, user, key, item.changed[column], values)

    def _leave(self, session: Session, user: User, placed: UserOption | None) -> None:
        """Take somebody out of the department they were in when it was planned."""
        if (placed.option_id if placed else None) != self._known.departments.get(user.id):
            raise StaleRevision(f"{user.name} was moved meanwhile.", remedy=AGAIN)
        if placed is not None:
            session.delete(placed)

    def _set(
        self,
        session: Session,
        user: User,
        key: str,
        value: Any,
        values: Mapping[UUID, SettingValue],
    ) -> None:
        held = self._known.values.get((user.id, key))
        if held is not None:
            held = as_planned(values, held, f"The setting '{key}' of {user.name}")
        if value is None:
            if held is not None:
                session.delete(held)
            return
        if held is None:
            held = SettingValue(
                organisation_id=user.organisation_id, level=Level.USER, owner_id=user.id, key=key
            )
            session.add(held)
        held.value, held.set_by, held.set_at = value, self._actor.name, self._core.clock()
