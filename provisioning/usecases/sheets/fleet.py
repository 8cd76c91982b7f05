"""An organisation's devices as it has them now, and as a sheet shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from provisioning.domain.kinds import LicenceKind
from provisioning.domain.mac import Mac
from provisioning.store import sheets
from provisioning.store.database import Session
from provisioning.store.devices import Assignment, Device, Station
from provisioning.store.organisations import Organisation, Profile, Site
from provisioning.store.people import User
from provisioning.usecases.sheets import cells
from provisioning.usecases.sheets.names import called

COLUMNS = (
    "mac", "vendor", "model", "name", "site", "profile", "pool", "expansion_modules", "users",
)  # fmt: skip


@dataclass
class Known:
    """The organisation as it is before the import."""

    devices: dict[str, Device]
    sites: list[Site]
    profiles: dict[str, UUID]
    stations: dict[UUID, list[Station]]
    assigned: dict[UUID, list[Assignment]]
    users: dict[UUID, User]
    accounts: Mapping[UUID, int]
    licensed: dict[LicenceKind, set[UUID]]
    licensing: bool

    @classmethod
    def read(cls, session: Session, organisation: UUID) -> Known:
        """What an organisation has, in as many statements however much it is."""
        return cls(
            devices={mac: row for row, mac in sheets.live_devices(session, organisation)},
            sites=sheets.all_of(session, Site, organisation),
            profiles={row.name: row.id for row in sheets.all_of(session, Profile, organisation)},
            stations=sheets.stations(session, organisation),
            assigned=sheets.assigned(session, organisation),
            users={row.id: row for row in sheets.all_of(session, User, organisation)},
            accounts=sheets.accounts_per_user(session, organisation),
            licensed=sheets.licensed(session, organisation),
            licensing=session.get_one(Organisation, organisation).licensing,
        )

    def seats(self, device: Device | None) -> Sequence[Station]:
        """The stations a device has of its own, in order; a new one has none yet."""
        return self.stations.get(device.id, ()) if device is not None else ()

    def people(self, stations: Sequence[Station]) -> list[UUID]:
        """Who is assigned to stations, in order."""
        return [row.user_id for seat in stations for row in self.assigned.get(seat.id, ())]

    def shown(self, mac: str, device: Device) -> dict[str, str]:
        """A device as the sheet shows it."""
        seats = self.seats(device)
        profiles = {row: name for name, row in self.profiles.items()}
        return {
            "mac": str(Mac(mac)),
            "vendor": device.vendor or "",
            "model": device.model or "",
            "name": device.name,
            "site": next(site.name for site in self.sites if site.id == device.site_id),
            "profile": profiles.get(device.profile_id, "") if device.profile_id else "",
            "pool": cells.word(any(seat.pool for seat in seats)),
            "expansion_modules": str(device.expansion_modules),
            "users": " ".join(called(self.users[user]) for user in self.people(seats[:1])),
        }


def export_devices(session: Session, organisation: UUID) -> str:
    """The devices of an organisation that have a MAC, as CSV; importing it changes nothing."""
    known = Known.read(session, organisation)
    rows = (known.shown(mac, device) for mac, device in known.devices.items())
    return cells.write(COLUMNS, ([row[column] for column in COLUMNS] for row in rows))
