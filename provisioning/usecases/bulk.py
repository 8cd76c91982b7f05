"""One change for several users: all of them or none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from provisioning.domain.errors import BrokenRule
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Level
from provisioning.usecases import settings, users
from provisioning.usecases.actors import Actor, together
from provisioning.usecases.core import Core


def change_users(
    core: Core,
    actor: Actor,
    people: Collection[UUID],
    changes: Mapping[str, Any],
    values: Mapping[str, Any],
) -> int:
    """Change each of the users and set values for each, in one transaction; how many there were.

    Raises what ``change_user`` and ``set_values`` raise, saying of whom; nobody is changed then.
    """
    actor.require(Permission.WRITE)
    wanted = sorted(set(people))  # in one order, so that two who do this do not wait in a circle
    with together(core, actor) as same:
        for user in wanted:
            with of_one(f"Of the user {user}"):
                if changes:
                    users.change_user(core, same, user, changes)
                if values:
                    settings.set_values(core, same, Level.USER, user, values)
    return len(wanted)


@contextmanager
def of_one(which: str) -> Iterator[None]:
    """What the block refuses is told with the one of several it is refused for."""
    try:
        yield
    except BrokenRule as error:
        error.what = f"{which}: {error.what}"
        raise
