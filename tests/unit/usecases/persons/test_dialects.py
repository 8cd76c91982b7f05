"""What docs/dialects.md claims of a dialect holds: a concept changes a file, or the loss is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from provisioning.domain.effective import Effective, Origin
from provisioning.domain.keys import SETS, Area, Key, KeyAddress, KeyType
from provisioning.domain.phone import Phone
from provisioning.domain.settings import BY_KEY, SETTINGS, Kind, Level, Scope, Setting, Value
from provisioning.domain.values import IN_FILES
from provisioning.render.cases import Case, cases
from provisioning.render.files import named_rules, render_file
from provisioning.render.losses import losses
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
    base = having(case.phone, NEEDS.get(setting.key, {}))
    before = files(base, case)
    return any(
        files(having(base, {setting.key: value}), case) != before for value in tried(setting)
    )


@pytest.mark.parametrize("dialect", sorted({dialect for _, dialect, _ in CLAIMS}))
@pytest.mark.parametrize(
    "setting",
    [item for item in SETTINGS if item.scope in IN_FILES],
    ids=lambda item: item.key,
)
def test_a_setting_changes_a_file_or_is_told_to_be_lost(setting, dialect):
    """Where the page says yes some golden phone's file differs by it, else the loss report names it."""
    (word,) = [word for key, at, word in CLAIMS if (key, at) == (setting.key, dialect)]
    assert word in WORDS
    languages = REGISTRY.vendor(dialect).data.languages
    if setting.kind is Kind.LANGUAGE and len(languages) == 1:
        word = "no"  # the one language it has is no choice
    if word in ("yes", "not all"):
        assert any(changes(setting, case) for case in golden(dialect))
        return
    case = golden(dialect)[0]
    told = losses(having(case.phone, {setting.key: tried(setting)[0]}), case.vendor)
    assert any(
        f"'{setting.key}'" in sentence or f"no {setting.key}" in sentence for sentence in told
    )


# --- keys

VALUES = {KeyType.URL: "https://a.example.com/", KeyType.XML: "https://a.example.com/",
          KeyType.LOGIN: "https://a.example.com/"}  # fmt: skip


def keyed(case: Case, kind: KeyType) -> Phone:
    """The phone of a case with one key, of this type, in the last place it has of the first two."""
    model = case.vendor.model(case.phone.model)
    place = KeyAddress(Area.LINE, 0, 1 if model and model.keys == 1 else 2)
    key = Key(place, kind, VALUES.get(kind, "1002"), "Canary")
    return replace(case.phone, keys=() if kind is KeyType.NONE else (key,), poured=())


PLACED_BY_THE_PHONE = {(KeyType.LINE, "digium")}
"""Keys the phone itself puts in their places, whatever a layout says."""


@pytest.mark.parametrize("dialect", sorted({dialect for _, dialect, _ in CLAIMS}))
@pytest.mark.parametrize(
    "kind", [item for item in KeyType if item is not KeyType.NONE and item not in SETS], ids=str
)
def test_a_key_changes_a_file_or_is_told_to_be_lost(kind, dialect):
    """Where the page says yes some file differs by such a key, else the loss report names its type."""
    (word,) = [word for key, at, word in CLAIMS if (key, at) == (kind, dialect)]
    people = [case for case in golden(dialect) if case.phone.lines and not case.phone.blank]
    if word in ("yes", "not all") and (kind, dialect) not in PLACED_BY_THE_PHONE:
        assert any(
            files(keyed(case, kind), case) != files(keyed(case, KeyType.NONE), case)
            for case in people
        )
    elif kind is not KeyType.LINE:  # lines are no loss: they stand as lines
        told = losses(keyed(people[0], kind), people[0].vendor)
        assert any(f"type {kind}" in sentence or "No place" in sentence for sentence in told)
