"""The keys of a phone: layouts of many levels in one, generated sets, and a user's own list."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.domain.keys import SETS, Area, Key, KeyAddress, KeyType, slots
from provisioning.domain.phone import Poured
from provisioning.domain.settings import Level
from provisioning.store.people import User
from provisioning.store.snapshots import Snapshot
from provisioning.store.values import KeyValue

_LEVELS = list(Level)
_FIRST = KeyAddress(Area.LINE, 0, 1)


def at_addresses(snapshot: Snapshot, alone: User | None) -> tuple[Key, ...]:
    """The keys that are set at an address, those of later levels over those of earlier ones."""
    return tuple(key for key in _set(snapshot, alone) if key.type not in SETS)


def poured(snapshot: Snapshot, alone: User | None) -> tuple[Poured, ...]:
    """Generated sets from their address on, then the user's own list wherever there is room."""
    sets = [
        Poured(key.address, tuple(_generated(key, snapshot, alone)))
        for key in _set(snapshot, alone)
        if key.type in SETS
    ]
    own = [row for row in snapshot.keys if row.level == Level.USER and alone is not None]
    mine = [_key(row) for row in own if alone is not None and row.owner_id == alone.id]
    flat = [
        item
        for key in sorted(mine, key=lambda key: key.address)
        for item in (_generated(key, snapshot, alone) if key.type in SETS else (key,))
    ]
    return (*sets, Poured(_FIRST, tuple(flat)))


def _set(snapshot: Snapshot, alone: User | None) -> list[Key]:
    role = alone.role_id if alone else None
    held: dict[KeyAddress, Key] = {}
    for row in sorted(snapshot.keys, key=lambda row: _LEVELS.index(Level(row.level))):
        if row.level == Level.USER or (row.level == Level.ROLE and row.owner_id != role):
            continue
        key = _key(row)
        held[key.address] = key
    return [held[address] for address in sorted(held)]


def _key(row: KeyValue) -> Key:
    address = KeyAddress(Area(row.area), row.module, row.position)
    return Key(address, KeyType(row.type), row.value, row.label, row.line)


def _generated(key: Key, snapshot: Snapshot, alone: User | None) -> Iterable[Key]:
    """The keys a set stands for, now: it follows people who are renamed, moved or deleted."""
    for slot in slots(key):
        yield Key(key.address, KeyType.PARK, str(slot), f"{key.label} {slot}".strip(), key.line)
    if key.type is not KeyType.COLLEAGUES:
        return
    me = alone.id if alone else None
    for user in sorted(snapshot.colleagues, key=lambda user: (user.name.casefold(), user.id)):
        if user.id != me and user.extension:
            yield Key(key.address, KeyType.BLF, user.extension, user.name, key.line)
