"""What only the loss report of a phone looks at: people whom it shows, but who are not on it."""

from __future__ import annotations

from dataclasses import replace

from provisioning.crypto.secrets import Cipher
from provisioning.domain.effective import resolve
from provisioning.domain.keys import KeyType
from provisioning.domain.kinds import Purpose
from provisioning.domain.phone import Phone
from provisioning.domain.settings import Scope
from provisioning.store import phonebook, pictures, queries
from provisioning.store.database import Session
from provisioning.store.people import User
from provisioning.store.snapshots import Snapshot
from provisioning.usecases.lines import concerning
from provisioning.usecases.phones import layers_of

_SHOWN = "privacy.show-calls"


def reported(session: Session, cipher: Cipher, rows: Snapshot, phone: Phone) -> Phone:
    """The phone with whether there are photos to show and whose calls it should not show."""
    faces = pictures.names(session, rows.organisation.id, None, Purpose.AVATAR)
    hidden = _hidden(session, cipher, rows, phone)
    return replace(phone, photos=bool(faces), hidden=hidden)


def _hidden(session: Session, cipher: Cipher, rows: Snapshot, phone: Phone) -> tuple[str, ...]:
    """Who is watched by a key of the phone and wants nobody to see their calls (FEATURES D1)."""
    keys = (*phone.keys, *(key for poured in phone.poured for key in poured.keys))
    watched = {key.value for key in keys if key.type is KeyType.BLF}
    values = queries.settings_of(session, rows.organisation.id, _SHOWN) if watched else []
    if not values:
        return ()
    layers = list(layers_of(rows, cipher, values))

    def shows(user: User) -> bool:
        held = resolve(concerning(layers, user), scope=Scope.PERSON)[_SHOWN]
        return bool(held.value)

    people = phonebook.reachable_users(session, rows.organisation.id)
    return tuple(
        sorted(user.name for user in people if user.extension in watched and not shows(user))
    )
