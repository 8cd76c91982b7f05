"""Judging PINs: as often as the rules allow, with the same work for whoever there is or is not."""

from __future__ import annotations

import re

from provisioning.crypto.digest import Verdict, hashed_login, verify_digest
from provisioning.domain.errors import PinMustChange, TooManyLogins, WrongPin
from provisioning.render.login import NATIVE
from provisioning.store import hotdesk, queries
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.people import User
from provisioning.usecases import attempts
from provisioning.usecases.core import REALM, Core
from provisioning.usecases.purposes import PURPOSE_PIN
from provisioning.usecases.requests import DigestCredential

_EXTENSION = re.compile("[0-9]{1,20}")
"""What may be somebody's; anything else that is typed is nobody's, whatever characters it has."""


def _proves(core: Core, extension: str, given: str | DigestCredential, user: User | None) -> bool:
    """Whether what was given proves a user's PIN; for nobody it never does, after the same work.

    It is the PIN itself, or an answer of the phone's to our Digest challenge (RFC 7616), which counts
    once, and proves only a PIN that was set or typed elsewhere while some place of the organisation
    had phones log people in themselves.
    """
    if isinstance(given, str):
        return core.pins.verify(user.pin_hash if user else None, given)
    kept = user.pin_digest_encrypted if user else None
    verdict = verify_digest(
        given.parameters,
        core.nonces,
        method=given.method,
        target=given.target,
        realm=REALM,
        user=extension,
        hashed=core.cipher.decrypt(kept, PURPOSE_PIN) if kept is not None else None,
    )
    return verdict is Verdict.GOOD


def pin_digest(core: Core, session: Session, user: User, pin: str) -> bytes | None:
    """What a Digest answer is judged by, encrypted: where a place has phones log people in themselves.

    It is easier to try PINs out on than their hash, so that it is not kept where nobody needs it.
    """
    login = _hashed(session, user, pin)
    return core.cipher.encrypt(login, PURPOSE_PIN) if login else None


def keep_digest(core: Core, session: Session, user: User, given: str | DigestCredential) -> None:
    """Keep what Digest answers take, now that somebody has given their PIN itself, or forget it."""
    if not isinstance(given, str):
        return
    held, login = user.pin_digest_encrypted, _hashed(session, user, given)
    if login != (core.cipher.decrypt(held, PURPOSE_PIN) if held is not None else ""):
        digest = core.cipher.encrypt(login, PURPOSE_PIN) if login else None
        hotdesk.keep_pin_digest(session, user.id, digest)


def _hashed(session: Session, user: User, pin: str) -> str:
    """Extension and PIN as Digest has them; empty where no place needs it."""
    if not any(row.value for row in queries.settings_of(session, user.organisation_id, NATIVE)):
        return ""
    return hashed_login("MD5", user=user.extension or "", realm=REALM, password=pin)


def owner_of_pin(
    core: Core,
    station: Station,
    extension: str,
    given: str | DigestCredential,
    source: str = "",
    *,
    by_pbx: bool = False,
) -> User:
    """The person whose extension and PIN these are, who wants to sit at a station.

    What is ``given`` is the PIN, or a phone's answer that proves it. Failures count for the
    extension, the station and the ``source``, which is a phone's address or, ``by_pbx``, a PBX's;
    and they are told: a wrong PIN has ``tries_left``. An unknown extension and a wrong PIN are the
    same answer after the same work. Raises TooManyLogins, TooManyAttempts, WrongPin or
    PinMustChange.
    """
    if not core.logins.take():
        raise TooManyLogins(
            "Too many people log in at this moment.", remedy="Try again in a few seconds."
        )
    wanted = extension if _EXTENSION.fullmatch(extension) else ""  # nobody's
    counted = attempts.of_pin(core, station, wanted, source, by_pbx=by_pbx)
    begun = attempts.begin(core, counted)
    with core.database.read() as session:
        found = queries.user_by_extension(session, station.organisation_id, wanted)
    user = found if found is not None and found.enabled else None
    right = _proves(core, wanted, given, user)
    if user is None or not right:
        raise wrong_pin(begun.left)
    attempts.take_back(core, counted, begun)
    if user.pin_must_change:
        raise PinMustChange(
            "This PIN has to be changed before it is used at a phone.",
            remedy="Change it on the page /pin, or by PUT /api/v1/me/pin.",
        )
    return user


def wrong_pin(left: int = 0) -> WrongPin:
    """The refusal of a PIN, and how many more may be wrong before one has to wait."""
    return WrongPin(
        "The extension or the PIN is wrong.",
        remedy="Try again, or ask an admin for a new PIN.",
        more={"tries_left": left},
    )
