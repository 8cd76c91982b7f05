"""What was asked of a phone and its model or its dialect cannot show, as sentences.

What no table says is found by looking: a file that is the same without a thing does not show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from provisioning.domain import facts
from provisioning.domain.effective import RIGHTS_ON_PHONES, Effective
from provisioning.domain.keys import Key, KeyAddress, KeyType
from provisioning.domain.phone import Contact, Directory, Line, Login, Phone
from provisioning.domain.settings import Level
from provisioning.render import context, explain
from provisioning.render.files import named_rules, render_file
from provisioning.render.layout import fitting
from provisioning.render.login import login_key, screen_url, screens_of
from provisioning.render.stations import numbered
from provisioning.vendors import zones
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model

_DIALLED = {
    KeyType.PICKUP: "pickup", KeyType.RETRIEVE: "retrieve", KeyType.VOICEMAIL: "voicemail",
}  # fmt: skip
"""Keys that dial a code of the server where they have no number of their own."""

_SOMEBODY = Directory((Contact("Ada", picture="picture/ada.jpg"),), total=1)


def losses(phone: Phone, vendor: Vendor) -> list[str]:
    """What was asked of this phone and cannot be shown by its model, as sentences."""
    model = vendor.model(phone.model)
    seen = used(phone, vendor)
    return [
        *_line_losses(phone, model),
        *_guest_losses(phone, seen),
        *_key_losses(phone, vendor, model),
        *_login_losses(phone, vendor, model),
        *_word_losses(phone, vendor),
        *_zone_losses(phone, vendor, model),
        *_setting_losses(phone, vendor, seen),
        *_fact_losses(phone, seen),
        *_company_losses(phone, vendor),
    ]


def used(phone: Phone, vendor: Vendor) -> set[str]:
    """The keys of the settings and facts that the files of a phone look at."""
    somebody = replace(_SOMEBODY, contacts=_SOMEBODY.contacts if phone.photos else ())
    seen = phone if phone.directory.contacts else replace(phone, directory=somebody)
    with explain.recording() as recorder:
        _files(seen, vendor)
    return recorder.seen


def _files(phone: Phone, vendor: Vendor) -> list[bytes]:
    return [render_file(phone, vendor, item.rule) for item in named_rules(phone, vendor)]


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


def _guest_losses(phone: Phone, seen: set[str]) -> Iterator[str]:
    if phone.pool and phone.guest and not phone.lines:
        yield (
            "The phone has no SIP account of its own: nobody can call with it without a login, "
            "not even for help."
        )
    if phone.lines and phone.guest and "line.outgoing" not in seen:
        yield (
            "The phone cannot be barred by its files: without a login any number can be dialled "
            "with its own account, unless the PBX bars it."
        )


# --- keys


def _key_losses(phone: Phone, vendor: Vendor, model: Model | None) -> Iterator[str]:
    placed, beyond = context.Most(vendor, model).layout(phone)
    for key in beyond:
        if key.type is KeyType.LOGIN and _in_menu(phone, vendor):
            continue
        yield f"No place is left for the key '{key.label or key.value or key.type}'."
    for item in phone.withheld:
        where = _where(item.key.address)
        yield f"{where}: {item.name} may not have the key {item.key.type}, so that nobody here has."
    shown = {}
    for address, key in sorted(placed.items()):
        if key.type in (KeyType.NONE, KeyType.LINE):
            continue
        instead = fitting(key, vendor, model)
        if instead.type is not key.type:
            yield (
                f"{_where(address)}: there is no key of type {key.type}; this one dials "
                f"{key.value}, and the number is dialled after it."
            )
        if key.type not in vendor.data.key_types and instead is key:
            yield f"{_where(address)}: the dialect has no key of type {key.type}."
        elif model is not None and instead.type in model.cannot:
            yield f"{_where(address)}: {model.id} has no key of type {key.type}."
        else:
            shown[address] = instead
    yield from _mute_keys(phone, vendor, shown)


def _in_menu(phone: Phone, vendor: Vendor) -> bool:
    """Whether the hotdesk screen has a place of its own, beside the keys."""
    screens = screens_of(phone, vendor)
    return screens is not None and screens.menu and bool(screen_url(phone, vendor))


def _login_losses(phone: Phone, vendor: Vendor, model: Model | None) -> Iterator[str]:
    found = _in_menu(phone, vendor) or login_key(phone, vendor, model) is not None
    if phone.login is Login.NONE or found:
        return
    why = "show no screen for it here"
    if vendor.screens(model) is not None and screens_of(phone, vendor) is None:
        why = "cannot hide a PIN and 'hotdesk.open-pin' is off"
    yield (
        f"There is no key to log in: the phones of {vendor.data.name} {why}, "
        "and the SIP server has no code 'hotdesk'."
    )


def _mute_keys(phone: Phone, vendor: Vendor, keys: Mapping[KeyAddress, Key]) -> Iterator[str]:
    """Keys that do nothing for want of a value, a code or a place in the files."""
    codes = {number: line.server.codes for number, line in enumerate(phone.lines, 1)}
    same: dict[tuple[object, ...], bool] = {}
    fixed = _fixed(phone, vendor)
    now = _files(fixed, vendor) if keys else []
    for address, key in keys.items():
        code = _DIALLED.get(key.type, "")
        if code and not key.value and code not in codes.get(key.line, {}):
            yield f"{_where(address)}: the server of line {key.line} has no code for {key.type}."
            continue
        kind = (key.type, bool(key.value), key.line, bool(address.module))
        if kind not in same:
            same[kind] = _is_mute(fixed, vendor, replace(key, address=address), now)
        if same[kind]:
            why = "this phone does not show it" if key.value else "it has no value and no code"
            yield f"{_where(address)}: no key of type {key.type}: {why}."


def _fixed(phone: Phone, vendor: Vendor) -> Phone:
    """The phone with every key set where it is, the one to log in too: none is added or poured."""
    placed, _ = context.Most(vendor, vendor.model(phone.model)).layout(phone)
    return replace(phone, keys=tuple(placed.values()), poured=(), login=Login.NONE)


def _is_mute(fixed: Phone, vendor: Vendor, key: Key, now: list[bytes]) -> bool:
    """Whether the files are those of a phone that has no key there, with its label or without."""
    if not vendor.data.files:
        return False
    others = [other for other in fixed.keys if other.address != key.address]
    nothing = replace(key, type=KeyType.NONE, value="")
    without = [nothing, replace(nothing, label="", line=1)]
    return any(_files(replace(fixed, keys=(*others, key)), vendor) == now for key in without)


def _where(address: KeyAddress) -> str:
    return f"Key {address.position}" + (f" of module {address.module}" * bool(address.module))


# --- words, zones, settings


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


def _setting_losses(phone: Phone, vendor: Vendor, seen: set[str]) -> Iterator[str]:
    """Settings somebody chose that no file of this phone looks at."""
    held = {**phone.settings}
    for line in phone.lines:
        held.update({key: value for key, value in line.settings.items() if _chosen(value)})
    chosen = {key for key, value in held.items() if _chosen(value)}
    for key in sorted(chosen - seen):
        if key in vendor.data.cannot:
            yield f"The setting '{key}' has no effect: no phone of {vendor.data.name} has it."
        else:
            yield f"The setting '{key}' has no effect in this phone's files."


def _chosen(held: Effective) -> bool:
    return held.origin.level is not Level.BUILT_IN


def _fact_losses(phone: Phone, seen: set[str]) -> Iterator[str]:
    """What is set about the people and the place that no file of this phone looks at."""
    lost = (held for held in facts.facts(phone) if held.key not in seen)
    yield from dict.fromkeys(
        facts.LOST[held.key].format(value=held.value, owner=held.origin.owner) for held in lost
    )


# --- several people on one phone


def _company_losses(phone: Phone, vendor: Vendor) -> Iterator[str]:
    """What one of several people has on a phone that all have, or none."""
    if len(phone.lines) < 2:
        return
    now = _files(phone, vendor)
    for key in RIGHTS_ON_PHONES:
        having = [line for line in phone.lines if _has(line, key)]
        strict = phone.settings[key]
        if having and not strict.value:
            given = {**phone.settings, key: replace(strict, value=True)}
            if _files(replace(phone, settings=given), vendor) != now:
                yield (
                    f"The right '{key}' is had by all people of this phone or by none: "
                    f"{_names(having)} have it not, because {strict.origin.owner or 'another'} "
                    "has it not."
                )
    yield from _shared_states(phone, vendor)


def _has(line: Line, key: str) -> bool:
    return key in line.settings and bool(line.settings[key].value)


def _names(lines: Iterable[Line]) -> str:
    return ", ".join(line.label for line in lines)


def _shared_states(phone: Phone, vendor: Vendor) -> Iterator[str]:
    """Whether somebody may call out or be called, where the phone can say it only for all."""
    keys = [
        key
        for key in ("line.outgoing", "line.incoming")
        if len({line.settings[key].value == "disabled" for line in phone.lines}) > 1
    ]
    if not keys:
        return
    silent = _without_texts(phone)
    now = _files(silent, vendor)
    shapes = _shapes(silent, vendor)
    same: dict[tuple[object, ...], bool] = {}
    for key in keys:
        for line, shape in zip(silent.lines, shapes, strict=True):
            kind = (key, line.settings[key].value, *shape)
            if kind not in same:
                same[kind] = _files(_otherwise(silent, line, key), vendor) == now
            if same[kind]:
                yield (
                    f"The setting '{key}' of {line.label} has no effect: this phone has it once "
                    "for all its people."
                )


def _without_texts(phone: Phone) -> Phone:
    """The phone without the texts that tell of somebody who may not call out."""
    idle = replace(phone.settings["idle.text"], value="")
    lines = [replace(line, barred=None) for line in phone.lines]
    return _of_lines(replace(phone, settings={**phone.settings, "idle.text": idle}), lines)


def _shapes(phone: Phone, vendor: Vendor) -> list[tuple[object, ...]]:
    """What of each line a dialect may write it by; lines alike in it are not looked at one by one.

    A base has hundreds of lines and its file is long.
    """
    most = context.Most(vendor, vendor.model(phone.model)).lines
    first = id(phone.lines[0])
    shown = {id(line) for _, line, _ in numbered(phone, most)}
    seconds = {id(line) for station in phone.stations for line in station.lines[1:]}
    return [
        (id(line) == first, id(line) in shown, id(line) in seconds, line.spare)
        for line in phone.lines
    ]


def _otherwise(phone: Phone, line: Line, key: str) -> Phone:
    """The phone with a setting of one line the other way round."""
    held = line.settings[key]
    other = "enabled" if held.value == "disabled" else "disabled"
    changed = replace(line, settings={**line.settings, key: replace(held, value=other)})
    return _of_lines(phone, [changed if each is line else each for each in phone.lines])


def _of_lines(phone: Phone, lines: list[Line]) -> Phone:
    """The phone with other lines, in its stations too."""
    left = iter(lines)
    stations = tuple(
        replace(station, lines=tuple(next(left) for _ in station.lines))
        for station in phone.stations
    )
    return replace(phone, lines=tuple(lines), stations=stations)
