"""Hotdesking: logging in at a station and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.effective import Effective
from provisioning.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from provisioning.domain.hotdesk import Elsewhere, TakeOver, Wish, check, check_open, lease_end
from provisioning.domain.kinds import Hotdesking, SessionEnd
from provisioning.domain.roles import Permission, known_permissions
from provisioning.store import hotdesk, members, queries, telling
from provisioning.store.base import now
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.people import User
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device
from provisioning.usecases.personal import held_at, held_by
from provisioning.usecases.pins import keep_digest, owner_of_pin, wrong_pin
from provisioning.usecases.requests import DigestCredential
from provisioning.usecases.seats import Seat, end, seat

_OUT = "Nobody is logged in at this phone."


# --- in


@dataclass(frozen=True, slots=True)
class _Entered:
    """What somebody entered, and the id of the request that tells it."""

    extension: str
    given: str | DigestCredential = field(repr=False)
    """The PIN, or a phone's answer that proves it."""
    request: str | None = None
    comes: UUID | None = None
    """The device that loads its files by itself on account of the answer."""
    native: bool = False


@dataclass(frozen=True, slots=True)
class _Login:
    """Somebody who is known to be themselves wants a station; ``admin`` if one asks for them.

    ``native`` if the phone's own log-in is to hold them.
    """

    station: Station
    user: User
    admin: bool
    request: str | None = None
    native: bool = False


def log_in(
    core: Core,
    actor: Actor,
    *,
    extension: str,
    pin: str,
    device: UUID | str | None = None,
    sip_username: str | None = None,
    request: str | None = None,
) -> Seat:
    """Log somebody in at a phone, named by itself or by the SIP user name of its place account.

    One transaction ends what has to end and begins the session. A ``request`` that is repeated
    returns the session it began. An unknown extension and a wrong PIN are the same answer after
    the same work. Raises WrongPin, PinMustChange, TooManyAttempts, TooManyLogins, HotdeskingOff,
    StationOccupied, LoggedInElsewhere, Conflict, NotFound or InvalidInput.
    """
    actor.require(Permission.PBX)
    with core.database.read() as session:
        station = _station(session, actor, device, sip_username)
    name = _request(request)
    return _by_pin(core, actor, station, _Entered(extension, pin, name))


def log_in_here(
    core: Core, actor: Actor, station: UUID, *, extension: str, pin: str | DigestCredential,
    source: str = "", comes: bool = False, native: bool = False,
) -> Seat:  # fmt: skip
    """Log somebody in at the phone whose own request this is, which is the actor's device.

    In place of the PIN it may send an answer to our challenge that proves it. ``comes`` says that
    our answer makes it load its files, so that it is not told to at once; ``native`` that the phone
    holds them by its own log-in, above its files. Raises as ``log_in``, and Forbidden for a station
    of another device.
    """
    with core.database.read() as session:
        row = _here(session, actor, station)
    # The phone is not spared the reload although it told it: it does not know its new file yet.
    phone = replace(actor, device_id=None, source=source or actor.source)
    coming = actor.device_id if comes else None
    entered = _Entered(extension, pin, comes=coming, native=native)
    return _by_pin(core, phone, row, entered, of_phone=True)


def take(core: Core, actor: Actor, user: UUID, station: UUID | str) -> Seat:
    """Seat somebody who is known to be that user; raises as ``log_in`` but for PINs."""
    with changing(core, actor) as session:
        hotdesk.take_seats(session, actor.organisation)
        row = queries.get(session, Station, actor.organisation, station)
        person = queries.get(session, User, actor.organisation, user)
        return _seat(core, session, _Login(row, person, admin=actor.may(Permission.WRITE)))


def _request(request: str | None) -> str | None:
    return fields.name("request", request) if request is not None else None


def _by_pin(
    core: Core, actor: Actor, station: Station, entered: _Entered, *, of_phone: bool = False
) -> Seat:
    known = owner_of_pin(
        core, station, entered.extension, entered.given, actor.source, by_pbx=not of_phone
    )
    with changing(core, actor) as session:
        hotdesk.take_seats(session, station.organisation_id)
        row = queries.get(session, Station, station.organisation_id, station.id)
        person = queries.get(session, User, station.organisation_id, known.id)
        if not person.enabled or person.pin_hash != known.pin_hash:
            raise wrong_pin()
        keep_digest(core, session, person, entered.given)
        former = _begun(session, row, person, entered.request)
        if former is not None:
            return seat(session, former)
        admin = not of_phone and actor.may(Permission.WRITE)
        login = _Login(row, person, admin, entered.request, entered.native)
        seated = _seat(core, session, login)
        _coming(session, entered.comes)
        return seated


def _coming(session: Session, device: UUID | None) -> None:
    if device is not None:
        session.flush()  # which marks it
        telling.coming(session, device, now())


def _begun(
    session: Session, station: Station, user: User, request: str | None
) -> HotdeskSession | None:
    """The session that this request began before; raises Conflict for one of somebody else."""
    row = hotdesk.begun_by(session, user.organisation_id, request) if request else None
    if row is not None and (row.station_id, row.user_id) != (station.id, user.id):
        raise Conflict(
            "This request id was used for another login.",
            remedy="Give each login an id of its own.",
            field="request",
        )
    return row


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
    return station_of_device(session, actor, device or "")


