"""What holds for a person before any phone's own values, and whether it keeps the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from provisioning.domain import rules
from provisioning.domain.effective import Effective, Layer, Origin, resolve
from provisioning.domain.packages import package_layers
from provisioning.domain.settings import BY_KEY, Level, Scope
from provisioning.store import groups, hotdesk, queries
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.organisations import Organisation, Role
from provisioning.store.people import User
from provisioning.store.values import SettingValue
from provisioning.usecases.core import Core
from provisioning.usecases.phones import stored_value


def held_by(core: Core, session: Session, user: User) -> dict[str, Effective]:
    """Every setting, as it holds for a user before any phone's place, profile or own value."""
    organisation = session.get_one(Organisation, user.organisation_id)
    owners = [(str(Level.ORGANISATION), organisation.id), (str(Level.USER), user.id)]
    names = {user.id: user.name, organisation.id: organisation.name}
    if user.role_id is not None:
        owners.append((str(Level.ROLE), user.role_id))
        names[user.role_id] = session.get_one(Role, user.role_id).name
    rows = queries.settings_at(session, owners)
    return held_of(core, organisation.package, rows, names)


def held_at(core: Core, session: Session, station: Station) -> dict[str, Effective]:
    """Every setting, as it holds where a station is, before any person's own value."""
    organisation = session.get_one(Organisation, station.organisation_id)
    place = hotdesk.premises(session, station)
    levels = {
        Level.ORGANISATION: organisation.id,
        Level.SITE: place.site,
        Level.PROFILE: place.profile,
        Level.DEVICE: place.device,
    }
    owners = [(str(level), owner) for level, owner in levels.items() if owner is not None]
    return held_of(core, organisation.package, queries.settings_at(session, owners))


def held_of(
    core: Core, package: str, rows: Iterable[SettingValue], names: Mapping[UUID, str] | None = None
) -> dict[str, Effective]:
    """Every setting, as it holds where these values stand, in an organisation with this package.

    ``names`` say who the owners of the values are.
    """
    layers = package_layers(package)
    layers += [_layer(core, row, names or {}) for row in rows if row.key in BY_KEY]
    return {key: held for scope in Scope for key, held in resolve(layers, scope=scope).items()}


def _layer(core: Core, row: SettingValue, names: Mapping[UUID, str]) -> Layer:
    origin = Origin(Level(row.level), names.get(row.owner_id, ""), row.set_by, row.set_at)
    return Layer(row.key, stored_value(row, core.cipher), origin, row.locked)


def keep_rules(core: Core, session: Session, user: User, changed: Collection[str]) -> None:
    """Raise SettingsDisagree if what was changed breaks a rule for the user.

    ``changed`` are the keys of settings, and the facts of the user as the rules name them; the
    rows say already what is wanted.
    """
    if not rules.concerned(changed):
        return
    session.flush()
    known: dict[str, object] = {
        key: held.value for key, held in held_by(core, session, user).items()
    }
    known[rules.EMAIL] = user.email
    known[rules.ACCOUNTS] = len(queries.accounts_of(session, users=[user.id]))
    known[rules.INCOMING] = user.incoming
    known[rules.FALLBACK] = user.fallback.get("kind", "")
    known[rules.CALLER_IDS] = len(groups.caller_ids(session, [user.id]).get(user.id, ()))
    rules.check(known, changed)
