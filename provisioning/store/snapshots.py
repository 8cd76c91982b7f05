"""One snapshot of everything a device's files depend on, read in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.orm import Session

from provisioning.domain.keys import PEOPLE_SETS, TARGET, KeyType
from provisioning.domain.kinds import Purpose
from provisioning.domain.mac import Mac
from provisioning.domain.personal_settings import SHOW_CALLS
from provisioning.domain.settings import Level
from provisioning.store import dect, groups, hotdesk, phonebook, pictures, queries
from provisioning.store.catalogue import CallTarget, CostCentre, Number
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    DectSystem,
    Device,
    Station,
)
from provisioning.store.organisations import Organisation, Profile, Site
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.values import KeyValue, SettingValue

Owner = tuple[str, UUID]

Versions = tuple[int, int, int, int]
"""Of a device, its site, its profile (0 without one) and its organisation."""


@dataclass(frozen=True, slots=True)
class Base:
    """A member of a DECT system: its place there, its device and its MAC."""

    member: DectMember
    device: Device
    mac: Mac | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows as they stood together; ``versions`` proves whether they still do.

    ``seated`` is who is logged in at a station, by its id; ``native`` are the stations where the
    phone's own log-in holds them.
    ``departments`` (the id of the option), ``caller_ids`` (the number to call out with) and
    ``numbers`` (further ones, in order) are by the user's id; ``roles`` are the names of the users'
    roles. ``look`` names the organisation's pictures and its people's covers. ``privacy`` is what
    anybody set of who sees their calls. ``colleagues`` are everybody reachable where a key stands
    for people; else, where there is any privacy, those whom a key watches.
    """

    device: Device
    mac: Mac | None
    organisation: Organisation
    site: Site
    profile: Profile | None
    stations: tuple[Station, ...]
    assignments: tuple[Assignment, ...]
    users: dict[UUID, User]
    accounts: tuple[SipAccount, ...]
    servers: dict[UUID, SipServer]
    settings: tuple[SettingValue, ...]
    keys: tuple[KeyValue, ...]
    seated: dict[UUID, UUID] = field(default_factory=dict)
    native: frozenset[UUID] = frozenset()
    colleagues: tuple[User, ...] = ()
    departments: dict[UUID, UUID] = field(default_factory=dict)
    caller_ids: dict[UUID, str] = field(default_factory=dict)
    numbers: dict[UUID, tuple[Number, ...]] = field(default_factory=dict)
    cost_centres: dict[UUID, CostCentre] = field(default_factory=dict)
    targets: dict[UUID, CallTarget] = field(default_factory=dict)
    roles: dict[UUID, str] = field(default_factory=dict)
    system: DectSystem | None = None
    members: tuple[Base, ...] = ()
    slots: tuple[tuple[DectSlot, Station | None], ...] = ()
    look: pictures.Names = field(default_factory=dict)
    privacy: tuple[SettingValue, ...] = ()

    @property
    def on_file(self) -> Snapshot:
        """What the device's own files show: not whom the phone itself holds above them."""
        seated = {place: user for place, user in self.seated.items() if place not in self.native}
        return replace(self, seated=seated, native=frozenset())

    @property
    def versions(self) -> Versions:
        """The versions of device, site, profile and organisation that this snapshot shows."""
        profile = self.profile.version if self.profile else 0
        return (self.device.version, self.site.version, profile, self.organisation.version)


def versions(session: Session, device: Device) -> Versions:
    """The versions that hold now, to compare with those of a cached file."""
    site = session.get_one(Site, device.site_id)
    organisation = session.get_one(Organisation, device.organisation_id)
    profile = session.get_one(Profile, device.profile_id) if device.profile_id else None
    return (device.version, site.version, profile.version if profile else 0, organisation.version)


