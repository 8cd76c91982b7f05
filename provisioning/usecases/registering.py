"""Registering devices, and enrolling softphones, which have no MAC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from provisioning.crypto.passwords import generate_password
from provisioning.crypto.tokens import new_token, token_hash
from provisioning.domain import fields
from provisioning.domain.errors import Conflict, DuplicateMac, InvalidInput
from provisioning.domain.kinds import IdentityKind, StationKind
from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.store import logs, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device, DeviceIdentity, Station
from provisioning.store.organisations import Site
from provisioning.store.security import DeviceTrust, Enrolment
from provisioning.usecases import windows
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.assignments import assign_first
from provisioning.usecases.core import Core
from provisioning.usecases.devices import (
    check_pool,
    check_provable,
    find_device,
    fitting_modules,
    profile_of,
    site_named,
)
from provisioning.usecases.purposes import PURPOSE_PASSWORD, PURPOSE_PHONE, PURPOSE_TOKEN
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model, ModelKind

ENROLMENT = timedelta(minutes=10)
"""How long a softphone's link is good."""

_STATION_KINDS = {
    ModelKind.SOFTPHONE: StationKind.SOFTPHONE,
    ModelKind.ATA: StationKind.ATA_PORT,
}


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device just registered; ``enrolment_url`` is set for one without a MAC."""

    device: Device
    enrolment_url: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a phone that is about to be registered."""

    mac: Mac | None
    maker: Vendor | None
    kind: Model | None


def add_device(
    core: Core,
    actor: Actor,
    *,
    mac: str | None = None,
    vendor: str | None = None,
    model: str | None = None,
    name: str = "",
    site: UUID | str | None = None,
    profile: UUID | str | None = None,
    pool: bool = False,
    expansion_modules: int = 0,
    users: Sequence[UUID | str] = (),
) -> NewDevice:
    """Register a device and open its provisioning window.

    Vendor and model may be left out: they are guessed from the MAC and corrected at the first
    proven fetch. A softphone has no MAC; the answer then holds its enrolment link. ``users`` are
    assigned to it in the same step, in order.

    Raises MalformedMac, DuplicateMac, UnknownVendor, UnknownModel, TrustTooLow, InvalidInput, and
    what ``assignments.assign_station`` does; nothing is stored then.
    """
    actor.require(Permission.WRITE)
    phone = described(core, Mac.parse(mac) if mac else None, vendor, model)
    with changing(core, actor) as session:
        row, trust = register(
            core,
            session,
            phone,
            place=site_named(session, actor, site),
            name=name,
            pool=pool,
        )
        row.profile_id = profile_of(session, actor, profile)
        row.expansion_modules = fitting_modules(phone.kind, expansion_modules)
        if users:
            assign_first(core, session, actor, row, users)
        if phone.mac is not None:
            windows.open_window(trust, core.clock())
            return NewDevice(row)
        return NewDevice(row, _enrol(core, session, row, phone.maker))


def register(
    core: Core,
    session: Session,
    phone: Described,
    *,
    place: Site,
    name: str = "",
    pool: bool = False,
) -> tuple[Device, DeviceTrust]:
    """Make the rows of a device with its stations, within a transaction."""
    mac, maker, kind = phone.mac, phone.maker, phone.kind
    check_provable(maker, kind, place)
    check_pool(ports_of(kind), (), pool=pool, field="pool")
    if mac is not None:
        check_free(session, mac)
    row = device_for(core, phone, place, name=name)
    session.add(row)
    session.flush()
    if mac is not None:
        session.add(identity_for(row, mac))
        logs.forget_pending(session, [mac.digits])
    session.add_all(stations_for(row, kind, pool=pool))
    trust = trust_for(core, row, mac)
    session.add(trust)
    session.flush()
    return row, trust


def check_free(session: Session, mac: Mac) -> None:
    """Raise DuplicateMac where a device of any organisation has a MAC."""
    if queries.active_identity(session, mac):
        raise DuplicateMac(
            f"A device with the MAC {mac} is registered already.",
            remedy="Open that one, or retire it first.",
            field="mac",
        )


def device_for(core: Core, phone: Described, site: Site, *, name: str) -> Device:
    """A new device at a site, with passwords of its own; raises InvalidInput for its name."""
    kind = phone.kind
    return Device(
        organisation_id=site.organisation_id,
        name=fields.name("name", name, empty=True),
        vendor=phone.maker.id if phone.maker else None,
        model=kind.id if kind else None,
        site_id=site.id,
        nomadic=kind is not None and kind.kind is ModelKind.SOFTPHONE,
        admin_password_encrypted=core.cipher.encrypt(generate_password(12), PURPOSE_PHONE),
        user_password_encrypted=core.cipher.encrypt(generate_password(12), PURPOSE_PHONE),
    )


