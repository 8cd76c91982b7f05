"""Hotdesking: logging in at a station and out, and who sits where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from provisioning.domain.effective import Effective
from provisioning.domain.errors import InvalidInput, NotFound, PinMustChange, WrongPin
from provisioning.domain.hotdesk import Elsewhere, TakeOver, Wish, check, lease_end
from provisioning.domain.kinds import Hotdesking, SessionEnd
from provisioning.domain.patience import OF_A_LOGIN, Patience
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Scope
from provisioning.store import hotdesk, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device, Station
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.people import User
from provisioning.store.snapshots import snapshot
from provisioning.usecases import attempts
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device
from provisioning.usecases.pages import Page
from provisioning.usecases.personal import held_by
from provisioning.usecases.phones import held_for

LONGEST_EXTENSION = timedelta(hours=999)
_AT_ONCE = 200
"""Leases ended in one transaction."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A session with whose it is and where."""

    session: HotdeskSession
    user: User
    station: Station

    @property
    def id(self) -> UUID:
        """The session's id, by which lists go on."""
        return self.session.id


def log_in(
    core: Core,
    actor: Actor,
    *,
    extension: str,
    pin: str,
    device: UUID | str | None = None,
    sip_username: str | None = None,
) -> Seat:
    """Log somebody in at a phone, named by itself or by the SIP user name of its place account.

    One transaction ends what has to end and begins the session. An unknown extension and a wrong
    PIN are the same answer after the same work. Raises WrongPin, PinMustChange, TooManyAttempts,
    HotdeskingOff, StationOccupied, LoggedInElsewhere, NotFound or InvalidInput.
    """
    actor.require(Permission.PBX)
    with core.database.read() as session:
        station = _station(session, actor, device, sip_username)
        user = queries.user_by_extension(session, actor.organisation, extension)
        usable = user if user is not None and user.enabled else None
    _check_pin(core, usable, station, extension, pin)
    if usable is None:
        raise _wrong()
    with changing(core, actor) as session:
        row = queries.get(session, Station, actor.organisation, station.id)
        person = queries.get(session, User, actor.organisation, usable.id)
        return Seat(_seat(core, session, actor, row, person), person, row)


def _station(
    session: Session, actor: Actor, device: UUID | str | None, sip_username: str | None
) -> Station:
    if (device is None) == (sip_username is None):
        raise InvalidInput(
            "A phone is named by itself or by its place account.",
            remedy='Give "device" or "sip_username".',
            field="device",
        )
    if sip_username is not None:
        account = hotdesk.place_account(session, actor.organisation, sip_username)
        if account is None or account.station_id is None:
            raise NotFound(
                f"No phone has a place account '{sip_username[:40]}'.",
                remedy="Give a station one: POST /api/v1/sip-accounts with its station_id.",
            )
        return queries.get(session, Station, actor.organisation, account.station_id)
    stations = queries.stations_of(session, find_device(session, actor, device or "").id)
    if not stations:
        raise NotFound("The device has no station of its own.", remedy="Name another phone.")
    return stations[0]


def _check_pin(core: Core, user: User | None, station: Station, extension: str, pin: str) -> None:
    """Compare the PIN, as often as the rules allow for this extension and at this phone."""
    counted: dict[str, Patience] = {
        f"pin:{station.organisation_id}:{extension[:20]}": OF_A_LOGIN,
        f"pin-at:{station.id}": OF_A_LOGIN,
    }
    attempts.begin(core, counted)
    if not core.pins.verify(user.pin_hash if user else None, pin):
        raise _wrong()
    attempts.take_back(core, counted)
    if user is not None and user.pin_must_change:
        raise PinMustChange(
            "This PIN has to be changed before it is used at a phone.",
            remedy="Change it in the portal: PUT /api/v1/me/pin.",
        )


def _wrong() -> WrongPin:
    return WrongPin(
        "The extension or the PIN is wrong.", remedy="Try again, or ask an admin for a new PIN."
    )


def _seat(
    core: Core, session: Session, actor: Actor, station: Station, user: User
) -> HotdeskSession:
    now = core.clock()
    rules, feature = _rules(core, session, station, user)
    here = hotdesk.open_at(session, [station.id]).get(station.id)
    if here is not None and here.user_id == user.id:
        here.lease_until = _lease(rules, now)
        return here
    others = hotdesk.open_of(session, user.id)
    elsewhere = Elsewhere(str(rules["hotdesk.elsewhere"].value))
    owners = [row.user_id for row in queries.assignments_at(session, [station.id])]
    wish = Wish(
        feature=feature,
        station=Hotdesking(station.hotdesking),
        pool=station.pool,
        occupied=here is not None,
        elsewhere=bool(others),
        owner=user.id in owners,
        permitted=actor.may(Permission.WRITE),
    )
    take_over = TakeOver(str(rules["hotdesk.take-over"].value))
    check(wish, elsewhere=elsewhere, take_over=take_over)
    if here is not None:
        _end(here, SessionEnd.TAKEN_OVER, now)
    if elsewhere is not Elsewhere.SEVERAL:
        for other in others:
            _end(other, SessionEnd.MOVED, now)
    session.flush()
    made = HotdeskSession(
        organisation_id=station.organisation_id,
        station_id=station.id,
        user_id=user.id,
        started_at=now,
        lease_until=_lease(rules, now),
        alone=elsewhere is not Elsewhere.SEVERAL,
    )
    session.add(made)
    session.flush()
    return made


