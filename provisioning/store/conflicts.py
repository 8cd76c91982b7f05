"""What a refused write means: the database's own constraints under the names of our rules.

The use cases check before they write and say more; this is for whoever lost a race in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from provisioning.domain.errors import (
    Conflict,
    DuplicateExtension,
    DuplicateMac,
    DuplicateName,
    LoggedInElsewhere,
    StationOccupied,
)
from provisioning.store.tables import Base

_RULES: dict[str, tuple[type[Conflict], str, str]] = {
    "uq_call_target_organisation_id_kind_name": (DuplicateName, "The name is taken.", "name"),
    "uq_category_option_category_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_category_organisation_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_cost_centre_organisation_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_dect_member_device_id": (Conflict, "The device is in a DECT system already.", "device"),
    "uq_dect_member_manager": (Conflict, "The DECT system has a manager already.", "role"),
    "uq_dect_slot_system_id_number": (Conflict, "The slot was taken just now.", "number"),
    "uq_dect_system_organisation_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_device_identity_active": (DuplicateMac, "The MAC is registered already.", "mac"),
    "uq_hotdesk_session_station": (
        StationOccupied,
        "Somebody logged in at this phone just now.",
        "device",
    ),
    "uq_hotdesk_session_user": (
        LoggedInElsewhere,
        "This person logged in at another phone just now.",
        "extension",
    ),
    "uq_licence_organisation_id_kind_add_on": (DuplicateName, "There is one already.", "kind"),
    "uq_login_email": (DuplicateName, "The e-mail has a login already.", "email"),
    "uq_membership_organisation_id_login_id": (
        DuplicateName,
        "The e-mail has a membership here already.",
        "email",
    ),
    "uq_membership_user": (Conflict, "The user has a login already.", "user"),
    "uq_number_default": (Conflict, "Another number was made the default just now.", "is_default"),
    "uq_number_organisation_id_number": (DuplicateName, "The number is there already.", "number"),
    "uq_organisation_name": (DuplicateName, "The name is taken.", "name"),
    "uq_profile_organisation_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_role_organisation_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_sip_account_sip_server_id_username": (
        DuplicateName,
        "The SIP server has an account of that user name already.",
        "username",
    ),
    "uq_sip_server_organisation_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_site_organisation_id_name": (DuplicateName, "The name is taken.", "name"),
    "uq_user_email": (DuplicateName, "Another user has this e-mail.", "email"),
    "uq_user_extension": (DuplicateExtension, "Another user has this extension.", "extension"),
}
"""For each constraint with a rule of its own: the rule, what to say, the field concerned."""

_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")
_SQLITE_REFERENCE = "FOREIGN KEY constraint failed"
_UNIQUE_VIOLATION = "23505"
_REFERENCE_VIOLATIONS = ("23503", "23001")
"""SQLSTATEs (PostgreSQL manual, appendix A); the last is RESTRICT's own from version 18 on."""


def _unique() -> Iterator[tuple[str, str]]:
    """Each unique constraint's columns, as SQLite lists them, and its name."""
    for table in Base.metadata.sorted_tables:
        items: list[UniqueConstraint | Index] = [index for index in table.indexes if index.unique]
        items += [item for item in table.constraints if isinstance(item, UniqueConstraint)]
        for item in items:
            columns = ", ".join(f"{table.name}.{column.name}" for column in item.columns)
            yield columns, str(item.name)


_BY_COLUMNS = dict(_unique())


def conflict_of(error: IntegrityError) -> Conflict | None:
    """The rule a refused write broke; None where only a fault of ours can be the reason.

    PostgreSQL names the constraint, SQLite the columns of a unique one. A missing value or a
    failed check is nothing a user can cause: those were checked before.
    """
    name, referring = _broken(error)
    if name in _RULES:
        rule, what, field = _RULES[name]
        return rule(what, remedy="Choose another, or look at what is there.", field=field)
    if referring:
        return Conflict(
            "This refers to something that is not there, or something still refers to it.",
            remedy="Read both again and retry.",
        )
    if name:
        return Conflict("This is there already.", remedy="Read it again and change that.")
    return None


def _broken(error: IntegrityError) -> tuple[str, bool]:
    """The unique constraint that was broken, and whether it was a foreign key instead."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        name = str(getattr(getattr(error.orig, "diag", None), "constraint_name", None) or "unnamed")
        return (name if state == _UNIQUE_VIOLATION else ""), state in _REFERENCE_VIOLATIONS
    text = str(error.orig)
    found = _SQLITE_UNIQUE.search(text)
    if found is None:
        return "", _SQLITE_REFERENCE in text
    return _BY_COLUMNS.get(found["columns"], found["columns"]), False
