"""The sheet of devices: what a changed one comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import (
    BrokenRule,
    DuplicateMac,
    InvalidInput,
    NotFound,
    StaleRevision,
)
from provisioning.domain.kinds import LicenceKind
from provisioning.domain.mac import Mac
from provisioning.store import logs, sheets
from provisioning.store.database import Session
from provisioning.store.devices import Assignment, Device, Station
from provisioning.store.organisations import Site
from provisioning.usecases import windows
from provisioning.usecases.actors import Actor
from provisioning.usecases.assignments import check_lines
from provisioning.usecases.core import Core
from provisioning.usecases.devices import check_pool, check_provable, fitting_modules, no_station
from provisioning.usecases.licences import ON_A_DESK, check_desk
from provisioning.usecases.registering import (
    Described,
    described,
    device_for,
    identity_for,
    ports_of,
    station_kind,
    stations_for,
    trust_for,
)
from provisioning.usecases.sheets import cells
from provisioning.usecases.sheets.cells import Row
from provisioning.usecases.sheets.fleet import Known
from provisioning.usecases.sheets.names import by_name, called
from provisioning.usecases.sheets.plans import AGAIN, Plan, Progress, as_planned
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model

_BATCH = 200


def plan_devices(
    core: Core, session: Session, actor: Actor, rows: list[Row], progress: Progress
) -> Plan:
    """What the rows come to: every error there is, or the write that does it all."""
    return _Planner(core, actor, Known.read(session, actor.organisation)).plan(
        session, rows, progress
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One row, read: the device it is for (None for a new one) and what it is to be."""

    row: Row
    mac: Mac
    device: Device | None
    phone: Described
    site: Site
    values: Mapping[str, Any]

    @property
    def vendor(self) -> Vendor | None:
        """Whose phone it is to be."""
        return self.phone.maker

    @property
    def model(self) -> Model | None:
        """Which model it is to be."""
        return self.phone.kind


