"""What docs/dialects.md claims of a dialect holds: a concept changes a file, or the loss is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from provisioning.domain.effective import RIGHTS_ON_PHONES, Effective, Origin
from provisioning.domain.facts import PHOTO
from provisioning.domain.keys import SETS, Area, Key, KeyAddress, KeyType
from provisioning.domain.phone import Line, Look, Phone, Provisioning
from provisioning.domain.settings import BY_KEY, SETTINGS, Kind, Level, Scope, Setting, Value
from provisioning.domain.values import IN_FILES
from provisioning.render.cases import Case, cases
from provisioning.render.files import named_rules, render_file
from provisioning.render.losses import losses, used
from provisioning.vendors.registry import load_registry

ROOT = Path(__file__).parents[4]
REGISTRY = load_registry([ROOT / "templates"])
WORDS = ("yes", "no", "not all", "cannot")


def claims() -> Iterator[tuple[str, str, str]]:
    """Each concept of the page of dialects with a dialect and the word that stands there."""
    dialects: list[str] = []
    for line in (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in ("Setting", "Type of key"):
            dialects = cells[1:]
        elif cells[0] == "Dialect":
            dialects = []
        elif dialects and cells[0].startswith("`"):
            for dialect, word in zip(dialects, cells[1:], strict=True):
                yield cells[0].strip("`"), dialect, word


CLAIMS = list(claims())


@cache
def golden(dialect: str) -> tuple[Case, ...]:
    """The golden cases of a dialect, those with people first."""
    found = cases(REGISTRY.vendor(dialect))
    return tuple(sorted(found, key=lambda case: (case.phone.blank, not case.phone.lines)))


def files(phone: Phone, case: Case) -> dict[str, bytes]:
    """Every file of a phone."""
    return {
        item.name: render_file(phone, case.vendor, item.rule)
        for item in named_rules(phone, case.vendor)
    }


@cache
def as_shipped(folder: Path) -> dict[str, bytes]:
    """The files of a golden case."""
    (case,) = (case for case in golden(folder.parents[1].name) if case.folder == folder)
    return files(case.phone, case)


# --- settings

TRIED: dict[Kind, tuple[Value, ...]] = {
    Kind.TEXT: ("Canary", ""),
    Kind.BOOLEAN: (True, False),
    Kind.ZONE: ("Australia/Sydney", "America/New_York", "Europe/Berlin"),
    Kind.LANGUAGE: ("de", "it", "en", "en-GB"),
    Kind.COUNTRY: ("DE", "US", "FR", "GB"),
    Kind.HOST: ("canary.example.com",),
    Kind.URL: ("https://canary.example.com/book.xml",),
    Kind.NUMBER: ("4711",),
    Kind.NUMBERS: (("4711",), ("1001",)),
    Kind.ADDRESSES: (("198.51.100.5",),),
}
"""Values that differ from whatever a case has, by the kind of a setting."""

NEEDS: dict[str, dict[str, Value]] = {
    "vlan.priority": {"vlan.id": 7},
    "vlan.pc-priority": {"vlan.id": 7, "vlan.pc-id": 9},
    "vlan.pc-id": {"vlan.id": 7},
    "syslog.port": {"syslog.server": "logs.example.com"},
    "syslog.level": {"syslog.server": "logs.example.com"},
    "phonebook.name": {"phonebook.url": "https://book.example.com/book.xml"},
    "emergency.numbers": {"line.outgoing": "disabled"},
}
"""What else has to be set for a parameter to be there at all."""


def tried(setting: Setting) -> tuple[Value, ...]:
    """Values to try for a setting."""
    if setting.kind is Kind.INTEGER:
        return (
            setting.minimum,
            setting.minimum + 1,
            setting.minimum + 2,
            setting.maximum // 2,
            setting.maximum,
        )
    if setting.kind is Kind.CHOICE:
        return setting.choices
    if setting.kind is Kind.LIST:
        return ((setting.choices[0],), tuple(reversed(setting.choices)))
    return TRIED[setting.kind]


def having(phone: Phone, values: dict[str, Value]) -> Phone:
    """The phone with values set, as for its one user or for itself."""

    def merged(held, scope):
        own = {key: value for key, value in values.items() if BY_KEY[key].scope is scope}
        return dict(held) | {
            key: Effective(key, value, Origin(Level.DEVICE)) for key, value in own.items()
        }

    def lines(of):
        return tuple(replace(line, settings=merged(line.settings, Scope.LINE)) for line in of)

    secrets = {
        field: str(values[key])
        for field, key in (
            ("admin_password", "admin.password"), ("user_password", "user.password"),
        )
        if values.get(key)
    }  # fmt: skip
    return replace(
        phone,
        settings=merged(phone.settings, Scope.DEVICE),
        lines=lines(phone.lines),
        stations=tuple(replace(item, lines=lines(item.lines)) for item in phone.stations),
        **secrets,
    )


def changes(setting: Setting, case: Case) -> bool:
    """Whether a value of the setting changes a byte of the case's files."""
    needed = NEEDS.get(setting.key, {})
    base = having(case.phone, needed)
    before = files(base, case) if needed else as_shipped(case.folder)
    return any(
        files(having(base, {setting.key: value}), case) != before for value in tried(setting)
    )


