"""What users are called in cells that name one: something no other user has."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.store.people import User


def called(user: User) -> str:
    """What a user is called in a sheet that is written."""
    return user.extension or user.email or str(user.id)


def by_name(users: Iterable[User]) -> dict[str, User]:
    """The users by everything they may be called, in lower case."""
    return {
        name: user for user in users for name in (user.extension, user.email, str(user.id)) if name
    }