class _Planner:
    def __init__(self, core: Core, actor: Actor, known: Known) -> None:
        self._core, self._actor, self._known = core, actor, known
        self._result = Plan()
        self._lines: dict[str, int] = {}
        self._people = by_name(known.users.values())

    def plan(self, session: Session, rows: list[Row], progress: Progress) -> Plan:
        wanted = []
        for number, row in enumerate(rows, 1):
            try:
                wanted.append(self._read(row))
            except BrokenRule as rule:
                self._result.errors.append(row.error(rule.field, rule))
            if number % _BATCH == 0 or number == len(rows):
                progress(number)
        self._check_macs(session, wanted)
        if not self._result.errors:
            self._write(wanted)
        return self._result

    # --- reading

    def _read(self, row: Row) -> _Wanted:
        given = row.cells
        mac = Mac.parse(given["mac"])
        if mac.digits in self._lines:
            raise DuplicateMac(
                f"{mac} is in line {self._lines[mac.digits]} already.",
                remedy="Give each device one row.",
                field="mac",
            )
        self._lines[mac.digits] = row.line
        device = self._known.devices.get(mac.digits)
        phone = self._kind(given, mac, device)
        site = self._site(given, device)
        check_provable(phone.maker, phone.kind, site)
        values = {
            column: self._value(column, cell, phone.kind)
            for column, cell in given.items()
            if column in ("name", "profile", "pool", "expansion_modules", "users")
        }
        wanted = _Wanted(row, mac, device, phone, site, values)
        self._check_people(wanted)
        return wanted

    def _kind(self, given: Mapping[str, str], mac: Mac, device: Device | None) -> Described:
        if device is None:
            return described(self._core, mac, given.get("vendor"), given.get("model"))
        vendor_id = given.get("vendor", device.vendor or "")
        model_id = given.get("model", (device.model or "") if vendor_id == device.vendor else "")
        vendor = self._core.registry.vendor(vendor_id) if vendor_id else None
        model = self._core.registry.model(vendor.id, model_id) if vendor and model_id else None
        return Described(mac, vendor, model)

    def _site(self, given: Mapping[str, str], device: Device | None) -> Site:
        name = given.get("site", "")
        for site in self._known.sites:
            if site.name == name or (device is not None and not name and site.id == device.site_id):
                return site
        if name:
            raise NotFound(
                f"There is no site '{name[:40]}'.", remedy="Make it first.", field="site"
            )
        return self._known.sites[0]

    def _value(self, column: str, cell: str, model: Model | None) -> Any:
        match column:
            case "name":
                return fields.name("name", cell, empty=True)
            case "pool":
                return cells.yes("pool", cell or "no")
            case "expansion_modules":
                if cell and not (cell.isdecimal() and len(cell) < 4):
                    raise InvalidInput(
                        f"{cell!r:.40} is no number.", remedy="Give 0 or more.", field=column
                    )
                return fitting_modules(model, int(cell or 0))
            case "profile":
                if cell and cell not in self._known.profiles:
                    raise NotFound(
                        f"There is no profile '{cell[:40]}'.", remedy="Make it first.", field=column
                    )
                return self._known.profiles.get(cell)
            case _:
                return [self._person(name) for name in cell.replace(";", " ").split()]

    def _person(self, name: str) -> UUID:
        user = self._people.get(name.lower())
        if user is None:
            raise NotFound(
                f"There is no user '{name[:40]}'.",
                remedy="Give extensions or e-mails, separated by blanks.",
                field="users",
            )
        return user.id

    # --- what contradicts

    def _check_people(self, wanted: _Wanted) -> None:
        seats = self._known.seats(wanted.device)
        count = len(seats) if wanted.device is not None else ports_of(wanted.model)
        before, elsewhere = self._known.people(seats[:1]), self._known.people(seats[1:])
        people = wanted.values.get("users", before)
        if len(set(people)) != len(people):
            raise InvalidInput("A user is named twice.", remedy="Name each once.", field="users")
        if people and not count:
            raise no_station()
        was_pool = any(seat.pool for seat in seats)
        pool = wanted.values.get("pool", was_pool)
        if pool != was_pool or people != before:
            field = "users" if people else "pool"
            check_pool(count, [*people, *elsewhere], pool=pool, field=field)
        if people != before:
            check_lines(wanted.model, [*people, *elsewhere], self._known.accounts)
        kind = seats[0].kind if seats else station_kind(wanted.model)
        if kind in ON_A_DESK:
            self._check_licences([user for user in people if user not in before])

    def _check_licences(self, coming: list[UUID]) -> None:
        """Whether those who did not sit there before may have a phone on a desk."""
        held = self._known.licensed
        for user in coming:
            check_desk(
                self._known.users[user],
                mobile=user in held[LicenceKind.MOBILE],
                pro=user in held[LicenceKind.PRO],
                licensing=self._known.licensing,
            )

    def _check_macs(self, session: Session, wanted: list[_Wanted]) -> None:
        new = {item.mac.digits: item for item in wanted if item.device is None}
        for mac in sheets.taken_macs(session, new):
            rule = DuplicateMac(
                f"{Mac(mac)} is registered already, and not here.", remedy="Retire it there first."
            )
            self._result.errors.append(new[mac].row.error("mac", rule))

    # --- writing

    def _write(self, wanted: list[_Wanted]) -> None:
        new = [item for item in wanted if item.device is None]
        changed = [item for item in wanted if item.device is not None and self._differs(item)]
        self._result.makes, self._result.changes = len(new), len(changed)
        self._result.leaves = len(wanted) - len(new) - len(changed)
        made = [self._made(item) for item in new]
        macs = [item.mac.digits for item in new]
        self._result.writes = [
            lambda session: logs.forget_pending(session, macs),
            lambda session: self._change(session, changed),
            lambda session: _add(session, made),
        ]

    def _differs(self, item: _Wanted) -> bool:
        assert item.device is not None  # noqa: S101 - asked of devices that are there
        now = self._known.shown(item.mac.digits, item.device)
        profiles = {row: name for name, row in self._known.profiles.items()}
        values = item.values
        after = {
            "vendor": item.vendor.id if item.vendor else "",
            "model": item.model.id if item.model else "",
            "site": item.site.name,
        } | {
            column: str(values[column])
            for column in ("name", "expansion_modules")
            if column in values
        }
        if "pool" in values:
            after["pool"] = cells.word(values["pool"])
        if "profile" in values:
            after["profile"] = profiles.get(values["profile"], "")
        if "users" in values:
            after["users"] = " ".join(called(self._known.users[user]) for user in values["users"])
        return any(now[column] != value for column, value in after.items())

    def _made(self, item: _Wanted) -> list[list[Any]]:
        """The rows of a new device, in the order they can be written."""
        values = item.values
        row = device_for(self._core, item.phone, item.site, name=values.get("name", ""))
        row.profile_id = values.get("profile")
        row.expansion_modules = values.get("expansion_modules", 0)
        stations = list(stations_for(row, item.model, pool=values.get("pool", False)))
        trust = trust_for(self._core, row, item.mac)
        windows.open_window(trust, self._core.clock())
        people = values.get("users", [])
        return [
            [row],
            [identity_for(row, item.mac), trust, *stations],
            [_assignment(stations[0], user, place) for place, user in enumerate(people, 1)],
        ]

    def _change(self, session: Session, changed: list[_Wanted]) -> None:
        rows = sheets.by_ids(session, Device, [item.device.id for item in changed if item.device])
        ids = [seat.id for row in rows for seat in self._known.stations.get(row, ())]
        stations = sheets.by_ids(session, Station, ids)
        assigned = sheets.assigned(session, self._actor.organisation)
        for item in changed:
            if item.device is None:
                continue
            row = as_planned(rows, item.device, f"The device {item.mac}")
            _set_kind(row, item)
            for column, name in (("name", "name"), ("profile", "profile_id"),
                                 ("expansion_modules", "expansion_modules")):  # fmt: skip
                if column in item.values:
                    setattr(row, name, item.values[column])
            if "pool" in item.values or "users" in item.values:
                self._seat(session, item, stations, assigned)
        session.flush()

    def _seat(
        self,
        session: Session,
        item: _Wanted,
        stations: Mapping[UUID, Station],
        assigned: Mapping[UUID, list[Assignment]],
    ) -> None:
        """Set what a row says of a device's stations: all are a pool phone's, people have one."""
        seats = [
            as_planned(stations, seat, f"A station of {item.mac}")
            for seat in self._known.seats(item.device)
        ]
        for seat in seats:
            seat.pool = item.values.get("pool", seat.pool)
            planned = self._known.assigned.get(seat.id, [])
            if _standing(assigned.get(seat.id, [])) != _standing(planned):
                raise StaleRevision(f"Others were assigned to {item.mac} meanwhile.", remedy=AGAIN)
        for seat in seats[:1] if "users" in item.values else ():
            _assign(session, seat, assigned.get(seat.id, []), item.values["users"])


