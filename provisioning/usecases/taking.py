"""A phone by its label: how it stands with whoever has scanned it and signed in.

The label only names the phone. Who may take it is decided by the same rules as a login there, but
without a PIN: the person has proven who they are by signing in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from provisioning.domain.errors import (
    HotdeskingOff,
    LoggedInElsewhere,
    NotFound,
    StationOccupied,
)
from provisioning.domain.hotdesk import Elsewhere, TakeOver, check
from provisioning.domain.settings import Level
from provisioning.domain.timezones import zone_named
from provisioning.domain.wording import spoken
from provisioning.store import hotdesk, members, queries
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.organisations import Organisation
from provisioning.store.people import User
from provisioning.usecases import me, seats
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.hotdesk import wish_of
from provisioning.usecases.labels.codes import Labelled, by_code, gone
from provisioning.usecases.pages import LONGEST_PAGE, Page
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
    """Where the person is logged in, and the zone of its clock."""

    seat: seats.Seat
    zone: ZoneInfo


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
    user = me.own_user(actor)
    with core.database.read() as session:
        found = by_code(session, code)
        if found.station.organisation_id != actor.organisation:
            raise gone()
        person = queries.get(session, User, actor.organisation, user)
        here = hotdesk.open_at(session, [found.station.id]).get(found.station.id)
        mine = here is not None and here.user_id == user
        held = _held(core, session, seats.seats(session, hotdesk.open_of(session, user)))
        at_it = [each for each in held if each.seat.station.id == found.station.id]
        return Phone(
            found.station.id,
            found.station.label_code,
            found.title,
            found.site.name,
            _standing(core, session, found, person, here),
            occupant=""
            if here is None or mine
            else _name(core, session, found.station, here.user_id),
            held=at_it[0] if at_it else None,
            elsewhere=tuple(each for each in held if each not in at_it),
        )


def phones(core: Core, actor: Actor) -> list[Held]:
    """Where the actor is logged in, on phones and handsets; raises NobodysOwn."""
    mine = me.my_sessions(core, actor, Page(limit=LONGEST_PAGE))
    with core.database.read() as session:
        return _held(core, session, mine)


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
    """The language somebody chose for the actor; empty if nobody did, or one without texts."""
    if actor.user_id is None:
        return ""
    with core.database.read() as session:
        person = queries.get(session, User, actor.organisation, actor.user_id)
        held = held_by(core, session, person)["language"]
    chosen = held.origin.level not in (Level.BUILT_IN, Level.VENDOR)
    return spoken(str(held.value)) if chosen else ""


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


def _held(core: Core, session: Session, found: Iterable[seats.Seat]) -> list[Held]:
    return [
        Held(seat, zone_named(held_at(core, session, seat.station)["time.zone"].value))
        for seat in found
    ]
