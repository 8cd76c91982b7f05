"""The files of a phone: their names, their bytes, where their lines come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.domain.phone import Phone
from provisioning.render import context, explain
from provisioning.render.environment import render_template
from provisioning.vendors import grammar
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import FileRule, Native


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A file rule and the name it has for one phone."""

    rule: FileRule
    name: str


def named_rules(phone: Phone, vendor: Vendor) -> Iterator[NamedRule]:
    """The files a phone can fetch, in the order of vendor.toml, with its own names.

    A rule whose name needs what is not known of the phone (its model) is left out.
    """
    model = vendor.model(phone.model)
    traits = {**vendor.data.traits, **(model.traits if model else {})}
    for rule in vendor.rules_for(model, phone.firmware):
        name = grammar.emit(
            rule.pattern, mac=phone.mac, model=model.in_files if model else "", traits=traits
        )
        if name is not None:
            yield NamedRule(rule, name)


def render_file(phone: Phone, vendor: Vendor, rule: FileRule) -> bytes:
    """The bytes of one file; raises RenderFailed or UnsafeValue."""
    seen = _context(phone, vendor)
    return render_template(folders(vendor), rule.template, rule.syntax, seen)


def render_person(phone: Phone, vendor: Vendor, native: Native) -> bytes:
    """The file of whoever the phone itself logs in; raises RenderFailed or UnsafeValue."""
    seen = _context(phone, vendor)
    return render_template(folders(vendor), native.template, native.syntax, seen)


def explain_file(phone: Phone, vendor: Vendor, rule: FileRule) -> list[explain.ExplainedLine]:
    """The lines of one file with the settings they show; raises RenderFailed or UnsafeValue."""
    with explain.recording() as recorder:
        content = render_file(phone, vendor, rule)
    return explain.explained(content.decode("utf-8"), recorder)


def _context(phone: Phone, vendor: Vendor) -> context.Context:
    seen = context.build(phone, vendor, vendor.model(phone.model))
    seen["files"] = {item.rule.id: item.name for item in named_rules(phone, vendor)}
    seen["md5"] = Checksums(phone, vendor)
    return seen


class Checksums(dict[str, str]):
    """The MD5 of each file of the phone by its rule's id, worked out when a template asks.

    Some phones want it beside a file before they believe it; it protects nothing.
    """

    def __init__(self, phone: Phone, vendor: Vendor) -> None:
        super().__init__({rule.id: "" for rule in vendor.rules_for(vendor.model(phone.model))})
        self._phone, self._vendor = phone, vendor

    def __getitem__(self, name: str) -> str:
        rule = next(rule for rule in self._vendor.data.files if rule.id == name)
        with explain.silence():
            content = render_file(self._phone, self._vendor, rule)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()


def folders(vendor: Vendor) -> tuple[Path, ...]:
    """Where a vendor's templates are looked up: its own folders, then the roots (``_shared``)."""
    return (*vendor.folders, *vendor.roots)
