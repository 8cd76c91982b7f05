"""What two vendors both claim, so that a phone of one may be taken for the other's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from pathlib import Path

from provisioning.usecases.checks.finding import Finding, Severity, line_named, line_of
from provisioning.vendors import grammar
from provisioning.vendors.load import Vendor
from provisioning.vendors.match import model_of, read_name
from provisioning.vendors.registry import Registry
from provisioning.vendors.schema import Example


def vendor_file(vendor: Vendor) -> Path:
    """The vendor.toml that counts."""
    return vendor.template("vendor.toml") or vendor.folders[0] / "vendor.toml"


def overlaps(registry: Registry) -> Iterator[Finding]:
    """User-Agents, models, OUIs and file names without a MAC that belong to two vendors."""
    for vendor, other in permutations(registry, 2):
        yield from _agents(vendor, other)
        yield from _names(vendor, other)
    for vendor, other in combinations(registry, 2):
        yield from _models(vendor, other)
        yield from _ouis(vendor, other)


def _brand(vendor: Vendor) -> str:
    """Dialects of one brand share its MACs: snom and snom-dect."""
    return vendor.id.partition("-")[0]


def _examples(vendor: Vendor) -> Iterator[Example]:
    for agent in vendor.data.user_agents:
        yield from agent.examples


def _claims(vendor: Vendor, text: str) -> bool:
    return any(pattern.search(text) for pattern in vendor.agents)


def _agents(vendor: Vendor, other: Vendor) -> Iterator[Finding]:
    """A form that two dialects share is told apart by who knows the model."""
    for example in _examples(other):
        if not _claims(vendor, example.text):
            continue
        name = example.model or ""
        if other.model(name) and not vendor.model(name):
            continue
        file = vendor_file(vendor)
        yield Finding(
            vendor.id, file, line_named(file, "'user_agents'"),
            f"A user agent pattern claims '{example.text}', which is an example of {other.id}.",
            "Narrow the pattern, or list the model in the vendor whose it is.",
        )  # fmt: skip


def _models(vendor: Vendor, other: Vendor) -> Iterator[Finding]:
    shared = [
        *(example for example in _examples(vendor) if _claims(other, example.text)),
        *(example for example in _examples(other) if _claims(vendor, example.text)),
    ]
    if not shared:
        return
    file = vendor_file(vendor)
    for name in sorted(vendor.by_name.keys() & other.by_name.keys()):
        yield Finding(
            vendor.id, file, line_of(file, vendor.by_name[name].id),
            f"The model '{name}' is also one of {other.id}, whose user agents have the same form.",
            "Take it out of one of the two.",
        )  # fmt: skip


def _ouis(vendor: Vendor, other: Vendor) -> Iterator[Finding]:
    if _brand(vendor) == _brand(other):
        return
    file = vendor_file(other)
    for oui in sorted(set(vendor.data.ouis) & set(other.data.ouis)):
        yield Finding(
            other.id, file, line_of(file, oui),
            f"The OUI {oui} is also one of {vendor.id}.",
            "Leave it to the one it is assigned to, or write a longer prefix.",
            Severity.WARNING,
        )  # fmt: skip


def _names(vendor: Vendor, other: Vendor) -> Iterator[Finding]:
    """File names of ``vendor`` without a MAC that ``other`` would read as its own.

    A brand's first dialect and another of its may share one: without a User-Agent the first is
    meant, and a device is of the dialect that it is stored with.
    """
    if _brand(vendor) == _brand(other) and _brand(vendor) in (vendor.id, other.id):
        return
    for rule in vendor.data.files:
        if grammar.needs(rule.pattern, "mac"):
            continue
        name = next((name for name in _emitted(vendor, rule.pattern) if _reads(other, name)), None)
        if name is None:
            continue
        file = vendor_file(vendor)
        yield Finding(
            vendor.id, file, line_of(file, rule.pattern),
            f"The file name '{name}' of '{rule.id}' is also one of {other.id}.",
            "Without a MAC nobody can tell whose it is: choose another pattern.",
        )  # fmt: skip


def _emitted(vendor: Vendor, pattern: str) -> Iterator[str]:
    """Every name a pattern without a MAC has for the models there are."""
    for model in (None, *vendor.data.models):
        traits = {**vendor.data.traits, **(model.traits if model else {})}
        name = grammar.emit(pattern, mac=None, model=model.in_files if model else "", traits=traits)
        if name is not None:
            yield name


def _reads(vendor: Vendor, name: str) -> bool:
    """Whether a vendor serves a name; one that tells the model is its own only if it knows it."""
    for model in (None, *vendor.data.models):
        named = read_name(vendor, name, model)
        if named is not None and named.rule is not None:
            tells = named.found.model or named.found.traits
            return not tells or model_of(vendor, named.found) is not None
    return False
