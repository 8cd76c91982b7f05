"""What changing users one at a time would refuse, asked for all rows of a sheet at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from provisioning.domain import rules
from provisioning.domain.errors import BrokenRule
from provisioning.domain.roles import ADMINS
from provisioning.domain.settings import BY_KEY, Level
from provisioning.store import members, sheets
from provisioning.store.database import Session
from provisioning.store.organisations import Organisation
from provisioning.store.people import User
from provisioning.store.values import SettingValue
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.memberships import require_no_more
from provisioning.usecases.personal import held_of
from provisioning.usecases.settings import refuse_locked

FACTS = {"email": rules.EMAIL}
"""Columns that rules over several values look at, by what those call them."""
SETTINGS = {"language": "language", "time_zone": "time.zone"}
"""Columns that are settings of the user; an empty cell means none of their own."""

_LOOKED_AT = frozenset(
    key for rule in rules.concerned(FACTS.values()) for key in rule.keys if key in BY_KEY
)


class Guards:
    """The organisation's members, locks and values as they are now."""

    def __init__(self, core: Core, session: Session, actor: Actor) -> None:
        organisation = session.get_one(Organisation, actor.organisation)
        self._core, self._actor, self._package = core, actor, organisation.package
        self._members = members.members_of_organisation(session, organisation.id)
        self._by_user = {row.user.id: row for row in self._members if row.user is not None}
        self._values: dict[UUID, list[SettingValue]] = {}
        keys = [*SETTINGS.values(), *_LOOKED_AT]
        for level in (Level.ORGANISATION, Level.ROLE, Level.USER):
            found = sheets.values_of(session, organisation.id, level, keys)
            for (owner, _), value in found.items():
                self._values.setdefault(owner, []).append(value)
        self._held: dict[tuple[UUID, ...], Mapping[str, object]] = {}

    def broken(
        self, user: User | None, changed: Mapping[str, Any]
    ) -> Iterator[tuple[str, BrokenRule]]:
        """What keeps a user, None for a new one, from being changed so; with the column it is."""
        for column, value in changed.items():
            try:
                if column == "enabled" and value is False and user is not None:
                    self._may_part(user)
                elif column in SETTINGS and value is not None:
                    refuse_locked(self._above(user), [SETTINGS[column]])
                elif column in FACTS:
                    rules.check({**self._known(user), FACTS[column]: value}, [FACTS[column]])
            except BrokenRule as rule:
                yield column, rule

    def keep_an_admin(self, enabled: Mapping[UUID, bool]) -> bool:
        """Whether an organisation that has an admin keeps one where these users are enabled so."""
        admins = [
            row for row in self._members
            if row.role.organisation_id is None and row.role.name in ADMINS
        ]  # fmt: skip
        if not any(row.usable for row in admins):
            return True
        return any(
            row.active and (row.user is None or enabled.get(row.user.id, row.user.enabled))
            for row in admins
        )

    def _may_part(self, user: User) -> None:
        member = self._by_user.get(user.id)
        if member is not None:
            require_no_more(self._actor, member)

    def _above(self, user: User | None) -> list[SettingValue]:
        """The values whose locks bind a user."""
        values = list(self._values.get(self._actor.organisation, ()))
        if user is not None and user.role_id is not None:
            values += self._values.get(user.role_id, ())
        return values

    def _known(self, user: User | None) -> Mapping[str, object]:
        """The values of settings that rules look at, as they hold for a user."""
        own = self._values.get(user.id, ()) if user is not None else ()
        values = [value for value in (*self._above(user), *own) if value.key in _LOOKED_AT]
        standing = tuple(value.id for value in values)
        if standing not in self._held:
            held = held_of(self._core, self._package, values)
            self._held[standing] = {key: item.value for key, item in held.items()}
        return self._held[standing]