def station_of_device(session: Session, actor: Actor, device: UUID | str) -> Station:
    """The station of a phone, its first; raises NotFound, also for a base, which has none."""
    stations = queries.stations_of(session, find_device(session, actor, device).id)
    if not stations:
        raise NotFound(
            "The device has no station of its own.",
            remedy="Name the handset by the SIP user name of its place account.",
        )
    return stations[0]


def _here(session: Session, actor: Actor, station: UUID) -> Station:
    row = queries.get(session, Station, actor.organisation, station)
    if actor.device_id not in hotdesk.devices_showing(session, [row.id]):
        raise Forbidden("A phone logs people in at itself only.", remedy="Name its own station.")
    return row


def _seat(core: Core, session: Session, login: _Login) -> Seat:
    station, user = login.station, login.user
    rules = held_at(core, session, station)
    here = hotdesk.open_at(session, [station.id]).get(station.id)
    others = [row for row in hotdesk.open_of(session, user.id) if row.station_id != station.id]
    wish = replace(
        wish_of(core, session, station, user, rules),
        permitted=login.admin or _is_admin(session, user),
    )
    if here is not None and here.user_id == user.id:
        check_open(wish)
        here.lease_until = _lease(rules, core.database.moment(session))
        here.native |= login.native
        return seat(session, here)
    elsewhere = Elsewhere(str(rules["hotdesk.elsewhere"].value))
    check(wish, elsewhere=elsewhere, take_over=TakeOver(str(rules["hotdesk.take-over"].value)))
    left = others if elsewhere is not Elsewhere.SEVERAL else []
    hotdesk.hold_devices(session, [station.id, *(row.station_id for row in left)])
    former = [here] if here is not None else []
    # A phone that asks for another's name holds nobody any more.
    end(core, session, former, SessionEnd.TAKEN_OVER, left=login.native)
    end(core, session, left, SessionEnd.MOVED)
    now = core.database.moment(session)
    made = HotdeskSession(
        organisation_id=station.organisation_id,
        station_id=station.id,
        user_id=user.id,
        started_at=now,
        lease_until=_lease(rules, now),
        alone=elsewhere is not Elsewhere.SEVERAL,
        request=login.request,
        native=login.native,
    )
    session.add(made)
    session.flush()
    return seat(session, made)


def wish_of(
    core: Core, session: Session, station: Station, user: User, rules: Mapping[str, Effective]
) -> Wish:
    """A person's login at a station as the rules of its place see it."""
    here = hotdesk.open_at(session, [station.id]).get(station.id)
    named = here is not None and bool(rules["hotdesk.show-name"].value)
    owners = [row.user_id for row in queries.assignments_at(session, [station.id])]
    return Wish(
        feature=bool(held_by(core, session, user)["feature.hotdesking"].value),
        station=Hotdesking(station.hotdesking),
        pool=station.pool,
        occupied=here is not None,
        elsewhere=any(row.station_id != station.id for row in hotdesk.open_of(session, user.id)),
        owner=user.id in owners,
        permitted=_is_admin(session, user),
        by=session.get_one(User, here.user_id).name if here is not None and named else "",
    )


def _is_admin(session: Session, user: User) -> bool:
    """Whether somebody may end others' sessions anyway."""
    member = members.member_of_user(session, user.id)
    if member is None or not member.usable:
        return False
    return Permission.WRITE in known_permissions(member.role.permissions)


def _lease(rules: Mapping[str, Effective], now: datetime) -> datetime:
    return lease_end(
        now,
        int(str(rules["hotdesk.lease-hours"].value)),
        str(rules["hotdesk.daily-end"].value),
        str(rules["time.zone"].value),
    )


# --- out


def log_out(
    core: Core,
    actor: Actor,
    *,
    device: UUID | str | None = None,
    sip_username: str | None = None,
    request: str | None = None,
) -> None:
    """End the session at a phone.

    Raises NotFound where nobody is logged in, unless this ``request`` has logged them out.
    """
    actor.require(Permission.PBX)
    with core.database.read() as session:
        station = _station(session, actor, device, sip_username)
    _leave(core, actor, station, request)


def log_out_here(
    core: Core, actor: Actor, station: UUID, source: str = "", *, comes: bool = False,
    left: bool = False,
) -> None:  # fmt: skip
    """End the session at the phone whose own request this is; ``comes`` as in ``log_in_here``.

    ``left`` says that the phone's own log-in holds them no more. Raises NotFound or Forbidden.
    """
    with core.database.read() as session:
        row = _here(session, actor, station)
    phone = replace(actor, device_id=None, source=source or actor.source)
    _leave(core, phone, row, comes=actor.device_id if comes else None, left=left)


def _leave(
    core: Core,
    actor: Actor,
    station: Station,
    request: str | None = None,
    comes: UUID | None = None,
    *,
    left: bool = False,
) -> None:
    name = _request(request)
    with changing(core, actor) as session:
        hotdesk.take_seats(session, station.organisation_id)
        here = hotdesk.open_at(session, [station.id]).get(station.id)
        if name is not None and hotdesk.ended_by(session, station.id, name) is not None:
            return
        if here is None or (left and not here.native):
            raise NotFound(_OUT, remedy="There is nothing to end.")
        end(core, session, [here], SessionEnd.LOGOUT, name, left=left)
        _coming(session, comes)
