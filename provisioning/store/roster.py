"""Everything of an organisation that a PBX is given, read in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from provisioning.domain.keys import is_id
from provisioning.store import groups
from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    CostCentre,
    Licence,
    LicenceHolder,
    Number,
    UserNumber,
    UserOption,
)
from provisioning.store.devices import Assignment, DectMember, DectSlot, Device, Station
from provisioning.store.organisations import Organisation
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.sheets import all_of
from provisioning.store.values import SettingValue


@dataclass(frozen=True, slots=True)
class Seat:
    """Whose values hold at a station: its device's, or of the members of its DECT system."""

    device: UUID
    site: UUID
    profile: UUID | None


@dataclass(frozen=True, slots=True)
class Roster:
    """Rows as they stood together.

    ``chosen`` is whom it is about, in the order they were made; ``extensions`` also has those
    whom their call routing names. ``departments``, ``options`` (pairs of category and option),
    ``caller_ids``, ``licences`` and ``seated`` (ids of stations) are by the user's id, ``seats`` by the
    station's.
    """

    organisation: Organisation
    chosen: tuple[User, ...]
    accounts: tuple[SipAccount, ...]
    servers: dict[UUID, SipServer]
    settings: dict[UUID, list[SettingValue]]
    extensions: dict[UUID, str]
    departments: dict[UUID, CategoryOption] = field(default_factory=dict)
    options: dict[UUID, list[tuple[str, str]]] = field(default_factory=dict)
    numbers: dict[UUID, Number] = field(default_factory=dict)
    caller_ids: dict[UUID, list[Number]] = field(default_factory=dict)
    licences: dict[UUID, list[Licence]] = field(default_factory=dict)
    cost_centres: dict[UUID, CostCentre] = field(default_factory=dict)
    targets: dict[UUID, CallTarget] = field(default_factory=dict)
    stations: dict[UUID, str] = field(default_factory=dict)
    seated: dict[UUID, list[UUID]] = field(default_factory=dict)
    seats: dict[UUID, list[Seat]] = field(default_factory=dict)

    @property
    def default_number(self) -> Number | None:
        """The number that goes out where a user has none of their own."""
        return next((number for number in self.numbers.values() if number.is_default), None)


def servers(session: Session, organisation: UUID) -> list[SipServer]:
    """The organisation's SIP servers, in the order they were made."""
    return all_of(session, SipServer, organisation)


def account_called(session: Session, server: SipServer, name: str) -> SipAccount | None:
    """The account that authenticates by a name, is called so, or whose user has that extension."""
    by_extension = select(User.id).where(
        User.organisation_id == server.organisation_id, User.extension == name
    )
    found = session.scalars(
        select(SipAccount)
        .where(
            SipAccount.sip_server_id == server.id,
            or_(
                SipAccount.username == name,
                SipAccount.auth_name == name,
                SipAccount.user_id.in_(by_extension),
            ),
        )
        .order_by(SipAccount.position, SipAccount.id)
    ).all()
    own = [row for row in found if (row.auth_name or row.username) == name]
    called = [row for row in found if row.username == name]
    return next(iter([*own, *called, *found]), None)


def roster(
    session: Session,
    organisation: UUID,
    *,
    users: Sequence[User] | None = None,
    account: SipAccount | None = None,
) -> Roster:
    """Everything about these users, or that one account, or by default everybody."""
    everybody = users is None and account is None
    chosen = _chosen(session, organisation, users, account)
    ids = None if everybody else [user.id for user in chosen]
    accounts = [account] if account is not None else _accounts(session, organisation, ids)
    seated = _seated(session, organisation, ids)
    held = [row.station_id for row in accounts if row.station_id is not None]
    stations = {station for taken in seated.values() for station in taken} | set(held)
    names, seats = _seats(session, organisation, None if everybody else stations)
    owners = None if everybody else _owners(organisation, chosen, seats)
    options, departments = _options(session, organisation, ids)
    numbers = {row.id: row for row in all_of(session, Number, organisation)}
    return Roster(
        organisation=session.get_one(Organisation, organisation),
        chosen=tuple(chosen),
        accounts=tuple(accounts),
        servers={row.id: row for row in servers(session, organisation)},
        settings=_settings(session, organisation, owners),
        extensions=_extensions(session, chosen, everybody=everybody),
        departments=departments,
        options=options,
        numbers=numbers,
        caller_ids=_caller_ids(session, organisation, numbers, ids),
        licences=_licences(session, organisation, ids),
        cost_centres={row.id: row for row in all_of(session, CostCentre, organisation)},
        targets=groups.targets(session, organisation),
        stations=names,
        seated=seated,
        seats=seats,
    )


def _among(column: Any, ids: Iterable[UUID] | None) -> tuple[ColumnElement[bool], ...]:
    """The condition that a column is one of the ids; none where everybody is meant."""
    return () if ids is None else (column.in_(list(ids)),)


def _chosen(
    session: Session, organisation: UUID, users: Sequence[User] | None, account: SipAccount | None
) -> list[User]:
    if users is not None:
        return list(users)
    if account is None:
        return all_of(session, User, organisation)
    return [session.get_one(User, account.user_id)] if account.user_id else []


def _accounts(
    session: Session, organisation: UUID, users: Sequence[UUID] | None
) -> list[SipAccount]:
    where = (SipAccount.organisation_id == organisation, *_among(SipAccount.user_id, users))
    order = (SipAccount.position, SipAccount.id)
    return list(session.scalars(select(SipAccount).where(*where).order_by(*order)))


