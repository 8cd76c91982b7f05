"""An organisation's profile and package: what its admins change, and what is the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from provisioning.domain import fields, packages
from provisioning.domain.errors import Forbidden
from provisioning.domain.kinds import Package
from provisioning.domain.roles import Permission
from provisioning.store.organisations import Organisation
from provisioning.usecases.actors import Actor
from provisioning.usecases.changes import Check, change

_OPERATORS: dict[str, Check] = {
    "legal_name": lambda value: fields.name("legal_name", value, empty=True),
    "number": lambda value: fields.name("number", value, empty=True),
    "contract_until": lambda value: value,
    "curing_until": lambda value: value,
    "licensing": bool,
}
_FIELDS: dict[str, Check] = {
    "totp_required": bool,
    "name": lambda value: fields.name("name", value),
    "display_name": lambda value: fields.name("display_name", value, empty=True),
    "address": lambda value: fields.name("address", value, longest=500, empty=True),
    "package": lambda value: fields.word("package", value, Package),
    **_OPERATORS,
}


def change_company(
    row: Organisation, changes: Mapping[str, Any], actor: Actor, today: date
) -> None:
    """Change an organisation's columns; the dates of the same request count for its package.

    Raises InvalidInput, DowngradeRefused, and Forbidden for what is the operator's. What an admin
    sends back as it stands is no change.
    """
    held = row.package
    theirs = [
        name for name in _OPERATORS if name in changes and changes[name] != getattr(row, name)
    ]
    if theirs and not actor.may(Permission.OPERATE):
        raise Forbidden(
            f"'{theirs[0]}' is set by the operator of this server.",
            remedy="Ask the operator, or leave it as it is.",
            field=theirs[0],
        )
    change(row, changes, _FIELDS)
    packages.check_change(
        held,
        row.package,
        contract_until=row.contract_until,
        curing_until=row.curing_until,
        today=today,
    )
