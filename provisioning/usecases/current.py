"""What a device would be served now, without its asking: to compare with what it has."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from provisioning.domain.kinds import DeviceState
from provisioning.domain.phone import Provisioning
from provisioning.render.files import named_rules, render_file
from provisioning.store import outbox, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.organisations import Site
from provisioning.store.outbox import ServedFile
from provisioning.store.snapshots import Snapshot, Versions, snapshot, versions
from provisioning.usecases.core import Core
from provisioning.usecases.moving import destination
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.requests import Door
from provisioning.usecases.serving import model_of, vendors_of
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model


@dataclass(frozen=True, slots=True)
class Told:
    """What requests tell of a device, as far as its files depend on it; empty where they do not."""

    vendor: str = ""
    model: str = ""
    firmware: str = ""
    door: Door = Door.HTTPS

    @classmethod
    def by(cls, served: ServedFile) -> Told:
        """What the request told that this was served to."""
        return cls(served.vendor, served.model, served.firmware, Door(served.door))


def was_blanked(device: Device) -> bool:
    """Whether the device has lost its lines already and is served nothing more."""
    blank = device.state in (DeviceState.BLOCKED, DeviceState.RETIRED)
    return blank and device.blanked_at is not None


def proof_hashes(
    core: Core, session: Session, device: Device, told: Told, only: Collection[str] | None = None
) -> dict[str, str]:
    """The SHA-256 of each file that proves the device current, by the id of its rule.

    ``only`` these rules, where they are named. Empty for a vendor that is not known, or a device
    that is served nothing more. Raises RenderFailed.
    """
    vendor, model = _kind(core, device, told)
    if vendor is None or was_blanked(device):
        return {}
    rows = snapshot(session, device).on_file
    place = _led(core, session, rows, told)
    facts = Facts(model.id if model else "", told.firmware)
    phone = build_phone(rows, core.cipher, facts=facts, provisioning=place, now=core.clock())
    return {
        item.rule.id: hashlib.sha256(render_file(phone, vendor, item.rule)).hexdigest()
        for item in named_rules(phone, vendor)
        if item.rule.proof and item.rule.secret and (only is None or item.rule.id in only)
    }


def screens_url(core: Core, session: Session, rows: Snapshot) -> str:
    """The URL under which the files a device was served last have its screens; empty: they name none."""
    served = outbox.served_files(session, [rows.device.id])
    last = max(served, key=lambda file: file.at, default=None)
    return _led(core, session, rows, Told.by(last)).screens if last else ""


def _kind(core: Core, device: Device, told: Told) -> tuple[Vendor | None, Model | None]:
    """Vendor and model of a device, as far as they are known.

    Whoever served it counts: a device may have asked for another vendor's file by its name.
    """
    served = core.registry.vendors.get(told.vendor)
    vendor = served or next(iter(vendors_of(core, device, None)), None)
    if vendor is None:
        return None, None
    return vendor, model_of(vendor, device, vendor.model(told.model) if told.model else None)


def _led(core: Core, session: Session, rows: Snapshot, told: Told) -> Provisioning:
    """Where a device's files lead it."""
    vendor, model = _kind(core, rows.device, told)
    if vendor is None:
        return Provisioning()
    return destination(
        core,
        trust=queries.trust_of(session, rows.device.id),
        site=session.get_one(Site, rows.device.site_id),
        vendor=vendor,
        model=model,
        door=told.door,
        mac=rows.mac.digits if rows.mac else "",
    )


def versions_if_current(core: Core, device: UUID) -> Versions | None:
    """What a device's files are of, if it has them as they are now; raises RenderFailed."""
    with core.database.read() as session:
        row = queries.by_id(session, Device, device)
        if row is None or not is_current(core, session, row):
            return None
        return versions(session, row)


def note_shown(core: Core, device: UUID, before: Versions) -> None:
    """Take a device that was current ``before`` one change of its own for current.

    It told of that change itself. Where anything else was changed meanwhile it is left to be
    compared, and told.
    """
    own, *others = before
    with core.database.read() as session:
        row = queries.by_id(session, Device, device)
        if row is None or versions(session, row) != (own + 1, *others):
            return
        hashes: dict[str, str] = {}
        for file in outbox.served_files(session, [device]):
            hashes |= proof_hashes(core, session, row, Told.by(file), only=[file.rule])
    with core.database.write() as session:
        outbox.note_shown(session, device, hashes)


def is_current(core: Core, session: Session, device: Device) -> bool:
    """Whether all that a device was served last is what it would be served now.

    So is one that was served nothing, or nothing more. Raises RenderFailed.
    """
    if was_blanked(device):
        return True
    served = sorted(outbox.served_files(session, [device.id]), key=lambda item: str(Told.by(item)))
    waits = outbox.reload_of(session, device.id)
    if waits and waits.restart_from and any(file.at <= waits.restart_from for file in served):
        return False
    for told, files in groupby(served, key=Told.by):
        has = {file.rule: file.content_hash for file in files}
        now = proof_hashes(core, session, device, told, only=has)
        if any(has[rule] != content for rule, content in now.items()):
            return False
    return True
