"""The table of hotdesk sessions, and finding them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Index, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.kinds import Release, SessionEnd
from provisioning.store import queries
from provisioning.store.base import Base, Owned, now, one_of, owned_key, unique_where, within
from provisioning.store.devices import DectMember, DectSlot, DectSystem, Device, Station
from provisioning.store.locks import take_turn
from provisioning.store.people import SipAccount, User
from provisioning.store.searching import called
from provisioning.store.statements import run

GRACE = timedelta(minutes=5)
"""How long a phone has to fetch its new file before it is taken to keep the old one."""

CLAIM = timedelta(minutes=1)
"""How long an ended session is left to whoever looks after it."""


class HotdeskSession(Owned, Base):
    """A person's lease of a station (DESIGN section 7).

    It is open while ``ended_at`` is null, until ``lease_until`` at the longest. ``alone`` says that
    the person may sit at one station only; unique indexes then settle who of two comes first.
    ``request`` and ``ending_request`` are the ids of the requests that began and ended it.
    ``release`` says whether the phone has let go of the person's SIP password, once it ended;
    that is looked at when ``release_due_at`` comes. ``native`` says that the phone's own log-in
    holds the person, above the phone's own files. All moments are of the database's clock.
    """

    __tablename__ = "hotdesk_session"
    __table_args__ = (
        owned_key(),
        within("station_id", "station", ondelete="CASCADE"),
        within("user_id", "user", ondelete="CASCADE"),
        unique_where("uq_hotdesk_session_station", "station_id", "ended_at IS NULL"),
        unique_where("uq_hotdesk_session_user", "user_id", "ended_at IS NULL AND alone"),
        unique_where(
            "uq_hotdesk_session_request", "organisation_id", "request", "request IS NOT NULL"
        ),
        Index("ix_hotdesk_session_user", "user_id"),
        one_of("ended_by", SessionEnd, name="ended_by"),
        one_of("release", Release, name="release"),
    )

    station_id: Mapped[UUID]
    user_id: Mapped[UUID]
    started_at: Mapped[datetime] = mapped_column(default=now)
    lease_until: Mapped[datetime] = mapped_column(index=True)
    alone: Mapped[bool] = mapped_column(default=True)
    native: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    request: Mapped[str | None]
    ending_request: Mapped[str | None]
    release: Mapped[str | None]
    release_due_at: Mapped[datetime | None] = mapped_column(index=True)

    def end(self, why: SessionEnd, moment: datetime, request: str | None = None) -> None:
        """End it: the person is out at once, the phone has some minutes to show it."""
        self.ended_at, self.ended_by, self.ending_request = moment, why, request
        self.release, self.release_due_at = Release.PENDING, moment + GRACE


_OPEN = HotdeskSession.ended_at.is_(None)


def take_seats(session: Session, organisation: UUID) -> None:
    """Let nobody else log in or out in an organisation until this transaction ends.

    It is taken before anything is locked: so two who move to each other's phone do not wait in a
    circle, and a PIN that is changed meanwhile opens nothing.
    """
    take_turn(session, f"hotdesk {organisation}")


def hold_devices(session: Session, stations: Collection[UUID]) -> None:
    """Lock the devices that show stations, in one order, as whoever changes several should."""
    ids = select(Device.id).where(Device.id.in_(devices_showing(session, stations)))
    session.execute(ids.order_by(Device.id).with_for_update(key_share=True))


def devices_showing(session: Session, stations: Collection[UUID]) -> set[UUID]:
    """The devices whose files show stations: their own, or those of their DECT systems."""
    own = select(Station.device_id).where(Station.id.in_(stations), Station.device_id.is_not(None))
    bases = (
        select(DectMember.device_id)
        .join(DectSlot, DectSlot.system_id == DectMember.system_id)
        .where(DectSlot.station_id.in_(stations))
    )
    found = {*session.scalars(own), *session.scalars(bases)}
    return {device for device in found if device is not None}


# --- who sits where


def open_at(session: Session, stations: Sequence[UUID]) -> dict[UUID, HotdeskSession]:
    """The open sessions at stations, by the station."""
    where = HotdeskSession.station_id.in_(stations)
    rows = session.scalars(select(HotdeskSession).where(where, _OPEN))
    return {row.station_id: row for row in rows}


def held_at(session: Session, stations: Sequence[UUID]) -> dict[UUID, HotdeskSession]:
    """The last session that a phone's own log-in began, ended or not, by its station."""
    where = HotdeskSession.station_id.in_(stations), HotdeskSession.native
    last = select(HotdeskSession).where(*where).order_by(HotdeskSession.id.desc()).limit(1)
    return {row.station_id: row for row in session.scalars(last)}


def open_of(session: Session, user: UUID) -> list[HotdeskSession]:
    """Where a user is logged in."""
    return list(
        session.scalars(select(HotdeskSession).where(HotdeskSession.user_id == user, _OPEN))
    )


def open_in(session: Session, organisation: UUID) -> list[HotdeskSession]:
    """Every open session of an organisation."""
    where = HotdeskSession.organisation_id == organisation
    return list(session.scalars(select(HotdeskSession).where(where, _OPEN)))


def begun_by(session: Session, organisation: UUID, request: str) -> HotdeskSession | None:
    """The session that a request of this id began."""
    return session.scalar(
        select(HotdeskSession).where(
            HotdeskSession.organisation_id == organisation, HotdeskSession.request == request
        )
    )


