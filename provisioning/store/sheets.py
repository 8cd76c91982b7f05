"""Reading whole tables of an organisation at once, for imports and exports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.kinds import DeviceState, IdentityKind, LicenceKind
from provisioning.store.base import chunks
from provisioning.store.catalogue import Licence, LicenceHolder
from provisioning.store.devices import Assignment, Device, DeviceIdentity, Station
from provisioning.store.people import SipAccount
from provisioning.store.values import SettingValue

R = TypeVar("R")


def all_of(session: Session, table: type[R], organisation: UUID) -> list[R]:
    """Every row of an organisation, in the order they were made."""
    columns: Any = table
    statement = select(table).where(columns.organisation_id == organisation).order_by(columns.id)
    return list(session.scalars(statement))


def by_ids(session: Session, table: type[R], ids: Iterable[UUID]) -> dict[UUID, R]:
    """Rows by id, read in chunks."""
    columns: Any = table
    found: dict[UUID, R] = {}
    for chunk in chunks(ids):
        for row in session.scalars(select(table).where(columns.id.in_(chunk))):
            found[row.id] = row  # type: ignore[attr-defined]  # every table has an id
    return found


def values_of(
    session: Session, organisation: UUID, level: str, keys: Sequence[str]
) -> dict[tuple[UUID, str], SettingValue]:
    """The values of some settings at a level, by owner and key."""
    rows = session.scalars(
        select(SettingValue).where(
            SettingValue.organisation_id == organisation,
            SettingValue.level == level,
            SettingValue.key.in_(keys),
        )
    )
    return {(row.owner_id, row.key): row for row in rows}


def account_names(session: Session, server: UUID) -> set[str]:
    """The user names of all accounts on a SIP server."""
    return set(
        session.scalars(select(SipAccount.username).where(SipAccount.sip_server_id == server))
    )


def accounts_per_user(session: Session, organisation: UUID) -> dict[UUID, int]:
    """How many SIP accounts each user of an organisation has."""
    found: dict[UUID, int] = {}
    for user in session.scalars(
        select(SipAccount.user_id).where(
            SipAccount.organisation_id == organisation, SipAccount.user_id.is_not(None)
        )
    ):
        if user is not None:
            found[user] = found.get(user, 0) + 1
    return found


def live_devices(session: Session, organisation: UUID) -> list[tuple[Device, str]]:
    """The devices of an organisation that have a MAC and are not retired, with it."""
    rows = session.execute(
        select(Device, DeviceIdentity.value)
        .join(DeviceIdentity, DeviceIdentity.device_id == Device.id)
        .where(
            Device.organisation_id == organisation,
            Device.state != DeviceState.RETIRED,
            DeviceIdentity.kind == IdentityKind.MAC,
            DeviceIdentity.active,
        )
        .order_by(Device.id)
    )
    return [(device, mac) for device, mac in rows]


def taken_macs(session: Session, macs: Iterable[str]) -> set[str]:
    """Those of the MACs that a device of any organisation has."""
    found: set[str] = set()
    for chunk in chunks(macs):
        found |= set(
            session.scalars(
                select(DeviceIdentity.value).where(
                    DeviceIdentity.kind == IdentityKind.MAC,
                    DeviceIdentity.value.in_(chunk),
                    DeviceIdentity.active,
                )
            )
        )
    return found


def stations(session: Session, organisation: UUID) -> dict[UUID, list[Station]]:
    """The stations of each device of an organisation, in order."""
    found: dict[UUID, list[Station]] = {}
    rows = session.scalars(
        select(Station)
        .where(Station.organisation_id == organisation, Station.device_id.is_not(None))
        .order_by(Station.position)
    )
    for row in rows:
        if row.device_id is not None:
            found.setdefault(row.device_id, []).append(row)
    return found


def assigned(session: Session, organisation: UUID) -> dict[UUID, list[Assignment]]:
    """The assignments at each station of an organisation, in order."""
    found: dict[UUID, list[Assignment]] = {}
    for row in session.scalars(
        select(Assignment)
        .where(Assignment.organisation_id == organisation)
        .order_by(Assignment.position, Assignment.id)
    ):
        found.setdefault(row.station_id, []).append(row)
    return found


def licensed(session: Session, organisation: UUID) -> dict[LicenceKind, set[UUID]]:
    """Who holds a licence of each kind."""
    found: dict[LicenceKind, set[UUID]] = {kind: set() for kind in LicenceKind}
    rows = session.execute(
        select(Licence.kind, LicenceHolder.user_id)
        .join(LicenceHolder, LicenceHolder.licence_id == Licence.id)
        .where(Licence.organisation_id == organisation)
    )
    for kind, user in rows:
        found[LicenceKind(kind)].add(user)
    return found
