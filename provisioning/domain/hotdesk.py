"""The rules of hotdesking: who may log in where, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from provisioning.domain.errors import HotdeskingOff, LoggedInElsewhere, StationOccupied
from provisioning.domain.kinds import Hotdesking
from provisioning.domain.timezones import zone_named


class Elsewhere(StrEnum):
    """What a login does to one at another phone."""

    MOVE = "move"
    DENY = "deny"
    SEVERAL = "several"


class TakeOver(StrEnum):
    """Who may take a phone at which somebody else is logged in."""

    NOBODY = "nobody"
    OWNER = "owner"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Wish:
    """A login as the rules see it.

    ``owner`` says that the phone is assigned to the person, ``permitted`` that whoever asks may
    take occupied phones. ``by`` names whoever is logged in there, where that may be told.
    """

    feature: bool
    station: Hotdesking
    pool: bool
    occupied: bool
    elsewhere: bool
    owner: bool = False
    permitted: bool = False
    by: str = ""


def takes_logins(station: Hotdesking, *, pool: bool) -> bool:
    """Whether people log in at a station."""
    return station == Hotdesking.ANY or (station == Hotdesking.POOL and pool)


def check_open(wish: Wish) -> None:
    """Raise HotdeskingOff where the station takes nobody, or the person may not log in."""
    if not takes_logins(wish.station, pool=wish.pool):
        raise HotdeskingOff(
            "Nobody can log in at this phone.",
            remedy='Make it a pool phone, or set its hotdesking to "any".',
        )
    if not wish.feature:
        raise HotdeskingOff(
            "This person may not log in on phones.", remedy="Switch feature.hotdesking on for them."
        )


def check(wish: Wish, *, elsewhere: Elsewhere, take_over: TakeOver) -> None:
    """Raise HotdeskingOff, StationOccupied or LoggedInElsewhere unless the login may be."""
    check_open(wish)
    allowed = {
        TakeOver.NOBODY: False,
        TakeOver.OWNER: wish.owner,
        TakeOver.PERMISSION: wish.permitted or wish.owner,
    }
    if wish.occupied and not allowed[take_over]:
        raise StationOccupied(
            f"{wish.by or 'Somebody else'} is logged in at this phone.",
            remedy="Let them log out first.",
            more={"name": wish.by} if wish.by else None,
        )
    if wish.elsewhere and elsewhere is Elsewhere.DENY:
        raise LoggedInElsewhere(
            "This person is logged in at another phone.", remedy="Log out there first."
        )


def lease_end(start: datetime, hours: int, daily_end: str, zone: str) -> datetime:
    """When a login ends by itself: after so many hours, or at the place's time of day before that.

    Nought hours means that only the time of day ends it, and without one it lasts ten years.
    """
    until = start + (timedelta(hours=hours) if hours else timedelta(days=3650))
    if not daily_end:
        return until
    place = zone_named(zone)
    today = start.astimezone(place).date()
    days = (today, today + timedelta(days=1))
    ends = next(end for day in days for end in _at(day, daily_end, place) if end > start)
    return min(until, ends)


def _at(day: date, clock: str, zone: ZoneInfo) -> list[datetime]:
    """The moments at which a place's clock shows a time: two in the hour that comes twice."""
    hour, minute = map(int, clock.split(":"))
    both = (
        datetime.combine(day, time(hour, minute, fold=fold), zone).astimezone(UTC)
        for fold in (0, 1)
    )
    first, second = both
    return [first, second] if second > first else [first]
