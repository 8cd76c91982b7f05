"""Versions: what a change makes stale, counted up in one place.

A device's version covers everything its files depend on that is its own: lines, keys, settings,
people. Site, profile and organisation have their own. They count up in the transaction of the
change itself, so that a reader who sees the change sees the new version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import event, inspect, select, update
from sqlalchemy.orm import Session, sessionmaker

from provisioning.domain.keys import PEOPLE_SETS
from provisioning.domain.settings import Level
from provisioning.store.catalogue import CallTarget, CostCentre, Number, UserNumber, UserOption
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    DectSystem,
    Device,
    DeviceIdentity,
    Station,
)
from provisioning.store.organisations import Organisation, Profile, Role, Site
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.values import KeyValue, SettingValue


@dataclass
class Stale:
    """The ids whose versions count up with this flush."""

    devices: set[UUID] = field(default_factory=set)
    sites: set[UUID] = field(default_factory=set)
    profiles: set[UUID] = field(default_factory=set)
    organisations: set[UUID] = field(default_factory=set)


def _stations(session: Session, ids: Iterable[UUID | None]) -> set[UUID]:
    """The devices of stations: their own, and the members of systems whose slots hold them."""
    wanted = [station for station in ids if station is not None]
    own = select(Station.device_id).where(Station.id.in_(wanted), Station.device_id.is_not(None))
    members = (
        select(DectMember.device_id)
        .join(DectSlot, DectSlot.system_id == DectMember.system_id)
        .where(DectSlot.station_id.in_(wanted))
    )
    found = set(session.scalars(own)) | set(session.scalars(members))
    return {device for device in found if device is not None}


def _users(session: Session, ids: Iterable[UUID | None]) -> set[UUID]:
    wanted = [user for user in ids if user is not None]
    return _stations(
        session,
        session.scalars(select(Assignment.station_id).where(Assignment.user_id.in_(wanted))),
    )


def _system(session: Session, ids: Iterable[UUID | None]) -> set[UUID]:
    wanted = [system for system in ids if system is not None]
    statement = select(DectMember.device_id).where(DectMember.system_id.in_(wanted))
    return set(session.scalars(statement))


def _both(row: Any, attribute: str) -> set[UUID | None]:
    """The value an attribute has and the one it had: a move concerns both ends."""
    history = inspect(row).attrs[attribute].history
    return {getattr(row, attribute), *(history.deleted or ())}


def _device(session: Session, row: Device, stale: Stale) -> None:  # noqa: ARG001 - one form for all
    stale.devices.add(row.id)


def _identity(session: Session, row: DeviceIdentity, stale: Stale) -> None:  # noqa: ARG001
    stale.devices.add(row.device_id)


def _station(session: Session, row: Station, stale: Stale) -> None:
    stale.devices |= _stations(session, [row.id])
    stale.devices |= {device for device in _both(row, "device_id") if device is not None}


def _assignment(session: Session, row: Assignment, stale: Stale) -> None:
    stale.devices |= _stations(session, _both(row, "station_id"))


def _user(session: Session, row: User, stale: Stale) -> None:
    stale.devices |= _users(session, [row.id])
    _shown_to_others(session, row.organisation_id, stale)


def _shown_to_others(session: Session, organisation: UUID, stale: Stale) -> None:
    """People stand on others' phones where a key there is generated from people."""
    shown = select(KeyValue.id).where(
        KeyValue.organisation_id == organisation, KeyValue.type.in_(PEOPLE_SETS)
    )
    if session.scalar(shown.limit(1)) is not None:
        stale.organisations.add(organisation)


def _user_option(session: Session, row: UserOption, stale: Stale) -> None:
    _shown_to_others(session, row.organisation_id, stale)


def _user_number(session: Session, row: UserNumber, stale: Stale) -> None:
    stale.devices |= _users(session, [row.user_id])


def _cost_centre(session: Session, row: CostCentre, stale: Stale) -> None:
    users = session.scalars(select(User.id).where(User.cost_centre_id == row.id))
    stale.devices |= _users(session, users)


def _catalogue(session: Session, row: Number | CallTarget, stale: Stale) -> None:  # noqa: ARG001
    stale.organisations.add(row.organisation_id)


def _account(session: Session, row: SipAccount, stale: Stale) -> None:
    stale.devices |= _users(session, _both(row, "user_id"))
    stale.devices |= _stations(session, _both(row, "station_id"))