def _standing(rows: Sequence[Assignment]) -> list[tuple[UUID, int]]:
    """The rows, and as which they were read."""
    return [(row.id, row.revision) for row in rows]


def _assign(
    session: Session, station: Station, held: Sequence[Assignment], people: Sequence[UUID]
) -> None:
    for row in held:
        if row.user_id not in people:
            session.delete(row)
        else:
            row.position = people.index(row.user_id) + 1
    before = {row.user_id for row in held}
    for place, user in enumerate(people, 1):
        if user not in before:
            session.add(_assignment(station, user, place))


def _set_kind(row: Device, item: _Wanted) -> None:
    vendor = item.vendor.id if item.vendor else None
    model = item.model.id if item.model else None
    if (row.vendor, row.model) != (vendor, model):
        row.vendor, row.model, row.model_confirmed = vendor, model, False
    row.site_id = item.site.id


def _assignment(station: Station, user: UUID, position: int) -> Assignment:
    return Assignment(
        organisation_id=station.organisation_id,
        station_id=station.id,
        user_id=user,
        position=position,
    )


def _add(session: Session, made: list[list[list[Any]]]) -> None:
    """Write new devices, those rows first that others refer to."""
    for stage in range(3):
        session.add_all(row for rows in made for row in rows[stage])
        session.flush()
