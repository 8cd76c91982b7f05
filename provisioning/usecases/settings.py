"""Settings: setting, reading and deleting values at a level, and what holds in the end."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from provisioning.domain import rules
from provisioning.domain.effective import Effective
from provisioning.domain.errors import InvalidSetting, LockedAbove, NotFound
from provisioning.domain.roles import Permission
from provisioning.domain.settings import (
    BY_KEY,
    SETTINGS,
    Class,
    Level,
    Setting,
    Value,
    setting_for,
)
from provisioning.store import queries
from provisioning.store.database import Session
from provisioning.store.people import User
from provisioning.store.values import SettingValue
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.effective import visible
from provisioning.usecases.owners import Owner, find_owner
from provisioning.usecases.personal import held_by, keep_rules
from provisioning.usecases.phones import stored_value
from provisioning.usecases.previews import MASK
from provisioning.usecases.purposes import PURPOSE_SETTING


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value as it stands at a level; a secret is masked without the permission to see it."""

    key: str
    value: Value
    locked: bool
    set_by: str
    set_at: datetime


# --- values at a level


def list_values(core: Core, actor: Actor, level: str, owner: UUID | str) -> list[StoredValue]:
    """The values that stand at a level, by key; raises NotFound or InvalidSetting."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        at = find_owner(session, actor, level, owner)
        return _shown(core, actor, _held(session, at).values())


def set_values(
    core: Core,
    actor: Actor,
    level: str,
    owner: UUID | str,
    values: Mapping[str, Any],
    *,
    forgotten: Collection[str] = (),
) -> list[StoredValue]:
    """Set values at a level, all or none; returns all that stand there now.

    A value is given as such, which leaves a lock as it is, or as ``{"value": …, "locked": …}``,
    of which either may be left out. Values of ``forgotten`` keys are taken away. Raises InvalidSetting, LockedAbove, NotFound, or
    SettingsDisagree where a value needs another one to be otherwise.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        at = find_owner(session, actor, level, owner)
        held = _held(session, at)
        given = {key: _Given.read(key, at.level, raw) for key, raw in values.items()}
        refuse_locked(queries.settings_at(session, at.above), given)
        for key, item in given.items():
            row = held.get(key) or SettingValue(
                organisation_id=actor.organisation, level=at.level, owner_id=at.id, key=key
            )
            if _apply(core, row, item, known=key in held):
                row.set_by, row.set_at = actor.name, core.clock()
                session.add(row)
                held[key] = row
        for key in held.keys() & set(forgotten):
            session.delete(held.pop(key))
        session.flush()
        _keep_rules(core, session, at, [*given, *forgotten], held.values())
        return _shown(core, actor, held.values())


def _keep_rules(
    core: Core, session: Session, at: Owner, given: Collection[str], held: Iterable[SettingValue]
) -> None:
    """Check the rules over several values: on what holds for a user, else on what stands here."""
    if at.level is Level.USER:
        keep_rules(core, session, session.get_one(User, at.id), given)
        return
    rules.check({row.key: stored_value(row, core.cipher) for row in held}, given)


def delete_value(core: Core, actor: Actor, level: str, owner: UUID | str, key: str) -> None:
    """Take a value away, so that an earlier level's holds again; raises NotFound."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        at = find_owner(session, actor, level, owner)
        row = _held(session, at).get(key)
        if row is None:
            raise NotFound(
                f"No value of '{key[:60]}' stands at this {at.level}.",
                remedy=f"GET /api/v1/settings/{at.level}/{at.id} lists those that do.",
            )
        session.delete(row)
        session.flush()
        if at.level is Level.USER:
            keep_rules(core, session, session.get_one(User, at.id), [key])


def _held(session: Session, at: Owner) -> dict[str, SettingValue]:
    return {row.key: row for row in queries.settings_at(session, [at.place])}


def _shown(core: Core, actor: Actor, rows: Iterable[SettingValue]) -> list[StoredValue]:
    return [
        StoredValue(
            row.key,
            MASK if _hidden(actor, row.key) else stored_value(row, core.cipher),
            row.locked,
            row.set_by,
            row.set_at,
        )
        for row in sorted(rows, key=lambda row: row.key)
        if row.key in BY_KEY  # others are keys of another version
    ]


def _hidden(actor: Actor, key: str) -> bool:
    return BY_KEY[key].class_ is Class.SECRET and not actor.may(Permission.SECRETS)


@dataclass(frozen=True, slots=True)
class _Given:
    """What is asked for one setting; None leaves that part as it is."""

    setting: Setting
    value: Value | None
    locked: bool | None

    @classmethod
    def read(cls, key: str, level: Level, raw: object) -> _Given:
        setting = setting_for(key, level)
        parts = dict(raw) if isinstance(raw, Mapping) else {"value": raw}
        locked = parts.pop("locked", None)
        value = setting.parse(parts.pop("value")) if "value" in parts else None
        if parts or not (locked is None or isinstance(locked, bool)):
            raise InvalidSetting(
                f"'{key}' has other parts than a value and a lock.",
                remedy='Give {"value": …, "locked": true or false}, or the value alone.',
                field=key,
            )
        if setting.class_ is Class.SECRET and value == MASK:
            raise InvalidSetting(
                f"'{MASK}' only stands for the value of '{key}'.",
                remedy="Leave the setting out to keep its value.",
                field=key,
            )
        return cls(setting, value, locked)


def refuse_locked(above: Iterable[SettingValue], keys: Container[str]) -> None:
    """Raise LockedAbove if one of the values above locks one of the keys."""
    for row in above:
        if row.locked and row.key in keys:
            raise LockedAbove(
                f"The setting '{row.key}' is locked by the {row.level}.",
                remedy=f"Change or unlock it there: /api/v1/settings/{row.level}/{row.owner_id}.",
                field=row.key,
            )


def _apply(core: Core, row: SettingValue, given: _Given, *, known: bool) -> bool:
    """Put what is asked into the row; whether that changes anything."""
    if given.value is None and not known:
        raise InvalidSetting(
            f"There is no value of '{row.key}' here to lock.",
            remedy="Give the value with the lock.",
            field=row.key,
        )
    changed = not known
    if given.value is not None and not (known and stored_value(row, core.cipher) == given.value):
        changed = True
        if given.setting.class_ is Class.SECRET:
            row.value, row.secret = None, core.cipher.encrypt(str(given.value), PURPOSE_SETTING)
        else:
            row.value = list(given.value) if isinstance(given.value, tuple) else given.value
    if given.locked is not None and given.locked != bool(row.locked):
        changed = True
        row.locked = given.locked
    return changed


# --- what holds in the end


def effective_for_user(core: Core, actor: Actor, user: UUID | str) -> list[Effective]:
    """Every setting a user can have, as it holds before any phone's place, profile or own value."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, User, actor.organisation, user)
        held = held_by(core, session, row)
        return [visible(actor, held[item.key]) for item in SETTINGS if Level.USER in item.levels]