def identity_for(row: Device, mac: Mac) -> DeviceIdentity:
    """That a new device has this MAC."""
    return DeviceIdentity(
        organisation_id=row.organisation_id,
        device_id=row.id,
        kind=IdentityKind.MAC,
        value=mac.digits,
    )


def described(core: Core, mac: Mac | None, vendor: str | None, model: str | None) -> Described:
    """What is told of a phone, and what its MAC lets one guess of the rest."""
    if mac is None and vendor is None:
        raise InvalidInput(
            "A device needs a MAC, or a vendor whose phones have none.",
            remedy='Give "mac", or "vendor": "linphone" for a softphone.',
            field="mac",
        )
    maker = core.registry.vendor(vendor) if vendor else None
    if maker is None and mac is not None:
        maker = next(iter(core.registry.by_oui(mac)), None)
    if model:
        if maker is None:
            raise InvalidInput(
                f"The vendor of {mac} is not known by its MAC.",
                remedy='Give "vendor" with the model.',
                field="vendor",
            )
        return Described(mac, maker, core.registry.model(maker.id, model))
    models = maker.data.models if maker else ()
    only = models[0] if len(models) == 1 else None
    if mac is None and maker is not None and not _goes_without_mac(maker):
        raise InvalidInput(
            f"Phones of {maker.data.name} are known by their MAC.",
            remedy='Give "mac".',
            field="mac",
        )
    return Described(mac, maker, only)


def _goes_without_mac(vendor: Vendor) -> bool:
    return any(model.kind is ModelKind.SOFTPHONE for model in vendor.data.models)


def ports_of(model: Model | None) -> int:
    """How many stations a device of that model has of its own; a base has none."""
    if model is None:
        return 1
    if model.kind is ModelKind.DECT_BASE:
        return 0
    return (model.lines or 1) if model.kind is ModelKind.ATA else 1


def station_kind(model: Model | None) -> StationKind:
    """What the stations are that a device of that model has of its own."""
    return (
        _STATION_KINDS.get(model.kind, StationKind.DESK_PHONE) if model else StationKind.DESK_PHONE
    )


def stations_for(row: Device, model: Model | None, *, pool: bool) -> Iterator[Station]:
    """The stations a new device has of its own."""
    ports = ports_of(model)
    for position in range(1, ports + 1):
        yield Station(
            organisation_id=row.organisation_id,
            device_id=row.id,
            kind=station_kind(model),
            name=row.name if ports == 1 else f"{row.name} port {position}".strip(),
            position=position,
            pool=pool,
            nomadic=row.nomadic,
        )


def trust_for(core: Core, row: Device, mac: Mac | None) -> DeviceTrust:
    """The credentials of a new device; its window is not open yet."""
    token = new_token()
    trust = DeviceTrust(
        organisation_id=row.organisation_id,
        device_id=row.id,
        token_hash=token_hash(token),
        token_encrypted=core.cipher.encrypt(token, PURPOSE_TOKEN),
        username=f"{mac.digits if mac else 'device'}-{row.id.hex[-12:]}",
        password_encrypted=core.cipher.encrypt(generate_password(), PURPOSE_PASSWORD),
    )
    windows.give_screen_token(core, trust)
    return trust


# --- enrolment of softphones


def _enrol(core: Core, session: Session, row: Device, vendor: Vendor | None) -> str:
    windows.use_enrolments(session, row, core.clock())
    token = new_token()
    session.add(
        Enrolment(
            organisation_id=row.organisation_id,
            device_id=row.id,
            token_hash=token_hash(token),
            expires_at=core.clock() + ENROLMENT,
        )
    )
    windows.open_window(queries.trust_of(session, row.id), core.clock())
    files = vendor.data.files if vendor else ()
    name = next((rule.pattern for rule in files if "{" not in rule.pattern), "")
    return f"{core.places.https or core.places.http}/t/{token}/{name}"


def enrol(core: Core, actor: Actor, device: UUID | str) -> str:
    """A new enrolment link for a device without a MAC; former links end."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = find_device(session, actor, device)
        if queries.macs(session, [row.id]):
            raise Conflict(
                "A phone with a MAC is not enrolled by link.",
                remedy="POST …/window opens its provisioning window.",
            )
        return _enrol(core, session, row, core.registry.vendors.get(row.vendor or ""))
