"""What a phone would show from its golden files is what the case describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.domain.keys import Key
from provisioning.domain.phone import Login, Phone
from provisioning.render.cases import Case, cases
from provisioning.render.files import named_rules
from provisioning.render.syntax import FORMS
from provisioning.simulate.following import next_place
from provisioning.simulate.shown import Shown, ShownKey, shown
from provisioning.vendors.reading import ReadKeys
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import Model

ROOT = Path(__file__).resolve().parents[3] / "templates"
READABLE = [vendor for vendor in load_registry([ROOT]) if vendor.data.readback]
NAMES = {"minimal-user", "full-user", "two-users", "pool-guest", "blanked"}
# Other files of a dialect that has several.
NAMES |= {"n510-full-user", "n510-blanked", "n720-full-user"}
CASES = [case for vendor in READABLE for case in cases(vendor) if case.folder.name in NAMES]

each_case = pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.vendor.id}/{case.folder.name}"
)


def parameters(case: Case) -> dict[str, str]:
    """All parameters of a case's golden files, names in lower case."""
    found = {}
    expected = case.expected()
    for item in named_rules(case.phone, case.vendor):
        if not item.rule.phonebook:
            text = expected[item.name].decode("utf-8")
            found |= {key.lower(): value for key, value in FORMS[item.rule.syntax].parse(text)}
    return found


def model_of(case: Case) -> Model | None:
    """The model of a case's phone."""
    return case.vendor.model(case.phone.model)


def screen(case: Case) -> Shown:
    """What the phone of a case shows."""
    return shown(parameters(case), case.vendor, model_of(case))


def has_one_server(case: Case) -> bool:
    """Whether the dialect has one server for all lines: those of another stay off."""
    tables = case.vendor.data.readback.lines
    return all("{n" in read.user and not ("{" in read.server or read.servers) for read in tables)


@each_case
def test_lines_show_and_register_as_the_people_they_are_for(case: Case):
    """Each line of a case within the model's is there with its user, password, server and label."""
    model = model_of(case)
    most = model.lines if model and model.lines is not None else len(case.phone.lines)
    wanted = case.phone.lines[:most]
    if has_one_server(case):
        wanted = tuple(line for line in wanted if line.server == wanted[0].server)
    lines = screen(case).lines
    assert [(line.number, line.user, line.password, line.server) for line in lines] == [
        (number, line.user_name, line.password, line.server.registrar)
        for number, line in enumerate(wanted, 1)
    ]
    for line, meant in zip(lines, wanted, strict=True):
        assert line.can_register
        assert line.label in {"", meant.label}
        assert line.display in {"", meant.display_name}
        assert line.label or line.display


def codes(case: Case) -> set[str]:
    """The types of key that the dialect's keys can have."""
    tables: tuple[ReadKeys, ...] = case.vendor.data.readback.keys
    return {name for table in tables for name in table.codes or case.vendor.data.key_types}


def readable(case: Case, phone: Phone) -> dict[tuple[int, int], Key]:
    """The keys of a case that its model has and that do not share a code with none."""
    model = model_of(case)
    table = case.vendor.data.key_types
    modules = any("{m" in name for read in case.vendor.data.readback.keys for name in read.type)
    modules |= any(read.modules for read in case.vendor.data.readback.keys)
    return {
        (key.address.module, key.address.position): key
        for key in phone.keys
        if key.type in codes(case)
        and table.get(key.type) != table.get("none")
        and not (model and (key.type in model.cannot or "keys" in model.cannot))
        and (
            modules
            if key.address.module
            else model is None or key.address.position <= (model.keys or 0)
        )
    }


def own_labels(case: Case, key: Key) -> set[str]:
    """The label of the line a line key stands for, which some dialects show in its place."""
    return {case.phone.lines[key.line - 1].label} if key.type == "line" else set()


def logs_in(case: Case, key: ShownKey) -> bool:
    """Whether a key is the one by which people log in where the phone takes logins."""
    return case.phone.login is not Login.NONE and "login" in key.type.split("/")


@each_case
def test_keys_do_what_the_case_says(case: Case):
    """Each key the model can have is at its place with its type, its value and its label."""
    keys = {(key.module, key.position): key for key in screen(case).keys}
    for place, meant in readable(case, case.phone).items():
        key = keys[place]
        assert meant.type in key.type.split("/"), place
        assert meant.value in {"", key.value}, place
        assert key.label in {"", meant.label} | own_labels(case, meant), place
    surplus = set(keys) - {(k.address.module, k.address.position) for k in case.phone.keys}
    own = {"line", "line/shared-line"}
    assert {keys[place].type for place in surplus if not logs_in(case, keys[place])} <= own


@each_case
def test_language_reads_back(case: Case):
    """A language that a file sets is the one the case asks for, if the dialect has it."""
    vendor, tag = case.vendor, str(case.phone.settings["language"].value)
    seen = screen(case).language
    if seen and tag in vendor.data.languages:
        assert tag in seen.split("/")


@each_case
def test_phone_is_sent_where_the_case_says(case: Case):
    """What the adoption wrote leads to the URL of the case, and nowhere if there is none."""
    place = next_place(parameters(case), case.vendor.data)
    found = (place.url, place.user, place.password) if place else ("", "", "")
    meant = case.phone.provisioning
    follows = case.vendor.data.adopt.parameters and not case.vendor.data.readback.urls
    if found[0] or follows:
        assert found == (meant.url, meant.user, meant.password)


@each_case
def test_a_guest_is_nobody_and_reads_the_guest_text(case: Case):
    """A phone without people has no line, no personal key, and its idle text where it has one."""
    if case.phone.lines:
        return
    seen = screen(case)
    assert seen.lines == ()
    assert [key for key in seen.keys if not logs_in(case, key)] == []
    if case.vendor.data.readback.idle_text and not case.phone.blank:
        assert seen.idle_text == str(case.phone.settings["idle.text"].value)
