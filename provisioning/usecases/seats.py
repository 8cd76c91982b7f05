"""Who sits where: looking at hotdesk sessions, ending and extending them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import InvalidInput, NotFound
from provisioning.domain.kinds import Release, SessionEnd
from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.store import hotdesk, outbox, persons, queries
from provisioning.store.authors import Author, written_by
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.hotdesk import HotdeskSession, Wanted
from provisioning.store.organisations import Site
from provisioning.store.people import User
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page

LONGEST_EXTENSION = timedelta(hours=999)
SERVER = "server"
"""The author of what ends by itself."""

_AT_ONCE = 200
"""Leases ended in one transaction."""
_OPEN = "open"


@dataclass(frozen=True, slots=True)
class Seat:
    """A session with whose it is and where; ``site`` is None for a handset in no slot."""

    session: HotdeskSession
    user: User
    station: Station
    place: str
    site: UUID | None

    @property
    def id(self) -> UUID:
        """The session's id, by which lists go on."""
        return self.session.id


def seats(session: Session, rows: Sequence[HotdeskSession]) -> list[Seat]:
    """Sessions as they are looked at."""
    places = persons.places(session, [row.station_id for row in rows])
    devices = [place.device.id for place in places.values() if place.device]
    macs = queries.macs(session, devices)
    found = []
    for row in rows:
        where = places[row.station_id]
        part_of = where.device or where.system
        found.append(
            Seat(
                row,
                session.get_one(User, row.user_id),
                where.station,
                called(where, macs.get(where.device.id) if where.device else None),
                part_of.site_id if part_of else None,
            )
        )
    return found


def seat(session: Session, row: HotdeskSession) -> Seat:
    """A session as it is looked at."""
    return seats(session, [row])[0]


def called(place: persons.Place, mac: Mac | None) -> str:
    """What people call a place: its own name, its phone's, its MAC, or its slot of a system."""
    named = place.station.name or (place.device.name if place.device else "")
    if not named and place.system is not None and place.slot is not None:
        named = f"{place.system.name} {place.slot.number}"
    return named or str(mac or "?")


def list_sessions(
    core: Core,
    actor: Actor,
    page: Page,
    *,
    user: UUID | None = None,
    station: UUID | None = None,
    site: UUID | None = None,
    state: str = _OPEN,
) -> list[Seat]:
    """Who sits where now, the latest first; or the ended sessions whose phones are in a ``state``.

    Of one user, station or site, if they are named. Raises NotFound or InvalidInput.
    """
    actor.require(Permission.READ)
    release = None if state == _OPEN else Release(fields.word("state", state, Release))
    wanted = Wanted(user, station, site, release)
    with core.database.read() as session:
        for table, row in ((User, user), (Station, station), (Site, site)):
            if row is not None:
                queries.get(session, table, actor.organisation, row)
        rows = hotdesk.listed(
            session, actor.organisation, wanted, q=page.q, limit=page.limit, cursor=page.cursor
        )
        return seats(session, rows)


def end_session(
    core: Core, actor: Actor, session_id: UUID | str, why: SessionEnd = SessionEnd.ADMIN
) -> None:
    """End a session, as an admin unless told otherwise; one that has ended stays as it is."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        hotdesk.take_seats(session, actor.organisation)
        row = queries.get(session, HotdeskSession, actor.organisation, session_id)
        if row.ended_at is None:
            end(core, session, [row], why)


def end_all(core: Core, actor: Actor) -> int:
    """End every session of the organisation; how many there were."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        hotdesk.take_seats(session, actor.organisation)
        rows = hotdesk.open_in(session, actor.organisation)
        end(core, session, rows, SessionEnd.ADMIN)
        return len(rows)


def extend(core: Core, actor: Actor, session_id: UUID | str, until: datetime) -> Seat:
    """Let a session last until another moment; raises InvalidInput for one that has passed."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        hotdesk.take_seats(session, actor.organisation)
        now = core.database.moment(session)
        if not now < until <= now + LONGEST_EXTENSION:
            raise InvalidInput(
                "A session lasts until a later moment, at most 999 hours from now.",
                remedy="Give such a moment, with its time zone.",
                field="until",
            )
        row = queries.get(session, HotdeskSession, actor.organisation, session_id)
        if row.ended_at is not None:
            raise NotFound("The session has ended.", remedy="Log in again.")
        row.lease_until = until
        return seat(session, row)


# --- what ends by itself, or with something else


def end(
    core: Core,
    session: Session,
    rows: Collection[HotdeskSession],
    why: SessionEnd,
    request: str | None = None,
    *,
    left: bool = False,
) -> None:
    """End sessions within a transaction that has taken the organisation's seats.

    A phone whose own log-in holds the person restarts, unless they ``left`` it there already.
    """
    if not rows:
        return
    hotdesk.hold_devices(session, [row.station_id for row in rows])
    moment = core.database.moment(session)
    for row in rows:
        row.end(why, moment, request)
    session.flush()
    held = [row.station_id for row in rows if row.native and not left]
    if held:
        outbox.restart(session, hotdesk.devices_showing(session, held), core.clock())


def end_of_user(core: Core, session: Session, user: User, why: SessionEnd) -> None:
    """End wherever somebody sits, in the transaction of what ends it (PROTOCOLS HD13).

    It comes first in it: nobody may log in by what is being changed.
    """
    hotdesk.take_seats(session, user.organisation_id)
    end(core, session, hotdesk.open_of(session, user.id), why)


def end_at(core: Core, session: Session, stations: Iterable[Station], why: SessionEnd) -> None:
    """End the sessions at stations that nobody can sit at any more, before anything else is locked.

    Nobody else logs in until the transaction ends.
    """
    ids = {station.id: station.organisation_id for station in stations}
    for organisation in sorted(set(ids.values())):
        hotdesk.take_seats(session, organisation)
    end(core, session, list(hotdesk.open_at(session, list(ids)).values()), why)


def end_leases(core: Core) -> int:
    """End the sessions whose lease is over by the database's clock; how many there were."""
    with core.database.read() as session:
        due = hotdesk.organisations_due(session, core.database.moment(session))
    return sum(_end_leases(core, organisation) for organisation in due)


def _end_leases(core: Core, organisation: UUID) -> int:
    ended = 0
    while True:
        with core.database.write() as session:
            written_by(session, Author(SERVER, organisation))
            hotdesk.take_seats(session, organisation)
            moment = core.database.moment(session)
            rows = hotdesk.run_out(session, organisation, moment, _AT_ONCE)
            end(core, session, rows, SessionEnd.LEASE)
        ended += len(rows)
        if len(rows) < _AT_ONCE:
            return ended
