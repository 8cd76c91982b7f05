"""A phone by its label: how it stands with whoever has scanned it and signed in, and leaving it.

The label only names the phone. Who may take it is decided by the same rules as a login there, but
without a PIN: the person has proven who they are by signing in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from provisioning.domain.errors import (
    HotdeskingOff,
    LoggedInElsewhere,
    NobodysOwn,
    NotFound,
    StationOccupied,
)
from provisioning.domain.hotdesk import Elsewhere, TakeOver, check
from provisioning.domain.ids import is_label_code
from provisioning.domain.kinds import SessionEnd
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Level
from provisioning.domain.wording import closest
from provisioning.store import hotdesk, labels, members, queries
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.organisations import Organisation
from provisioning.store.people import User
from provisioning.usecases import seats
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.core import Core
from provisioning.usecases.hotdesk import wish_of
from provisioning.usecases.labels.codes import Labelled, by_code, gone, labelled
from provisioning.usecases.personal import held_at, held_by


class Standing(StrEnum):
    """How things stand between a person and a phone."""

    YOURS = "yours"
    FREE = "free"
    MOVES = "moves"
    """Free; taking it logs the person out where they are."""
    OVER = "over"
    """Occupied; the person may take it all the same."""
    OCCUPIED = "occupied"
    DENIED = "denied"
    """The person is logged in elsewhere, which the place does not let go of."""
    CLOSED = "closed"
    """Nobody logs in there."""
    NOT_YOU = "not-you"
    """The person may not log in on phones."""


_REFUSED: dict[type[Exception], Standing] = {
    StationOccupied: Standing.OCCUPIED,
    LoggedInElsewhere: Standing.DENIED,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A phone where the person is logged in; ``until`` is in its place's time."""

    station: UUID
    code: str
    title: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as the person who scanned its label may see it.

    ``occupant`` is who sits there, empty where that is nobody's business; ``elsewhere`` where the
    person is logged in.
    """

    station: UUID
    code: str
    title: str
    site: str
    standing: Standing
    occupant: str = ""
    held: Held | None = None
    elsewhere: tuple[Held, ...] = ()


def look(core: Core, actor: Actor, code: str) -> Phone:
    """The phone a label names, and whether the actor may take it; raises NotFound or NobodysOwn.

    A label of another organisation leads as little anywhere as one that was never printed.
    """
    user = _own(actor)
    with core.database.read() as session:
        found = by_code(session, code)
        if found.station.organisation_id != actor.organisation:
            raise gone()
        person = queries.get(session, User, actor.organisation, user)
        here = hotdesk.open_at(session, [found.station.id]).get(found.station.id)
        elsewhere = [
            row for row in hotdesk.open_of(session, user) if row.station_id != found.station.id
        ]
        mine = here is not None and here.user_id == user
        return Phone(
            found.station.id,
            found.station.label_code,
            found.title,
            found.site.name,
            _standing(core, session, found, person, here),
            occupant=""
            if here is None or mine
            else _name(core, session, found.station, here.user_id),
            held=_held(core, session, here) if here is not None and mine else None,
            elsewhere=tuple(_held(core, session, row) for row in elsewhere),
        )


def leave(core: Core, actor: Actor, code: str) -> None:
    """Log the actor out at the phone with a label, also one that nobody may take any more.

    Nothing where they are not logged in. Raises NobodysOwn or NotFound.
    """
    user = _own(actor)
    with changing(core, actor) as session:
        hotdesk.take_seats(session, actor.organisation)
        row = labels.station_by_code(session, code) if is_label_code(code) else None
        if row is None or row.organisation_id != actor.organisation:
            raise gone()
        here = hotdesk.open_at(session, [row.id]).get(row.id)
        if here is not None and here.user_id == user:
            seats.end(core, session, [here], SessionEnd.LOGOUT)


def phones(core: Core, actor: Actor) -> list[Held]:
    """Where the actor is logged in; raises NobodysOwn."""
    user = _own(actor)
    with core.database.read() as session:
        return [_held(core, session, row) for row in hotdesk.open_of(session, user)]


def other_organisation(core: Core, actor: Actor, code: str) -> Organisation | None:
    """The organisation of a label, if it is another one that the actor's login may act in."""
    with core.database.read() as session:
        try:
            organisation = by_code(session, code).station.organisation_id
        except NotFound:
            return None
        if actor.login_id is None or organisation == actor.organisation_id:
            return None
        usable = (
            member
            for member in members.members_of_login(session, actor.login_id)
            if member.usable and member.organisation.id == organisation
        )
        return next((member.organisation for member in usable), None)


def language_of(core: Core, actor: Actor) -> str:
    """The language somebody chose for the actor; empty if nobody did."""
    if actor.user_id is None:
        return ""
    with core.database.read() as session:
        person = queries.get(session, User, actor.organisation, actor.user_id)
        held = held_by(core, session, person)["language"]
    chosen = held.origin.level not in (Level.BUILT_IN, Level.VENDOR)
    return closest([str(held.value)]) if chosen else ""


def _own(actor: Actor) -> UUID:
    actor.require(Permission.OWN)
    if actor.user_id is None:
        raise NobodysOwn(
            "This login is no user of the organisation, so no phone can be theirs.",
            remedy="Ask an admin to make it one: PATCH /api/v1/memberships/{id}.",
        )
    return actor.user_id


def _standing(
    core: Core,
    session: Session,
    found: Labelled,
    person: User,
    here: HotdeskSession | None,
) -> Standing:
    """What a login would come to now; it is decided anew when it is made."""
    if here is not None and here.user_id == person.id:
        return Standing.YOURS
    rules = held_at(core, session, found.station)
    wish = wish_of(core, session, found.station, person, rules)
    policy = Elsewhere(str(rules["hotdesk.elsewhere"].value))
    try:
        check(wish, elsewhere=policy, take_over=TakeOver(str(rules["hotdesk.take-over"].value)))
    except HotdeskingOff:
        return Standing.NOT_YOU if found.takes_logins else Standing.CLOSED
    except (StationOccupied, LoggedInElsewhere) as refused:
        return _REFUSED[type(refused)]
    if wish.occupied:
        return Standing.OVER
    return Standing.MOVES if wish.elsewhere and policy is Elsewhere.MOVE else Standing.FREE


def _name(core: Core, session: Session, station: Station, user: UUID) -> str:
    """Who sits there, where the place lets a phone tell it."""
    named = held_at(core, session, station)["hotdesk.show-name"].value
    return session.get_one(User, user).name if named else ""


def _held(core: Core, session: Session, row: HotdeskSession) -> Held:
    station = session.get_one(Station, row.station_id)
    found = labelled(session, station)
    rules = held_at(core, session, station)
    zone = ZoneInfo(str(rules["time.zone"].value) or "UTC")
    return Held(station.id, station.label_code, found.title, row.lease_until.astimezone(zone))
