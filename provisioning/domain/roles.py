"""Roles: named sets of permissions. The built-in ones stand here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What a request may do. ``read`` and ``write`` are of the token's organisation."""

    OPERATE = "operate"
    """Make, list and retire organisations; see pending devices that belong to none."""
    READ = "read"
    WRITE = "write"
    ACCOUNT = "account"
    """See and edit the organisation's own data and who has a login in it, edit its roles, see its audit log."""
    SECRETS = "secrets"
    """See passwords and tokens in files and URLs."""
    TOKENS = "tokens"
    """Make and revoke API tokens."""
    OWN = "own"
    """Read and change what belongs to oneself."""
    PBX = "pbx"
    """Pull the exports a PBX feeds on; log people in at phones by their PIN, and out without one."""


@dataclass(frozen=True, slots=True)
class BuiltInRole:
    """A role every organisation has."""

    name: str
    permissions: frozenset[Permission]
    title: str


BUILT_IN: tuple[BuiltInRole, ...] = (
    BuiltInRole(
        "owner",
        frozenset(Permission) - {Permission.OPERATE},
        "Every right of the organisation; one user has it.",
    ),
    BuiltInRole(
        "admin",
        frozenset(Permission) - {Permission.OPERATE},
        "Everything of the organisation.",
    ),
    BuiltInRole(
        "partner",
        frozenset(Permission) - {Permission.OPERATE, Permission.TOKENS},
        "Manages organisations given to them; makes no API tokens, which would outlive that.",
    ),
    BuiltInRole("member", frozenset({Permission.OWN}), "Their own things only."),
    BuiltInRole(
        "pbx",
        frozenset({Permission.PBX}),
        "A PBX: pulls the exports it feeds on, and passes on who logs in at a phone, and out.",
    ),
    BuiltInRole("operator", frozenset(Permission), "Runs the server; not bound to one tenant."),
)

BUILT_IN_NAMES = frozenset(role.name for role in BUILT_IN)
OWNER, ADMIN, MEMBER = "owner", "admin", "member"
ADMINS = frozenset({OWNER, ADMIN})
"""Who can put everything right in an organisation; one of them always stays."""


def known_permissions(words: Iterable[str]) -> frozenset[Permission]:
    """A role's stored permissions; those of another version of the code give nothing."""
    return frozenset(item for item in Permission if item in words)
