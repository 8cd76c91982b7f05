"""Keys: the layouts that stand at a level, and single keys of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import InvalidInput, NotFound
from provisioning.domain.keys import TARGET, Area, Key, KeyAddress, KeyType, is_id
from provisioning.domain.roles import Permission
from provisioning.store import queries, usage
from provisioning.store.database import Session
from provisioning.store.values import KeyValue
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.owners import Owner, find_owner

MOST_MODULES = 10
MOST_POSITIONS = 500
"""Addresses no phone reaches; a model's own limits are told in its loss report."""
MOST_LINES = 100
LONGEST_LABEL = 64

W = TypeVar("W", bound=StrEnum)
_PARTS = ("area", "module", "position", "type", "value", "label", "line")


def read_key(data: Mapping[str, Any]) -> Key:
    """A key from what a request holds; ``area`` is the line keys unless a module is named.

    Raises InvalidInput for a part that is unknown, missing or out of bounds.
    """
    unknown = [part for part in data if part not in _PARTS]
    if unknown:
        raise _bad(str(unknown[0]), "Its parts are: " + ", ".join(_PARTS) + ".")
    module = _number(data, "module", 0)
    area = data.get("area", Area.EXPANSION if module else Area.LINE)
    address = KeyAddress(_word("area", area, Area), module, _number(data, "position", None))
    type_ = _word("type", data.get("type"), KeyType)
    key = Key(address, type_, _text(data, "value"), _text(data, "label"), _number(data, "line", 1))
    _check(key)
    return key


def _bad(field: str, remedy: str) -> InvalidInput:
    return InvalidInput(f"The key's '{field[:40]}' is not allowed.", remedy=remedy, field=field)


def _word(field: str, value: object, words: type[W]) -> W:
    return words(fields.word(field, str(value), words))


def _number(data: Mapping[str, Any], field: str, default: int | None) -> int:
    value = data.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad(field, "Give a whole number.")
    return value


def _text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field, "")
    if not isinstance(value, str):
        raise _bad(field, "Give a text.")
    return value


def _check(key: Key) -> None:
    """The bounds of an address, a line and a label; the value's form is the key's own rule."""
    address = key.address
    least = 1 if address.area is Area.EXPANSION else 0
    most = MOST_MODULES if address.area is Area.EXPANSION else 0
    if not least <= address.module <= most:
        raise _bad("module", f"Give 0 for line keys, 1 to {MOST_MODULES} for expansion modules.")
    if not 1 <= address.position <= MOST_POSITIONS:
        raise _bad("position", f"Give 1 to {MOST_POSITIONS}; it counts over all pages.")
    if not 1 <= key.line <= MOST_LINES:
        raise _bad("line", f"Give 1 to {MOST_LINES}.")
    fields.name("label", key.label, longest=LONGEST_LABEL, empty=True)


# --- layouts


def list_keys(core: Core, actor: Actor, level: str, owner: UUID | str) -> list[Key]:
    """The keys that stand at a level, by address; raises NotFound or InvalidSetting."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _shown(_held(session, find_owner(session, actor, level, owner)))


def replace_keys(
    core: Core, actor: Actor, level: str, owner: UUID | str, keys: Sequence[Key]
) -> list[Key]:
    """Make these the keys of a level; what is not among them goes.

    Raises InvalidInput for an address given twice or out of bounds, and for a call target or a
    department that is not there.
    """
    actor.require(Permission.WRITE)
    wanted = {key.address: key for key in keys}
    if len(wanted) != len(keys):
        twice = next(key for key in keys if wanted[key.address] is not key).address
        raise InvalidInput(
            f"The key {twice.area} {twice.position} (module {twice.module}) is given twice.",
            remedy="Give each address once.",
            field="position",
        )
    for key in keys:
        _check(key)
    with changing(core, actor) as session:
        at = find_owner(session, actor, level, owner)
        _check_references(session, actor, keys)
        held = _held(session, at)
        for address, row in held.items():
            if address not in wanted:
                session.delete(row)
        for address, key in wanted.items():
            _put(session, actor, at, held.get(address), key)
    return sorted(keys, key=lambda key: key.address)


def set_key(core: Core, actor: Actor, level: str, owner: UUID | str, key: Key) -> Key:
    """Set one key of a level; raises InvalidInput, NotFound or InvalidSetting."""
    actor.require(Permission.WRITE)
    _check(key)
    with changing(core, actor) as session:
        at = find_owner(session, actor, level, owner)
        _check_references(session, actor, [key])
        _put(session, actor, at, _held(session, at).get(key.address), key)
    return key


def delete_key(
    core: Core, actor: Actor, level: str, owner: UUID | str, address: KeyAddress
) -> None:
    """Take one key away, so that an earlier level's shows again; raises NotFound."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = _held(session, find_owner(session, actor, level, owner)).get(address)
        if row is None:
            raise NotFound(
                f"No key stands at {address.area} {address.position} (module {address.module}).",
                remedy="List the keys of this level to see their addresses.",
            )
        session.delete(row)


def _check_references(session: Session, actor: Actor, keys: Sequence[Key]) -> None:
    """Refuse keys to call targets and departments that the organisation has not."""
    targets = [key for key in keys if key.value.startswith(TARGET)]
    departments = [key for key in keys if key.type is KeyType.DEPARTMENT and key.value]
    for wanted, known, what in (
        (targets, usage.known_targets, "call target"),
        (departments, usage.known_departments, "department"),
    ):
        ids = {key: key.value.removeprefix(TARGET) for key in wanted}
        asked = {text: UUID(text) for text in ids.values() if is_id(text)}
        there = known(session, actor.organisation, list(asked.values())) if asked else set()
        for key, text in ids.items():
            if asked.get(text) not in there:
                raise InvalidInput(
                    f"The key {key.address.area} {key.address.position} is for a {what} that is "
                    "not there.",
                    remedy=f"Give the id of a {what} that the list shows.",
                    field="value",
                )


def _held(session: Session, at: Owner) -> dict[KeyAddress, KeyValue]:
    return {
        KeyAddress(Area(row.area), row.module, row.position): row
        for row in queries.keys_at(session, [at.place])
    }


def _shown(held: Mapping[KeyAddress, KeyValue]) -> list[Key]:
    return [
        Key(address, KeyType(row.type), row.value, row.label, row.line)
        for address, row in sorted(held.items())
    ]


def _put(session: Session, actor: Actor, at: Owner, row: KeyValue | None, key: Key) -> None:
    if row is None:
        row = KeyValue(
            organisation_id=actor.organisation,
            level=at.level,
            owner_id=at.id,
            area=key.address.area,
            module=key.address.module,
            position=key.address.position,
        )
        session.add(row)
    row.type, row.value, row.label, row.line = key.type, key.value, key.label.strip(), key.line
