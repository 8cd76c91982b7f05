"""Judging PINs: as often as the rules allow, with the same work for whoever there is or is not."""

from __future__ import annotations

import re

from provisioning.domain.errors import PinMustChange, TooManyLogins, WrongPin
from provisioning.store import queries
from provisioning.store.devices import Station
from provisioning.store.people import User
from provisioning.usecases import attempts
from provisioning.usecases.core import Core

_EXTENSION = re.compile("[0-9]{1,20}")
"""What may be somebody's; anything else that is typed is nobody's, whatever characters it has."""


def owner_of_pin(
    core: Core,
    station: Station,
    extension: str,
    pin: str,
    source: str = "",
    *,
    by_pbx: bool = False,
) -> User:
    """The person whose extension and PIN these are, who wants to sit at a station.

    Failures count for the extension, the station and the ``source``, which is a phone's address or,
    ``by_pbx``, a PBX's; and they are told: a wrong PIN has ``tries_left``. An unknown extension and a wrong PIN are the same answer after the same
    work. Raises TooManyLogins, TooManyAttempts, WrongPin or PinMustChange.
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
    right = core.pins.verify(user.pin_hash if user else None, pin)
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
