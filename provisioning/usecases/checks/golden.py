"""Golden cases and shared cases: what is rendered now against what is expected."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from traceback import walk_tb

from provisioning.domain.errors import BadVendorFolder, BrokenRule
from provisioning.domain.phone import Phone
from provisioning.render.cases import (
    SCREENS,
    Case,
    case_folders,
    load_case,
    shared_cases,
    shared_phone,
)
from provisioning.render.files import NamedRule, named_rules, render_file
from provisioning.render.syntax import FORMS, Parameters
from provisioning.usecases.checks.finding import Finding, Severity
from provisioning.usecases.checks.notes import Notes
from provisioning.usecases.checks.overlaps import vendor_file
from provisioning.usecases.checks.writing import writing_to
from provisioning.vendors import grammar
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.load import Vendor

_ANY_OUI = "020000"
"""The prefix of a MAC where the vendor names none: it is locally administered."""


def golden_cases(vendor: Vendor) -> Iterator[Finding]:
    """Cases that cannot be read, or whose files are not what is rendered; files no case shows."""
    notes = Notes(vendor)
    folders = case_folders(vendor)
    if not folders:
        yield Finding(
            vendor.id, vendor.folders[0] / "golden", None, "There is no golden case.",
            "Write golden/full-user/case.toml with of, model and mac, then "
            f"`provisioning check --write-golden {vendor.id}`.",
        )  # fmt: skip
    shown_rules = set()
    for folder in folders:
        try:
            case = load_case(vendor, folder)
        except BadVendorFolder as error:
            yield Finding(vendor.id, folder / "case.toml", None, error.what, error.remedy)
            continue
        rules = {item.name: item for item in named_rules(case.phone, vendor)}
        shown_rules |= {item.rule.id for item in rules.values()}
        yield from _case(case, rules, notes)
    for rule in vendor.data.files:
        if folders and rule.id not in shown_rules:
            yield Finding(
                vendor.id, vendor_file(vendor), None,
                f"No golden case shows the file '{rule.id}'.",
                "Add one of a model that has it.", Severity.WARNING,
            )  # fmt: skip


def _screens(case: Case) -> Iterator[Finding]:
    try:
        made = case.screens()
    except BrokenRule as error:
        yield _failed(case.vendor, "vendor.toml", error, f"the case {case.folder.name}")
        return
    expected = case.expected_screens()
    for name in sorted({*made, *expected}):
        content = made.get(name, b"")
        yield from _difference(case, f"{SCREENS}/{name}", content, expected.get(name))


def _case(case: Case, rules: dict[str, NamedRule], notes: Notes) -> Iterator[Finding]:
    yield from _screens(case)
    expected = case.expected()
    broken = False
    for name, item in rules.items():
        try:
            content = render_file(case.phone, case.vendor, item.rule)
        except BrokenRule as error:
            broken = True
            yield _failed(case.vendor, item.rule.template, error, f"the case {case.folder.name}")
            continue
        yield from _difference(case, name, content, expected.get(name))
    if broken:
        return
    for name, content in expected.items():
        if name not in rules:
            yield Finding(
                case.vendor.id, case.folder / name, None,
                "The phone of this case has no such file.", "Remove it.",
            )  # fmt: skip
            continue
        yield from _parsed(case, rules[name], content, notes)


def _difference(case: Case, name: str, content: bytes, expected: bytes | None) -> Iterator[Finding]:
    if content == expected:
        return
    line, what = None, "The file is not there."
    if expected is not None:
        line, what = _first_difference(content, expected)
    yield Finding(
        case.vendor.id, case.folder / name, line, what,
        f"Mend the template, or write what is rendered: "
        f"`provisioning check --write-golden {case.vendor.id}`.",
        _severity(case),
    )  # fmt: skip


def _severity(case: Case) -> Severity:
    """A shipped case that an operator's own template changes tells them what they changed."""
    own = case.folder.is_relative_to(case.vendor.folders[0])
    return Severity.ERROR if own else Severity.WARNING


