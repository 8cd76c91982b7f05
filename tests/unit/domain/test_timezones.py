"""A zone's rule for one year against what zoneinfo says, moment by moment."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import pytest

from provisioning.domain.timezones import Change, clock_time, zone_named, zone_rule

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "America/New_York",
    "America/Los_Angeles",
    "America/Havana",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Jerusalem",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "America/Nuuk",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Johannesburg",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Pacific/Easter",
]
YEARS = [2024, 2025, 2026, 2027]
# Palestine moved its clocks around Ramadan, which is more than two changes.
ODD_YEARS = {("Asia/Gaza", 2024), ("Asia/Gaza", 2025)}
MINUTE = timedelta(minutes=1)


def offset(name: str, moment: datetime) -> int:
    """Minutes east of Greenwich at a moment, by zoneinfo."""
    return int(moment.astimezone(ZoneInfo(name)).utcoffset() / MINUTE)


def moment_of(year: int, change: Change, before: int) -> datetime:
    """The moment (UTC) of a change, from the wall time that ends with it."""
    wall = datetime(year, change.month, change.day, change.hour, change.minute, tzinfo=UTC)
    return wall - timedelta(minutes=before)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", ZONES)
def test_rule_agrees_with_zoneinfo(name: str, year: int):
    """Before and after each change the offsets are zoneinfo's, and there is no other change."""
    rule = zone_rule(name, year)
    if (name, year) in ODD_YEARS:
        assert rule.irregular
        return
    expected = {rule.offset}
    if rule.start is not None:
        assert rule.end is not None
        expected.add(rule.offset + rule.saving)
        rise = moment_of(year, rule.start, rule.offset)
        fall = moment_of(year, rule.end, rule.offset + rule.saving)
        assert offset(name, rise - MINUTE) == offset(name, fall) == rule.offset
        assert offset(name, fall - MINUTE) == offset(name, rise) == rule.offset + rule.saving
    days = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    assert {offset(name, day) for day in days} == expected


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", ZONES)
def test_week_and_weekday_name_the_day(name: str, year: int):
    """Week and weekday of a change lead back to its day of the month."""
    rule = zone_rule(name, year)
    for change in (rule.start, rule.end):
        if change is None:
            continue
        day = datetime(year, change.month, change.day, tzinfo=UTC)
        assert day.isoweekday() == change.weekday
        assert change.weekday_from_sunday == change.weekday % 7
        last = (day + timedelta(days=7)).month != change.month
        assert change.week in {(change.day + 6) // 7, *([5] if last else [])}


@pytest.mark.parametrize(
    ("name", "standard", "saving", "start", "end"),
    [
        ("Europe/Berlin", 60, 60, Change(3, 5, 7, 2, 0, 29), Change(10, 5, 7, 3, 0, 25)),
        ("America/New_York", -300, 60, Change(3, 2, 7, 2, 0, 8), Change(11, 1, 7, 2, 0, 1)),
        ("Australia/Sydney", 600, 60, Change(10, 1, 7, 2, 0, 4), Change(4, 1, 7, 3, 0, 5)),
        ("Australia/Lord_Howe", 630, 30, Change(10, 1, 7, 2, 0, 4), Change(4, 1, 7, 2, 0, 5)),
        ("Asia/Kolkata", 330, 0, None, None),
        ("America/Sao_Paulo", -180, 0, None, None),
        ("UTC", 0, 0, None, None),
    ],
)
def test_rules_of_2026(name: str, standard: int, saving: int, start: Change, end: Change):
    """The rules of well-known zones are those in their laws."""
    rule = zone_rule(name, 2026)
    assert (rule.offset, rule.saving, rule.start, rule.end) == (standard, saving, start, end)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Europe/Berlin", "CET-1CEST-2,M3.5.0/02:00:00,M10.5.0/03:00:00"),
        ("America/New_York", "EST5EDT4,M3.2.0/02:00:00,M11.1.0/02:00:00"),
        ("Australia/Lord_Howe", "STD-10:30DST-11,M10.1.0/02:00:00,M4.1.0/02:00:00"),
        ("Australia/Sydney", "AEST-10AEDT-11,M10.1.0/02:00:00,M4.1.0/03:00:00"),
        ("Asia/Kolkata", "IST-5:30"),
        ("America/Sao_Paulo", "STD3"),
        ("America/St_Johns", "NST3:30NDT2:30,M3.2.0/02:00:00,M11.1.0/02:00:00"),
        ("UTC", "UTC0"),
    ],
)
def test_posix_strings_of_2026(name: str, text: str):
    """The rule as POSIX writes it: offsets count west of Greenwich, names are letters."""
    assert zone_rule(name, 2026).posix == text


