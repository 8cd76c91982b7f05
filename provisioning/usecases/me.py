"""What people read and change of their own: settings, keys, PINs, contacts.

Each function acts for the user the actor is, and for no other: it looks at what the user may do,
then does with an admin's function what an admin would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from provisioning.domain.effective import Effective
from provisioning.domain.errors import (
    BrokenRule,
    InvalidInput,
    LockedAbove,
    NobodysOwn,
    NotFound,
    PinUnchanged,
    RightMissing,
)
from provisioning.domain.keys import Key
from provisioning.domain.kinds import Purpose, SessionEnd
from provisioning.domain.roles import Permission
from provisioning.domain.settings import SETTINGS, Level, Setting, setting_for
from provisioning.store import persons, queries
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.people import Contact, User
from provisioning.store.pictures import Picture
from provisioning.usecases import (
    hotdesk,
    keys,
    phonebook,
    pictures,
    seats,
    settings,
    stations,
    users,
)
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.functions import right_missing_for
from provisioning.usecases.pages import Page
from provisioning.usecases.personal import held_by

_GIVEN_BY = "An admin of your organisation can give it."
_CHOICES = {Purpose.AVATAR: "A photo of your own", Purpose.COVER: "A wallpaper of your own"}


@dataclass(frozen=True, slots=True)
class OwnSetting:
    """A setting as it holds for oneself; ``refusal`` is None where one may change it."""

    setting: Setting
    held: Effective
    refusal: BrokenRule | None


def own_user(actor: Actor) -> UUID:
    """The user the actor is, in whose name alone they act; raises Forbidden or NobodysOwn."""
    actor.require(Permission.OWN)
    if actor.user_id is None:
        raise NobodysOwn(
            "This credential belongs to no user, so there is nothing of their own.",
            remedy="Log in as a user of the organisation, or name the user: /api/v1/users/{id}.",
        )
    return actor.user_id


def _for_oneself(actor: Actor) -> Actor:
    """The actor with an admin's rights, to be used for nothing but what is the actor's own."""
    own = frozenset({Permission.READ, Permission.WRITE})
    return replace(actor, permissions=actor.permissions | own)


def read_me(core: Core, actor: Actor) -> users.Person:
    """The user the actor is; raises NobodysOwn."""
    return users.read_user(core, _for_oneself(actor), own_user(actor))


def my_stations(core: Core, actor: Actor) -> list[stations.Place]:
    """Where one is assigned."""
    return stations.user_stations(core, _for_oneself(actor), own_user(actor))


# --- hotdesking


def my_sessions(core: Core, actor: Actor, page: Page) -> list[seats.Seat]:
    """Where one is logged in on phones, the latest first."""
    return seats.list_sessions(core, _for_oneself(actor), page, user=own_user(actor))


def take(
    core: Core,
    actor: Actor,
    station: UUID | str | None = None,
    *,
    device: UUID | str | None = None,
) -> seats.Seat:
    """Take a phone, by its station or its device, without a PIN: one is signed in.

    The place's rules hold as for anybody. Raises RightMissing, HotdeskingOff, StationOccupied,
    LoggedInElsewhere, NotFound or InvalidInput.
    """
    user = own_user(actor)
    _need(core, actor, "feature.hotdesking", "Logging in on phones")
    if (station is None) == (device is None):
        raise InvalidInput(
            "A phone is named by its station or its device.",
            remedy='Give "station" or "device".',
            field="device",
        )
    if station is None:
        with core.database.read() as session:
            station = hotdesk.station_of_device(session, actor, device or "").id
    return hotdesk.take(core, actor, user, station)


def end_my_session(core: Core, actor: Actor, session_id: UUID | str) -> None:
    """Log oneself out at a phone; raises NotFound for a session of somebody else."""
    user = own_user(actor)
    with core.database.read() as session:
        if queries.get(session, HotdeskSession, actor.organisation, session_id).user_id != user:
            raise NotFound(
                f"You have no session with the id {session_id}.",
                remedy="GET /api/v1/me/sessions.",
            )
    seats.end_session(core, _for_oneself(actor), session_id, SessionEnd.LOGOUT)


# --- settings


def my_settings(core: Core, actor: Actor) -> list[OwnSetting]:
    """Every setting a user can have, as it holds, and whether one may change it."""
    held = _held(core, actor)
    return [
        OwnSetting(setting, held[setting.key], _refusal(setting, held))
        for setting in SETTINGS
        if Level.USER in setting.levels
    ]


def change_my_settings(core: Core, actor: Actor, values: Mapping[str, Any]) -> list[OwnSetting]:
    """Set values for oneself, all or none; null takes one's own value away again.

    Raises RightMissing where a setting is not one's to change, LockedAbove where an admin locked
    it, and what ``settings.set_values`` does.
    """
    user, held = own_user(actor), _held(core, actor)
    for key in values:
        refusal = _refusal(setting_for(key, Level.USER), held)
        if refusal is not None:
            raise refusal
    # A lock is an admin's word: a value that comes with one is no value of any setting here.
    given = {key: {"value": value} for key, value in values.items() if value is not None}
    forgotten = [key for key, value in values.items() if value is None]
    settings.set_values(core, _for_oneself(actor), Level.USER, user, given, forgotten=forgotten)
    return my_settings(core, actor)


def _held(core: Core, actor: Actor) -> dict[str, Effective]:
    with core.database.read() as session:
        row = queries.get(session, User, actor.organisation, own_user(actor))
        return held_by(core, session, row)


def _refusal(setting: Setting, held: Mapping[str, Effective]) -> BrokenRule | None:
    """Why one may not change a setting of one's own; None where one may."""
    key, right = setting.key, setting.member
    if right is None:
        return RightMissing(
            f"'{key}' is changed by admins only.",
            remedy="Ask an admin of your organisation to change it.",
            field=key,
        )
    if right and not held[right].value:
        return RightMissing(
            f"Changing '{key}' takes '{right}', which you do not have.", remedy=_GIVEN_BY, field=key
        )
    if held[key].locked:
        return LockedAbove(
            f"'{key}' is locked at the level {held[key].origin.level}.",
            remedy="An admin of your organisation can unlock it.",
            field=key,
        )
    return None


