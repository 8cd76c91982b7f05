"""DECT systems and the devices they consist of; their handsets are in ``handsets``."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import (
    CapacityExceeded,
    Conflict,
    DuplicateName,
    InvalidInput,
    NotFound,
    StillInUse,
)
from provisioning.domain.kinds import DectRole, DeviceState
from provisioning.domain.roles import Permission
from provisioning.store import dect, queries
from provisioning.store.database import Session
from provisioning.store.devices import DectMember, DectSystem, Device
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device, site_named
from provisioning.usecases.pages import Page, page_of, row_of
from provisioning.usecases.purposes import PURPOSE_DECT
from provisioning.usecases.releases import vacate
from provisioning.vendors.schema import ModelKind

LARGEST_SLOT = 65535
"""A number no system reaches; how many it has is its capacity."""

_ACCESS_CODE = re.compile(r"[0-9]{4}")
_WEAK = frozenset({"1234", "4321", *(digit * 4 for digit in "0123456789")})


def access_code(value: str | None) -> str:
    """The access code a handset is subscribed with: 4 digits, which every base takes.

    None generates one. Raises InvalidInput.
    """
    if value is None:
        while (code := f"{secrets.randbelow(10_000):04d}") in _WEAK:
            pass
        return code
    if not isinstance(value, str) or not _ACCESS_CODE.fullmatch(value):
        raise InvalidInput(
            "The access code is not 4 digits.",
            remedy="Give 4 digits, or leave it out to have one made.",
            field="access_code",
        )
    return value


def _slots(value: int | None) -> int | None:
    if value is not None and not 1 <= value <= LARGEST_SLOT:
        raise InvalidInput(
            f"{value} is no number of slots.",
            remedy=f"Give 1 to {LARGEST_SLOT}, or null where the bases do not say.",
            field="capacity",
        )
    return value


# --- systems


def add_system(
    core: Core,
    actor: Actor,
    *,
    name: str,
    site: UUID | str | None = None,
    capacity: int | None = None,
    code: str | None = None,
) -> DectSystem:
    """Make a DECT system; without a code one is generated.

    ``capacity`` is the number of slots; None takes what the manager's model says, if it does.
    Raises NotFound, DuplicateName or InvalidInput.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = DectSystem(
            organisation_id=actor.organisation,
            name=fields.name("name", name),
            site_id=site_named(session, actor, site).id,
            capacity=_slots(capacity),
            access_code_encrypted=core.cipher.encrypt(access_code(code), PURPOSE_DECT),
        )
        _unique_name(session, row)
        session.add(row)
        return row


def list_systems(core: Core, actor: Actor, page: Page) -> list[DectSystem]:
    """A page of the organisation's DECT systems."""
    return page_of(core, actor, DectSystem, page)


def read_system(core: Core, actor: Actor, system: UUID | str) -> DectSystem:
    """One DECT system; raises NotFound."""
    return row_of(core, actor, DectSystem, system)


def system_code(core: Core, actor: Actor, system: UUID | str) -> str:
    """The access code in clear; raises Forbidden without the permission."""
    actor.require(Permission.SECRETS)
    row = read_system(core, actor, system)
    return core.cipher.decrypt(row.access_code_encrypted, PURPOSE_DECT)


