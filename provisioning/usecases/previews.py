"""Looking at a device's files before, or without, its asking for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from provisioning.domain.errors import NotFound, UnknownVendor
from provisioning.domain.phone import Phone
from provisioning.domain.roles import Permission
from provisioning.render.explain import ExplainedLine
from provisioning.render.files import NamedRule, explain_file, named_rules, render_file
from provisioning.render.losses import losses
from provisioning.store import queries
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.organisations import Site
from provisioning.store.snapshots import snapshot
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device
from provisioning.usecases.moving import destination
from provisioning.usecases.phonebook import with_directory
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.reporting import reported
from provisioning.usecases.requests import Door
from provisioning.vendors import grammar
from provisioning.vendors.load import Vendor

MASK = "********"


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """One file a device can fetch: its name and what is said of it in vendor.toml."""

    path: str
    secret: bool
    proof: bool
    session: bool
    media_type: str


def list_files(core: Core, actor: Actor, device: UUID | str) -> list[DeviceFile]:
    """The files a device can fetch, with the names it asks for."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        phone, vendor = _phone(core, session, actor, find_device(session, actor, device))
    return [
        DeviceFile(
            path=item.name,
            secret=item.rule.secret,
            proof=item.rule.proof,
            session=item.rule.session,
            media_type=item.rule.media_type,
        )
        for item in named_rules(phone, vendor)
    ]


def preview(core: Core, actor: Actor, device: UUID | str, path: str) -> tuple[bytes, str]:
    """The bytes the device would get for a name, and their media type.

    Secrets are masked unless the actor may see them. Raises NotFound for a name the device has
    not, RenderFailed where its template fails.
    """
    actor.require(Permission.READ)
    phone, vendor, item = _named(core, actor, device, path)
    return render_file(phone, vendor, item.rule), item.rule.media_type


def explain(core: Core, actor: Actor, device: UUID | str, path: str) -> list[ExplainedLine]:
    """The lines of a file with the settings they come from; secrets as in ``preview``."""
    actor.require(Permission.READ)
    phone, vendor, item = _named(core, actor, device, path)
    return explain_file(phone, vendor, item.rule)


def loss_report(core: Core, actor: Actor, device: UUID | str) -> list[str]:
    """What was asked of a device and cannot be shown by it, as sentences."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = find_device(session, actor, device)
        phone, vendor = _phone(core, session, actor, row)
        phone = reported(session, snapshot(session, row), phone)
    return losses(phone, vendor)


def _named(
    core: Core, actor: Actor, device: UUID | str, path: str
) -> tuple[Phone, Vendor, NamedRule]:
    name = (grammar.file_name(path) or "").lower()
    with core.database.read() as session:
        row = find_device(session, actor, device)
        phone, vendor = _phone(core, session, actor, row)
        for item in named_rules(phone, vendor):
            if item.name.lower() == name:
                if item.rule.phonebook:
                    rows = snapshot(session, row)
                    phone = with_directory(session, phone, rows, "", item.rule)
                return phone, vendor, item
    raise NotFound(
        f"The device has no file '{path[:60]}'.", remedy="GET …/files lists those it has."
    )


def _phone(core: Core, session: Session, actor: Actor, row: Device) -> tuple[Phone, Vendor]:
    vendor = core.registry.vendors.get(row.vendor or "")
    if vendor is None:
        raise UnknownVendor(
            "The vendor of this device is not known yet.",
            remedy="Wait for its first fetch, or PATCH the device's vendor.",
            field="vendor",
        )
    rows = snapshot(session, row).on_file
    place = destination(
        core,
        trust=queries.trust_of(session, row.id),
        site=session.get_one(Site, row.site_id),
        vendor=vendor,
        model=vendor.model(row.model or ""),
        door=Door.HTTPS,
        mac=rows.mac.digits if rows.mac else "",
    )
    phone = build_phone(rows, core.cipher, facts=Facts(), provisioning=place, now=core.clock())
    return (phone if actor.may(Permission.SECRETS) else masked(phone)), vendor


def masked(phone: Phone) -> Phone:
    """The phone with every secret replaced by a mask, to be looked at but not used."""
    place = phone.provisioning
    token = place.url.rpartition("/t/")[2].strip("/") if "/t/" in place.url else ""
    screen = place.screens.rpartition("/s/")[2].strip("/")
    return replace(
        phone,
        lines=tuple(replace(line, password=MASK) for line in phone.lines),
        admin_password=MASK,
        user_password=MASK,
        provisioning=replace(
            place,
            url=place.url.replace(token, MASK) if token else place.url,
            password=MASK if place.password else "",
            screens=place.screens.replace(screen, MASK) if screen else "",
        ),
        settings=phone.settings,
    )