# --- keys and PINs


def my_keys(core: Core, actor: Actor) -> list[Key]:
    """One's own keys, which are poured into any phone."""
    return keys.list_keys(core, _for_oneself(actor), Level.USER, own_user(actor))


def replace_my_keys(core: Core, actor: Actor, wanted: Sequence[Key]) -> list[Key]:
    """Make these one's own keys; raises RightMissing for a key whose function one may not use."""
    user, held = own_user(actor), _held(core, actor)
    for key in wanted:
        right = right_missing_for(key, held)
        if right:
            raise RightMissing(
                f"A key of type {key.type} takes '{right}', which you do not have.",
                remedy=_GIVEN_BY,
                field="type",
            )
    return keys.replace_keys(core, _for_oneself(actor), Level.USER, user, wanted)


def may_log_in(core: Core, actor: Actor) -> bool:
    """Whether one may log in on phones, and so have a PIN."""
    return bool(_held(core, actor)["feature.hotdesking"].value)


def set_my_pin(core: Core, actor: Actor, pin: str | None) -> str:
    """Set one's own hotdesk PIN, or generate one.

    Raises RightMissing, InvalidInput, or PinUnchanged for the same again where it has to be changed.
    """
    user = own_user(actor)
    _need(core, actor, "feature.hotdesking", "A hotdesk PIN")
    row = read_me(core, actor).user
    if pin is not None and row.pin_must_change and core.pins.verify(row.pin_hash, pin):
        raise PinUnchanged("The new PIN is the old one.", remedy="Choose another.", field="pin")
    return users.set_pin(core, _for_oneself(actor), user, pin)


def set_my_voicemail_pin(core: Core, actor: Actor, pin: str) -> bool:
    """Set one's own voicemail PIN, or none; raises RightMissing or InvalidInput."""
    user = own_user(actor)
    _need(core, actor, "feature.voicemail", "A voicemail PIN")
    return users.set_voicemail_pin(core, _for_oneself(actor), user, pin)


def _need(core: Core, actor: Actor, key: str, what: str) -> None:
    if not _held(core, actor)[key].value:
        raise RightMissing(f"{what} takes '{key}', which you do not have.", remedy=_GIVEN_BY)


# --- pictures


def my_picture(core: Core, actor: Actor, purpose: Purpose) -> Picture:
    """A picture of one's own; raises NotFound."""
    return pictures.read_picture(core, _for_oneself(actor), own_user(actor), purpose)


def set_my_picture(
    core: Core, actor: Actor, purpose: Purpose, content: bytes, *, revision: int | None = None
) -> Picture:
    """Choose a picture of one's own; raises RightMissing and what ``set_picture`` does."""
    user = own_user(actor)
    _need(core, actor, f"right.{purpose}", _CHOICES[purpose])
    return pictures.set_picture(
        core, _for_oneself(actor), user, purpose, content, revision=revision
    )


def delete_my_picture(
    core: Core, actor: Actor, purpose: Purpose, revision: int | None = None
) -> None:
    """Take a picture of one's own away; raises RightMissing, NotFound or StaleRevision."""
    user = own_user(actor)
    _need(core, actor, f"right.{purpose}", _CHOICES[purpose])
    pictures.delete_picture(core, _for_oneself(actor), user, purpose, revision)


# --- contacts


def my_contacts(core: Core, actor: Actor) -> list[Contact]:
    """One's own contacts, which nobody else's phone shows."""
    with core.database.read() as session:
        row = queries.get(session, User, actor.organisation, own_user(actor))
        return persons.own_contacts(session, row)


def add_my_contact(core: Core, actor: Actor, **columns: Any) -> Contact:
    """Make a contact of one's own; raises InvalidInput."""
    return phonebook.add_contact(core, _for_oneself(actor), user_id=own_user(actor), **columns)


def change_my_contact(
    core: Core, actor: Actor, contact: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Contact:  # fmt: skip
    """Change a contact of one's own; raises NotFound, InvalidInput or StaleRevision."""
    _check_mine(core, actor, contact)
    return phonebook.change_contact(core, _for_oneself(actor), contact, changes, revision)


def delete_my_contact(
    core: Core, actor: Actor, contact: UUID | str, revision: int | None = None
) -> None:
    """Delete a contact of one's own; raises NotFound or StaleRevision."""
    _check_mine(core, actor, contact)
    phonebook.delete_contact(core, _for_oneself(actor), contact, revision)


def _check_mine(core: Core, actor: Actor, contact: UUID | str) -> None:
    user = own_user(actor)
    with core.database.read() as session:
        if queries.get(session, Contact, actor.organisation, contact).user_id != user:
            raise NotFound(
                f"You have no contact with the id {contact}.", remedy="GET /api/v1/me/contacts."
            )