def ended_by(session: Session, station: UUID, request: str) -> HotdeskSession | None:
    """The session at a station that a request of this id ended."""
    return session.scalar(
        select(HotdeskSession)
        .where(HotdeskSession.station_id == station, HotdeskSession.ending_request == request)
        .limit(1)
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions a list is to have; None where it does not matter.

    ``release`` is of ended ones; without it only open ones are listed.
    """

    user: UUID | None = None
    station: UUID | None = None
    site: UUID | None = None
    release: Release | None = None


def listed(
    session: Session, organisation: UUID, wanted: Wanted, *, q: str, limit: int,
    cursor: UUID | None,
) -> list[HotdeskSession]:  # fmt: skip
    """A page of an organisation's sessions, the latest first; ``q`` is searched in who sits."""
    where: list[ColumnElement[bool]] = [HotdeskSession.organisation_id == organisation]
    where.append(_OPEN if wanted.release is None else HotdeskSession.release == wanted.release)
    if wanted.user is not None:
        where.append(HotdeskSession.user_id == wanted.user)
    if wanted.station is not None:
        where.append(HotdeskSession.station_id == wanted.station)
    if wanted.site is not None:
        where.append(HotdeskSession.station_id.in_(_at_site(wanted.site)))
    if q:
        where.append(called(HotdeskSession.user_id, User, q))
    return queries.listed(
        session, HotdeskSession, *where, limit=limit, cursor=cursor, newest_first=True
    )


def _at_site(site: UUID) -> CompoundSelect[Any]:
    desks = (
        select(Station.id)
        .join(Device, Device.id == Station.device_id)
        .where(Device.site_id == site)
    )
    handsets = (
        select(DectSlot.station_id)
        .join(DectSystem, DectSystem.id == DectSlot.system_id)
        .where(DectSystem.site_id == site)
    )
    return desks.union(handsets)


# --- leases and releases that are due


def organisations_due(session: Session, moment: datetime) -> list[UUID]:
    """The organisations with open sessions whose lease is over."""
    statement = select(HotdeskSession.organisation_id).where(
        _OPEN, HotdeskSession.lease_until <= moment
    )
    return list(session.scalars(statement.distinct()))


def run_out(
    session: Session, organisation: UUID, moment: datetime, limit: int
) -> list[HotdeskSession]:
    """Open sessions whose lease is over, those first that ended first; nobody else takes them."""
    return list(
        session.scalars(
            select(HotdeskSession)
            .where(
                HotdeskSession.organisation_id == organisation,
                _OPEN,
                HotdeskSession.lease_until <= moment,
            )
            .order_by(HotdeskSession.lease_until)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def claim_releases(session: Session, moment: datetime, limit: int) -> list[HotdeskSession]:
    """Ended sessions whose phones are to be looked at, for this caller alone for a minute."""
    rows = list(
        session.scalars(
            select(HotdeskSession)
            .where(HotdeskSession.release_due_at <= moment)
            .order_by(HotdeskSession.release_due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    session.expunge_all()
    session.execute(
        update(HotdeskSession)
        .where(HotdeskSession.id.in_([row.id for row in rows]))
        .values(release_due_at=moment + CLAIM)
        .execution_options(synchronize_session=False)
    )
    return rows


def pending_at(session: Session, stations: Collection[UUID]) -> list[UUID]:
    """The users whose sessions at stations ended, and whose release nobody has looked at."""
    statement = select(HotdeskSession.user_id).where(
        HotdeskSession.station_id.in_(stations), HotdeskSession.release == Release.PENDING
    )
    return list(session.scalars(statement.distinct().order_by(HotdeskSession.user_id)))


def any_release_due(session: Session, moment: datetime) -> bool:
    """Whether the phone of an ended session is to be looked at."""
    due = select(HotdeskSession.id).where(HotdeskSession.release_due_at <= moment)
    return session.scalar(due.limit(1)) is not None


# --- the place of a station


@dataclass(frozen=True, slots=True)
class Premises:
    """Where a station is; a handset has no device of its own, but its system's site."""

    site: UUID | None = None
    profile: UUID | None = None
    device: UUID | None = None


def premises(session: Session, station: Station) -> Premises:
    """Where a station is."""
    if station.device_id is not None:
        device = session.get_one(Device, station.device_id)
        return Premises(device.site_id, device.profile_id, device.id)
    slot = queries.slot_of(session, station.id)
    return Premises(session.get_one(DectSystem, slot.system_id).site_id) if slot else Premises()


def place_account(session: Session, organisation: UUID, username: str) -> SipAccount | None:
    """The account of that SIP user name that a station holds."""
    return session.scalar(
        select(SipAccount).where(
            SipAccount.organisation_id == organisation,
            SipAccount.username == username,
            SipAccount.station_id.is_not(None),
        )
    )


def trim(session: Session, before: datetime) -> None:
    """Delete the sessions that ended before a moment."""
    session.execute(delete(HotdeskSession).where(HotdeskSession.ended_at < before))


def keep_pin_digest(session: Session, user: UUID, digest: bytes | None) -> None:
    """Keep what Digest answers with a PIN are judged by, or forget it: no change of the person."""
    row = update(User).where(User.id == user)
    run(session, row.values(pin_digest_encrypted=digest))
