"""Versions: what a change makes stale, counted up in one place, and marked in the outbox.

A device's version covers everything its files depend on that is its own: lines, keys, settings,
people. Site, profile and organisation have their own. They count up in the transaction of the
change itself, so that a reader who sees the change sees the new version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import event, inspect, select, update
from sqlalchemy.orm import Session, sessionmaker

from provisioning.domain.keys import PEOPLE_SETS
from provisioning.domain.kinds import Purpose
from provisioning.domain.personal_settings import SHOW_CALLS
from provisioning.domain.settings import Level
from provisioning.store import outbox, recording
from provisioning.store.base import chunks, found_by
from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    CostCentre,
    Number,
    UserNumber,
    UserOption,
)
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    DectSystem,
    Device,
    DeviceIdentity,
    Station,
)
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.organisations import Organisation, Profile, Role, Site
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.pictures import Picture
from provisioning.store.values import KeyValue, SettingValue


@dataclass
class Stale:
    """What a flush touches.

    The first four are the ids whose versions count up; the others are resolved to devices in a
    few statements before the rows are written, however many rows there are. ``urgent`` says that
    somebody waits in front of the phone.
    """

    devices: set[UUID] = field(default_factory=set)
    sites: set[UUID] = field(default_factory=set)
    profiles: set[UUID] = field(default_factory=set)
    organisations: set[UUID] = field(default_factory=set)
    stations: set[UUID | None] = field(default_factory=set)
    users: set[UUID | None] = field(default_factory=set)
    systems: set[UUID | None] = field(default_factory=set)
    roles: set[UUID] = field(default_factory=set)
    servers: set[UUID] = field(default_factory=set)
    cost_centres: set[UUID] = field(default_factory=set)
    categories: set[UUID] = field(default_factory=set)
    people_of: set[UUID] = field(default_factory=set)
    first: str = ""
    more: int = 0
    urgent: bool = False

    @property
    def reason(self) -> str:
        """What was changed, in a few words."""
        return f"{self.first} and {self.more} more" if self.more else self.first


def _resolve(session: Session, stale: Stale) -> None:
    """Turn servers into accounts' holders, people into stations, stations into devices."""
    account, server = SipAccount, SipAccount.sip_server_id
    stale.users |= found_by(session, select(account.user_id), server, stale.servers)
    stale.stations |= found_by(session, select(account.station_id), server, stale.servers)
    stale.users |= found_by(session, select(User.id), User.role_id, stale.roles)
    stale.users |= found_by(session, select(User.id), User.cost_centre_id, stale.cost_centres)
    seats = select(Assignment.station_id)
    stale.stations |= found_by(session, seats, Assignment.user_id, stale.users)
    taken = select(HotdeskSession.station_id).where(HotdeskSession.ended_at.is_(None))
    stale.stations |= found_by(session, taken, HotdeskSession.user_id, stale.users)
    stale.devices |= found_by(session, select(Station.device_id), Station.id, stale.stations)
    slots = select(DectSlot.system_id)
    stale.systems |= found_by(session, slots, DectSlot.station_id, stale.stations)
    members = select(DectMember.device_id)
    stale.devices |= found_by(session, members, DectMember.system_id, stale.systems)
    departments = select(Category.organisation_id).where(Category.built_in)
    stale.people_of |= found_by(session, departments, Category.id, stale.categories)
    generated = select(KeyValue.organisation_id).where(KeyValue.type.in_(PEOPLE_SETS)).distinct()
    stale.organisations |= found_by(session, generated, KeyValue.organisation_id, stale.people_of)
    value = SettingValue
    private = select(value.organisation_id).where(value.key == SHOW_CALLS).distinct()
    stale.organisations |= found_by(session, private, value.organisation_id, stale.people_of)


def _both(row: Any, attribute: str) -> set[UUID | None]:
    """The value an attribute has and the one it had: a move concerns both ends."""
    history = inspect(row).attrs[attribute].history
    return {getattr(row, attribute), *(history.deleted or ())}


def _device(row: Device, stale: Stale) -> None:
    stale.devices.add(row.id)


def _identity(row: DeviceIdentity, stale: Stale) -> None:
    stale.devices.add(row.device_id)


def _station(row: Station, stale: Stale) -> None:
    stale.stations.add(row.id)
    stale.devices |= {device for device in _both(row, "device_id") if device is not None}


def _assignment(row: Assignment, stale: Stale) -> None:
    stale.stations |= _both(row, "station_id")


def _seat(row: HotdeskSession, stale: Stale) -> None:
    stale.stations.add(row.station_id)
    stale.urgent = True