def _server(session: Session, row: SipServer, stale: Stale) -> None:
    accounts = session.execute(
        select(SipAccount.user_id, SipAccount.station_id).where(SipAccount.sip_server_id == row.id)
    ).all()
    stale.devices |= _users(session, [account.user_id for account in accounts])
    stale.devices |= _stations(session, [account.station_id for account in accounts])


def _member(session: Session, row: DectMember, stale: Stale) -> None:
    stale.devices |= _system(session, _both(row, "system_id")) | {row.device_id}


def _slot(session: Session, row: DectSlot, stale: Stale) -> None:
    stale.devices |= _system(session, [row.system_id])


def _dect_system(session: Session, row: DectSystem, stale: Stale) -> None:
    stale.devices |= _system(session, [row.id])


def _site(session: Session, row: Site, stale: Stale) -> None:  # noqa: ARG001
    stale.sites.add(row.id)


def _profile(session: Session, row: Profile, stale: Stale) -> None:  # noqa: ARG001
    stale.profiles.add(row.id)


def _organisation(session: Session, row: Organisation, stale: Stale) -> None:  # noqa: ARG001
    stale.organisations.add(row.id)


def _role(session: Session, row: Role, stale: Stale) -> None:
    users = session.scalars(select(User.id).where(User.role_id == row.id))
    stale.devices |= _users(session, users)


def _value(session: Session, row: SettingValue | KeyValue, stale: Stale) -> None:
    owner = row.owner_id
    match Level(row.level):
        case Level.ORGANISATION:
            stale.organisations.add(owner)
        case Level.SITE:
            stale.sites.add(owner)
        case Level.PROFILE:
            stale.profiles.add(owner)
        case Level.DEVICE:
            stale.devices.add(owner)
        case Level.ROLE:
            users = session.scalars(select(User.id).where(User.role_id == owner))
            stale.devices |= _users(session, users)
        case _:
            stale.devices |= _users(session, [owner])


_CONCERNS: dict[type, Callable[[Session, Any, Stale], None]] = {
    Assignment: _assignment,
    CallTarget: _catalogue,
    CostCentre: _cost_centre,
    DectMember: _member,
    DectSlot: _slot,
    DectSystem: _dect_system,
    Device: _device,
    DeviceIdentity: _identity,
    KeyValue: _value,
    Number: _catalogue,
    Organisation: _organisation,
    Profile: _profile,
    Role: _role,
    SettingValue: _value,
    SipAccount: _account,
    SipServer: _server,
    Site: _site,
    Station: _station,
    User: _user,
    UserNumber: _user_number,
    UserOption: _user_option,
}
"""For each table whose rows phones show: whose versions a change of a row counts up."""

_QUIET = {
    Device: {"last_seen_at", "blanked_at"},
    User: {"pin_hash", "pin_must_change", "voicemail_pin_hash"},
}
"""Columns that no file shows."""


def watch(sessions: sessionmaker[Session]) -> None:
    """Count versions up in every flush of these sessions."""
    event.listen(sessions, "before_flush", _before_flush)
    event.listen(sessions, "after_flush", _after_flush)


def _shows(session: Session, row: Any) -> bool:
    if not session.is_modified(row):
        return False
    quiet = _QUIET.get(type(row), set())
    state = inspect(row)
    changed = {name for name in state.attrs.keys() if state.attrs[name].history.has_changes()}  # noqa: SIM118 - not a dict
    return bool(changed - quiet)


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    stale: Stale = session.info.setdefault("stale", Stale())
    changed = [row for row in session.dirty if _shows(session, row)]
    with session.no_autoflush:
        for row in (*session.new, *changed, *session.deleted):
            concern = _CONCERNS.get(type(row))
            if concern is not None:
                concern(session, row, stale)


def _after_flush(session: Session, _context: Any) -> None:
    stale: Stale = session.info.pop("stale", Stale())
    for table, ids in (
        (Device, stale.devices),
        (Site, stale.sites),
        (Profile, stale.profiles),
        (Organisation, stale.organisations),
    ):
        if ids:
            session.execute(
                update(table)
                .where(table.id.in_(ids))
                .values(version=table.version + 1)
                .execution_options(synchronize_session=False)
            )
