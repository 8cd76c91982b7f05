"""Finding rows. Everything here reads; nothing leaves an organisation it was not asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from provisioning.domain.errors import InvalidInput, NotFound
from provisioning.domain.kinds import DeviceState, IdentityKind
from provisioning.domain.mac import Mac
from provisioning.store.base import Base, chunks
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    Device,
    DeviceIdentity,
    Station,
)
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.searching import holding
from provisioning.store.security import DeviceTrust, Enrolment, Fetch, Pending
from provisioning.store.values import KeyValue, SettingValue

R = TypeVar("R")

LONGEST_PAGE = 500
HOLDERS: dict[str, type[Any]] = {"user": User, "station": Station}
"""Who can hold a SIP account."""


def get(session: Session, table: type[R], organisation: UUID, row_id: UUID | str) -> R:
    """The organisation's row with that id; raises NotFound, also for another tenant's row."""
    kind = getattr(table, "__tablename__", "thing").replace("_", " ")
    try:
        key = row_id if isinstance(row_id, UUID) else UUID(row_id)
    except ValueError:
        raise InvalidInput(
            f"'{str(row_id)[:60]}' is not the id of a {kind}.",
            remedy="Give the UUID that the list shows.",
            field="id",
        ) from None
    columns: Any = table
    row = session.scalar(
        select(table).where(columns.id == key, columns.organisation_id == organisation)
    )
    if row is None:
        raise NotFound(f"There is no {kind} with the id {key}.", remedy="List them to see the ids.")
    return row


def listed(
    session: Session,
    table: type[R],
    *where: ColumnElement[bool],
    q: str = "",
    limit: int = 50,
    cursor: UUID | None = None,
    newest_first: bool = False,
    or_found: ColumnElement[bool] | None = None,
) -> list[R]:
    """A page of rows in the order they were made, after ``cursor``; ``q`` is searched in names.

    ``or_found`` lets rows in that ``q`` finds elsewhere.
    """
    columns: Any = table
    statement = select(table).where(*where).limit(min(limit, LONGEST_PAGE))
    if q:
        found = [*holding(table, q), *([] if or_found is None else [or_found])]
        statement = statement.where(or_(*found)) if found else statement
    if cursor is not None:
        statement = statement.where(columns.id < cursor if newest_first else columns.id > cursor)
    order = columns.id.desc() if newest_first else columns.id
    return list(session.scalars(statement.order_by(order)))


def owned(
    session: Session,
    table: type[R],
    organisation: UUID,
    *,
    where: ColumnElement[bool] | None = None,
    **page: Any,
) -> list[R]:
    """A page of an organisation's rows, those of them ``where`` picks."""
    columns: Any = table
    picked = () if where is None else (where,)
    return listed(session, table, columns.organisation_id == organisation, *picked, **page)


def named(session: Session, table: type[R], organisation: UUID, name: str) -> R | None:
    """The organisation's row of that name."""
    return row_with(session, table, organisation, name=name)


def row_with(session: Session, table: type[R], organisation: UUID, **columns: Any) -> R | None:
    """The organisation's row with these column values, which no two rows have."""
    of: Any = table
    wanted = (getattr(of, name) == value for name, value in columns.items())
    return session.scalar(select(table).where(of.organisation_id == organisation, *wanted))


def rows_with(session: Session, table: str, **columns: Any) -> int:
    """How many rows of a table have these column values, retired devices left out."""
    of = Base.metadata.tables[table]
    statement = select(func.count()).select_from(of)
    for name, value in columns.items():
        statement = statement.where(of.c[name] == value)
    if table == "device":
        statement = statement.where(of.c.state != DeviceState.RETIRED)
    return session.scalar(statement) or 0


def forget_values(session: Session, owner: UUID) -> None:
    """Delete the settings and keys of an owner that is about to go."""
    for row in session.scalars(select(SettingValue).where(SettingValue.owner_id == owner)):
        session.delete(row)
    for key in session.scalars(select(KeyValue).where(KeyValue.owner_id == owner)):
        session.delete(key)


# --- devices


