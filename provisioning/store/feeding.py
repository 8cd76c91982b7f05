"""Which rows a PBX is told of: changes become entries of the feed in their own transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session, sessionmaker

from provisioning.domain.settings import BY_KEY, OF_THE_PHONE, Scope
from provisioning.store.base import found_by
from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    CostCentre,
    LicenceHolder,
    Number,
    UserNumber,
    UserOption,
)
from provisioning.store.changes import Action, Noted, append
from provisioning.store.devices import Assignment, DectMember, DectSlot, Device, Station
from provisioning.store.organisations import Organisation
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.values import SettingValue
from provisioning.store.versions import SHOWN_NOWHERE

_NOTES = "feed"


Concern = tuple[UUID, Action]
"""An organisation, and what became of things of it."""


@dataclass
class Notes:
    """What a transaction will tell, by organisation; what went stays gone.

    Devices, systems and stations stand for the people at them, who are looked up at the end of a
    flush in a few statements, however many there are.
    """

    held: dict[UUID, dict[tuple[str, UUID], Action]] = field(default_factory=dict)
    lost: set[UUID] = field(default_factory=set)
    devices: dict[Concern, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    systems: dict[Concern, set[UUID | None]] = field(default_factory=lambda: defaultdict(set))
    stations: dict[Concern, set[UUID | None]] = field(default_factory=lambda: defaultdict(set))

    def add(self, organisation: UUID, kind: str, subject: UUID, action: Action) -> None:
        """Note a change, once for each thing."""
        told = self.held.setdefault(organisation, {})
        if told.get((kind, subject)) is not Action.GONE:
            told[kind, subject] = action

    def changed(self, organisation: UUID, kind: str, subjects: Iterable[UUID | None]) -> None:
        """Note that things changed."""
        for subject in subjects:
            if subject is not None:
                self.add(organisation, kind, subject, Action.CHANGED)


def watch(sessions: sessionmaker[Session]) -> None:
    """Tell the changes of every transaction of these sessions."""
    event.listen(sessions, "before_flush", _before_flush)
    event.listen(sessions, "before_commit", _before_commit)


# --- what concerns a PBX


def _itself(kind: str) -> Callable[[Session, Any, Action, Notes], None]:
    def note(session: Session, row: Any, action: Action, notes: Notes) -> None:  # noqa: ARG001 - one form for all
        notes.add(row.organisation_id, kind, row.id, action)

    return note


def _user(session: Session, row: User, action: Action, notes: Notes) -> None:
    notes.add(row.organisation_id, "user", row.id, action)
    if action is Action.GONE:  # the database takes the accounts along, unseen by the session
        accounts = session.scalars(select(SipAccount.id).where(SipAccount.user_id == row.id))
        for account in accounts:
            notes.add(row.organisation_id, "sip-account", account, action)


def _of_user(session: Session, row: Any, action: Action, notes: Notes) -> None:  # noqa: ARG001
    notes.changed(row.organisation_id, "user", _both(row, "user_id"))


def _account(session: Session, row: SipAccount, action: Action, notes: Notes) -> None:
    notes.add(row.organisation_id, "sip-account", row.id, action)
    _of_user(session, row, action, notes)


def _option(session: Session, row: CategoryOption, action: Action, notes: Notes) -> None:
    notes.add(row.organisation_id, "category-option", row.id, action)
    members = session.scalars(select(UserOption.user_id).where(UserOption.option_id == row.id))
    notes.changed(row.organisation_id, "user", members)


def _station(session: Session, row: Station, action: Action, notes: Notes) -> None:  # noqa: ARG001
    if not inspect(row).pending:  # nobody is assigned to a new one yet
        notes.stations[row.organisation_id, action].add(row.id)


def _device(session: Session, row: Device, action: Action, notes: Notes) -> None:  # noqa: ARG001
    if inspect(row).pending:
        return
    if action is Action.GONE or {"name", "site_id", "profile_id"} & _columns(row):
        notes.devices[row.organisation_id, action].add(row.id)


def _slot(session: Session, row: DectSlot, action: Action, notes: Notes) -> None:  # noqa: ARG001
    notes.stations[row.organisation_id, Action.CHANGED] |= _both(row, "station_id")


def _member(session: Session, row: DectMember, action: Action, notes: Notes) -> None:  # noqa: ARG001
    notes.systems[row.organisation_id, Action.CHANGED] |= _both(row, "system_id")


def _resolve(session: Session, notes: Notes) -> None:
    """Note the people at devices, in systems and at stations, and the accounts stations hold."""
    members = select(DectMember.system_id)
    own = select(Station.id)
    slots = select(DectSlot.station_id)
    for (organisation, action), devices in notes.devices.items():
        notes.stations[organisation, action] |= found_by(session, own, Station.device_id, devices)
        # A handset outlives each base of its system.
        systems = found_by(session, members, DectMember.device_id, devices)
        notes.systems[organisation, Action.CHANGED] |= systems
    for (organisation, _), systems in notes.systems.items():
        notes.stations[organisation, Action.CHANGED] |= found_by(
            session, slots, DectSlot.system_id, systems
        )
    people, held = select(Assignment.user_id), select(SipAccount.id)
    for (organisation, action), stations in notes.stations.items():
        assigned = found_by(session, people, Assignment.station_id, stations)
        notes.changed(organisation, "user", sorted(assigned))
        for account in sorted(found_by(session, held, SipAccount.station_id, stations)):
            notes.add(organisation, "sip-account", account, action)
    for found in (notes.devices, notes.systems, notes.stations):
        found.clear()


def _value(session: Session, row: SettingValue, action: Action, notes: Notes) -> None:  # noqa: ARG001
    setting = BY_KEY.get(row.key)
    of_people = setting is not None and setting.scope in (Scope.LINE, Scope.PERSON)
    if of_people or row.key in OF_THE_PHONE:
        notes.changed(row.organisation_id, row.level, [row.owner_id])


def _organisation(session: Session, row: Organisation, action: Action, notes: Notes) -> None:  # noqa: ARG001
    if action is Action.GONE:
        notes.lost.add(row.id)
    else:
        notes.changed(row.id, "organisation", [row.id])


_CONCERNS: dict[type, Callable[[Session, Any, Action, Notes], None]] = {
    Assignment: _of_user,
    CallTarget: _itself("call-target"),
    Category: _itself("category"),
    CategoryOption: _option,
    CostCentre: _itself("cost-centre"),
    DectMember: _member,
    DectSlot: _slot,
    Device: _device,
    LicenceHolder: _of_user,
    Number: _itself("number"),
    Organisation: _organisation,
    SettingValue: _value,
    SipAccount: _account,
    SipServer: _itself("sip-server"),
    Station: _station,
    User: _user,
    UserNumber: _of_user,
    UserOption: _of_user,
}
"""For each table that an export shows: what a change of a row is told as."""


def _columns(row: Any) -> set[str]:
    """The columns of a row that this flush writes; of a new row all of them."""
    state = inspect(row)
    names = set(state.mapper.column_attrs.keys())
    if not state.persistent:
        return names
    return {name for name in names if state.attrs[name].history.has_changes()}


def _both(row: Any, attribute: str) -> set[UUID | None]:
    """The value an attribute has and the one it had: a move concerns both ends."""
    history = inspect(row).attrs[attribute].history
    return {getattr(row, attribute), *(history.deleted or ())}


# --- in the transaction


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    notes: Notes = session.info.setdefault(_NOTES, Notes())
    changed = [
        row
        for row in session.dirty
        if session.is_modified(row) and _columns(row) - SHOWN_NOWHERE.get(type(row), set())
    ]
    with session.no_autoflush:
        for rows, action in (
            ((*session.new, *changed), Action.CHANGED),
            (session.deleted, Action.GONE),
        ):
            for row in rows:
                concern = _CONCERNS.get(type(row))
                if concern is not None:
                    concern(session, row, action, notes)
        _resolve(session, notes)


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    notes: Notes = session.info.pop(_NOTES, Notes())
    # In one order everywhere: two transactions that need two feeds must not wait for each other.
    for organisation in sorted(notes.held.keys() - notes.lost):
        told = notes.held[organisation].items()
        append(session, organisation, (Noted(*thing, action) for thing, action in told))
