"""Swapping: another phone takes a broken one's place, and all but the identity moves to it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from uuid import UUID

from provisioning.domain.errors import CapacityExceeded, Conflict, InvalidInput
from provisioning.domain.kinds import DectRole, DeviceState, StationKind
from provisioning.domain.mac import Mac
from provisioning.domain.phone import Provisioning
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Level
from provisioning.render.losses import losses
from provisioning.store import dect, hotdesk, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device, Station
from provisioning.store.organisations import Site
from provisioning.store.snapshots import snapshot
from provisioning.usecases import windows
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.assignments import assigned_users
from provisioning.usecases.core import Core
from provisioning.usecases.dect import check_room, locked_system
from provisioning.usecases.devices import check_provable, find_device, fitting_modules, retire
from provisioning.usecases.licences import check_seat
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.registering import (
    Described,
    check_free,
    described,
    ports_of,
    register,
    station_kind,
)
from provisioning.usecases.releases import vacate
from provisioning.usecases.reporting import reported
from provisioning.vendors.schema import Model, ModelKind


@dataclass(frozen=True, slots=True)
class Swap:
    """What a swap did, or would do: the new device, None where it was only asked.

    ``losses`` say what the new model cannot do of what is asked of the phone.
    """

    device: Device | None
    losses: tuple[str, ...]


def swap_device(
    core: Core,
    actor: Actor,
    device: UUID | str,
    *,
    mac: str,
    vendor: str | None = None,
    model: str | None = None,
    dry_run: bool = False,
) -> Swap:
    """Put a phone of another MAC in a device's place.

    Stations with their people and accounts, keys, settings, profile, site and DECT membership
    move; the old MAC is retired. Without ``model`` a phone of the same vendor is taken for one of
    the same model until it says otherwise. ``dry_run`` only tells the losses.

    Raises NotFound, MalformedMac, DuplicateMac, UnknownVendor, UnknownModel, TrustTooLow,
    InvalidInput for a base in the place of a phone, Conflict for a retired device, and
    CapacityExceeded where people would lose their port or slot, MobileOnly or NeedsProLicence
    where one of them may not have the new kind of phone; a dry run raises them too.
    """
    actor.require(Permission.WRITE)
    address = Mac.parse(mac)
    reading: AbstractContextManager[Session] = core.database.read()
    with reading if dry_run else changing(core, actor) as session:
        old = find_device(session, actor, device)
        if not dry_run:
            hotdesk.take_seats(session, actor.organisation)
        phone = _described(core, old, address, vendor, model)
        check_free(session, address)
        _check(session, old, phone)
        told = _losses(core, session, old, phone)
        if dry_run:
            return Swap(None, told)
        place = session.get_one(Site, old.site_id)
        new, trust = register(core, session, phone, place=place, name=old.name)
        windows.open_window(trust, core.clock())
        _move(session, old, new, phone.kind)
        _move_stations(core, session, old, new)
        _move_membership(core, session, actor, old, new)
        session.flush()
        retire(core, session, old)
        return Swap(new, told)


def _described(
    core: Core, old: Device, mac: Mac, vendor: str | None, model: str | None
) -> Described:
    guessed = {item.id for item in core.registry.by_oui(mac)}
    wanted = vendor or (old.vendor if old.vendor in guessed else None)
    told = described(core, mac, wanted, model)
    if told.kind is None and told.maker is not None and told.maker.id == old.vendor:
        return replace(told, kind=told.maker.model(old.model) if old.model else None)
    return told


def _check(session: Session, old: Device, phone: Described) -> None:
    kind = phone.kind
    if old.state == DeviceState.RETIRED:
        raise Conflict(
            "The device is retired; nothing is left of it to move.",
            remedy="Register the new phone and assign its users.",
        )
    check_provable(phone.maker, kind, session.get_one(Site, old.site_id))
    stations = queries.stations_of(session, old.id)
    based = dect.membership(session, old.id) is not None
    base = kind is not None and kind.kind is ModelKind.DECT_BASE
    if kind is not None and base is not (based or not stations):
        raise InvalidInput(
            f"A {kind.id} is {'a' if base else 'no'} DECT base, other than the old device.",
            remedy="A base takes the place of a base, a phone that of a phone.",
            field="model",
        )
    for station in stations[ports_of(kind) :] if not based else ():
        if _occupied(session, station):
            raise CapacityExceeded(
                f"Somebody has the port {station.position}, which the new device lacks.",
                remedy="Log them out, or take their assignment or account away, first.",
                field="model",
            )
    if not based:
        _check_licences(session, stations, station_kind(kind))


def _check_licences(session: Session, stations: Sequence[Station], kind: StationKind) -> None:
    """Whether those who sit at stations may, once these are of another kind."""
    for station in stations:
        if station.kind != kind:
            check_seat(session, station, assigned_users(session, station.id), kind=kind)


def _occupied(session: Session, station: Station) -> bool:
    people = queries.assignments_at(session, [station.id])
    accounts = queries.accounts_of(session, stations=[station.id])
    return bool(people or accounts or hotdesk.open_at(session, [station.id]))


def _losses(core: Core, session: Session, old: Device, new: Described) -> tuple[str, ...]:
    """What the new model cannot do of what is asked of the phone now, before it is changed."""
    if new.maker is None:
        return (f"The vendor of {new.mac} is not known, nor what its phones cannot do.",)
    facts = Facts(new.kind.id if new.kind else "")
    rows = snapshot(session, old)
    phone = build_phone(
        rows, core.cipher, facts=facts, provisioning=Provisioning(), now=core.clock()
    )
    phone = reported(session, rows, phone)
    told = losses(replace(phone, mac=new.mac, model=facts.model, firmware=""), new.maker)
    most = _most_modules(new.kind)
    if old.expansion_modules > most:
        told.append(f"{old.expansion_modules} expansion modules are attached; it takes {most}.")
    return tuple(told)


def _most_modules(kind: Model | None) -> int:
    return kind.expansion.modules if kind and kind.expansion else 0


def _move(session: Session, old: Device, new: Device, kind: Model | None) -> None:
    """Give the new device what stands in the old one's row, its settings and its keys."""
    new.profile_id, new.firmware_channel = old.profile_id, old.firmware_channel
    fitting = min(old.expansion_modules, _most_modules(kind))
    new.expansion_modules = fitting_modules(kind, fitting)
    if old.state == DeviceState.BLOCKED:
        new.state = DeviceState.BLOCKED
    owner = [(str(Level.DEVICE), old.id)]
    for value in queries.settings_at(session, owner):
        value.owner_id = new.id
    for key in queries.keys_at(session, owner):
        key.owner_id = new.id


def _move_stations(core: Core, session: Session, old: Device, new: Device) -> None:
    """Put the old stations in the new ones' place, so that all that refers to them moves along."""
    fresh = queries.stations_of(session, new.id)
    former = queries.stations_of(session, old.id)
    member = dect.membership(session, old.id) is not None
    kinds = [(station.kind, station.nomadic) for station in fresh]
    for station in fresh if member else fresh[: len(former)]:
        session.delete(station)
    session.flush()
    kept = 0 if member else len(kinds)
    vacate(core, session, former[kept:])
    for station in former[kept:]:
        session.delete(station)
    for station, (kind, nomadic) in zip(former[:kept], kinds, strict=False):
        station.device_id = new.id
        station.kind, station.nomadic = kind, nomadic
    for row in hotdesk.open_at(session, [station.id for station in former[:kept]]).values():
        row.native = False  # the new phone holds nobody by itself
    session.flush()


def _move_membership(core: Core, session: Session, actor: Actor, old: Device, new: Device) -> None:
    member = dect.membership(session, old.id)
    if member is None:
        return
    system = locked_system(session, actor, member.system_id)
    member.device_id = new.id
    session.flush()
    if member.role == DectRole.MANAGER:
        check_room(core, session, system)
