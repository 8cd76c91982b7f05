"""The labels of a site's phones, and giving a phone a new one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from provisioning.domain.effective import Layer, Origin, resolve
from provisioning.domain.errors import NotFound
from provisioning.domain.hotdesk import takes_logins
from provisioning.domain.ids import is_label_code, new_label_code
from provisioning.domain.kinds import DeviceState, Hotdesking
from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Level, Scope
from provisioning.domain.wording import closest
from provisioning.store import labels, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device, Station
from provisioning.store.organisations import Site
from provisioning.store.persons import Place
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.labels.sheet import Label, drawn
from provisioning.usecases.phones import stored_value
from provisioning.usecases.seats import called

_GONE = frozenset({DeviceState.BLOCKED, DeviceState.RETIRED})


@dataclass(frozen=True, slots=True)
class Labelled:
    """A station that has a label, and the phone and site it is part of."""

    station: Station
    device: Device
    site: Site
    mac: Mac | None

    @property
    def title(self) -> str:
        """What people call it."""
        return called(Place(self.station, self.device), self.mac)

    @property
    def takes_logins(self) -> bool:
        """Whether people log in there at all."""
        return takes_logins(Hotdesking(self.station.hotdesking), pool=self.station.pool)


def site_labels(core: Core, actor: Actor, site: UUID | str) -> bytes:
    """A PDF with a label for each station of a site that takes logins; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, Site, actor.organisation, site)
        found = [each for each in _at(session, row) if each.takes_logins]
        language = _language(core, session, row)
    return drawn((_label(core, each) for each in found), language)


def station_label(core: Core, actor: Actor, station: UUID | str) -> bytes:
    """A PDF with the label of one station, whether or not it takes logins; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        found = _in_use(session, actor, station)
        language = _language(core, session, found.site)
    return drawn([_label(core, found)], language)


def renew_label(core: Core, actor: Actor, station: UUID | str) -> str:
    """Give a station a new label, after which the old one leads nowhere; returns its address."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        found = _in_use(session, actor, station)
        found.station.label_code = new_label_code()
        return address(core, found.station)


def address(core: Core, station: Station) -> str:
    """Where a station's label leads."""
    return f"{core.places.people}/take/{station.label_code}"


def by_code(session: Session, code: str) -> Labelled:
    """The station a label names, in whatever organisation.

    Raises NotFound for a code that is none, that is of no station, and of a phone that is blocked
    or retired.
    """
    row = labels.station_by_code(session, code) if is_label_code(code) else None
    found = labelled(session, row) if row is not None and row.device_id else None
    if found is None or found.device.state in _GONE:
        raise gone()
    return found


def gone() -> NotFound:
    """One answer for every label that leads nowhere, or not for whoever asks."""
    return NotFound("There is no phone with this label.", remedy="Ask an admin for a new label.")


def labelled(session: Session, station: Station) -> Labelled:
    """A station with the phone it is part of, whatever state that is in; NotFound for a handset.

    A handset is no one place's: it goes about with people, and is logged in at by dial code.
    """
    if station.device_id is None:
        raise NotFound("A handset has no label.", remedy="Name a phone's station.")
    device = session.get_one(Device, station.device_id)
    mac = queries.macs(session, [device.id]).get(device.id)
    return Labelled(station, device, session.get_one(Site, device.site_id), mac)


def _in_use(session: Session, actor: Actor, station: UUID | str) -> Labelled:
    found = labelled(session, queries.get(session, Station, actor.organisation, station))
    if found.device.state in _GONE:
        raise NotFound("The phone is blocked or retired.", remedy="Name one that is in use.")
    return found


def _at(session: Session, site: Site) -> list[Labelled]:
    rows = labels.stations_at(session, site.id, _GONE)
    macs = queries.macs(session, [device.id for _, device in rows])
    found = [Labelled(station, device, site, macs.get(device.id)) for station, device in rows]
    return sorted(found, key=lambda each: (each.title.casefold(), each.station.id))


def _label(core: Core, found: Labelled) -> Label:
    return Label(found.title, found.site.name, address(core, found.station))


def _language(core: Core, session: Session, site: Site) -> str:
    """The language of a site's phones."""
    owners = [
        (str(Level.ORGANISATION), site.organisation_id),
        (str(Level.SITE), site.id),
    ]
    layers: Iterable[Layer] = (
        Layer(row.key, stored_value(row, core.cipher), Origin(Level(row.level)), row.locked)
        for row in queries.settings_at(session, owners)
        if row.key == "language"
    )
    return closest([str(resolve(layers, scope=Scope.DEVICE)["language"].value)])