def device_by_mac(session: Session, mac: Mac, organisation: UUID | None = None) -> Device | None:
    """The device with that MAC: the active one, else the latest retired one still to be blanked."""
    statement = (
        select(Device)
        .join(DeviceIdentity, DeviceIdentity.device_id == Device.id)
        .where(DeviceIdentity.kind == IdentityKind.MAC, DeviceIdentity.value == mac.digits)
        .order_by(DeviceIdentity.active.desc(), Device.id.desc())
        .limit(1)
    )
    if organisation is not None:
        statement = statement.where(Device.organisation_id == organisation)
    return session.scalar(statement)


def macs(session: Session, devices: Sequence[UUID]) -> dict[UUID, Mac]:
    """The MAC of each device that has one."""
    found: dict[UUID, Mac] = {}
    for chunk in chunks(devices):
        rows = session.execute(
            select(DeviceIdentity.device_id, DeviceIdentity.value).where(
                DeviceIdentity.device_id.in_(chunk), DeviceIdentity.kind == IdentityKind.MAC
            )
        )
        found |= {device: Mac(value) for device, value in rows}
    return found


def identities(session: Session, device: UUID) -> list[DeviceIdentity]:
    """What a device is known by."""
    return list(session.scalars(select(DeviceIdentity).where(DeviceIdentity.device_id == device)))


def active_identity(session: Session, mac: Mac) -> bool:
    """Whether a device that is not retired has this MAC, in any organisation."""
    return (
        session.scalar(
            select(DeviceIdentity.id).where(
                DeviceIdentity.kind == IdentityKind.MAC,
                DeviceIdentity.value == mac.digits,
                DeviceIdentity.active,
            )
        )
        is not None
    )


def trust_of(session: Session, device: UUID, *, lock: bool = False) -> DeviceTrust:
    """A device's credentials and window; locked against other writers when asked."""
    statement = select(DeviceTrust).where(DeviceTrust.device_id == device)
    return session.scalars(statement.with_for_update() if lock else statement).one()


def trust_by_token(session: Session, token_hash: bytes) -> DeviceTrust | None:
    """The device whose token, or previous token, this is."""
    return session.scalar(
        select(DeviceTrust).where(
            or_(
                DeviceTrust.token_hash == token_hash,
                DeviceTrust.previous_token_hash == token_hash,
            )
        )
    )


def trust_by_screen_token(session: Session, token_hash: bytes) -> DeviceTrust | None:
    """The device whose screen token this is."""
    return session.scalar(select(DeviceTrust).where(DeviceTrust.screen_token_hash == token_hash))


def trusts_without_screens(session: Session) -> list[DeviceTrust]:
    """Devices registered by a version that knew no screen tokens."""
    return list(session.scalars(select(DeviceTrust).where(DeviceTrust.screen_token_hash.is_(None))))


def trust_by_username(session: Session, username: str) -> DeviceTrust | None:
    """The device with that provisioning user name."""
    return session.scalar(select(DeviceTrust).where(DeviceTrust.username == username))


def enrolment_by_token(session: Session, token_hash: bytes) -> Enrolment | None:
    """The enrolment with that token."""
    return session.scalar(select(Enrolment).where(Enrolment.token_hash == token_hash))


def open_enrolments(session: Session, device: UUID) -> list[Enrolment]:
    """The enrolments of a device that are not used up."""
    return list(
        session.scalars(
            select(Enrolment).where(Enrolment.device_id == device, Enrolment.used_at.is_(None))
        )
    )


def by_id(session: Session, table: type[R], row_id: UUID) -> R | None:
    """The row with that id, whoever's it is: for code that has proven its right to it."""
    return session.get(table, row_id)


# --- stations and people


def stations_of(session: Session, device: UUID) -> list[Station]:
    """A device's stations in order."""
    return list(
        session.scalars(
            select(Station).where(Station.device_id == device).order_by(Station.position)
        )
    )


def assignments_at(session: Session, stations: Sequence[UUID]) -> list[Assignment]:
    """The assignments of stations in order."""
    return list(
        session.scalars(
            select(Assignment)
            .where(Assignment.station_id.in_(stations))
            .order_by(Assignment.position, Assignment.id)
        )
    )


def assignments_of(session: Session, user: UUID) -> list[Assignment]:
    """Where a user is assigned."""
    return list(session.scalars(select(Assignment).where(Assignment.user_id == user)))


def users(session: Session, ids: Sequence[UUID]) -> dict[UUID, User]:
    """Users by id."""
    rows = session.scalars(select(User).where(User.id.in_(ids)))
    return {row.id: row for row in rows}