def _first_difference(content: bytes, expected: bytes) -> tuple[int | None, str]:
    pairs = zip_longest(_lines(content), _lines(expected))
    for number, (now, wanted) in enumerate(pairs, 1):
        if now != wanted:
            return number, f"The case expects {wanted!r:.70} and {now!r:.70} is rendered."
    return None, "The files differ in their line ends."


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").split("\n")


def _parsed(case: Case, item: NamedRule, content: bytes, notes: Notes) -> Iterator[Finding]:
    file = case.folder / item.name
    try:
        parameters = _parse(item, content)
    except ValueError as error:
        yield Finding(
            case.vendor.id, file, None, f"The file is not of the form '{item.rule.syntax}': {error}.",
            f"Mend {item.rule.template}, or the syntax of the file '{item.rule.id}'.",
        )  # fmt: skip
        return
    yield from notes.missing(file, parameters)


def _parse(item: NamedRule, content: bytes) -> Parameters:
    return FORMS[item.rule.syntax].parse(content.decode("utf-8"))


def _failed(vendor: Vendor, template: str, error: BrokenRule, when: str) -> Finding:
    file, line = _place(error) or (vendor.template(template) or vendor.folders[0], None)
    remedy = "Mend the template."
    if error.remedy and "`provisioning check`" not in error.remedy:
        remedy = error.remedy
    return Finding(vendor.id, file, line, error.what, remedy, when=when)


def _place(error: BaseException | None) -> tuple[Path, int] | None:
    """The innermost line of a template in an error's traceback; Jinja puts it there."""
    while error is not None:
        places = [
            (Path(frame.f_code.co_filename), line)
            for frame, line in walk_tb(error.__traceback__)
            if frame.f_code.co_filename.endswith(".j2")
        ]
        if places:
            return places[-1]
        error = error.__cause__
    return None


# --- every model with every shared case


def every_model(vendor: Vendor, roots: tuple[Path, ...]) -> Iterator[Finding]:
    """Models, or a phone of an unknown model, that break a template in a shared case."""
    for shared in shared_cases(vendor):
        for model in (*(model.id for model in vendor.data.models), ""):
            phone = shared_phone(roots, shared, model=model, mac=_mac(vendor))
            when = f"{model or 'an unknown model'} in the shared case {shared}"
            yield from _phone_faults(phone, vendor, when)


def _phone_faults(phone: Phone, vendor: Vendor, when: str) -> Iterator[Finding]:
    for item in named_rules(phone, vendor):
        try:
            _parse(item, render_file(phone, vendor, item.rule))
        except BrokenRule as error:
            yield _failed(vendor, item.rule.template, error, when)
        except ValueError as error:
            file = vendor.template(item.rule.template) or vendor.folders[0]
            yield Finding(
                vendor.id, file, None,
                f"The result is not of the form '{item.rule.syntax}': {error}.",
                f"Mend it, or the syntax of the file '{item.rule.id}'.", when=when,
            )  # fmt: skip


def _mac(vendor: Vendor) -> str | None:
    if not any(grammar.needs(rule.pattern, "mac") for rule in vendor.data.files):
        return None
    return (*vendor.data.ouis, _ANY_OUI)[0].ljust(12, "1")


def shared_roots(roots: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders that shared cases are looked up in: the shipped ones are always among them."""
    return tuple(dict.fromkeys((*roots, shipped_root())))


# --- writing


def write_golden(vendor: Vendor) -> list[Path]:
    """Put what is rendered now into the golden cases that differ; returns the cases' folders.

    Shipped cases of a vendor that an operator's folder overlays are copied there first. Raises
    BadVendorFolder or RenderFailed where a case cannot be rendered; what came before is written.
    """
    written = []
    for folder in case_folders(vendor):
        case = load_case(vendor, folder)
        if case.is_as_expected:
            continue
        own = vendor.folders[0] / "golden" / folder.name
        with writing_to(own):
            if own != folder:
                shutil.copytree(folder, own)
                case = load_case(vendor, own)
            case.write()
        written.append(own)
    return written