IN_A_FILE = [item for item in SETTINGS if item.scope in IN_FILES]


def shows(setting: Setting, dialect: str) -> bool:
    """Whether the page says that the dialect, or some models of it, show the setting."""
    (word,) = [word for key, at, word in CLAIMS if (key, at) == (setting.key, dialect)]
    assert word in WORDS
    if setting.kind is Kind.LANGUAGE and len(REGISTRY.vendor(dialect).data.languages) == 1:
        return False  # the one language it has is no choice
    return word in ("yes", "not all")


@cache
def told_of_all(dialect: str) -> str:
    """The loss report of a phone that has every setting its dialect does not show."""
    case = golden(dialect)[0]
    lost = {item.key: tried(item)[0] for item in IN_A_FILE if not shows(item, dialect)}
    return "\n".join(losses(having(case.phone, lost), case.vendor))


@pytest.mark.parametrize("dialect", sorted({dialect for _, dialect, _ in CLAIMS}))
@pytest.mark.parametrize("setting", IN_A_FILE, ids=lambda item: item.key)
def test_a_setting_changes_a_file_or_is_told_to_be_lost(setting, dialect):
    """Where the page says yes some golden phone's file differs by it, else the loss report names it."""
    if shows(setting, dialect):
        assert any(changes(setting, case) for case in golden(dialect))
        return
    told = told_of_all(dialect)
    assert f"'{setting.key}'" in told or re.search(rf"\bno {re.escape(setting.key)}\b", told)


# --- keys

VALUES = {KeyType.URL: "https://a.example.com/", KeyType.XML: "https://a.example.com/",
          KeyType.LOGIN: "https://a.example.com/"}  # fmt: skip


def keyed(case: Case, kind: KeyType) -> Phone:
    """The phone of a case with one key, of this type, in the last place it has of the first two."""
    model = case.vendor.model(case.phone.model)
    place = KeyAddress(Area.LINE, 0, 1 if model and model.keys == 1 else 2)
    key = Key(place, kind, VALUES.get(kind, "1002"), "Canary")
    return replace(case.phone, keys=() if kind is KeyType.NONE else (key,), poured=())


def manned(dialect: str) -> list[Case]:
    """The golden cases of a dialect that have people."""
    return [case for case in golden(dialect) if case.phone.lines and not case.phone.blank]


@cache
def without_keys(dialect: str, number: int) -> dict[str, bytes]:
    """The files of one of them without a key."""
    case = manned(dialect)[number]
    return files(keyed(case, KeyType.NONE), case)


PLACED_BY_THE_PHONE = {(KeyType.LINE, "digium")}
"""Keys the phone itself puts in their places, whatever a layout says."""


@pytest.mark.parametrize("dialect", sorted({dialect for _, dialect, _ in CLAIMS}))
@pytest.mark.parametrize(
    "kind", [item for item in KeyType if item is not KeyType.NONE and item not in SETS], ids=str
)
def test_a_key_changes_a_file_or_is_told_to_be_lost(kind, dialect):
    """Where the page says yes some file differs by such a key, else the loss report names its type."""
    (word,) = [word for key, at, word in CLAIMS if (key, at) == (kind, dialect)]
    people = manned(dialect)
    if word in ("yes", "not all") and (kind, dialect) not in PLACED_BY_THE_PHONE:
        assert any(
            files(keyed(case, kind), case) != without_keys(dialect, number)
            for number, case in enumerate(people)
        )
    elif kind is not KeyType.LINE:  # lines are no loss: they stand as lines
        told = losses(keyed(people[0], kind), people[0].vendor)
        assert any(f"type {kind}" in sentence or "No place" in sentence for sentence in told)


# --- what is about people, in every dialect

EVERY = sorted(vendor.id for vendor in REGISTRY)
SCREENS = Provisioning(url="https://a.example.com/t/x/", screens="https://a.example.com/s/y/")


def peopled(dialect: str) -> Case:
    """A golden case of a dialect with somebody's line and a telling phone, without its keys."""
    found = [case for case in golden(dialect) if case.phone.lines and not case.phone.blank]
    case = max(found, key=lambda case: len(case.phone.keys))
    return replace(case, phone=replace(case.phone, keys=(), poured=()))


def of_person(phone: Phone, **changed: object) -> Phone:
    """The phone with its first line, or each of its stations' first, otherwise."""
    lines = [replace(line, **changed) for line in phone.lines]
    return _of_lines(phone, lines)


def with_line(phone: Phone, key: str, value: Value) -> Phone:
    """The phone with a setting of its lines set by their person."""
    held = Effective(key, value, Origin(Level.USER, "Ada"))
    return _of_lines(
        phone, [replace(line, settings={**line.settings, key: held}) for line in phone.lines]
    )


