"""Who may use the API: tokens and roles."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Moment, Shown, Text, absent, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.organisations import Role as Row
from provisioning.usecases import actors as usecases
from provisioning.usecases import roles

ENDPOINTS = Endpoints()


class Token(Shown):
    """An API token, without itself."""

    id: UUID
    name: str
    role: str
    user_id: UUID | None
    """The user it acts as."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """When it was last used, to some minutes."""


class MadeToken(Token):
    """An API token just made."""

    token: str
    """The token itself, shown this once."""


class NewToken(Input):
    """An API token to make."""

    name: Text
    role: Text
    expires_at: Moment | None = absent()
    """When it ends, with its time zone; null for never."""
    user: UUID | None = absent()
    """A user to act as; with no more rights than their login has, if they have one."""


class Role(Shown):
    """A named set of permissions."""

    id: UUID
    name: str
    permissions: list[str]
    built_in: bool
    revision: int


class RoleChange(Input):
    """What can be changed of a role of one's own.

    Its presets are the settings and keys at the level role.
    """

    name: Text = absent()
    permissions: list[Text] = absent()


class NewRole(RoleChange):
    """A role to make."""

    name: Text


# --- tokens


@ENDPOINTS.get("/tokens", Permission.TOKENS)
def list_tokens(call: Call) -> Listing[Token]:
    """The organisation's tokens, revoked ones included."""
    rows = usecases.list_tokens(call.core, call.actor)
    return whole(Token.of(row, role=role.name) for row, role in rows)


@ENDPOINTS.post("/tokens", Permission.TOKENS)
def add_token(call: Call, body: NewToken) -> MadeToken:
    """Make a token of a role that has no more rights than the asker's."""
    made = usecases.add_token(call.core, call.actor, **body.sent())
    return MadeToken.of(made.row, role=made.role.name, token=made.token)


@ENDPOINTS.delete("/tokens/{token}", Permission.TOKENS)
def revoke_token(call: Call, token: UUID) -> None:
    """End a token."""
    usecases.revoke_token(call.core, call.actor, token)


# --- roles


@ENDPOINTS.get("/roles", Permission.READ)
def list_roles(call: Call) -> Listing[Role]:
    """The built-in roles and the organisation's own."""
    return whole(map(_role, roles.list_roles(call.core, call.actor)))


@ENDPOINTS.post("/roles", Permission.ACCOUNT)
def add_role(call: Call, body: NewRole) -> Role:
    """Make a role that has no more rights than the asker."""
    return _role(roles.add_role(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/roles/{role}", Permission.READ)
def read_role(call: Call, role: UUID) -> Role:
    """One role."""
    return _role(roles.read_role(call.core, call.actor, role))


@ENDPOINTS.patch("/roles/{role}", Permission.ACCOUNT)
def change_role(call: Call, role: UUID, body: RoleChange, revision: int | None = None) -> Role:
    """Rename a role of one's own or change its rights."""
    return _role(roles.change_role(call.core, call.actor, role, body.sent(), revision))


@ENDPOINTS.delete("/roles/{role}", Permission.ACCOUNT)
def delete_role(call: Call, role: UUID, revision: int | None = None) -> None:
    """Delete a role that nobody has, with its presets."""
    roles.delete_role(call.core, call.actor, role, revision)


def _role(row: Row) -> Role:
    return Role.of(row, built_in=row.organisation_id is None)