def snapshot(session: Session, device: Device, *, held: bool = False) -> Snapshot:
    """Read everything the files of a device depend on.

    With ``held`` whoever its own log-in held last is seated there, although the session ended.
    """
    system, members, slots = _dect(session, device)
    stations = queries.stations_of(session, device.id)
    stations += [station for _, station in slots if station is not None]
    station_ids = [station.id for station in stations]
    assignments = queries.assignments_at(session, station_ids)
    open_at = (hotdesk.held_at if held else hotdesk.open_at)(session, station_ids)
    seated = {station: row.user_id for station, row in open_at.items()}
    wanted = [assignment.user_id for assignment in assignments]
    people = queries.users(session, [*wanted, *seated.values()])
    accounts = queries.accounts_of(session, users=list(people), stations=station_ids)
    owners = _owners(device, people.values())
    keys = queries.keys_at(session, owners)
    named = any(key.type in PEOPLE_SETS for key in keys)
    privacy = queries.settings_of(session, device.organisation_id, SHOW_CALLS)
    targets = groups.targets(session, device.organisation_id)
    watched = _watched(keys, targets) if privacy else set()
    colleagues = _colleagues(session, device.organisation_id, watched, everybody=named)
    departments = groups.departments(session, device.organisation_id) if named else {}
    return Snapshot(
        device=device,
        mac=queries.macs(session, [device.id]).get(device.id),
        organisation=session.get_one(Organisation, device.organisation_id),
        site=session.get_one(Site, device.site_id),
        profile=session.get_one(Profile, device.profile_id) if device.profile_id else None,
        stations=tuple(stations),
        assignments=tuple(assignments),
        seated=seated,
        native=frozenset(station for station, row in open_at.items() if row.native),
        users=people,
        accounts=tuple(accounts),
        servers=queries.servers(session, [account.sip_server_id for account in accounts]),
        settings=tuple(queries.settings_at(session, owners)),
        keys=tuple(keys),
        colleagues=tuple(colleagues),
        departments=departments,
        caller_ids=groups.called_out_with(session, device.organisation_id, people.values()),
        numbers=groups.caller_ids(session, list(people)),
        cost_centres=groups.cost_centres(session, people.values()),
        targets=targets,
        roles=groups.role_names(session, people.values()),
        look=pictures.names(session, device.organisation_id, people, *Purpose),
        privacy=tuple(privacy),
        system=system,
        members=members,
        slots=slots,
    )


def _watched(keys: Iterable[KeyValue], targets: Mapping[UUID, CallTarget]) -> set[str]:
    """The numbers that keys watch, as they are set or as those of call targets."""
    values = {key.value for key in keys if key.type == KeyType.BLF}
    named = {row.number for row in targets.values() if f"{TARGET}{row.id}" in values}
    return values | {number for number in named if number}


def _colleagues(
    session: Session, organisation: UUID, watched: Collection[str], *, everybody: bool
) -> list[User]:
    if everybody:
        return phonebook.reachable_users(session, organisation)
    return phonebook.reachable_users(session, organisation, watched) if watched else []


def _dect(
    session: Session, device: Device
) -> tuple[DectSystem | None, tuple[Base, ...], tuple[tuple[DectSlot, Station | None], ...]]:
    """The DECT system a device is a member of, with its members and slots."""
    membership = dect.membership(session, device.id)
    if membership is None:
        return None, (), ()
    rows = dect.members(session, membership.system_id)
    macs = queries.macs(session, [row.id for _, row in rows])
    members = tuple(Base(member, row, macs.get(row.id)) for member, row in rows)
    slots = tuple(dect.places(session, membership.system_id))
    return session.get_one(DectSystem, membership.system_id), members, slots


def _owners(device: Device, people: Iterable[User]) -> list[Owner]:
    owners: list[Owner] = [
        (Level.ORGANISATION, device.organisation_id),
        (Level.SITE, device.site_id),
        (Level.DEVICE, device.id),
    ]
    if device.profile_id:
        owners.append((Level.PROFILE, device.profile_id))
    for user in people:
        owners.append((Level.USER, user.id))
        if user.role_id:
            owners.append((Level.ROLE, user.role_id))
    return owners
