"""An organisation's own roles: named sets of permissions, and presets for their users.

Presets are the settings and keys that stand at the level ``role``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import DuplicateName, InvalidInput, StillInUse
from provisioning.domain.roles import BUILT_IN_NAMES, Permission, known_permissions
from provisioning.store import access, members, queries
from provisioning.store.database import Session
from provisioning.store.organisations import Role
from provisioning.usecases.actors import Actor, changing, require_rights
from provisioning.usecases.changes import expect
from provisioning.usecases.core import Core

_NEVER = (Permission.OPERATE,)
"""Permissions of the server, which no tenant's role has."""


def list_roles(core: Core, actor: Actor) -> list[Role]:
    """The roles a token or member can have: the built-in ones and the organisation's own."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return access.roles(session, actor.organisation_id)


def read_role(core: Core, actor: Actor, role: UUID) -> Role:
    """One role, built-in ones too; raises NotFound."""
    for row in list_roles(core, actor):
        if row.id == role:
            return row
    with core.database.read() as session:
        return queries.get(session, Role, actor.organisation, role)


def add_role(core: Core, actor: Actor, *, name: str, permissions: Sequence[str] = ()) -> Role:
    """Make a role; raises DuplicateName, InvalidInput, or Forbidden for rights one has not."""
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        row = Role(organisation_id=actor.organisation, name="", permissions=[])
        _apply(session, actor, row, {"name": name, "permissions": permissions})
        session.add(row)
        return row


def change_role(
    core: Core, actor: Actor, role: UUID, changes: Mapping[str, Any], revision: int | None = None
) -> Role:
    """Rename a role of one's own or change its rights; raises as ``add_role``, or StaleRevision.

    Neither the rights it has nor those it gets may be more than the actor's.
    """
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        row = queries.get(session, Role, actor.organisation, role)
        expect(row, revision)
        require_rights(actor, known_permissions(row.permissions), f"The role '{row.name}'")
        with session.no_autoflush:
            _apply(session, actor, row, changes)
        return row


def delete_role(core: Core, actor: Actor, role: UUID, revision: int | None = None) -> None:
    """Delete a role that nobody has, with its presets; raises NotFound or StillInUse."""
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        row = queries.get(session, Role, actor.organisation, role)
        expect(row, revision)
        if members.role_in_use(session, row.id):
            raise StillInUse(
                f"Members, users or tokens have the role '{row.name}'.",
                remedy="Give them another first; tokens that were revoked keep theirs.",
            )
        queries.forget_values(session, row.id)
        session.delete(row)


def _apply(session: Session, actor: Actor, row: Role, changes: Mapping[str, Any]) -> None:
    if "name" in changes:
        row.name = _free_name(session, actor.organisation, row, changes["name"])
    if "permissions" in changes:
        wanted = [_permission(text) for text in changes["permissions"]]
        require_rights(actor, wanted, "The role")
        row.permissions = sorted(set(map(str, wanted)))


def _permission(text: str) -> Permission:
    allowed = [item for item in Permission if item not in _NEVER]
    if text not in allowed:
        raise InvalidInput(
            f"'{text[:40]}' is no permission a role of yours can have.",
            remedy="Give some of: " + ", ".join(allowed) + ".",
            field="permissions",
        )
    return Permission(text)


def _free_name(session: Session, organisation: UUID, row: Role, text: str) -> str:
    name = fields.name("name", text)
    other = queries.named(session, Role, organisation, name)
    if name.lower() in BUILT_IN_NAMES or (other is not None and other.id != row.id):
        raise DuplicateName(
            f"There is already a role '{name}'.", remedy="Choose another name.", field="name"
        )
    return name


def role_of_a_user(session: Session, organisation: UUID, role: UUID | None) -> UUID | None:
    """A role that presets a user's features: one of the organisation's own, or none.

    Raises NotFound for any other.
    """
    return None if role is None else queries.get(session, Role, organisation, role).id