PICTURE = "picture/one-1.jpg"
CHANGED: dict[str, tuple[Callable[[Phone], Phone], str]] = {
    "a1_location": (
        lambda phone: replace(phone, location="Unter den Linden 1"), "emergency location",
    ),
    "a5_avatar": (
        lambda phone: replace(phone, look=Look(logo=PICTURE)), "organisation's picture",
    ),
    "a6_cover": (lambda phone: replace(phone, look=Look(wallpaper=PICTURE)), "cover picture"),
    "b3_photos": (lambda phone: replace(phone, photos=True), "photos of people"),
    "b7_caller_id": (lambda phone: of_person(phone, caller_id="+49301000"), "calls out with"),
    "d1_hidden": (lambda phone: replace(phone, hidden=("Grace",)), "Whom Grace speaks with"),
    "e3_steps": (lambda phone: of_person(phone, steps=True), "own forwards cannot"),
    "e5_mailbox": (lambda phone: of_person(phone, mailbox="690"), "shared mailbox"),
}  # fmt: skip
"""What is set about people and their place that is no setting, and how its loss begins."""

LOOKED_AT = {"b3_photos"}
"""What a file may look at without a difference before there is somebody to show."""


@pytest.mark.parametrize("dialect", EVERY)
@pytest.mark.parametrize("what", CHANGED)
def test_a5_a6_b3_b7_d1_e3_e5_what_people_have_is_in_a_file_or_told_to_be_lost(what, dialect):
    """Pictures, numbers, steps and mailboxes change a byte of some file, or the report names them."""
    case = peopled(dialect)
    change, lost = CHANGED[what]
    before = replace(case.phone, provisioning=SCREENS, look=Look(), hidden=())
    after = change(before)
    told = any(lost in sentence for sentence in losses(after, case.vendor))
    assert not any(lost in sentence for sentence in losses(before, case.vendor))
    if what in LOOKED_AT:
        assert told is (PHOTO not in used(after, case.vendor))
    else:
        assert (files(after, case) != files(before, case)) or told


@pytest.mark.parametrize("dialect", EVERY)
@pytest.mark.parametrize("key", [*RIGHTS_ON_PHONES, "line.outgoing", "line.incoming"])
def test_c1_to_c5_what_people_may_changes_a_file_or_is_told_to_be_lost(key, dialect):
    """A right taken and calls disabled by the person change a byte, or the report names the setting."""
    case = peopled(dialect)
    value = False if key in RIGHTS_ON_PHONES else "disabled"
    phone = with_line(case.phone, key, value)
    if key in RIGHTS_ON_PHONES:
        held = Effective(key, value, Origin(Level.USER, "Ada"))
        phone = replace(phone, settings={**phone.settings, key: held})
    told = losses(phone, case.vendor)
    changed = files(phone, case) != files(case.phone, case)
    assert changed or any(f"'{key}'" in sentence for sentence in told)


@pytest.mark.parametrize("dialect", EVERY)
def test_a10_b9_d5_a_prefix_is_dialled_or_told_to_be_lost(dialect):
    """A key that begins a number stands in a file, as what it is or as what it dials."""
    case = peopled(dialect)
    phone = keyed(case, KeyType.PREFIX)
    told = " ".join(losses(phone, case.vendor))
    lost = "type prefix: this" in told or "has no key of type prefix" in told or "No place" in told
    assert lost or files(phone, case) != files(keyed(case, KeyType.NONE), case)
    kinds = case.vendor.data.key_types
    if "speed-dial" in kinds and "prefix" not in kinds and "No place" not in told:
        assert "dialled after it" in told


@pytest.mark.parametrize("dialect", EVERY)
@pytest.mark.parametrize("kind", [KeyType.PICKUP, KeyType.RETRIEVE, KeyType.VOICEMAIL], ids=str)
def test_a_key_without_its_code_is_told_to_be_lost(kind, dialect):
    """A key that dials a code of the server is a loss where neither of them has one."""
    case = peopled(dialect)
    bare = [replace(line, server=replace(line.server, codes={})) for line in case.phone.lines]
    model = case.vendor.model(case.phone.model)
    place = KeyAddress(Area.LINE, 0, 1 if model and model.keys == 1 else 2)
    phone = replace(_of_lines(case.phone, bare), keys=(Key(place, kind),), poured=())
    told = losses(phone, case.vendor)
    assert any(
        f"no code for {kind}" in sentence or f"type {kind}" in sentence or "No place" in sentence
        for sentence in told
    )


def _of_lines(phone: Phone, lines: list[Line]) -> Phone:
    left = iter(lines)
    stations = tuple(
        replace(station, lines=tuple(next(left) for _ in station.lines))
        for station in phone.stations
    )
    return replace(phone, lines=tuple(lines), stations=stations)
