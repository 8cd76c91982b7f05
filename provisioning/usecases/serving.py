"""A device's own file: which rule it is, whether its proof is enough, its bytes, what it changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs

from provisioning.domain.errors import StaleLink
from provisioning.domain.kinds import DeviceState
from provisioning.domain.phone import Provisioning
from provisioning.domain.trust import Grade, Judgement
from provisioning.render.files import render_file
from provisioning.store import queries
from provisioning.store.database import Session, release
from provisioning.store.devices import Device
from provisioning.store.organisations import Site
from provisioning.store.security import DeviceTrust
from provisioning.store.snapshots import snapshot, versions
from provisioning.usecases import windows
from provisioning.usecases.core import Cached, Core
from provisioning.usecases.moving import can_follow, destination
from provisioning.usecases.phonebook import with_directory
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.proof import Proof
from provisioning.usecases.requests import FileReply, FileRequest, Outcome
from provisioning.vendors.load import Vendor
from provisioning.vendors.match import Recognition, read_name
from provisioning.vendors.schema import FileRule, Model

NOT_FOUND = FileReply(Outcome.NOT_FOUND)
_CA_MEDIA_TYPE = "application/x-pem-file"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for: the device, its vendor and model, the file rule, the facts.

    ``rule`` is None for the file that hands over our own CA, ``handsets`` how many a base says it
    takes.
    """

    proof: Proof
    device: Device
    trust: DeviceTrust
    vendor: Vendor
    model: Model | None
    rule: FileRule | None
    facts: Facts
    handsets: int | None = None

    @property
    def blanks(self) -> bool:
        """Whether the device is to lose its lines."""
        return self.device.state in (DeviceState.BLOCKED, DeviceState.RETIRED)

    @property
    def open(self) -> bool:
        """Whether the file holds no secret."""
        return self.rule is not None and not self.rule.secret


def find_wanted(
    core: Core, who: Recognition, proof: Proof, name: str, *, is_ca: bool
) -> Wanted | None:
    """The vendor's file of that name.

    The device row's vendor decides; until a proven request confirmed it, what the request itself
    says goes first, because the row was guessed from the MAC.
    """
    device, trust = proof.device, proof.trust
    if device is None or trust is None:
        return None
    for vendor in vendors_of(core, device, who.vendor):
        model = model_of(vendor, device, who.model if who.vendor is vendor else None)
        named = read_name(vendor, name, model, who.firmware or device.firmware)
        rule = named.rule if named is not None else None
        if is_ca or rule is not None:
            facts = Facts(model.id if model else "", who.firmware)
            rule = None if is_ca else rule
            return Wanted(proof, device, trust, vendor, model, rule, facts, who.handsets)
    return None


def vendors_of(core: Core, device: Device, told: Vendor | None) -> list[Vendor]:
    """Whose file a device may mean, where a request told one, the likeliest first."""
    stored = core.registry.vendors.get(device.vendor or "")
    order = [stored, told] if device.model_confirmed else [told, stored]
    return list({vendor.id: vendor for vendor in order if vendor is not None}.values())


def model_of(vendor: Vendor, device: Device, told: Model | None) -> Model | None:
    """Which of the vendor's models a device is, where a request told one."""
    stored = vendor.model(device.model) if device.model and device.vendor == vendor.id else None
    return (stored or told) if device.model_confirmed else (told or stored)


def serve(
    core: Core, session: Session, request: FileRequest, wanted: Wanted
) -> tuple[FileReply, str]:
    """The reply to a request for a device's file, and why."""
    site = session.get_one(Site, wanted.device.site_id)
    source = str(request.peer)
    if wanted.blanks and wanted.device.blanked_at is not None:
        return NOT_FOUND, f"the device is {wanted.device.state} and was blanked"
    place = _place(core, session, request, wanted, site)
    if wanted.open:
        return _content(core, session, request, wanted, place), "the file holds no secret"
    judgement = windows.judge_request(wanted.proof, site, source, core.clock())
    reply = NOT_FOUND
    if judgement.admitted:
        reply = _content(core, session, request, wanted, place)
    release(session)
    if _must_write(wanted, judgement, place):
        judgement = _write(core, source, wanted, site, place)
    return (reply if judgement.admitted else NOT_FOUND), judgement.reason


# --- what a request changes


def _must_write(wanted: Wanted, judgement: Judgement, place: Provisioning) -> bool:
    changes = _tells_more(wanted) or _ends_blanking(wanted) or _delivers_ca(wanted, place)
    return windows.needs_write(wanted.proof, judgement) or (judgement.admitted and changes)


