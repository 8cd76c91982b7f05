"""The levels at which settings and keys stand, and who owns them there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from provisioning.domain.errors import InvalidSetting, NotFound
from provisioning.domain.settings import STORED_LEVELS, Level
from provisioning.store import queries
from provisioning.store.database import Session
from provisioning.store.organisations import Profile, Role, Site
from provisioning.store.people import User
from provisioning.usecases.actors import Actor
from provisioning.usecases.devices import find_device


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody values belong to, and those whose locks bind them, whatever phone it is about."""

    level: Level
    id: UUID
    above: tuple[tuple[str, UUID], ...] = ()

    @property
    def place(self) -> tuple[str, UUID]:
        """Level and id, as rows hold them."""
        return (self.level, self.id)


def level_named(text: str) -> Level:
    """The level of that name at which values can stand; raises InvalidSetting."""
    if text not in STORED_LEVELS:
        raise InvalidSetting(
            f"'{text[:40]}' is no level values can stand at.",
            remedy="Give one of: " + ", ".join(STORED_LEVELS) + ".",
            field="level",
        )
    return Level(text)


def find_owner(session: Session, actor: Actor, level: str, owner: UUID | str) -> Owner:
    """The owner of that id at a level, in the actor's organisation; a device also by its MAC.

    A site's lock binds the devices there but not a profile, whose devices may stand elsewhere;
    so a user is bound by their role and the organisation only. Built-in roles belong to no
    organisation and own nothing. Raises InvalidSetting or NotFound.
    """
    at = level_named(level)
    organisation = (str(Level.ORGANISATION), actor.organisation)
    match at:
        case Level.ORGANISATION:
            if str(owner) != str(actor.organisation):
                raise NotFound(
                    f"There is no organisation with the id {str(owner)[:40]}.",
                    remedy="GET /api/v1/organisation shows the id of yours.",
                )
            return Owner(at, actor.organisation)
        case Level.DEVICE:
            device = find_device(session, actor, owner)
            above = [organisation, (str(Level.SITE), device.site_id)]
            if device.profile_id is not None:
                above.append((str(Level.PROFILE), device.profile_id))
            return Owner(at, device.id, tuple(above))
        case Level.USER:
            user = queries.get(session, User, actor.organisation, owner)
            role = ((str(Level.ROLE), user.role_id),) if user.role_id else ()
            return Owner(at, user.id, (organisation, *role))
        case Level.SITE:
            site = queries.get(session, Site, actor.organisation, owner)
            return Owner(at, site.id, (organisation,))
        case Level.PROFILE:
            profile = queries.get(session, Profile, actor.organisation, owner)
            return Owner(at, profile.id, (organisation,))
        case _:
            own_role = queries.get(session, Role, actor.organisation, owner)
            return Owner(at, own_role.id, (organisation,))
