"""Every time zone on every dialect: what is sent is read back and compared with zoneinfo.

A dialect that is told time zones needs an entry in ``DECODERS``: a function that reads the clock
of a year back out of the parameters of its files, with the help of ``changes``.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from provisioning.domain.phone import Phone
from provisioning.domain.timezones import zone_rule
from provisioning.render.cases import shared_phone
from provisioning.render.files import named_rules, render_file
from provisioning.render.losses import losses
from provisioning.render.syntax import FORMS
from provisioning.vendors import zones
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import FileRule, Model, ZoneForm

YEARS = (2026, 2027)
ZONES = sorted(available_timezones() - {"localtime"})
PROBES = ["UTC", "Europe/London", "Europe/Berlin", "America/New_York", "Australia/Sydney"]
ROOT = shipped_root()
REGISTRY = load_registry([ROOT])


@dataclass(frozen=True)
class Clock:
    """What a clock does in a year: its offsets in January and July, and each change in UTC."""

    january: int
    july: int
    changes: tuple[tuple[datetime, int], ...]


Files = dict[str, str]
Decoder = Callable[[Files, int], Clock]


# --- what zoneinfo says


@cache
def truth(name: str, year: int) -> Clock:
    """The clock of a zone in a year, found hour by hour on the days on which it changes."""
    zone = ZoneInfo(name)

    def offset(moment: datetime) -> int:
        return int(moment.astimezone(zone).utcoffset().total_seconds()) // 60

    found = []
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        if offset(day) != offset(day + timedelta(days=1)):
            moments = (day + timedelta(minutes=n) for n in range(1, 1441))
            at = next(m for m in moments if offset(m) != offset(m - timedelta(minutes=1)))
            found.append((at, offset(at)))
        day += timedelta(days=1)
    january, july = (offset(datetime(year, month, 15, tzinfo=UTC)) for month in (1, 7))
    return Clock(january, july, tuple(found))


# --- reading back


def nth(year: int, month: int, week: int, weekday: int, time: int = 0) -> datetime:
    """The nth weekday (Monday 1, Sunday 7) of a month, 5 or -1 being the last; minutes of day."""
    days = [
        day
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
        if datetime(year, month, day, tzinfo=UTC).isoweekday() == weekday
    ]
    day = days[-1] if week in (5, -1) else days[week - 1]
    return datetime(year, month, day, tzinfo=UTC) + timedelta(minutes=time)


def from_day(year: int, month: int, day: int, weekday: int, time: int = 0) -> datetime:
    """The weekday on or after a day of a month, -1 being its last one."""
    return nth(year, month, -1 if day == -1 else (day - 1) // 7 + 1, weekday, time)


def changes(
    offset: int, saving: int = 0, start: datetime | None = None, end: datetime | None = None
) -> Clock:
    """The clock of standard time and, from ``start`` to ``end`` in wall time, saving."""
    if start is None or end is None:
        return Clock(offset, offset, ())
    found = sorted(
        [
            (start - timedelta(minutes=offset), offset + saving),
            (end - timedelta(minutes=offset + saving), offset),
        ]
    )

    def at(month: int) -> int:
        moment = datetime(start.year, month, 15, tzinfo=UTC)
        return next((o for m, o in reversed(found) if m <= moment), found[-1][1])

    return Clock(at(1), at(7), tuple(found))


def minutes(text: str) -> int:
    """Minutes of a text such as ``-3:30``, ``GMT+01:00`` or ``8``."""
    found = re.fullmatch(r"(?:GMT|UTC)?([+-]?)(\d*):?(\d*)", text)
    assert found, text
    sign, hours, rest = found.groups()
    return (-1 if sign == "-" else 1) * (int(hours or 0) * 60 + int(rest or 0))


def posix(text: str, year: int) -> Clock:
    """A POSIX TZ string: offsets west of Greenwich, saving of an hour, changes at two o'clock."""
    found = re.fullmatch(
        r"[A-Za-z]{3,}([-+\d:]+)(?:[A-Za-z]{3,}([-+\d:]*),(M[^,]*),(M[^,]*))?", text
    )
    assert found, text
    offset = -minutes(found[1])
    if found[3] is None:
        return changes(offset)
    saving = -minutes(found[2]) - offset if found[2] else 60

    def moment(rule: str) -> datetime:
        day, _, time = rule[1:].partition("/")
        month, week, weekday = map(int, day.split("."))
        hour, minute = [*map(int, (time or "2").split(":")), 0][:2]
        return nth(year, month, week, weekday or 7, hour * 60 + minute)

    return changes(offset, saving, moment(found[3]), moment(found[4]))