def _seated(
    session: Session, organisation: UUID, users: Sequence[UUID] | None
) -> dict[UUID, list[UUID]]:
    rows = session.execute(
        select(Assignment.user_id, Assignment.station_id)
        .where(Assignment.organisation_id == organisation, *_among(Assignment.user_id, users))
        .order_by(Assignment.id)
    )
    found: dict[UUID, list[UUID]] = {}
    for user, station in rows:
        found.setdefault(user, []).append(station)
    return found


def _seats(
    session: Session, organisation: UUID, stations: Iterable[UUID] | None
) -> tuple[dict[UUID, str], dict[UUID, list[Seat]]]:
    """What stations are called, and whose values hold at them."""
    names: dict[UUID, str] = {}
    seats: dict[UUID, list[Seat]] = {}
    columns = (Station.id, Station.name, Device.name, Device.id, Device.site_id, Device.profile_id)
    where = (Station.organisation_id == organisation, *_among(Station.id, stations))
    own = select(*columns).join(Device, Device.id == Station.device_id).where(*where)
    dect = (
        select(*columns)
        .join(DectSlot, DectSlot.station_id == Station.id)
        .join(DectMember, DectMember.system_id == DectSlot.system_id)
        .join(Device, Device.id == DectMember.device_id)
        .where(*where)
        .order_by(DectMember.position)
    )
    for statement in (own, dect):
        for station, name, device_name, device, site, profile in session.execute(statement):
            names.setdefault(station, name or device_name)
            seats.setdefault(station, []).append(Seat(device, site, profile))
    return names, seats


def _owners(organisation: UUID, users: Iterable[User], seats: dict[UUID, list[Seat]]) -> set[UUID]:
    """Whose settings hold for users and at seats."""
    found = {organisation}
    for user in users:
        found |= {user.id} | ({user.role_id} if user.role_id else set())
    for seat in (seat for taken in seats.values() for seat in taken):
        found |= {seat.device, seat.site} | ({seat.profile} if seat.profile else set())
    return found


def _settings(
    session: Session, organisation: UUID, owners: set[UUID] | None
) -> dict[UUID, list[SettingValue]]:
    where = (SettingValue.organisation_id == organisation, *_among(SettingValue.owner_id, owners))
    # The values of secrets are for phones alone.
    rows = session.scalars(
        select(SettingValue).where(*where, SettingValue.secret.is_(None)).order_by(SettingValue.id)
    )
    found: dict[UUID, list[SettingValue]] = {}
    for row in rows:
        found.setdefault(row.owner_id, []).append(row)
    return found


def _extensions(session: Session, users: Sequence[User], *, everybody: bool) -> dict[UUID, str]:
    found = {user.id: user.extension or "" for user in users}
    named = {target.get("id", "") for user in users for target in routed(user)}
    missing = {UUID(text) for text in named if is_id(text)} - found.keys()
    if missing and not everybody:
        rows = session.execute(
            select(User.id, User.extension).where(
                User.id.in_(missing), User.organisation_id == users[0].organisation_id
            )
        )
        found |= {user: extension or "" for user, extension in rows}
    return found


def routed(user: User) -> list[dict[str, str]]:
    """Every target of a user's follow me and fallback."""
    targets = [target for step in user.steps for target in step.get("targets", ())]
    return [*targets, user.fallback] if user.fallback else targets


def _options(
    session: Session, organisation: UUID, users: Sequence[UUID] | None
) -> tuple[dict[UUID, list[tuple[str, str]]], dict[UUID, CategoryOption]]:
    rows = session.execute(
        select(UserOption.user_id, Category, CategoryOption)
        .join(Category, Category.id == UserOption.category_id)
        .join(CategoryOption, CategoryOption.id == UserOption.option_id)
        .where(UserOption.organisation_id == organisation, *_among(UserOption.user_id, users))
        .order_by(Category.id)
    )
    options: dict[UUID, list[tuple[str, str]]] = {}
    departments: dict[UUID, CategoryOption] = {}
    for user, category, option in rows:
        options.setdefault(user, []).append((category.name, option.name))
        if category.built_in:
            departments[user] = option
    return options, departments


def _caller_ids(
    session: Session,
    organisation: UUID,
    numbers: dict[UUID, Number],
    users: Sequence[UUID] | None,
) -> dict[UUID, list[Number]]:
    rows = session.scalars(
        select(UserNumber)
        .where(UserNumber.organisation_id == organisation, *_among(UserNumber.user_id, users))
        .order_by(UserNumber.position, UserNumber.id)
    )
    found: dict[UUID, list[Number]] = {}
    for row in rows:
        found.setdefault(row.user_id, []).append(numbers[row.number_id])
    return found


def _licences(
    session: Session, organisation: UUID, users: Sequence[UUID] | None
) -> dict[UUID, list[Licence]]:
    rows = session.execute(
        select(LicenceHolder.user_id, Licence)
        .join(Licence, Licence.id == LicenceHolder.licence_id)
        .where(LicenceHolder.organisation_id == organisation, *_among(LicenceHolder.user_id, users))
        .order_by(Licence.kind, Licence.add_on)
    )
    found: dict[UUID, list[Licence]] = {}
    for user, licence in rows:
        found.setdefault(user, []).append(licence)
    return found
