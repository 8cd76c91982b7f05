"""A time zone's rule for one year, read from zoneinfo: offset and dates of daylight saving.

Phones take a rule, not a name: "last Sunday in March at 02:00". The rule is found by walking the
year's transitions, so that it is right in both hemispheres and where a law changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the clock, in the wall time that ends with it.

    ``week`` counts the weekday within the month from 1; 5 is the last. Where a weekday is both
    the fourth and the last, ``week`` is what the next year's change is too. ``weekday`` is 1 for
    Monday to 7 for Sunday (ISO 8601). ``hour`` and ``minute`` are what the clock would show then
    if it were not changed: a law's 24:00 is 0:00 of the next day. ``day`` is the day of the month
    in the year the rule was read for.
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
    between ``start`` and ``end``, and never negative: Ireland's winter time is standard here.
    ``irregular`` says that the next year's clock does not follow the same rule (Morocco's Ramadan,
    Gaza, a change of law). ``start`` and ``end`` are right in their year all the same; where even
    the one year has no such pair, they are missing and ``offset`` is that of the year's end.
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

    @property
    def compact(self) -> str:
        """The rule as the shortest POSIX TZ string.

        What POSIX takes for granted is left out: a saving of one hour, and changes at 02:00.
        ``CET-1CEST,M3.5.0,M10.5.0/3``.
        """
        text = f"{self.standard_name}{_posix_offset(self.offset)}"
        if self.start is None or self.end is None:
            return text
        saving = "" if self.saving == 60 else _posix_offset(self.offset + self.saving)
        changes = f",{_short_change(self.start)},{_short_change(self.end)}"
        return f"{text}{self.saving_name}{saving}{changes}"


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


def _short_change(change: Change) -> str:
    day = f"M{change.month}.{change.week}.{change.weekday_from_sunday}"
    minutes = f":{change.minute:02d}" if change.minute else ""
    return day if (change.hour, change.minute) == (2, 0) else f"{day}/{change.hour}{minutes}"


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


@dataclass(frozen=True, slots=True)
class _Year:
    """What the clock does in one year; ``rise`` and ``fall`` in the wall time they end."""

    offset: int
    saving: int = 0
    rise: datetime | None = None
    fall: datetime | None = None
    odd: bool = False


@lru_cache(maxsize=8192)
def _year(name: str, year: int) -> _Year:
    zone = ZoneInfo(name)
    transitions = _transitions(zone, year)
    if len(transitions) != 2 or transitions[0][1] != transitions[1][2]:
        last = datetime(year, 12, 31, tzinfo=UTC)
        return _Year(_minutes(last, zone), odd=bool(transitions))
    (rise, low, high), (fall, _, _) = sorted(transitions, key=lambda item: item[1])
    return _Year(low, high - low, rise + timedelta(minutes=low), fall + timedelta(minutes=high))


def _weeks(wall: datetime) -> set[int]:
    """Which one of its weekdays in the month a day is: counted, and 5 if it is the last."""
    last = (wall + timedelta(days=7)).month != wall.month
    return {(wall.day - 1) // 7 + 1, *([5] if last else [])}


def _change(wall: datetime, following: datetime | None) -> tuple[Change, bool]:
    """The change at a wall time, and whether the next year's is on the same rule."""
    weeks, fits = _weeks(wall), set[int]()
    if following is not None and _rule_of(wall) == _rule_of(following):
        fits = weeks & _weeks(following)
    change = Change(
        month=wall.month,
        week=max(fits or weeks),
        weekday=wall.isoweekday(),
        hour=wall.hour,
        minute=wall.minute,
        day=wall.day,
    )
    return change, bool(fits)


def _rule_of(wall: datetime) -> tuple[int, ...]:
    return (wall.month, wall.isoweekday(), wall.hour, wall.minute)


@lru_cache(maxsize=8192)
def zone_rule(name: str, year: int) -> ZoneRule:
    """The rule of an IANA zone in a year; raises ZoneInfoNotFoundError for an unknown name."""
    zone, now, following = ZoneInfo(name), _year(name, year), _year(name, year + 1)
    steady = (now.offset, now.saving, now.odd) == (following.offset, following.saving, False)
    if now.rise is None or now.fall is None:
        return ZoneRule(
            name,
            year,
            now.offset,
            irregular=not steady,
            standard_name=_name(datetime(year, 12, 31, tzinfo=UTC), zone, "STD"),
        )
    start, start_fits = _change(now.rise, following.rise)
    end, end_fits = _change(now.fall, following.fall)
    return ZoneRule(
        name,
        year,
        offset=now.offset,
        saving=now.saving,
        start=start,
        end=end,
        irregular=not (steady and start_fits and end_fits),
        standard_name=_name(_moment(now.fall, now.offset + now.saving), zone, "STD"),
        saving_name=_name(_moment(now.rise, now.offset), zone, "DST"),
    )


def _moment(wall: datetime, offset: int) -> datetime:
    return wall - timedelta(minutes=offset)


# --- a place's clock


def zone_named(name: object) -> ZoneInfo:
    """The zone of an IANA name; UTC without a name, and for one that zoneinfo does not know."""
    try:
        return ZoneInfo(str(name) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def clock_time(moment: datetime, zone: tzinfo, now: datetime, form: str = "%H:%M") -> str:
    """A moment by a place's clock, with its date where that is not today's; ``form`` of strftime."""
    there = moment.astimezone(zone)
    clock = there.strftime(form)
    today = there.date() == now.astimezone(zone).date()
    return clock if today else f"{there.date().isoformat()} {clock}"