def _rules(
    core: Core, session: Session, station: Station, user: User
) -> tuple[Mapping[str, Effective], bool]:
    """The place's rules at a station with its zone, and whether the person may log in at all."""
    if station.device_id is None:
        raise NotFound("Nobody logs in at a handset.", remedy="Assign users to its slot.")
    rows = snapshot(session, session.get_one(Device, station.device_id))
    rules = held_for(rows, core.cipher, None, Scope.RULE)
    zone = held_for(rows, core.cipher, None, Scope.DEVICE)["time.zone"]
    theirs = held_by(core, session, user)
    return {**rules, "time.zone": zone}, bool(theirs["feature.hotdesking"].value)


def _lease(rules: Mapping[str, Effective], now: datetime) -> datetime:
    return lease_end(
        now,
        int(str(rules["hotdesk.lease-hours"].value)),
        str(rules["hotdesk.daily-end"].value),
        str(rules["time.zone"].value),
    )


def _end(row: HotdeskSession, why: SessionEnd, now: datetime) -> None:
    row.ended_at, row.ended_by = now, why


# --- out, and who sits where


def log_out(
    core: Core,
    actor: Actor,
    *,
    device: UUID | str | None = None,
    sip_username: str | None = None,
) -> None:
    """End the session at a phone; raises NotFound where nobody is logged in."""
    actor.require(Permission.PBX)
    with changing(core, actor) as session:
        station = _station(session, actor, device, sip_username)
        here = hotdesk.open_at(session, [station.id]).get(station.id)
        if here is None:
            raise NotFound("Nobody is logged in at this phone.", remedy="There is nothing to end.")
        _end(here, SessionEnd.LOGOUT, core.clock())


def list_sessions(core: Core, actor: Actor, page: Page) -> list[Seat]:
    """Who sits where now, the latest first."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = queries.listed(
            session,
            HotdeskSession,
            HotdeskSession.organisation_id == actor.organisation,
            HotdeskSession.ended_at.is_(None),
            limit=page.limit,
            cursor=page.cursor,
            newest_first=True,
        )
        return [shown(session, row) for row in rows]


def shown(session: Session, row: HotdeskSession) -> Seat:
    """A session with whose it is and where."""
    return Seat(row, session.get_one(User, row.user_id), session.get_one(Station, row.station_id))


def end_session(core: Core, actor: Actor, session_id: UUID | str) -> None:
    """End a session as an admin; one that has ended stays as it is."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, HotdeskSession, actor.organisation, session_id)
        if row.ended_at is None:
            _end(row, SessionEnd.ADMIN, core.clock())


def end_all(core: Core, actor: Actor) -> int:
    """End every session of the organisation; how many there were."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        rows = queries.owned(
            session,
            HotdeskSession,
            actor.organisation,
            where=HotdeskSession.ended_at.is_(None),
            limit=queries.LONGEST_PAGE,
        )
        for row in rows:
            _end(row, SessionEnd.ADMIN, core.clock())
        return len(rows)


def extend(core: Core, actor: Actor, session_id: UUID | str, until: datetime) -> Seat:
    """Let a session last until another moment; raises InvalidInput for one that has passed."""
    actor.require(Permission.WRITE)
    now = core.clock()
    if not now < until <= now + LONGEST_EXTENSION:
        raise InvalidInput(
            "A session lasts until a later moment, at most 999 hours from now.",
            remedy="Give such a moment, with its time zone.",
            field="until",
        )
    with changing(core, actor) as session:
        row = queries.get(session, HotdeskSession, actor.organisation, session_id)
        if row.ended_at is not None:
            raise NotFound("The session has ended.", remedy="Log in again.")
        row.lease_until = until
        return shown(session, row)


def end_leases(core: Core) -> int:
    """End the sessions whose lease is over; how many there were."""
    now = core.clock()
    with core.database.write() as session:
        rows = hotdesk.run_out(session, now, _AT_ONCE)
        for row in rows:
            _end(row, SessionEnd.LEASE, now)
        return len(rows)
