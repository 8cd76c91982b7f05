"""Which value of each setting holds for a device or a person, and where it was set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from provisioning.domain.effective import Effective
from provisioning.domain.phone import Provisioning
from provisioning.domain.roles import Permission
from provisioning.domain.settings import BY_KEY, Class, Scope
from provisioning.store.snapshots import snapshot
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device
from provisioning.usecases.phones import Facts, build_phone, held_for, person_values
from provisioning.usecases.previews import MASK


@dataclass(frozen=True, slots=True)
class LineValues:
    """The values of the line settings on one line; ``extension`` says whose it is."""

    extension: str
    values: tuple[Effective, ...]


@dataclass(frozen=True, slots=True)
class DeviceValues:
    """The values of a device's settings and its place's rules, of its lines, and of its one user."""

    device: tuple[Effective, ...]
    lines: tuple[LineValues, ...]
    person: tuple[Effective, ...] = ()


def device_values(core: Core, actor: Actor, device: UUID | str) -> DeviceValues:
    """What holds for a device; secrets are masked unless the actor may see them."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = snapshot(session, find_device(session, actor, device))
    phone = build_phone(
        rows, core.cipher, facts=Facts(), provisioning=Provisioning(), now=core.clock()
    )
    held = {} if phone.blank else person_values(rows, core.cipher)
    person = {key: value for key, value in held.items() if key not in phone.settings}
    rules = held_for(rows, core.cipher, None, Scope.RULE)
    return DeviceValues(
        device=shown(actor, {**phone.settings, **rules}),
        lines=tuple(
            LineValues(line.extension, shown(actor, line.settings)) for line in phone.lines
        ),
        person=shown(actor, person),
    )


def shown(actor: Actor, values: Mapping[str, Effective]) -> tuple[Effective, ...]:
    """Effective values as the actor may see them."""
    return tuple(visible(actor, value) for value in values.values())


def visible(actor: Actor, value: Effective) -> Effective:
    """One effective value as the actor may see it."""
    setting = BY_KEY.get(value.key)  # none for what is no setting, as a cover picture
    secret = setting is not None and setting.class_ is Class.SECRET
    if not secret or not value.value or actor.may(Permission.SECRETS):
        return value
    return replace(value, value=MASK)
