"""Devices: changing, blocking, retiring, and their ways to us."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    PoolPhone,
    StillInUse,
    TrustTooLow,
)
from provisioning.domain.kinds import DectRole, DeviceState, SessionEnd
from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.domain.trust import GRADES
from provisioning.store import access, dect, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.organisations import Profile, Site
from provisioning.store.security import DeviceTrust
from provisioning.usecases import windows
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.moving import can_prove, token_url
from provisioning.usecases.purposes import PURPOSE_PASSWORD
from provisioning.usecases.seats import end_at
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model


def find_device(session: Session, actor: Actor, named: UUID | str) -> Device:
    """The organisation's device of that UUID or MAC; raises NotFound."""
    if isinstance(named, UUID) or len(named) == 36:
        return queries.get(session, Device, actor.organisation, named)
    row = queries.device_by_mac(session, Mac.parse(named), actor.organisation)
    if row is None:
        raise NotFound(
            f"There is no device {named[:40]}.", remedy="Register it: POST /api/v1/devices."
        )
    return row


# --- changing


def change_device(
    core: Core, actor: Actor, device: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Device:  # fmt: skip
    """Change a device; raises NotFound, InvalidInput, UnknownModel, TrustTooLow, PoolPhone."""
    actor.require(Permission.WRITE)
    given = dict(changes)
    with changing(core, actor) as session:
        row = find_device(session, actor, device)
        expect(row, revision)
        with session.no_autoflush:
            _change_kind(core, row, given)
            _change_place(core, session, actor, row, given)
            if "pool" in given:
                _set_pool(session, row, pool=bool(given.pop("pool")))
            if "state" in given:
                _set_state(session, row, str(given.pop("state")))
            change(row, given, _FIELDS)
        return row


_FIELDS: dict[str, Check] = {"name": lambda value: fields.name("name", value, empty=True)}


def _change_kind(core: Core, row: Device, given: dict[str, Any]) -> None:
    if "vendor" in given or "model" in given:
        vendor_id = given.pop("vendor", row.vendor)
        model_name = given.pop("model", row.model if vendor_id == row.vendor else None)
        vendor = core.registry.vendor(vendor_id) if vendor_id else None
        model = core.registry.model(vendor.id, model_name) if vendor and model_name else None
        row.vendor = vendor.id if vendor else None
        row.model = model.id if model else None
        row.model_confirmed = False
    if "expansion_modules" in given:
        vendor = core.registry.vendors.get(row.vendor or "")
        model = vendor.model(row.model) if vendor and row.model else None
        row.expansion_modules = fitting_modules(model, int(given.pop("expansion_modules")))


def _change_place(
    core: Core, session: Session, actor: Actor, row: Device, given: dict[str, Any]
) -> None:
    if "site" in given:
        site = site_named(session, actor, given.pop("site"))
        vendor = core.registry.vendors.get(row.vendor or "")
        model = vendor.model(row.model) if vendor and row.model else None
        check_provable(vendor, model, site)
        row.site_id = site.id
    if "profile" in given:
        row.profile_id = profile_of(session, actor, given.pop("profile"))


def _set_pool(session: Session, row: Device, *, pool: bool) -> None:
    stations = queries.stations_of(session, row.id)
    people = queries.assignments_at(session, [station.id for station in stations])
    check_pool(len(stations), people, pool=pool, field="pool")
    for station in stations:
        station.pool = pool


def _set_state(session: Session, row: Device, state: str) -> None:
    """Block or unblock; retiring is ``retire_device``."""
    wanted = fields.word("state", state, DeviceState)
    if wanted == row.state:
        return
    if DeviceState.RETIRED in (row.state, wanted):
        raise Conflict(
            f"A device cannot go from '{row.state}' to '{wanted}' by a change.",
            remedy="DELETE retires a device; register a retired one anew.",
            field="state",
        )
    row.blanked_at = None
    if wanted == DeviceState.BLOCKED:
        row.state = DeviceState.BLOCKED
        return
    adopted = queries.trust_of(session, row.id).adopted_at is not None
    row.state = DeviceState.ADOPTED if adopted else DeviceState.REGISTERED


def retire_device(
    core: Core, actor: Actor, device: UUID | str, revision: int | None = None
) -> None:
    """Retire a device: its users leave it, its MAC is free, one blanking file waits for it.

    Raises StillInUse for the manager of a DECT system with handsets.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = find_device(session, actor, device)
        expect(row, revision)
        retire(core, session, row)


def retire(core: Core, session: Session, row: Device) -> None:
    """Retire a device within a transaction; raises as ``retire_device`` does."""
    stations = queries.stations_of(session, row.id)
    end_at(core, session, stations, SessionEnd.RETIRED)
    _leave_system(session, row)
    row.state = DeviceState.RETIRED
    row.blanked_at = None
    for identity in queries.identities(session, row.id):
        identity.active = False
    for assignment in queries.assignments_at(session, [station.id for station in stations]):
        session.delete(assignment)
    windows.use_enrolments(session, row, core.clock())


def _leave_system(session: Session, row: Device) -> None:
    """Take a base out of its DECT system; a manager with handsets is replaced first."""
    membership = dect.membership(session, row.id)
    if membership is None:
        return
    placed = any(station for _, station in dect.places(session, membership.system_id))
    if membership.role == DectRole.MANAGER and placed:
        raise StillInUse(
            "This base is the manager of a DECT system with handsets.",
            remedy="Replace the manager first; everything else stays as it is.",
        )
    session.delete(membership)


# --- what a registration and a change have in common


def site_named(session: Session, actor: Actor, site: UUID | str | None) -> Site:
    """The organisation's site of that id or name, else its first one."""
    if site is None:
        return access.first_site(session, actor.organisation)
    if isinstance(site, str) and len(site) != 36:
        found = queries.named(session, Site, actor.organisation, site)
        if found is None:
            raise NotFound(f"There is no site '{site[:40]}'.", remedy="GET /api/v1/sites.")
        return found
    return queries.get(session, Site, actor.organisation, site)


def profile_of(session: Session, actor: Actor, profile: UUID | str | None) -> UUID | None:
    """The id of the organisation's profile, if one is named."""
    if profile is None:
        return None
    return queries.get(session, Profile, actor.organisation, profile).id


def check_provable(vendor: Vendor | None, model: Model | None, site: Site) -> None:
    """Refuse a model that could never fetch a secret file at its site."""
    if vendor is None:
        return
    most, least = can_prove(vendor, model), GRADES[site.minimum_trust]
    if most < least:
        what = f"{vendor.data.name} {model.id}" if model else vendor.data.name
        raise TrustTooLow(
            f"The site '{site.name}' asks for '{least.word}', which a {what} can never prove "
            f"(at most '{most.word}').",
            remedy=f'PATCH /api/v1/sites/{site.id} {{"minimum_trust": "{most.word}"}}, or choose '
            "another site.",
            field="site",
        )


def check_pool(stations: int, people: Collection[object], *, pool: bool, field: str) -> None:
    """Whether a device with so many stations and these people may be a pool phone.

    Raises InvalidInput for one without a station of its own, PoolPhone for one that is somebody's.
    """
    if pool and not stations:
        raise InvalidInput(
            "A device without a station of its own is no pool phone.",
            remedy="Leave 'pool' off; people log in on the handsets of its DECT system.",
            field=field,
        )
    if pool and people:
        raise PoolPhone(
            "Users are assigned to this phone; a pool phone belongs to whoever comes.",
            remedy="Take the assignments away, or let it be no pool phone, first.",
            field=field,
        )


def no_station() -> NotFound:
    """The refusal to assign anybody to a device that only carries others' stations."""
    return NotFound(
        "The device has no station of its own.",
        remedy="Assign users to the handsets of its DECT system.",
        field="users",
    )


def fitting_modules(model: Model | None, count: int) -> int:
    """The number of expansion modules, if the model takes so many; else InvalidInput."""
    most = model.expansion.modules if model and model.expansion else 0
    if count < 0 or (model is not None and count > most) or count > 10:
        raise InvalidInput(
            f"{count} expansion modules do not fit.",
            remedy=f"{model.id if model else 'The phone'} takes at most {most if model else 10}.",
            field="expansion_modules",
        )
    return count


# --- the ways to us


@dataclass(frozen=True, slots=True)
class Ways:
    """How a device reaches us: its token URLs, and the challenged ones with its credentials.

    ``http_token_url`` is empty where the site does not allow tokens over plain HTTP.
    """

    token_url: str
    http_token_url: str
    password_url: str
    username: str
    password: str


def provisioning_urls(core: Core, actor: Actor, device: UUID | str) -> Ways:
    """A device's own URLs and credentials; raises Forbidden without the permission."""
    actor.require(Permission.SECRETS)
    with core.database.read() as session:
        row = find_device(session, actor, device)
        trust = queries.trust_of(session, row.id)
        plain = core.places.http and session.get_one(Site, row.site_id).allow_http
    return Ways(
        token_url=token_url(core, trust) if core.places.https else "",
        http_token_url=token_url(core, trust, tls=False) if plain else "",
        password_url=f"{core.places.https or core.places.http}/a/",
        username=trust.username,
        password=core.cipher.decrypt(trust.password_encrypted, PURPOSE_PASSWORD),
    )


def reopen_window(core: Core, actor: Actor, device: UUID | str) -> DeviceTrust:
    """Open a device's provisioning window again; its token is replaced.

    Whoever was bound before is forgotten, and the alarm is cleared.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = find_device(session, actor, device)
        trust = queries.trust_of(session, row.id, lock=True)
        windows.open_window(trust, core.clock())
        windows.replace_token(core, trust, keep_previous=True)
        return trust
