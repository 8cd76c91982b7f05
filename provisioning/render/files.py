"""The files of a phone: their names, their bytes, where their lines come from, what is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.domain.keys import KeyType
from provisioning.domain.phone import Login, Phone
from provisioning.domain.settings import Level
from provisioning.render import context, explain
from provisioning.render.environment import render_template
from provisioning.render.login import login_key, screen_url
from provisioning.vendors import grammar, zones
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import FileRule, Model


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
    """Where the templates of a vendor are looked up: the vendor's own folders, then the roots they stand in, for ``_shared``."""
    return (*vendor.folders, *dict.fromkeys(folder.parent for folder in vendor.folders))


def losses(phone: Phone, vendor: Vendor) -> list[str]:
    """What was asked of this phone and cannot be shown by its model, as sentences."""
    model = vendor.model(phone.model)
    return [
        *_line_losses(phone, model),
        *_key_losses(phone, vendor, model),
        *_login_losses(phone, vendor, model),
        *_word_losses(phone, vendor),
        *_zone_losses(phone, vendor, model),
        *_setting_losses(phone, vendor),
    ]


def _line_losses(phone: Phone, model: Model | None) -> Iterator[str]:
    if model is None:
        return
    if model.lines is not None and len(phone.lines) > model.lines:
        names = ", ".join(line.label for line in phone.lines[model.lines :])
        yield f"{model.id} has {model.lines} lines; without one: {names}."
    for number, line in enumerate(phone.lines, 1):
        if model.label_length is not None and len(line.label) > model.label_length:
            yield f"Label of line {number} is cut after {model.label_length} characters."
    if "srtp" in model.cannot and any(
        line.settings["line.srtp"].value != "off" for line in phone.lines
    ):
        yield f"{model.id} cannot encrypt speech (SRTP)."


def _key_losses(phone: Phone, vendor: Vendor, model: Model | None) -> Iterator[str]:
    placed, beyond = context.Most(vendor, model).layout(phone)
    for key in beyond:
        if key.type is KeyType.LOGIN and _in_menu(phone, vendor, model):
            continue
        yield f"No place is left for the key '{key.label or key.value or key.type}'."
    for address, key in sorted(placed.items()):
        where = f"Key {address.position}" + (f" of module {address.module}" * bool(address.module))
        if key.type in (KeyType.NONE, KeyType.LINE):
            continue
        if key.type not in vendor.data.key_types:
            yield f"{where}: the dialect has no key of type {key.type}."
        elif model is not None and key.type in model.cannot:
            yield f"{where}: {model.id} has no key of type {key.type}."


def _in_menu(phone: Phone, vendor: Vendor, model: Model | None) -> bool:
    """Whether the hotdesk screen has a place of its own, beside the keys."""
    screens = vendor.screens(model)
    return screens is not None and screens.menu and bool(screen_url(phone, vendor, model))


def _login_losses(phone: Phone, vendor: Vendor, model: Model | None) -> Iterator[str]:
    found = _in_menu(phone, vendor, model) or login_key(phone, vendor, model) is not None
    if phone.login is Login.NONE or found:
        return
    yield (
        f"There is no key to log in: the phones of {vendor.data.name} show no screen for it here, "
        "and the SIP server has no code 'hotdesk'."
    )


def _word_losses(phone: Phone, vendor: Vendor) -> Iterator[str]:
    tag = str(phone.settings["language"].value)
    languages = vendor.data.languages
    if languages and tag not in languages and tag.partition("-")[0] not in languages:
        yield f"The phones of {vendor.data.name} have no language '{tag}'; English is shown."
    country = str(phone.settings["tone.country"].value)
    if country and vendor.data.tones and country not in vendor.data.tones:
        yield f"The phones of {vendor.data.name} have no tones of '{country}'; theirs are used."


def _zone_losses(phone: Phone, vendor: Vendor, model: Model | None) -> Iterator[str]:
    # Of a model without any zone the setting is told to have no effect.
    if not phone.settings["time.zone"].value or vendor.zone_grammar(model) is None:
        return
    sentence = zones.expressible(context.zone_of(phone), vendor, model)
    if sentence:
        yield sentence


def _setting_losses(phone: Phone, vendor: Vendor) -> Iterator[str]:
    """Settings somebody chose that no file of this phone looks at."""
    held = {**phone.settings}
    for line in phone.lines:
        held.update(line.settings)
    chosen = {key for key, value in held.items() if value.origin.level is not Level.BUILT_IN}
    for key in sorted(chosen - used_settings(phone, vendor)):
        if key in vendor.data.cannot:
            yield f"The setting '{key}' has no effect: no phone of {vendor.data.name} has it."
        else:
            yield f"The setting '{key}' has no effect in this phone's files."


def used_settings(phone: Phone, vendor: Vendor) -> set[str]:
    """The keys of the settings that the files of a phone look at."""
    with explain.recording() as recorder:
        for item in named_rules(phone, vendor):
            render_file(phone, vendor, item.rule)
    return recorder.seen
