"""Who may use the API: tokens and roles."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from provisioning.domain.errors import InvalidInput
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import actors as usecases

ENDPOINTS = Endpoints()


class Token(Shown):
    """An API token, without itself."""

    id: UUID
    name: str
    role: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeToken(Token):
    """An API token just made."""

    token: str
    """The token itself, shown this once."""


class NewToken(Input):
    """An API token to make."""

    name: Text
    role: Text
    expires_at: datetime | None = absent()
    """When it ends, with its time zone; null for never."""


class Role(Shown):
    """A named set of permissions."""

    id: UUID
    name: str
    permissions: list[str]
    built_in: bool


@ENDPOINTS.get("/tokens", Permission.TOKENS)
def list_tokens(call: Call) -> Listing[Token]:
    """The organisation's tokens, revoked ones included."""
    rows = usecases.list_tokens(call.core, call.actor)
    return whole(Token.of(row, role=role.name) for row, role in rows)


@ENDPOINTS.post("/tokens", Permission.TOKENS)
def add_token(call: Call, body: NewToken) -> MadeToken:
    """Make a token of a role that has no more rights than the asker's."""
    sent = body.sent()
    expires = sent.get("expires_at")
    if expires is not None and expires.tzinfo is None:
        raise InvalidInput(
            "'expires_at' has no time zone.",
            remedy="Write it with one, for example 2030-01-31T12:00:00Z.",
            field="expires_at",
        )
    made = usecases.add_token(call.core, call.actor, **sent)
    return MadeToken.of(made.row, role=made.role.name, token=made.token)


@ENDPOINTS.delete("/tokens/{token}", Permission.TOKENS)
def revoke_token(call: Call, token: UUID) -> None:
    """End a token."""
    usecases.revoke_token(call.core, call.actor, token)


@ENDPOINTS.get("/roles", Permission.READ)
def list_roles(call: Call) -> Listing[Role]:
    """The built-in roles and the organisation's own."""
    rows = usecases.list_roles(call.core, call.actor)
    return whole(Role.of(row, built_in=row.organisation_id is None) for row in rows)
