"""Requests that real phones were seen to send, and who the loaded vendors take them for."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from provisioning.vendors import grammar
from provisioning.vendors.load import Vendor, plain
from provisioning.vendors.match import Recognition, recognise
from provisioning.vendors.registry import load_registry

TESTS = Path(__file__).parent
REGISTRY = load_registry([TESTS.parent / "templates"])
LISTS = TESTS / "data" / "unrecognisable"


@dataclass(frozen=True)
class Row:
    """One line of the corpus; empty where the source does not show it."""

    number: int
    vendor_dialect: str
    model: str
    firmware: str
    mac: str
    transport: str
    path: str
    user_agent: str
    source: str


def read_rows() -> list[Row]:
    """The whole corpus."""
    with (TESTS / "data" / "requests.tsv").open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [_named_as_here(Row(number, **line)) for number, line in enumerate(lines, start=2)]


def _named_as_here(row: Row) -> Row:
    """The corpus has one name for two brands that are two dialects here."""
    if row.vendor_dialect != "digium-sangoma":
        return row
    return replace(row, vendor_dialect="sangoma" if row.model.startswith("Sangoma") else "digium")


ROWS = read_rows()
OURS = [row for row in ROWS if row.vendor_dialect in REGISTRY.vendors]
OTHERS = [row for row in ROWS if row.vendor_dialect not in REGISTRY.vendors and row.user_agent]


def read_list(name: str) -> list[dict[str, str]]:
    """The lines of one list of exceptions, each with its reason."""
    path = LISTS / f"{name}.toml"
    if not path.is_file():
        return []
    return tomllib.loads(path.read_text(encoding="utf-8")).get("lines", [])


EXCEPTIONS = {name: read_list(name) for name in REGISTRY.vendors}
CLAIMS = read_list("claims")


def request_path(row: Row, vendor: Vendor) -> str:
    """The path as the phone sent it: patterns filled in, the query left off."""
    oui = vendor.data.ouis[0] if vendor.data.ouis else "02"
    mac = row.mac or oui.ljust(12, "1")
    path = row.path.partition("?")[0]
    for pattern, value in (("{mac}", mac), ("{MAC}", mac.upper()), ("{address}", "1001")):
        path = path.replace(pattern, value)
    return path.replace("{token}", "abcdefghijklmnopqrstuvwxyz")


def faults(row: Row) -> list[str]:
    """What the server gets wrong of a line, as far as the line shows it."""
    vendor = REGISTRY.vendors[row.vendor_dialect]
    path = request_path(row, vendor)
    name = grammar.file_name(path) if path else None
    found = recognise(REGISTRY, name=name, user_agent=row.user_agent)
    if found.vendor is not vendor:
        return [f"taken for {found.vendor.id if found.vendor else 'nobody'}"]
    return [
        *model_faults(row, vendor, found),
        *firmware_faults(row, found),
        *mac_faults(row, path, found),
    ]


def model_faults(row: Row, vendor: Vendor, found: Recognition) -> list[str]:
    """The model may be a marketing name; a name that is shown must be known and found."""
    if not row.model:
        return []
    model = vendor.model(row.model)
    agent = plain(row.user_agent)
    if model is None:
        return [f"model {row.model} is not known"] if plain(row.model) in agent else []
    shown = any(plain(name) in agent for name in (model.id, *model.names))
    if found.model is model or (found.model is None and not shown):
        return []
    return [f"model is {found.model.id if found.model else 'not found'}, not {model.id}"]


def firmware_faults(row: Row, found: Recognition) -> list[str]:
    """Firmware that the User-Agent shows must be read from it."""
    if not row.firmware or row.firmware not in row.user_agent or found.firmware == row.firmware:
        return []
    return [f"firmware is '{found.firmware}', not '{row.firmware}'"]


def mac_faults(row: Row, path: str, found: Recognition) -> list[str]:
    """A MAC must be read wherever it is shown, name and User-Agent each for itself."""
    if not row.mac:
        return []
    places = (("path", path, found.mac), ("User-Agent", row.user_agent, found.agent_mac))
    return [
        f"MAC of the {where} is {mac}, not {row.mac}"
        for where, text, mac in places
        if row.mac in re.sub("[:.-]", "", text).lower() and (mac is None or mac.digits != row.mac)
    ]


def listed(row: Row) -> bool:
    """Whether the line is among its dialect's exceptions."""
    return any(
        line["path"] == row.path and line["user_agent"] == row.user_agent
        for line in EXCEPTIONS[row.vendor_dialect]
    )


def test_the_corpus_is_there():
    """The corpus has lines of the dialects we ship, and of many that we do not."""
    ours = {row.vendor_dialect for row in OURS}
    assert {"yealink", "poly-ucs", "snom", "grandstream", "linphone"} <= ours
    assert len(OURS) > 150
    assert OTHERS


@pytest.mark.parametrize("row", OURS, ids=lambda row: f"{row.vendor_dialect}-{row.number}")
def test_request_is_recognised(row: Row):
    """A phone's request shows who it is, unless the list says why it cannot; not both."""
    found = faults(row)
    if listed(row):
        assert found, f"line {row.number} is recognised now; take it off the list"
    else:
        assert found == [], f"line {row.number}: {row.path} '{row.user_agent}'"


@pytest.mark.parametrize("dialect", REGISTRY.vendors)
def test_exceptions_are_of_the_corpus_and_have_a_reason(dialect: str):
    """An exception names a line that exists and says in a sentence why it stands."""
    lines = {(row.path, row.user_agent) for row in OURS if row.vendor_dialect == dialect}
    for line in EXCEPTIONS[dialect]:
        assert (line["path"], line["user_agent"]) in lines
        assert len(line["why"].split()) >= 4


def wrongly_claimed(row: Row) -> str:
    """The loaded dialect that takes a stranger's User-Agent for its own; empty if none does.

    A dialect of the same brand may, as long as it claims no model: the brand writes one form
    for all its phones, and the dialect that knows the model is taken where it is loaded.
    """
    found = recognise(REGISTRY, name=None, user_agent=row.user_agent)
    if found.vendor is None:
        return ""
    sibling = row.vendor_dialect.startswith(found.vendor.id.partition("-")[0] + "-")
    return "" if sibling and found.model is None else found.vendor.id


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: f"{row.vendor_dialect}-{row.number}")
def test_strangers_are_not_claimed(row: Row):
    """No dialect takes the User-Agent of another maker's phone for its own."""
    claimed = any(line["user_agent"] == row.user_agent for line in CLAIMS)
    if claimed:
        assert wrongly_claimed(row), f"line {row.number} is not claimed now; take it off the list"
    else:
        assert wrongly_claimed(row) == "", f"line {row.number}: '{row.user_agent}'"
