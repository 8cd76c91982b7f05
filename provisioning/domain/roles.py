"""Roles: named sets of permissions. The built-in ones stand here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What a request may do. ``read`` and ``write`` are of the token's organisation."""

    OPERATE = "operate"
    """Make, list and retire organisations; see pending devices that belong to none."""
    READ = "read"
    WRITE = "write"
    SECRETS = "secrets"
    """See passwords and tokens in files and URLs."""
    TOKENS = "tokens"
    """Make and revoke API tokens."""
    OWN = "own"
    """Read and change what belongs to oneself."""
    PBX = "pbx"
    """Pull the exports a PBX feeds on."""


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
    BuiltInRole("member", frozenset({Permission.OWN}), "Their own things only."),
    BuiltInRole("pbx", frozenset({Permission.PBX}), "Pulls the exports a PBX feeds on."),
    BuiltInRole("operator", frozenset(Permission), "Runs the server; not bound to one tenant."),
)
