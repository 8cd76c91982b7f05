"""The keys of a phone: layouts of many levels in one, generated sets, and a user's own list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisioning.domain.keys import (
    PEOPLE_SETS,
    SETS,
    Area,
    Key,
    KeyAddress,
    KeyType,
    is_id,
    slots,
)
from provisioning.domain.phone import Poured, Withheld
from provisioning.domain.settings import Level
from provisioning.store.people import User
from provisioning.store.snapshots import Snapshot
from provisioning.store.values import KeyValue
from provisioning.usecases.functions import Person, aimed, function_keys, refused

_LEVELS = list(Level)
_FIRST = KeyAddress(Area.LINE, 0, 1)


def at_addresses(snapshot: Snapshot, people: Sequence[Person]) -> tuple[Key, ...]:
    """The keys that are set at an address, those of later levels over those of earlier ones."""
    return tuple(key for key in _set(snapshot, people) if key.type not in SETS)


def poured(snapshot: Snapshot, people: Sequence[Person]) -> tuple[Poured, ...]:
    """Generated sets from their address on, then the user's own list wherever there is room.

    Keys that the user's features make come last.
    """
    alone = _alone(people)
    held = _set(snapshot, people)
    sets = [
        Poured(key.address, tuple(_generated(key, snapshot, alone)))
        for key in held
        if key.type in SETS
    ]
    if alone is None:
        return tuple(sets)
    rows = [row for row in snapshot.keys if row.level == Level.USER]
    mine = _shown((row for row in rows if row.owner_id == alone.user.id), snapshot, people)
    flat = [
        item
        for key in mine
        for item in (_generated(key, snapshot, alone) if key.type in SETS else (key,))
    ]
    functions = function_keys(alone, (*held, *flat))
    return (*sets, Poured(_FIRST, (*flat, *functions)))


def withheld(snapshot: Snapshot, people: Sequence[Person]) -> tuple[Withheld, ...]:
    """The keys that a phone of several has not, because not all of them may have them."""
    if len(people) < 2:
        return ()
    keys = map(_key, _rows(snapshot, people))
    refusals = ((key, refused(key, people)) for key in keys)
    return tuple(Withheld(key, person.user.name) for key, person in refusals if person)


def _alone(people: Sequence[Person]) -> Person | None:
    return people[0] if len(people) == 1 else None


def _set(snapshot: Snapshot, people: Sequence[Person]) -> list[Key]:
    return _shown(_rows(snapshot, people), snapshot, people)


def _rows(snapshot: Snapshot, people: Sequence[Person]) -> list[KeyValue]:
    alone = _alone(people)
    role = alone.user.role_id if alone else None
    held: dict[KeyAddress, KeyValue] = {}
    for row in sorted(snapshot.keys, key=lambda row: _LEVELS.index(Level(row.level))):
        if row.level == Level.USER or (row.level == Level.ROLE and row.owner_id != role):
            continue
        held[_address(row)] = row
    return list(held.values())


def _key(row: KeyValue) -> Key:
    return Key(_address(row), KeyType(row.type), row.value, row.label, row.line)


def _address(row: KeyValue) -> KeyAddress:
    return KeyAddress(Area(row.area), row.module, row.position)


def _shown(rows: Iterable[KeyValue], snapshot: Snapshot, people: Sequence[Person]) -> list[Key]:
    """The keys of rows by address, without those that not all of the people may have."""
    found = []
    for key in map(_key, rows):
        key_now = None if refused(key, people) else aimed(key, snapshot.targets)
        if key_now is not None:
            found.append(key_now)
    return sorted(found, key=lambda key: key.address)


def _generated(key: Key, snapshot: Snapshot, alone: Person | None) -> Iterable[Key]:
    """The keys a set stands for, now: it follows people who are renamed, moved or deleted."""
    for slot in slots(key):
        yield Key(key.address, KeyType.PARK, str(slot), f"{key.label} {slot}".strip(), key.line)
    if key.type not in PEOPLE_SETS:
        return
    me = alone.user if alone else None
    for user in _people(key, snapshot, me):
        if user.extension and (me is None or user.id != me.id):
            yield Key(key.address, KeyType.BLF, user.extension, user.name, key.line)


def _people(key: Key, snapshot: Snapshot, me: User | None) -> list[User]:
    """Whom a set of people means, by name."""
    if key.type is KeyType.COLLEAGUES:
        found = list(snapshot.colleagues)
    else:
        own = snapshot.departments.get(me.id) if me else None
        option = key.value if is_id(key.value) else str(own)
        members = {user for user, at in snapshot.departments.items() if str(at) == option}
        found = [user for user in snapshot.colleagues if user.id in members]
    return sorted(found, key=lambda user: (user.name.casefold(), user.id))
