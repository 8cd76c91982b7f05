"""From the values set at many levels to the one that holds, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from provisioning.domain.settings import SETTINGS
from provisioning.domain.values import PER_CLIENT, Class, Level, Scope, Setting, Value

_ORDER = {level: position for position, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value stands: the level, the name of its owner, who set it and when (UTC)."""

    level: Level
    owner: str = ""
    who: str = ""
    when: datetime | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """A value as it is set somewhere. ``locked`` keeps later levels from overriding it."""

    key: str
    value: Value
    origin: Origin
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Effective:
    """The value that holds for a key, its origin, and whether a lock holds it."""

    key: str
    value: Value
    origin: Origin
    locked: bool = False


RIGHTS_ON_PHONES = tuple(
    setting.key
    for setting in SETTINGS
    if setting.scope is Scope.DEVICE and Level.DEVICE not in setting.levels
)
"""Settings about a person that templates look at, to show or hide what the rights are for."""

_PERSON_LEVELS = frozenset({Level.ROLE, Level.USER})


def resolve(
    layers: Iterable[Layer], *, scope: Scope, vendor_defaults: Mapping[str, Value] | None = None
) -> dict[str, Effective]:
    """The effective value of every setting of ``scope``.

    The chain is that of ``Level``; within it a value locked at an earlier level cannot be
    overridden at a later one, and a place setting never takes a person's value (DESIGN
    section 6). A person's "per-client" lets the device's own value hold. The caller leaves out
    the layers that do not apply, such as the person's when a device has several.
    """
    ordered = sorted(layers, key=lambda layer: _ORDER[layer.origin.level])
    return {
        setting.key: _held(
            setting,
            [layer for layer in ordered if layer.key == setting.key],
            vendor_defaults or {},
        )
        for setting in SETTINGS
        if setting.scope is scope
    }


def strictest(people: Sequence[Mapping[str, Effective]]) -> dict[str, Effective]:
    """The rights of the people of one phone, where it has them once: those that all have."""
    found = {}
    for key in RIGHTS_ON_PHONES if people else ():
        held = [values[key] for values in people]
        found[key] = next((item for item in held if not item.value), held[0])
    return found


def _held(
    setting: Setting, layers: Sequence[Layer], vendor_defaults: Mapping[str, Value]
) -> Effective:
    held = Effective(setting.key, setting.default, Origin(Level.BUILT_IN))
    if setting.key in vendor_defaults:
        held = Effective(setting.key, vendor_defaults[setting.key], Origin(Level.VENDOR))
    for layer in layers:
        personal = layer.origin.level in _PERSON_LEVELS
        if held.locked or (setting.class_ is Class.PLACE and personal):
            continue
        held = Effective(setting.key, layer.value, layer.origin, layer.locked)
        if personal and layer.value == PER_CLIENT:
            held = _left_to_the_phone(layers, held)
    return held


def _left_to_the_phone(layers: Sequence[Layer], held: Effective) -> Effective:
    """A person who leaves it to each phone has what is set for this one, if anything is."""
    for layer in layers:
        if layer.origin.level is Level.DEVICE:
            return Effective(layer.key, layer.value, layer.origin, layer.locked)
    return held