def _user(row: User, stale: Stale) -> None:
    """People stand on others' phones too, where a key there is generated from people."""
    stale.users.add(row.id)
    stale.people_of.add(row.organisation_id)


def _user_option(row: UserOption, stale: Stale) -> None:
    stale.categories.add(row.category_id)


def _category_option(row: CategoryOption, stale: Stale) -> None:
    """A department that goes takes its people's places in it along; its name is on no phone."""
    session = inspect(row).session
    if session is not None and row in session.deleted:
        stale.categories.add(row.category_id)


def _user_number(row: UserNumber, stale: Stale) -> None:
    stale.users.add(row.user_id)


def _cost_centre(row: CostCentre, stale: Stale) -> None:
    stale.cost_centres.add(row.id)


def _catalogue(row: Number | CallTarget, stale: Stale) -> None:
    stale.organisations.add(row.organisation_id)


def _account(row: SipAccount, stale: Stale) -> None:
    stale.users |= _both(row, "user_id")
    stale.stations |= _both(row, "station_id")


def _server(row: SipServer, stale: Stale) -> None:
    stale.servers.add(row.id)


def _member(row: DectMember, stale: Stale) -> None:
    stale.systems |= _both(row, "system_id")
    stale.devices.add(row.device_id)


def _slot(row: DectSlot, stale: Stale) -> None:
    stale.systems.add(row.system_id)


def _dect_system(row: DectSystem, stale: Stale) -> None:
    stale.systems.add(row.id)


def _site(row: Site, stale: Stale) -> None:
    stale.sites.add(row.id)


def _profile(row: Profile, stale: Stale) -> None:
    stale.profiles.add(row.id)


def _organisation(row: Organisation, stale: Stale) -> None:
    stale.organisations.add(row.id)


def _role(row: Role, stale: Stale) -> None:
    stale.roles.add(row.id)


def _picture(row: Picture, stale: Stale) -> None:
    """A person's photo is in phone books alone, which are made anew each time."""
    if row.user_id is None:
        stale.organisations.add(row.organisation_id)
    elif row.purpose == Purpose.COVER:
        stale.users.add(row.user_id)


def _value(row: SettingValue | KeyValue, stale: Stale) -> None:
    ids: dict[Level, set[Any]] = {
        Level.ORGANISATION: stale.organisations,
        Level.SITE: stale.sites,
        Level.PROFILE: stale.profiles,
        Level.DEVICE: stale.devices,
        Level.ROLE: stale.roles,
        Level.USER: stale.users,
    }
    ids[Level(row.level)].add(row.owner_id)
    if isinstance(row, SettingValue) and row.key == SHOW_CALLS:
        stale.organisations.add(row.organisation_id)  # it stands on others' phones


_CONCERNS: dict[type, Callable[[Any, Stale], None]] = {
    Assignment: _assignment,
    HotdeskSession: _seat,
    CallTarget: _catalogue,
    CategoryOption: _category_option,
    CostCentre: _cost_centre,
    DectMember: _member,
    DectSlot: _slot,
    DectSystem: _dect_system,
    Device: _device,
    DeviceIdentity: _identity,
    KeyValue: _value,
    Number: _catalogue,
    Organisation: _organisation,
    Picture: _picture,
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

SHOWN_NOWHERE: dict[type, set[str]] = {
    Station: {"label_code"},
    User: {"pin_hash", "pin_digest_encrypted", "pin_must_change"},
}
"""Columns that no file shows, and no export."""

_QUIET = SHOWN_NOWHERE | {
    Device: {"last_seen_at", "blanked_at"},
    HotdeskSession: {
        "lease_until",
        "release",
        "release_due_at",
        "request",
        "ending_request",
    },
    Organisation: {
        "totp_required",
        "address",
        "legal_name",
        "number",
        "contract_until",
        "curing_until",
        "licensing",
    },
    Role: {"permissions"},
    User: SHOWN_NOWHERE[User] | {"voicemail_pin_hash"},
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
                concern(row, stale)
                if stale.first:
                    stale.more += 1
                else:
                    stale.first = recording.title(session, row)
        _resolve(session, stale)


def _after_flush(session: Session, _context: Any) -> None:
    stale: Stale = session.info.pop("stale", Stale())
    for table, ids in (
        (Device, stale.devices),
        (Site, stale.sites),
        (Profile, stale.profiles),
        (Organisation, stale.organisations),
    ):
        for chunk in chunks(sorted(ids)):  # in one order for everybody, as in the outbox
            session.execute(
                update(table)
                .where(table.id.in_(chunk))
                .values(version=table.version + 1)
                .execution_options(synchronize_session=False)
            )
    outbox.mark(session, stale, stale.reason)