def change_system(
    core: Core, actor: Actor, system: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> DectSystem:  # fmt: skip
    """Change name, site, capacity or access code; slots in use are never cut off.

    Raises NotFound, DuplicateName, CapacityExceeded, InvalidInput or StaleRevision.
    """
    actor.require(Permission.WRITE)
    given = dict(changes)
    with changing(core, actor) as session:
        row = locked_system(session, actor, system)
        expect(row, revision)
        with session.no_autoflush:
            if "site" in given:
                row.site_id = site_named(session, actor, given.pop("site")).id
            if "access_code" in given:
                code = access_code(given.pop("access_code"))
                row.access_code_encrypted = core.cipher.encrypt(code, PURPOSE_DECT)
            change(row, given, _FIELDS)
            _unique_name(session, row)
        session.flush()
        check_room(core, session, row)
        return row


_FIELDS: dict[str, Check] = {
    "name": lambda value: fields.name("name", value),
    "capacity": _slots,
}


def delete_system(
    core: Core, actor: Actor, system: UUID | str, revision: int | None = None
) -> None:
    """Delete a system without handsets; its devices stay registered. Raises StillInUse."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = locked_system(session, actor, system)
        expect(row, revision)
        if any(station for _, station in dect.places(session, row.id)):
            raise StillInUse(
                f"Handsets are in the DECT system '{row.name}'.",
                remedy="Move them to another system or remove them first.",
            )
        session.delete(row)


def locked_system(session: Session, actor: Actor, system: UUID | str) -> DectSystem:
    """The organisation's system of that id, locked against other changes of its slots."""
    row = queries.get(session, DectSystem, actor.organisation, system)
    dect.lock_system(session, row)
    return row


def _unique_name(session: Session, row: DectSystem) -> None:
    other = queries.named(session, DectSystem, row.organisation_id, row.name)
    if other is not None and other.id != row.id:
        raise DuplicateName(
            f"There is already a DECT system '{row.name}'.",
            remedy="Choose another name.",
            field="name",
        )


# --- how many handsets fit


def capacity_of(core: Core, session: Session, system: DectSystem) -> int | None:
    """The number of slots: the system's own, else what its manager or its model says.

    None while unknown. A base that counts its handsets itself knows of licences we do not.
    """
    if system.capacity is not None:
        return system.capacity
    found = dect.manager(session, system.id)
    if found is None:
        return None
    if found[1].handsets:
        return found[1].handsets
    vendor = core.registry.vendors.get(found[1].vendor or "")
    model = vendor.model(found[1].model) if vendor and found[1].model else None
    return model.handsets if model else None


def check_room(core: Core, session: Session, system: DectSystem) -> None:
    """Refuse a change that leaves a handset in a slot the system no longer has."""
    capacity = capacity_of(core, session, system)
    used = [slot.number for slot, station in dect.places(session, system.id) if station]
    if capacity is not None and used and used[-1] > capacity:
        raise CapacityExceeded(
            f"The DECT system '{system.name}' would have {capacity} slots, and a handset is in "
            f"slot {used[-1]}.",
            remedy="Move it to a lower slot first.",
            field="capacity",
        )


# --- members


def list_members(core: Core, actor: Actor, system: UUID | str) -> list[tuple[DectMember, Device]]:
    """A system's members with their devices, in order."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, DectSystem, actor.organisation, system)
        return dect.members(session, row.id)


def add_member(
    core: Core,
    actor: Actor,
    system: UUID | str,
    device: UUID | str,
    *,
    role: str | None = None,
    cluster: int = 1,
    sync_level: int = 1,
) -> DectMember:
    """Put a device into a system: as its manager if it has none, else as a base.

    Raises NotFound, InvalidInput for a device that is no base, Conflict for one that is in a
    system already or for a second manager, CapacityExceeded for a manager too small.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = locked_system(session, actor, system)
        base = _base(core, session, actor, device)
        if dect.membership(session, base.id) is not None:
            raise Conflict(
                "The device is in a DECT system already.",
                remedy="Remove it there first.",
                field="device",
            )
        present = [member for member, _ in dect.members(session, row.id)]
        managed = any(member.role == DectRole.MANAGER for member in present)
        wanted = role or (DectRole.BASE if managed else DectRole.MANAGER)
        if fields.word("role", wanted, DectRole) == DectRole.MANAGER and managed:
            raise Conflict(
                f"The DECT system '{row.name}' has a manager.",
                remedy="Replace the manager instead, which keeps everything.",
                field="role",
            )
        member = DectMember(
            organisation_id=actor.organisation,
            system_id=row.id,
            device_id=base.id,
            role=wanted,
            position=max((other.position for other in present), default=0) + 1,
            cluster=_count("cluster", cluster),
            sync_level=_count("sync_level", sync_level),
        )
        session.add(member)
        session.flush()
        check_room(core, session, row)
        return member


def change_member(
    core: Core, actor: Actor, system: UUID | str, device: UUID | str, changes: Mapping[str, Any]
) -> DectMember:
    """Change a member's cluster or level of synchronisation; raises NotFound or InvalidInput."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, DectSystem, actor.organisation, system)
        member = _member(session, row, find_device(session, actor, device))
        change(member, changes, _MEMBER_FIELDS)
        return member


def remove_member(core: Core, actor: Actor, system: UUID | str, device: UUID | str) -> None:
    """Take a device out of a system; raises StillInUse for the manager of others or of handsets."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = locked_system(session, actor, system)
        member = _member(session, row, find_device(session, actor, device))
        others = len(dect.members(session, row.id)) > 1
        handsets = any(station for _, station in dect.places(session, row.id))
        if member.role == DectRole.MANAGER and (others or handsets):
            raise StillInUse(
                f"The device manages the DECT system '{row.name}'.",
                remedy="Replace the manager, which keeps everything.",
            )
        session.delete(member)


def replace_manager(core: Core, actor: Actor, system: UUID | str, device: UUID | str) -> DectMember:
    """Put another device in the manager's place; slots, handsets and assignments stay.

    A base of the same system is promoted and leaves its own place. The former manager leaves the
    system. Raises NotFound, InvalidInput, Conflict or CapacityExceeded.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = locked_system(session, actor, system)
        found = dect.manager(session, row.id)
        if found is None:
            raise NotFound(
                f"The DECT system '{row.name}' has no manager.", remedy="Add one as a member."
            )
        base = _base(core, session, actor, device)
        former = dect.membership(session, base.id)
        if former is not None and former.system_id != row.id:
            raise Conflict(
                "The device is in another DECT system.",
                remedy="Remove it there first.",
                field="device",
            )
        if former is not None and former is not found[0]:
            session.delete(former)
            session.flush()
        found[0].device_id = base.id
        session.flush()
        check_room(core, session, row)
        return found[0]


def _count(field: str, value: int) -> int:
    if not 1 <= value <= 255:
        raise InvalidInput(
            f"{value} is not allowed for '{field}'.", remedy="Give 1 to 255.", field=field
        )
    return value


_MEMBER_FIELDS: dict[str, Check] = {
    "cluster": lambda value: _count("cluster", value),
    "sync_level": lambda value: _count("sync_level", value),
}


def _member(session: Session, system: DectSystem, device: Device) -> DectMember:
    member = dect.membership(session, device.id)
    if member is None or member.system_id != system.id:
        raise NotFound(
            f"The device is not in the DECT system '{system.name}'.",
            remedy="List its members.",
        )
    return member


def _base(core: Core, session: Session, actor: Actor, device: UUID | str) -> Device:
    """A device fit to be a member: a base, or one whose model is not known yet.

    A device registered without its model was given a desk phone's station; a base has none.
    """
    row = find_device(session, actor, device)
    vendor = core.registry.vendors.get(row.vendor or "")
    model = vendor.model(row.model) if vendor and row.model else None
    if model is not None and model.kind is not ModelKind.DECT_BASE:
        raise InvalidInput(
            f"A {model.id} is no DECT base.", remedy="Choose a base or a manager.", field="device"
        )
    if row.state == DeviceState.RETIRED:
        raise Conflict("The device is retired.", remedy="Register it anew.", field="device")
    stations = queries.stations_of(session, row.id)
    if queries.assignments_at(session, [station.id for station in stations]):
        raise Conflict(
            "Users are assigned to the device itself.",
            remedy="Take the assignments away; users are assigned to a base's handsets.",
            field="device",
        )
    vacate(core, session, stations)
    for station in stations:
        session.delete(station)
    return row
