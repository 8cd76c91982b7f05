"""A time zone's rule for one year, read from zoneinfo: offset and dates of daylight saving.

Phones take a rule, not a name: "last Sunday in March at 02:00". The rule is found by walking the
year's transitions, so that it is right in both hemispheres and where a law changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the clock, in the wall time that ends with it.

    ``week`` counts the weekday within the month from 1; 5 is the last. ``weekday`` is 1 for
    Monday to 7 for Sunday (ISO 8601). ``hour`` and ``minute`` are what the clock showed just
    before; ``day`` is the day of the month in the year the rule was read for.
    """

    month: int
    week: int
    weekday: int
    hour: int
    minute: int
    day: int

    @property
    def weekday_from_sunday(self) -> int:
        """0 for Sunday to 6 for Saturday, as POSIX TZ strings count (POSIX.1 section 8.3)."""
        return self.weekday % 7


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """A zone in one year: ``offset`` and ``saving`` in minutes; no ``start`` means no saving.

    ``offset`` is that of standard time, positive east of Greenwich. ``saving`` is what is added
    between ``start`` and ``end``. ``irregular`` says that the year has changes no yearly rule
    expresses (Morocco's Ramadan, a change of law); the rule then holds the standard offset only.
    """

    name: str
    year: int
    offset: int
    saving: int = 0
    start: Change | None = None
    end: Change | None = None
    irregular: bool = False
    standard_name: str = "STD"
    saving_name: str = "DST"

    @property
    def posix(self) -> str:
        """The rule as a POSIX TZ string (POSIX.1 section 8.3).

        For example ``CET-1CEST-2,M3.5.0/02:00:00,M10.5.0/03:00:00``. Zones whose abbreviation is
        a number are called STD and DST: phones' parsers know letters only.
        """
        text = f"{self.standard_name}{_posix_offset(self.offset)}"
        if self.start is None or self.end is None:
            return text
        return (
            f"{text}{self.saving_name}{_posix_offset(self.offset + self.saving)}"
            f",{_posix_change(self.start)},{_posix_change(self.end)}"
        )


def _posix_offset(minutes: int) -> str:
    sign = "-" if minutes > 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    return f"{sign}{hours}" + (f":{rest:02d}" if rest else "")


def _name(moment: datetime, zone: ZoneInfo, otherwise: str) -> str:
    name = moment.astimezone(zone).tzname() or ""
    return name if name.isascii() and name.isalpha() and len(name) >= 3 else otherwise


def _posix_change(change: Change) -> str:
    return (
        f"M{change.month}.{change.week}.{change.weekday_from_sunday}"
        f"/{change.hour:02d}:{change.minute:02d}:00"
    )


def _minutes(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds() / 60)


def _transitions(zone: ZoneInfo, year: int) -> list[tuple[datetime, int, int]]:
    """Each moment (UTC) of the year at which the offset changes, with offsets before and after."""
    found = []
    moment = datetime(year, 1, 1, tzinfo=UTC)
    end = datetime(year + 1, 1, 1, tzinfo=UTC)
    while moment < end:
        following = moment + timedelta(days=1)
        before, after = _minutes(moment, zone), _minutes(following, zone)
        if before != after:
            found.append((_bisect(zone, moment, following, before), before, after))
        moment = following
    return found


def _bisect(zone: ZoneInfo, low: datetime, high: datetime, before: int) -> datetime:
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=int((high - low).total_seconds() // 120))
        if _minutes(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _change(moment: datetime, before: int) -> Change:
    wall = moment + timedelta(minutes=before)
    week = (wall.day - 1) // 7 + 1
    last = (wall + timedelta(days=7)).month != wall.month
    return Change(
        month=wall.month,
        week=5 if last else week,
        weekday=wall.isoweekday(),
        hour=wall.hour,
        minute=wall.minute,
        day=wall.day,
    )


@lru_cache(maxsize=2048)
def zone_rule(name: str, year: int) -> ZoneRule:
    """The rule of an IANA zone in a year; raises ZoneInfoNotFoundError for an unknown name."""
    zone = ZoneInfo(name)
    transitions = _transitions(zone, year)
    last = datetime(year, 12, 31, tzinfo=UTC)
    if len(transitions) != 2 or transitions[0][1] != transitions[1][2]:
        return ZoneRule(
            name,
            year,
            _minutes(last, zone),
            irregular=bool(transitions),
            standard_name=_name(last, zone, "STD"),
        )
    rise = next(item for item in transitions if item[2] > item[1])
    fall = next(item for item in transitions if item[2] < item[1])
    return ZoneRule(
        name,
        year,
        offset=rise[1],
        saving=rise[2] - rise[1],
        start=_change(rise[0], rise[1]),
        end=_change(fall[0], fall[1]),
        standard_name=_name(fall[0], zone, "STD"),
        saving_name=_name(rise[0], zone, "DST"),
    )
