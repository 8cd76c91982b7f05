"""A device's security state: what a request changes in it, in the request's own transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from provisioning.crypto.tokens import new_token, token_hash
from provisioning.domain.kinds import DeviceState
from provisioning.domain.trust import GRADES, WINDOW, Effect, Judgement, Window, judge
from provisioning.store import queries
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.organisations import Site
from provisioning.store.security import DeviceTrust
from provisioning.usecases.core import Core
from provisioning.usecases.proof import Proof
from provisioning.usecases.purposes import PURPOSE_SCREEN, PURPOSE_TOKEN


def window_of(trust: DeviceTrust) -> Window:
    """The provisioning window as the rules of trust see it."""
    return Window(
        until=trust.window_until,
        bound_source=trust.bound_source,
        first_served_at=trust.first_served_at,
        served=trust.window_served,
        alarmed=bool(trust.alarm),
        adopted=trust.adopted_at is not None,
        stays_bound=trust.stays_bound,
    )


def open_window(trust: DeviceTrust, now: datetime) -> None:
    """Open the window anew: nobody is bound to it and nothing was served in it."""
    trust.window_until = now + WINDOW
    trust.bound_source = ""
    trust.first_served_at = None
    trust.window_served = 0
    trust.stays_bound = False
    trust.alarm = ""


def judge_request(proof: Proof, site: Site, source: str, now: datetime) -> Judgement:
    """Whether a request gets a secret file of the proof's device.

    An enrolment link is enough but proves no return: that is the durable URL's to do.
    """
    if proof.trust is None:
        return Judgement(False, proof.reason)
    minimum = GRADES[site.minimum_trust]
    judgement = judge(proof.grade, minimum, window_of(proof.trust), source, now)
    if proof.enrolment is not None and judgement.admitted:
        return Judgement(True, "an enrolment link")
    return judgement


def needs_write(proof: Proof, judgement: Judgement) -> bool:
    """Whether a request changes security state."""
    trust = proof.trust
    first_use = proof.current_token and trust is not None and trust.previous_token_hash is not None
    return bool(judgement.effects) or first_use


def apply(
    core: Core,
    session: Session,
    proof: Proof,
    site: Site,
    source: str,
    *,
    can_follow: bool = True,
) -> Judgement:
    """Judge again on locked rows and write what the judgement changes.

    A phone that its file can lead nowhere safer (``can_follow``) stays bound to its source.

    Two requests may have been judged by the same old state; the lock makes the second see what
    the first changed, so that a window binds to one source only.
    """
    if proof.device is None:
        return Judgement(False, proof.reason)
    now = core.clock()
    trust = queries.trust_of(session, proof.device.id, lock=True)
    judgement = judge_request(replace(proof, trust=trust), site, source, now)
    if proof.current_token:
        trust.previous_token_hash = None
        use_enrolments(session, proof.device, now)
    for effect in judgement.effects:
        _APPLY[effect](core, session, trust, source)
    if Effect.COUNT in judgement.effects:
        trust.stays_bound = not can_follow
    return judgement


def _bind(core: Core, session: Session, trust: DeviceTrust, source: str) -> None:  # noqa: ARG001 - one form
    trust.bound_source = source
    trust.first_served_at = core.clock()


def _count(core: Core, session: Session, trust: DeviceTrust, source: str) -> None:  # noqa: ARG001
    trust.window_served += 1


def _proven(core: Core, session: Session, trust: DeviceTrust, source: str) -> None:  # noqa: ARG001
    trust.window_until = None
    trust.stays_bound = False
    trust.proven_at = core.clock()
    if trust.adopted_at is None:
        trust.adopted_at = trust.proven_at
        device = queries.by_id(session, Device, trust.device_id)
        if device is not None and device.state == DeviceState.REGISTERED:
            device.state = DeviceState.ADOPTED


def _alarm(core: Core, session: Session, trust: DeviceTrust, source: str) -> None:  # noqa: ARG001
    trust.alarm = f"{source} asked for this device's files while {trust.bound_source} was served"
    replace_token(core, trust, keep_previous=False)


_APPLY = {
    Effect.BIND: _bind,
    Effect.COUNT: _count,
    Effect.PROVEN: _proven,
    Effect.ALARM: _alarm,
}


def replace_token(core: Core, trust: DeviceTrust, *, keep_previous: bool) -> None:
    """Give a device a new token; the former stays valid until the new one is used, if asked."""
    token = new_token()
    trust.previous_token_hash = trust.token_hash if keep_previous else None
    trust.token_hash = token_hash(token)
    trust.token_encrypted = core.cipher.encrypt(token, PURPOSE_TOKEN)


def give_screen_token(core: Core, trust: DeviceTrust) -> None:
    """Give a device a new screen token; the former is worth nothing from now on."""
    token = new_token()
    trust.screen_token_hash = token_hash(token)
    trust.screen_token_encrypted = core.cipher.encrypt(token, PURPOSE_SCREEN)


def use_enrolments(session: Session, device: Device, now: datetime) -> None:
    """Use up the enrolment links of a device."""
    for enrolment in queries.open_enrolments(session, device.id):
        enrolment.used_at = now
