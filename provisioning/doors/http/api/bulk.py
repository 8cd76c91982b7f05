"""One change for several users at once."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from provisioning.domain.errors import InvalidInput
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Shown, absent
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.doors.http.api.settings import NewValues
from provisioning.doors.http.api.users import UserChange
from provisioning.usecases import bulk as usecases

ENDPOINTS = Endpoints()

MOST_USERS = 500


class UsersChange(Input):
    """What is to be changed, and of whom."""

    users: Annotated[list[UUID], Field(min_length=1, max_length=MOST_USERS)]
    change: UserChange = absent()
    """The fields to change of each."""
    settings: NewValues = absent()
    """The values to set for each."""


class ChangedUsers(Shown):
    """How many users were changed."""

    users: int


@ENDPOINTS.patch("/users", Permission.WRITE, dry_run=True)
def change_users(call: Call, body: UsersChange) -> ChangedUsers:
    """Change several users in one go: all of them, or none."""
    sent: dict[str, Any] = body.sent()
    changes, values = sent.get("change", {}), sent.get("settings", {})
    if not changes and not values:
        raise InvalidInput(
            "Nothing is to be changed.", remedy="Send 'change', 'settings' or both.", field="change"
        )
    people = sent["users"]
    return ChangedUsers(users=usecases.change_users(call.core, call.actor, people, changes, values))