def named(parameter: str, words: dict[str, str] | None = None) -> Decoder:
    """An IANA name, or a word that stands for one."""

    def decode(files: Files, year: int) -> Clock:
        word = files[parameter]
        return truth((words or {}).get(word, word), year)

    return decode


def yealink(files: Files, year: int) -> Clock:
    """Month/week/weekday/hour, Sunday being 7."""
    offset = minutes(files["local_time.time_zone"])
    if files["local_time.summer_time"] == "0":
        return changes(offset)

    def moment(name: str) -> datetime:
        month, week, weekday, hour = map(int, files[f"local_time.{name}"].split("/"))
        return nth(year, month, week, weekday, hour * 60)

    saving = int(files["local_time.offset_time"])
    return changes(offset, saving, moment("start_time"), moment("end_time"))


def snom(files: Files, year: int) -> Clock:
    """Seconds, then month.week.weekday and time of both changes, Sunday being 7."""
    offset = int(files["utc_offset"]) // 60
    code = files["timezone"]
    if code:
        assert float(re.sub("^[A-Z]+", "", code)) * 60 == offset, code
    if not files["dst"]:
        return changes(offset)
    saving, *parts = files["dst"].split()

    def moment(day: str, time: str) -> datetime:
        hour, minute, _ = map(int, time.split(":"))
        return nth(year, *map(int, day.split(".")), hour * 60 + minute)

    return changes(offset, int(saving) // 60, moment(*parts[:2]), moment(*parts[2:]))


def poly(files: Files, year: int) -> Clock:
    """The first day the weekday can fall on, Sunday being 1; saving is always an hour."""
    at = "tcpIpApp.sntp.daylightSavings"
    offset = int(files["tcpIpApp.sntp.gmtOffset"]) // 60
    if files[f"{at}.enable"] == "0":
        return changes(offset)

    def moment(which: str) -> datetime:
        month, weekday, last, day, hour = (
            int(files[f"{at}.{which}.{name}"])
            for name in ("month", "dayOfWeek", "dayOfWeek.lastInMonth", "date", "time")
        )
        return from_day(year, month, -1 if last else day, (weekday + 5) % 7 + 1, hour * 60)

    return changes(offset, 60, moment("start"), moment("stop"))


def panasonic(files: Files, year: int) -> Clock:
    """Weekday from Sunday 0, minutes after midnight."""
    assert not files["LOCAL_TIME_ZONE_POSIX"]
    offset = int(files["TIME_ZONE"])
    if files["DST_ENABLE"] == "N":
        return changes(offset)

    def moment(which: str) -> datetime:
        month, week, weekday, time = (
            int(files[f"DST_{which}_{name}"])
            for name in ("MONTH", "ORDINAL_DAY", "DAY_OF_WEEK", "TIME")
        )
        return nth(year, month, week, weekday or 7, time)

    return changes(offset, int(files["DST_OFFSET"]), moment("START"), moment("STOP"))


def mitel(files: Files, year: int) -> Clock:
    """Minutes west of Greenwich, weekday from Sunday 1, last week -1."""
    files = {name.lstrip("!"): value for name, value in files.items()}
    assert files["time zone name"] == "Custom"
    offset = -int(files["time zone minutes"])
    if files["dst config"] == "0":
        return changes(offset)

    def moment(which: str) -> datetime:
        month, week, day, hour = (
            int(files[f"dst {which} {name}"]) for name in ("month", "week", "day", "hour")
        )
        return nth(year, month, week, (day + 5) % 7 + 1, hour * 60)

    return changes(offset, int(files["dst minutes"]), moment("start"), moment("end"))


def fanvil(files: Files, year: int) -> Clock:
    """Quarter hours, weekday from Sunday 0; the same fields in all three forms of files."""
    held = {re.sub(r"[^a-z]", "", n.rpartition(".")[2].lower()): v for n, v in files.items()}
    offset = int(held["timezone"]) * 15
    if offset % 60 == 0:  # a name is of whole hours
        assert minutes(held["timezonename"]) == offset, held["timezonename"]
    if held["enabledst"] == "0":
        return changes(offset)

    def moment(which: str) -> datetime:
        month, week, weekday, hour = (
            int(held[f"dst{which}{name}"]) for name in ("mon", "week", "wday", "hour")
        )
        return nth(year, month, week, weekday or 7, hour * 60)

    return changes(offset, int(held["dstminoffset"]), moment("start"), moment("end"))


def cisco(files: Files, year: int) -> Clock:
    """On or after a day, -1 the last, Sunday being 7."""
    held = {name.rpartition("/")[2]: value for name, value in files.items()}
    offset = minutes(held["Time_Zone"])
    if held["Daylight_Saving_Time_Enable"] == "No":
        return changes(offset)
    rule = dict(part.split("=") for part in held["Daylight_Saving_Time_Rule"].split(";"))

    def moment(text: str) -> datetime:
        month, day, weekday, time = text.split("/")
        hour, minute, _ = map(int, time.split(":"))
        return from_day(year, int(month), int(day), int(weekday), hour * 60 + minute)

    saving = minutes(rule["save"].rpartition(":")[0])
    return changes(offset, saving, moment(rule["start"]), moment(rule["end"]))


# The first offset of each index that is used, as Htek's list counts them.
HTEK = {
    105: -660, 2: -600, 3: -540, 6: -480, 10: -420, 14: -360, 18: -300, 19: -270, 20: -240,
    26: -210, 30: -180, 31: -120, 32: -60, 33: 0, 49: 60, 57: 120, 73: 180, 74: 210, 77: 240,
    83: 300, 84: 330, 85: 360, 88: 420, 89: 480, 93: 540, 94: 570, 96: 600, 100: 630, 101: 660,
    102: 720, 103: 765, 104: 780,
}  # fmt: skip


def htek(files: Files, year: int) -> Clock:
    """An index of offsets; dates of the year at whole hours, saving of an hour."""
    offset = HTEK[int(files["P64"])]
    if files["P75"] == "0":
        return changes(offset)
    start, end = (
        datetime(year, *(int(files[f"P{first + n}"]) for n in range(3)), tzinfo=UTC)
        for first in (20076, 20079)
    )
    return changes(offset, 60, start, end)


def grandstream(files: Files, year: int) -> Clock:
    """The zone of one's own, by number or by alias."""
    by_alias = "dateTime.timezone" in files
    own, rule = ("dateTime.timezone", "dateTime.timezone.custom") if by_alias else ("P64", "P246")
    assert files[own] == "customize"
    return posix(files[rule], year)


GIGASET_CODES = {
    "0x04": -480, "0x07": -420, "0x09": -360, "0x0D": -300, "0x12": -180, "0x1A": 0, "0x1B": 60,
    "0x20": 120, "0x28": 180, "0x30": 330, "0x38": 480, "0x3D": 540, "0x43": 600,
}  # fmt: skip


def gigaset(files: Files, year: int) -> Clock:
    """An IANA name, or a code of an offset whose daylight saving the base knows."""
    code = next((v for n, v in files.items() if n.endswith("uiI_TIME_TIMEZONE")), None)
    return changes(GIGASET_CODES[code]) if code else truth(files["DmGlobal.0.TimeZone"], year)


def maxwell(files: Files, year: int) -> Clock:
    """An offset, and the zone whose law it is."""
    offset, _, name = files["System.DateAndTime.TimeZone"].partition(".")
    assert minutes(offset) == truth(name, year).january
    return truth(name, year)


def obi(files: Files, year: int) -> Clock:
    """A word that begins with the offset, and both changes by the first day they can be."""
    held = {name.rpartition(".")[2]: value for name, value in files.items()}
    offset = minutes(held["LocalTimeZone"].partition("(")[0])
    if not held.get("DaylightSavingTimeStart"):
        return changes(offset)

    def moment(text: str) -> datetime:
        month, day, weekday, hour = map(int, text.split("/"))
        return from_day(year, month, day, weekday, hour * 60)

    start, end = (moment(held[f"DaylightSavingTime{which}"]) for which in ("Start", "End"))
    return changes(offset, 60, start, end)


def audiocodes(files: Files, year: int) -> Clock:
    """Dates of the year."""
    at = "system/daylight_saving"
    offset = minutes(files["system/ntp/gmt_offset"])
    if files[f"{at}/activate"] == "DISABLE":
        return changes(offset)
    start, end = (
        datetime(
            year,
            *(int(files[f"{at}/{w}_date/{n}"]) for n in ("month", "day", "hour", "minute")),
            tzinfo=UTC,
        )
        for w in ("start", "end")
    )
    return changes(offset, int(files[f"{at}/offset"]), start, end)


def ale(files: Files, year: int) -> Clock:
    """An IANA name, an offset, or an offset with two dates and hours."""
    held = {name.rpartition("/")[2]: value for name, value in files.items()}
    if "SettingTimeZoneLocation" in held:
        return truth(held["SettingTimeZoneLocation"], year)
    if "DmAdmcfgTimeZone" in held:
        return changes(minutes(held["DmAdmcfgTimeZone"]))
    _, _, offset, *dates = next(
        v for n, v in held.items() if n.rpartition(".")[2] == "timezone"
    ).split(":")
    if dates == ["000000", "000000"]:
        return changes(int(offset))
    start, end = (
        datetime(year, *(int(d[n : n + 2]) for n in (0, 2, 4)), tzinfo=UTC) for d in dates
    )
    return changes(int(offset), 60, start, end)


CISCO_SEP = {
    "Alaskan Standard/Daylight Time": "America/Anchorage",
    "Central Standard/Daylight Time": "America/Chicago",
    "Mountain Standard/Daylight Time": "America/Denver",
    "Atlantic Standard/Daylight Time": "America/Halifax",
    "Pacific Standard/Daylight Time": "America/Los_Angeles",
    "Eastern Standard/Daylight Time": "America/New_York",
    "US Mountain Standard Time": "America/Phoenix",
    "Newfoundland Standard/Daylight Time": "America/St_Johns",
    "Arabian Standard Time": "Asia/Dubai",
    "India Standard Time": "Asia/Kolkata",
    "Saudi Arabia Standard Time": "Asia/Riyadh",
    "Taipei Standard Time": "Asia/Taipei",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Azores Standard/Daylight Time": "Atlantic/Azores",
    "Central Europe Standard/Daylight Time": "Europe/Berlin",
    "E. Europe Standard/Daylight Time": "Europe/Athens",
    "GMT Standard/Daylight Time": "Europe/London",
    "Greenwich Standard Time": "UTC",
}
SANGOMA = {
    "13": "America/Mexico_City", "50": "Europe/Berlin", "39": "Europe/London",
    "52": "Europe/Rome", "33": "UTC",
}  # fmt: skip
SNOM_DECT = {
    "USA-9": "America/Anchorage", "ARG-3": "America/Argentina/Buenos_Aires",
    "USA-6": "America/Chicago", "USA-7": "America/Denver", "USA-8": "America/Los_Angeles",
    "USA-5": "America/New_York", "CAN-5": "America/Toronto", "IND+5.5": "Asia/Kolkata",
    "SGP+8": "Asia/Singapore", "JPN+9": "Asia/Tokyo", "AUS+8": "Australia/Perth",
    "AUS+10": "Australia/Sydney", "NLD+1": "Europe/Amsterdam", "GER+1": "Europe/Berlin",
    "BEL+1": "Europe/Brussels", "DNK+1": "Europe/Copenhagen", "IRL-0": "Europe/Dublin",
    "FIN+2": "Europe/Helsinki", "PRT-0": "Europe/Lisbon", "GBR-0": "Europe/London",
    "ESP+1": "Europe/Madrid", "NOR+1": "Europe/Oslo", "FRA+1": "Europe/Paris",
    "ITA+1": "Europe/Rome", "SWE+1": "Europe/Stockholm", "AUT+1": "Europe/Vienna",
    "POL+1": "Europe/Warsaw", "CHE+1": "Europe/Zurich", "NZL+12": "Pacific/Auckland",
}  # fmt: skip

DECODERS: dict[str, Decoder] = {
    "ale": ale,
    "algo": named("admin.timezone"),
    "audiocodes": audiocodes,
    "avaya": named("TIMEZONE"),
    "cisco-mpp": cisco,
    "cisco-sep": named("device/devicePool/dateTimeSetting/timeZone", CISCO_SEP),
    "cisco-spa": cisco,
    "digium": named("time_zone"),
    "fanvil": fanvil,
    "gigaset": gigaset,
    "gigaset-maxwell": maxwell,
    "grandstream": grandstream,
    "grandstream-dect": grandstream,
    "htek": htek,
    "mitel": mitel,
    "panasonic": panasonic,
    "poly-obi": obi,
    "poly-ucs": poly,
    "sangoma": named("P64", SANGOMA),
    "snom": snom,
    "snom-dect": named("timezone", SNOM_DECT),
    "vtech": named("time_date.selected_timezone"),
    "yealink": yealink,
    "yealink-dect": yealink,
}


# --- the walk


def phone_in(vendor: Vendor, model: Model, name: str, year: int) -> Phone:
    """A phone nobody uses, in a time zone and a year."""
    return shared_phone(
        (ROOT,),
        "pool-guest",
        model=model.id,
        mac="00:15:65:00:00:01",
        firmware="",
        year=year,
        settings={"time.zone": name},
    )


def kinds(vendor: Vendor) -> Iterator[Model]:
    """The smallest model of each set of files and of each way of being told a time zone."""
    found: dict[object, list[Model]] = defaultdict(list)
    for model in vendor.data.models:
        files = tuple(rule.id for rule in vendor.rules_for(model))
        if files:
            found[files, str(vendor.zone_grammar(model))].append(model)
    for models in found.values():
        yield min(models, key=lambda model: (model.lines or 0, model.keys or 0))


WALKS = [(vendor, model) for vendor in REGISTRY for model in kinds(vendor)]
every_walk = pytest.mark.parametrize(
    ("vendor", "model"), WALKS, ids=[f"{vendor.id}-{model.id}" for vendor, model in WALKS]
)


def carriers(vendor: Vendor, model: Model) -> list[FileRule]:
    """The files of a model that are not the same in all time zones."""
    found = []
    for item in named_rules(phone_in(vendor, model, "UTC", 2026), vendor):
        texts = {
            render_file(phone_in(vendor, model, name, 2026), vendor, item.rule) for name in PROBES
        }
        if len(texts) > 1:
            found.append(item.rule)
    return found


def emitted(vendor: Vendor, model: Model, rules: list[FileRule], name: str, year: int) -> Files:
    """The parameters of those files, by name."""
    phone = phone_in(vendor, model, name, year)
    found: Files = {}
    for rule in rules:
        text = render_file(phone, vendor, rule).decode()
        found |= FORMS[rule.syntax].parse(text)
    return found


@pytest.mark.parametrize("share", [32, pytest.param(1, marks=pytest.mark.soak)])
@every_walk
def test_every_zone_is_exact_or_reported(vendor: Vendor, model: Model, share: int):
    """Read back, each zone has zoneinfo's offsets and changes of the year, or it was reported."""
    # The suite walks a share of them, for each model another one; `make soak` walks them all.
    first = WALKS.index((vendor, model)) % share
    grammar = vendor.zone_grammar(model)
    rules = carriers(vendor, model)
    if grammar is None:
        assert not rules, f"{vendor.id} tells phones the zone: describe how in [[zones]]"
        return
    assert rules, f"no file of {vendor.id} tells the zone: print it, or take [[zones]] away"
    decode = DECODERS.get(vendor.id)
    assert decode, f"write a decoder for '{vendor.id}' in {__name__}.DECODERS"
    files: dict[object, Files] = {}
    wrong = []
    for year, name in itertools.product(YEARS, ZONES[first::share]):
        rule = zone_rule(name, year)
        # A rule of one year only is reported, and exact in that year all the same.
        ruled = grammar.form in (ZoneForm.RULE, ZoneForm.DATES, ZoneForm.POSIX) and rule.start
        if zones.expressible(replace(rule, irregular=False) if ruled else rule, vendor, model):
            continue
        # What is sent depends on this only: a rule on nothing of the year but its law.
        dated = year if grammar.form is ZoneForm.DATES else 0
        told = zones.told(rule, vendor, model).code, rule.posix
        key = (name if grammar.form is ZoneForm.NAMES else told, dated)
        if key not in files:
            files[key] = emitted(vendor, model, rules, name, year)
        clock = decode(files[key], year)
        if clock != truth(name, year):
            wrong.append(f"{name} {year}: {clock}, not {truth(name, year)}")
    assert not wrong, "\n".join(wrong[:10])
    assert files


def test_the_loss_report_says_what_a_phone_cannot_be_told():
    """A zone that does not fit stands in the report with what is sent; one that fits does not."""
    vendor = REGISTRY.vendor("yealink")
    model = vendor.data.models[0]
    said = losses(phone_in(vendor, model, "Pacific/Chatham", 2026), vendor)
    assert any(line.startswith("The time zone Pacific/Chatham is not exact") for line in said)
    said = losses(phone_in(vendor, model, "Europe/Berlin", 2026), vendor)
    assert not any("time zone" in line for line in said)