def user_by_extension(session: Session, organisation: UUID, extension: str) -> User | None:
    """The organisation's user with that extension."""
    return session.scalar(
        select(User).where(User.organisation_id == organisation, User.extension == extension)
    )


def user_by_email(session: Session, organisation: UUID, email: str) -> User | None:
    """The organisation's user with that e-mail."""
    return session.scalar(
        select(User).where(User.organisation_id == organisation, User.email == email)
    )


def accounts_of(
    session: Session, *, users: Sequence[UUID] = (), stations: Sequence[UUID] = ()
) -> list[SipAccount]:
    """The SIP accounts held by users and stations, in order."""
    return list(
        session.scalars(
            select(SipAccount)
            .where(or_(SipAccount.user_id.in_(users), SipAccount.station_id.in_(stations)))
            .order_by(SipAccount.position, SipAccount.id)
        )
    )


def account_named(session: Session, server: UUID, username: str) -> SipAccount | None:
    """The account of that user name on a SIP server."""
    return session.scalar(
        select(SipAccount).where(
            SipAccount.sip_server_id == server, SipAccount.username == username
        )
    )


def default_server(session: Session, organisation: UUID) -> SipServer | None:
    """The organisation's default SIP server."""
    return session.scalar(
        select(SipServer).where(SipServer.organisation_id == organisation, SipServer.is_default)
    )


def servers(session: Session, ids: Sequence[UUID]) -> dict[UUID, SipServer]:
    """SIP servers by id."""
    rows = session.scalars(select(SipServer).where(SipServer.id.in_(ids)))
    return {row.id: row for row in rows}


# --- settings and keys


def settings_at(session: Session, owners: Sequence[tuple[str, UUID]]) -> list[SettingValue]:
    """The values that stand at these levels and owners."""
    ids = [owner for _, owner in owners]
    rows = session.scalars(select(SettingValue).where(SettingValue.owner_id.in_(ids)))
    return [row for row in rows if (row.level, row.owner_id) in set(owners)]


def settings_of(session: Session, organisation: UUID, key: str) -> list[SettingValue]:
    """Every value of a setting in an organisation."""
    wanted = select(SettingValue).where(
        SettingValue.organisation_id == organisation, SettingValue.key == key
    )
    return list(session.scalars(wanted))


def keys_at(session: Session, owners: Sequence[tuple[str, UUID]]) -> list[KeyValue]:
    """The keys that stand at these levels and owners."""
    ids = [owner for _, owner in owners]
    rows = session.scalars(select(KeyValue).where(KeyValue.owner_id.in_(ids)))
    return [row for row in rows if (row.level, row.owner_id) in set(owners)]


# --- DECT


def members_of(session: Session, system: UUID) -> list[DectMember]:
    """A DECT system's member devices in order."""
    return list(
        session.scalars(
            select(DectMember).where(DectMember.system_id == system).order_by(DectMember.position)
        )
    )


def slots_of(session: Session, system: UUID) -> list[DectSlot]:
    """A DECT system's slots in order of their numbers."""
    return list(
        session.scalars(
            select(DectSlot).where(DectSlot.system_id == system).order_by(DectSlot.number)
        )
    )


def slot_numbered(session: Session, system: UUID, number: int) -> DectSlot | None:
    """One slot of a DECT system."""
    return session.scalar(
        select(DectSlot).where(DectSlot.system_id == system, DectSlot.number == number)
    )


def slot_of(session: Session, station: UUID) -> DectSlot | None:
    """The slot a handset's station sits in."""
    return session.scalar(select(DectSlot).where(DectSlot.station_id == station))


# --- logs


def fetches_of(session: Session, device: UUID, limit: int, cursor: UUID | None) -> list[Fetch]:
    """A device's lines of the fetch log, newest first."""
    return listed(
        session, Fetch, Fetch.device_id == device, limit=limit, cursor=cursor, newest_first=True
    )


def pending(session: Session, organisation: UUID | None, limit: int) -> list[Pending]:
    """Unknown MACs of an organisation, or of none, the latest first."""
    return list(
        session.scalars(
            select(Pending)
            .where(Pending.organisation_id == organisation)
            .order_by(Pending.last_seen_at.desc())
            .limit(min(limit, LONGEST_PAGE))
        )
    )
