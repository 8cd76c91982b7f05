"""An organisation's users as it has them now, and as a sheet shows them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from provisioning.domain.settings import Level
from provisioning.store import groups, queries, sheets
from provisioning.store.catalogue import CategoryOption, CostCentre
from provisioning.store.database import Session
from provisioning.store.people import SipServer, User
from provisioning.store.values import SettingValue
from provisioning.usecases.sheets import cells
from provisioning.usecases.sheets.guards import SETTINGS

COLUMNS = (
    "id", "first_name", "last_name", "email", "extension", "enabled", "department", "cost_centre",
    *SETTINGS,
)  # fmt: skip


@dataclass
class Known:
    """The organisation as it is before the import."""

    users: dict[UUID, User]
    departments: dict[UUID, UUID]
    options: dict[UUID, str]
    cost_centres: dict[str, UUID]
    values: dict[tuple[UUID, str], SettingValue]
    category: UUID
    server: SipServer | None
    accounts: set[str]

    @classmethod
    def read(cls, session: Session, organisation: UUID) -> Known:
        """What an organisation has, in as many statements however much it is."""
        server = queries.default_server(session, organisation)
        options = sheets.all_of(session, CategoryOption, organisation)
        centres = sheets.all_of(session, CostCentre, organisation)
        keys = list(SETTINGS.values())
        category = groups.department(session, organisation).id
        return cls(
            users={row.id: row for row in sheets.all_of(session, User, organisation)},
            departments=groups.departments(session, organisation),
            options={row.id: row.name for row in options if row.category_id == category},
            cost_centres={row.name: row.id for row in centres},
            values=sheets.values_of(session, organisation, Level.USER, keys),
            category=category,
            server=server,
            accounts=sheets.account_names(session, server.id) if server else set(),
        )

    def shown(self, user: User) -> dict[str, str]:
        """A user as the sheet shows them."""
        centres = {row: name for name, row in self.cost_centres.items()}
        department = self.departments.get(user.id)
        found = {
            "id": str(user.id),
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email or "",
            "extension": user.extension or "",
            "enabled": cells.word(user.enabled),
            "department": self.options.get(department, "") if department else "",
            "cost_centre": centres.get(user.cost_centre_id, "") if user.cost_centre_id else "",
        }
        for column, key in SETTINGS.items():
            held = self.values.get((user.id, key))
            found[column] = str(held.value) if held is not None else ""
        return found


def export_users(session: Session, organisation: UUID) -> str:
    """The users of an organisation as CSV; importing it again changes nothing."""
    known = Known.read(session, organisation)
    rows = (known.shown(user) for user in known.users.values())
    return cells.write(COLUMNS, ([row[column] for column in COLUMNS] for row in rows))
