"""Checking vendor folders: what is broken, what two claim, what no longer renders as expected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from provisioning.usecases.checks.finding import Finding, Severity, line_named
from provisioning.usecases.checks.golden import (
    every_model,
    golden_cases,
    shared_roots,
    write_golden,
)
from provisioning.usecases.checks.overlaps import overlaps
from provisioning.usecases.checks.overrides import accept, changed_beneath
from provisioning.usecases.checks.silences import silences
from provisioning.vendors.registry import Registry

__all__ = ["Finding", "Severity", "accept", "check_vendors", "write_golden"]

_FAULT = re.compile(r"(?P<file>.*?/vendor\.toml|[^:]*): (?P<what>.*)")
_TOML_LINE = re.compile(r"\(at line (\d+),")


def check_vendors(registry: Registry) -> list[Finding]:
    """Everything there is to say of the vendor folders; nothing of level ERROR means they are good.

    Renders every golden case and every model with every shared case, which takes seconds.
    """
    found = [*_disabled(registry), *overlaps(registry)]
    roots = shared_roots(registry.roots)
    for vendor in registry:
        found += silences(vendor)
        found += golden_cases(vendor)
        found += every_model(vendor, roots)
    if registry.roots:
        found += changed_beneath(registry.roots)
    return list(dict.fromkeys(found))


def _disabled(registry: Registry) -> Iterator[Finding]:
    """The faults of folders that do not serve, one a line of their reason."""
    for vendor, reason in registry.disabled.items():
        for fault in reason.splitlines():
            found = _FAULT.fullmatch(fault)
            file = Path(found["file"]) if found else registry.roots[0] / vendor
            what = found["what"] if found else fault
            yield Finding(vendor, file, _line(file, what), what)


def _line(file: Path, what: str) -> int | None:
    if found := _TOML_LINE.search(what):
        return int(found[1])
    return line_named(file, what)
