"""Every vendor's golden cases, byte for byte, and every model of it with every shared case."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from provisioning.domain.errors import BrokenRule
from provisioning.domain.phone import Phone
from provisioning.render.cases import Case, cases, shared_cases, shared_phone
from provisioning.render.environment import environment
from provisioning.render.files import named_rules, render_file
from provisioning.render.syntax import FORMS
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import load_registry

ROOT = Path(__file__).parents[1] / "templates"
REGISTRY = load_registry([ROOT])
SHARED_NAMES = {vendor.id: shared_cases(vendor) for vendor in REGISTRY}
SHARED_CASES = [(vendor, name) for vendor in REGISTRY for name in SHARED_NAMES[vendor.id]]
CASES = [case for vendor in REGISTRY for case in cases(vendor)]
BY_FOLDER = {case.folder: case for case in CASES}

each_vendor = pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)
each_case = pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.vendor.id}/{case.folder.name}"
)
each_file = pytest.mark.parametrize(
    ("case", "name"),
    [
        pytest.param(case, name, id=f"{case.vendor.id}/{case.folder.name}/{name}")
        for case in CASES
        for name in case.expected()
    ],
)


@cache
def rendered(folder: Path) -> dict[str, bytes]:
    """The files of the case in a folder, rendered once for all that looks at them."""
    return BY_FOLDER[folder].files()


def parse_all(phone: Phone, vendor: Vendor) -> None:
    """Render and read back every file of a phone."""
    for item in named_rules(phone, vendor):
        text = render_file(phone, vendor, item.rule).decode("utf-8")
        assert FORMS[item.rule.syntax].parse(text) is not None


def test_no_shipped_vendor_is_disabled():
    """Every shipped vendor folder is loaded."""
    assert REGISTRY.disabled == {}
    assert REGISTRY.vendors


@each_vendor
def test_vendor_has_a_golden_case_of_every_shared_one(vendor: Vendor):
    """A vendor shows what it makes of every shared case."""
    shown = {
        tomllib.loads((case.folder / "case.toml").read_text(encoding="utf-8")).get("of")
        for case in cases(vendor)
    }
    assert set(shared_cases(vendor)) <= shown


@each_vendor
def test_every_file_of_a_vendor_has_a_golden_case(vendor: Vendor):
    """No template goes unseen: each file rule is rendered by one case at least."""
    shown = {item.rule.id for case in cases(vendor) for item in named_rules(case.phone, vendor)}
    assert shown == {rule.id for rule in vendor.data.files}


@each_vendor
def test_every_screen_of_a_vendor_has_a_golden_case(vendor: Vendor):
    """No screen goes unseen: a vendor that has some shows all of them in one case at least."""
    shown = any(case.expected_screens() for case in cases(vendor))
    assert shown == any(not entry.none for entry in vendor.data.screens)


@each_case
def test_case_gives_the_files_that_are_expected(case: Case):
    """A phone gets exactly the files that stand in its case's folder, and at least one."""
    assert case.expected(), f"{case.folder} has no expected files; write them"
    assert set(rendered(case.folder)) == set(case.expected())


@each_file
def test_file_is_as_expected(case: Case, name: str):
    """A rendered file is byte for byte the one in the folder."""
    now, expected = rendered(case.folder)[name], case.expected()[name]
    assert now.decode("utf-8") == expected.decode("utf-8")
    assert now == expected


@each_file
def test_expected_file_is_of_its_form(case: Case, name: str):
    """An expected file can be read back by its syntax; only a phone book may hold nobody."""
    [rule] = [item.rule for item in named_rules(case.phone, case.vendor) if item.name == name]
    held = FORMS[rule.syntax].parse(case.expected()[name].decode("utf-8"))
    assert held or (rule.phonebook and not case.phone.directory.contacts)


@each_case
def test_screens_are_as_expected(case: Case):
    """The screens of a phone at which people log in are, byte for byte, those in its folder."""
    assert case.screens() == case.expected_screens()


@each_case
def test_expected_screens_are_of_their_form(case: Case):
    """Each of them can be read back, and is no larger than its phones read."""
    model = case.vendor.model(case.phone.model)
    screens, native = case.vendor.screens(model), case.vendor.native(model)
    for name, content in case.expected_screens().items():
        assert screens is not None
        persons = native is not None and name.endswith(native.file.removeprefix("{user}"))
        syntax = native.syntax if native and persons else screens.syntax
        assert FORMS[syntax].parse(content.decode("utf-8"))
        assert screens.largest is None or len(content) <= screens.largest


@each_vendor
def test_rendering_again_gives_the_same_bytes(vendor: Vendor):
    """The same phones get the same bytes, also from an environment made afresh."""
    environment.cache_clear()
    for case in cases(vendor):
        assert case.files() == case.expected(), case.folder.name


def models(vendor: Vendor, shared: str) -> Iterator[str]:
    """Each model in one of the shared cases, those that differ by more than names in each eighth.

    Also one that is not known yet, and one that nobody knows.
    """
    seen: set[str] = set()
    every = SHARED_NAMES[vendor.id]
    for number, model in enumerate(vendor.data.models):
        traits = repr(replace(model, id="", names=(), file_name=None))
        turn = (number - every.index(shared)) % len(every)
        if turn == 0 or (traits not in seen and turn % 8 == 0):
            yield model.id
        seen.add(traits)
    yield from ("", "no such model")


@pytest.mark.parametrize(
    ("vendor", "shared"), SHARED_CASES, ids=[f"{v.id}/{name}" for v, name in SHARED_CASES]
)
def test_every_model_takes_every_shared_case(vendor: Vendor, shared: str):
    """No model breaks a template, nor does a phone whose model nobody knows."""
    mac = vendor.data.ouis[0].ljust(12, "1") if vendor.data.ouis else None
    failures = []
    for model in models(vendor, shared):
        phone = shared_phone((ROOT,), shared, model=model, mac=mac)
        try:
            parse_all(phone, vendor)
        except (BrokenRule, ValueError) as error:
            failures.append(f"{model or 'unknown model'}: {error}")
    assert failures == []
