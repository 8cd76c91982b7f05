"""The docs say what the code says: every setting, key, schema field and template name."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioning.config import KEYS, Key
from provisioning.domain.keys import KeyType
from provisioning.domain.roles import BUILT_IN, Permission
from provisioning.domain.settings import SETTINGS, Setting
from provisioning.render import context
from provisioning.render.cases import shared_phone
from provisioning.usecases.checks.concepts import concepts_page
from provisioning.usecases.sheets import contacts, fleet, staff
from provisioning.vendors import behaviour, reading, schema
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.registry import load_registry

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def read(name: str) -> str:
    """A file of docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def rows(name: str) -> list[str]:
    """The first cells of the tables of a file of docs/, where they are code."""
    return ROW.findall(read(name))


def shown(value: object) -> str:
    """A default as the tables show it."""
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in ("", None) else f"`{value}`"


def setting_row(setting: Setting) -> str:
    """The line of docs/settings.md that describes a setting."""
    takes = str(setting.kind)
    if setting.choices:
        takes += ": " + " ".join(setting.choices)
    elif setting.kind == "integer":
        takes += f" {setting.minimum}-{setting.maximum}"
    levels = " ".join(setting.levels)
    member = {None: "", "": "yes"}.get(setting.member, f"with `{setting.member}`")
    cells = (f"`{setting.key}`", takes, shown(setting.default), levels, member, setting.help)
    return "| " + " | ".join(cells) + " |"


def key_row(key: Key) -> str:
    """The line of docs/configuration.md that describes a key."""
    cells = (f"`{key.path}`", f"`{key.variable}`", shown(key.default), key.form.allowed, key.help)
    return "| " + " | ".join(cells) + " |"


def names(value: object, at: str = "") -> Iterator[str]:
    """The paths of all values in a template's context; ``[]`` stands for a member of a list."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from names(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield from names(value[0], f"{at}[]")
    else:
        yield at


def missing(wanted: list[str], text: str) -> str:
    """The wanted lines a text has not, ready to be put there."""
    lines = set(text.splitlines())
    return "\n".join(line for line in wanted if line not in lines)


def test_every_setting_is_described_as_it_is():
    """docs/settings.md has the row of every setting and of nothing else."""
    assert not missing([setting_row(setting) for setting in SETTINGS], read("settings.md"))
    assert rows("settings.md") == [setting.key for setting in SETTINGS]


def test_every_configuration_key_is_described_as_it_is():
    """docs/configuration.md has the row of every key and of nothing else."""
    assert not missing([key_row(key) for key in KEYS.values()], read("configuration.md"))
    assert rows("configuration.md") == list(KEYS)


def test_every_field_of_the_vendor_schema_is_described():
    """docs/vendors.md has one row for each field of each table of vendor.toml."""
    fields = Counter(
        field.name
        for kind in (vars(schema) | vars(behaviour) | vars(reading)).values()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
        for field in dataclasses.fields(kind)
    )
    assert Counter(rows("vendors.md")) == fields


def test_every_permission_and_role_is_described_as_it_is():
    """docs/logins.md has the row of every permission and built-in role and of nothing else."""
    assert rows("logins.md") == [*Permission, *(role.name for role in BUILT_IN)]
    lines = [
        f"| `{role.name}` | {' '.join(f'`{item}`' for item in sorted(role.permissions))}"
        f" | {role.title} |"
        for role in BUILT_IN
    ]
    assert not missing(lines, read("logins.md"))


def test_every_word_of_the_vendor_schema_is_described():
    """docs/vendors.md names every syntax, kind of model, form of zone and type of key."""
    text = read("vendors.md")
    words = (*schema.Syntax, *schema.ModelKind, *schema.ZoneForm, *KeyType)
    assert not [word for word in words if f"`{word}`" not in text]


def test_every_name_a_template_sees_is_described():
    """docs/templates.md has the row of every name of the context and of nothing else."""
    vendor = load_registry([shipped_root()]).vendor("yealink")
    phone = shared_phone((shipped_root(),), "full-user", model="T54W", mac="00:15:65:00:00:01")
    seen: dict[str, Any] = context.build(phone, vendor, vendor.model(phone.model))
    for trait in vendor.data.traits:
        del seen["model"][trait]
    seen["settings"] = seen["files"] = seen["md5"] = ""
    seen["lines"][0]["settings"] = seen["lines"][0]["server"]["codes"] = ""
    seen["profiles"][0]["settings"] = seen["accounts"] = seen["nobody"] = ""
    assert Counter(rows("templates.md")) == Counter(names(seen))


def test_every_column_of_a_sheet_is_described():
    """docs/sheets.md has the row of every column of all sheets and of nothing else."""
    assert rows("sheets.md") == [*staff.COLUMNS, *fleet.COLUMNS, *contacts.COLUMNS]


FUNCTION = re.compile(r"^\| ([A-H][0-9]+) \|", re.MULTILINE)


def test_every_function_has_a_test():
    """Each id of docs/features.md stands in the name of a test, and in the table once."""
    ids = FUNCTION.findall(read("features.md"))
    assert len(ids) == len(set(ids))
    names = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    proven = {word for name in names for word in name.split("_")}
    assert not [row for row in ids if row.lower() not in proven]


PAGES = [
    page for folder in (".", "docs", "firmware", "certs") for page in (ROOT / folder).glob("*.md")
]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """A link of a page to a file of the project leads to one that is there."""
    found = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    assert not [target for target in found if not (page.parent / target).exists()]


def test_changelog_has_a_place_for_what_comes():
    """CHANGELOG.md has a section for what is not released yet."""
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_page_of_dialects_is_what_the_folders_say():
    """docs/dialects.md is made from the vendor folders and from nothing else."""
    page = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
    made = concepts_page(load_registry([ROOT / "templates"]))
    assert page == made, "run: provisioning check --concepts > docs/dialects.md"
