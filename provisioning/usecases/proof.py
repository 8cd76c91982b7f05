"""Who asks, and how surely: from a request's credential to a device and a grade."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from provisioning.crypto.digest import Verdict, verify_basic, verify_digest
from provisioning.crypto.tokens import token_hash
from provisioning.domain.kinds import DeviceState
from provisioning.domain.mac import Mac
from provisioning.domain.trust import Grade
from provisioning.store import access, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.organisations import Site
from provisioning.store.security import DeviceTrust
from provisioning.usecases.core import REALM, Core, networks, within
from provisioning.usecases.purposes import PURPOSE_PASSWORD
from provisioning.usecases.requests import (
    BasicCredential,
    Challenged,
    DigestCredential,
    Door,
    FileRequest,
    OrganisationCredential,
    ScreenCredential,
    TokenCredential,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """The device a request is for and how surely it comes from it.

    ``device`` is None when the request names none we know; ``reason`` then says why, for the
    fetch log. ``challenge`` asks for credentials (again, if ``stale``). ``current_token`` says
    that the newest of a device's tokens was used, ``enrolment`` names a softphone's link,
    ``unregistered`` that a MAC was named which is nobody's yet.
    """

    device: Device | None = None
    trust: DeviceTrust | None = None
    grade: Grade = Grade.NONE
    reason: str = ""
    organisation_id: UUID | None = None
    challenge: bool = False
    stale: bool = False
    current_token: bool = False
    enrolment: UUID | None = None
    unregistered: bool = False


def prove(
    core: Core, session: Session, request: FileRequest, mac: Mac | None, agent_mac: Mac | None
) -> Proof:
    """Find the device and the grade of proof.

    ``mac`` is that of the file name, ``agent_mac`` that of the User-Agent. Two MACs that differ
    within one request prove the request false (PROTOCOLS AT12); a credential of one device never
    opens another's file.
    """
    match request.credential:
        case TokenCredential(token):
            proof = _by_token(core, session, token)
        case BasicCredential() | DigestCredential() as credential:
            proof = _by_password(core, session, request, credential)
        case Challenged() | ScreenCredential():  # a screen token opens no file
            return Proof(challenge=True, reason="credentials were asked for")
        case OrganisationCredential(token):
            proof = _by_organisation(session, token, mac or agent_mac)
        case None:
            proof = _by_mac(session, mac or agent_mac)
    if proof.device is None or proof.challenge:
        return proof
    own = queries.macs(session, [proof.device.id]).get(proof.device.id)
    named = {address for address in (mac, agent_mac) if address is not None}
    if own is not None and named - {own}:
        reason = "the name or User-Agent holds another MAC"
        return Proof(organisation_id=proof.organisation_id, reason=reason)
    if own is None and mac is not None:
        return Proof(organisation_id=proof.organisation_id, reason="the device has no MAC")
    if proof.grade is Grade.NONE and _in_networks(core, session, request, proof.device):
        return replace(proof, grade=Grade.NETWORK)
    return proof


def _in_networks(core: Core, session: Session, request: FileRequest, device: Device) -> bool:
    site = queries.by_id(session, Site, device.site_id)
    if site is None or core.is_proxy(request.peer):
        return False
    return within(request.peer, networks(site.networks))


def _of(session: Session, trust: DeviceTrust, grade: Grade) -> Proof:
    device = queries.by_id(session, Device, trust.device_id)
    return Proof(device, trust, grade, organisation_id=trust.organisation_id)


def _by_token(core: Core, session: Session, token: str) -> Proof:
    hashed = token_hash(token)
    trust = queries.trust_by_token(session, hashed)
    if trust is not None:
        newest = trust.token_hash == hashed
        return replace(_of(session, trust, Grade.TOKEN), current_token=newest)
    enrolment = queries.enrolment_by_token(session, hashed)
    if enrolment is None:
        return Proof(reason="the token is nobody's")
    if enrolment.used_at is not None:
        return Proof(reason="the enrolment link was used before")
    if enrolment.expires_at <= core.clock():
        return Proof(reason="the enrolment link has expired")
    owner = queries.trust_of(session, enrolment.device_id)
    return replace(_of(session, owner, Grade.TOKEN), enrolment=enrolment.id)


def _by_password(
    core: Core,
    session: Session,
    request: FileRequest,
    credential: BasicCredential | DigestCredential,
) -> Proof:
    """Check user and password; an unknown user costs the same work and gets the same answer."""
    if isinstance(credential, BasicCredential):
        user = credential.user
    else:
        user = credential.parameters.get("username", "")
    trust = queries.trust_by_username(session, user)
    password = core.cipher.decrypt(trust.password_encrypted, PURPOSE_PASSWORD) if trust else None
    if isinstance(credential, DigestCredential):
        verdict = verify_digest(
            credential.parameters,
            core.nonces,
            method=credential.method,
            target=credential.target,
            realm=REALM,
            user=user,
            password=password,
        )
    elif request.door is Door.HTTPS:
        verdict = verify_basic(user, credential.password, user=user, password=password)
    else:
        return Proof(challenge=True, reason="Basic credentials came without TLS")
    if verdict is Verdict.GOOD and trust is not None:
        return _of(session, trust, Grade.PASSWORD)
    stale = verdict is Verdict.STALE
    reason = "the nonce was too old" if stale else "user name or password is wrong"
    return Proof(challenge=True, stale=stale, reason=reason)


def _by_organisation(session: Session, token: str, mac: Mac | None) -> Proof:
    organisation = access.organisation_by_token(session, token_hash(token))
    if organisation is None:
        return Proof(reason="the organisation's token is nobody's")
    if mac is None:
        return Proof(organisation_id=organisation.id, reason="the request names no device")
    device = queries.device_by_mac(session, mac, organisation.id)
    return _known(session, device, organisation.id)


def _by_mac(session: Session, mac: Mac | None) -> Proof:
    if mac is None:
        return Proof(reason="the request names no device")
    device = queries.device_by_mac(session, mac)
    only = access.only_organisation(session) if device is None else None
    return _known(session, device, only.id if only else None)


def _known(session: Session, device: Device | None, organisation: UUID | None) -> Proof:
    if device is None:
        return Proof(
            organisation_id=organisation, reason="the MAC is not registered", unregistered=True
        )
    if device.state == DeviceState.RETIRED and device.blanked_at is not None:
        return Proof(organisation_id=device.organisation_id, reason="the device is retired")
    trust = queries.trust_of(session, device.id)
    return Proof(device=device, trust=trust, organisation_id=device.organisation_id)