def _tells_more(wanted: Wanted) -> bool:
    """Whether a proven request corrects what is known of the device."""
    if wanted.proof.grade < Grade.NETWORK or not wanted.facts.model:
        return False
    device, facts = wanted.device, wanted.facts
    known = (device.model_confirmed, device.vendor, device.model)
    return (
        known != (True, wanted.vendor.id, facts.model)
        or facts.firmware not in ("", device.firmware)
        or wanted.handsets not in (None, device.handsets)
    )


def _ends_blanking(wanted: Wanted) -> bool:
    """Whether the phone has all its blanking files with this one, the last that proves a boot."""
    if not wanted.blanks or wanted.rule is None:
        return False
    rules = wanted.vendor.rules_for(wanted.model, wanted.facts.firmware)
    proofs = [rule for rule in rules if rule.proof and rule.secret]
    return not proofs or wanted.rule is proofs[-1]


def _delivers_ca(wanted: Wanted, place: Provisioning) -> bool:
    """Whether the phone gets our CA with this file for the first time."""
    if wanted.trust.ca_delivered_at is not None:
        return False
    inline = wanted.vendor.data.tls.inline and bool(place.ca_pem)
    return wanted.rule is None or (inline and wanted.rule.proof)


def _write(core: Core, source: str, wanted: Wanted, site: Site, place: Provisioning) -> Judgement:
    """Write the security state a request changes, judged again under the lock."""
    with core.database.write() as session:
        follows = can_follow(place, wanted.vendor, wanted.model)
        judgement = windows.apply(core, session, wanted.proof, site, source, can_follow=follows)
        if not judgement.admitted:
            return judgement
        device = session.get_one(Device, wanted.device.id)
        if _tells_more(wanted):
            device.vendor = wanted.vendor.id
            device.model = wanted.facts.model
            device.model_confirmed = True
            device.firmware = wanted.facts.firmware or device.firmware
            device.handsets = device.handsets if wanted.handsets is None else wanted.handsets
        if _ends_blanking(wanted):
            device.blanked_at = core.clock()
        if _delivers_ca(wanted, place):
            queries.trust_of(session, device.id).ca_delivered_at = core.clock()
        return judgement


# --- bytes


def _content(
    core: Core, session: Session, request: FileRequest, wanted: Wanted, place: Provisioning
) -> FileReply:
    rule, device = wanted.rule, wanted.device
    if rule is None:
        return reply_of(core.places.ca_pem.encode(), _CA_MEDIA_TYPE)
    key = (device.id, wanted.vendor.id, rule.id, wanted.facts, place, core.clock().year)
    # A phone book changes with people who have nothing to do with this device.
    adopted = wanted.trust.adopted_at is not None and not rule.phonebook
    held = core.cache.get(key, versions(session, device)) if adopted else None
    if held is not None:
        _check_version(rule, request.query, held.content)
        return FileReply(Outcome.SERVED, held.content, media_type=rule.media_type, etag=held.etag)
    rows = snapshot(session, device)
    seen = rows if rule.phonebook else rows.on_file
    phone = build_phone(seen, core.cipher, facts=wanted.facts, provisioning=place, now=core.clock())
    if rule.phonebook:
        phone = with_directory(session, phone, rows, request.query, rule)
    reply = reply_of(render_file(phone, wanted.vendor, rule), rule.media_type)
    if adopted:
        core.cache.put(key, Cached(rows.versions, reply.content, reply.etag))
    _check_version(rule, request.query, reply.content)
    return reply


def _check_version(rule: FileRule, query: str, content: bytes) -> None:
    """Refuse a linked file that is no longer the one the phone's own file named."""
    wanted = parse_qs(query, max_num_fields=20).get("v") if rule.linked else None
    if wanted and wanted[0] != hashlib.md5(content, usedforsecurity=False).hexdigest():
        raise StaleLink(
            f"The file '{rule.id}' is another than the one the phone was told of.",
            remedy="It is asked for again when the phone has fetched its configuration anew.",
        )


def _place(
    core: Core, session: Session, request: FileRequest, wanted: Wanted, site: Site
) -> Provisioning:
    mac = queries.macs(session, [wanted.device.id]).get(wanted.device.id)
    return destination(
        core,
        trust=wanted.trust,
        site=site,
        vendor=wanted.vendor,
        model=wanted.model,
        door=request.door,
        mac=mac.digits if mac else "",
    )


def reply_of(content: bytes, media_type: str, *, private: bool = True) -> FileReply:
    """A served reply with its entity tag; an empty file is not one."""
    if not content:
        return NOT_FOUND
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    return FileReply(Outcome.SERVED, content, media_type=media_type, etag=etag, private=private)