@pytest.mark.parametrize("year", YEARS)
def test_rule_holds_in_the_next_year_or_is_irregular(year: int):
    """Of every zone, a rule that is not irregular leads to the right days in the next year too."""
    for name in sorted(available_timezones()):
        rule, following = zone_rule(name, year), zone_rule(name, year + 1)
        if rule.irregular:
            continue
        assert (rule.offset, rule.saving) == (following.offset, following.saving)
        for change, later in ((rule.start, following.start), (rule.end, following.end)):
            assert (change is None) == (later is None)
            if change is not None and later is not None:
                assert day_of(year + 1, change) == later.day
                assert (change.month, change.hour) == (later.month, later.hour)
                assert change.minute == later.minute


def day_of(year: int, change: Change) -> int:
    """The day of the month that week and weekday of a change name in a year."""
    days = [
        day
        for day in range(1, monthrange(year, change.month)[1] + 1)
        if datetime(year, change.month, day, tzinfo=UTC).isoweekday() == change.weekday
    ]
    return days[-1] if change.week == 5 else days[change.week - 1]


@pytest.mark.parametrize(
    ("name", "year", "irregular"),
    [
        ("Africa/Casablanca", 2026, True),
        ("Asia/Gaza", 2026, True),
        ("Europe/Berlin", 2026, False),
        ("Asia/Tokyo", 2026, False),
        ("America/Sao_Paulo", 2018, True),
        ("America/Sao_Paulo", 2020, False),
        ("Europe/Dublin", 2026, False),
    ],
)
def test_irregular_is_what_no_rule_holds_for_two_years(name: str, year: int, irregular: bool):
    """Ramadan, a law that ends, and no winter time that counts as a negative saving."""
    assert zone_rule(name, year).irregular == irregular


@pytest.mark.parametrize(
    ("name", "year", "week"), [("America/Asuncion", 2018, 4), ("Europe/Berlin", 2018, 5)]
)
def test_fourth_and_last_is_what_the_next_year_says(name: str, year: int, week: int):
    """On 25 March 2018, the fourth Sunday and the last, one law meant this and one that."""
    rule = zone_rule(name, year)
    change = rule.end if name == "America/Asuncion" else rule.start
    assert change is not None
    assert (change.month, change.day, change.week) == (3, 25, week)
    assert not rule.irregular


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("America/Havana", "CST5CDT,M3.2.0/0,M11.1.0/1"),
        ("Australia/Lord_Howe", "STD-10:30DST-11,M10.1.0,M4.1.0"),
        ("Pacific/Chatham", "STD-12:45DST,M9.5.0/2:45,M4.1.0/3:45"),
        ("Asia/Kolkata", "IST-5:30"),
    ],
)
def test_compact_strings_of_2026(name: str, text: str):
    """What POSIX takes for granted is left out: one hour of saving, two o'clock."""
    assert zone_rule(name, 2026).compact == text


@pytest.mark.parametrize(("name", "year"), [("Brazil/East", 2019), ("Asia/Almaty", 2024)])
def test_year_without_a_yearly_rule_is_told(name: str, year: int):
    """A law that changed within the year: the offset of its end is kept, and it is told."""
    rule = zone_rule(name, year)
    assert rule.irregular
    assert (rule.start, rule.end, rule.saving) == (None, None, 0)
    assert rule.offset == offset(name, datetime(year, 12, 31, tzinfo=UTC))


def test_law_that_changed_is_right_in_its_years():
    """Sao Paulo gave up daylight saving in 2019: years before and after differ."""
    assert zone_rule("America/Sao_Paulo", 2018).saving == 60
    assert zone_rule("America/Sao_Paulo", 2020).saving == 0


def test_unknown_zone_is_refused():
    """A name that is no zone is zoneinfo's own error, which the context answers with UTC."""
    with pytest.raises(ZoneInfoNotFoundError):
        zone_rule("Europe/Nowhere", 2026)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Europe/Berlin", "00:30"),
        ("", "2026-03-01 23:30"),
        ("No/Where", "2026-03-01 23:30"),
        ("../etc", "2026-03-01 23:30"),
    ],
)
def test_a_moment_is_told_by_the_places_clock(name, shown):
    """The date is there where it is not the place's today; a zone nobody knows is UTC."""
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    now = moment + timedelta(hours=3)
    assert clock_time(moment, zone_named(name), now) == shown
