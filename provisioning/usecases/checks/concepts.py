"""What each dialect can say, found by watching its templates: the page docs/dialects.md.

A concept is a setting or a type of key. A dialect has a setting when a file of one of its golden
cases looks at it, and a model when its own files do; a dialect has a type of key when its table of
key types names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from provisioning.domain.keys import SETS, KeyType
from provisioning.domain.phone import Phone
from provisioning.domain.settings import SETTINGS
from provisioning.domain.values import IN_FILES
from provisioning.render.cases import cases
from provisioning.render.losses import used
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import Registry
from provisioning.vendors.schema import Model

_YES, _NO, _NOT_ALL, _CANNOT = "yes", "no", "not all", "cannot"
_HEAD = """# Dialects

What each dialect can say. This page is made from the vendor folders by
`provisioning check --concepts`; do not edit it.

*yes*: the dialect has a parameter for it, from a source. *no*: none that a source gives; the loss
report of a device says so when it is set. *not all*: some models of the dialect cannot. *cannot*: a
source says that its phones have no such thing.

"""

_STAYS = """Lines, keys and what people set at a phone are overwritten by the files of whoever comes next, or
of nobody. By no source does a file take this away:
"""


def concepts_page(registry: Registry) -> str:
    """The page in Markdown."""
    vendors = sorted(registry, key=lambda vendor: vendor.id)
    parts = [
        _HEAD + _section("Models", _models(vendors)),
        _section("Settings", _settings(vendors)),
        _section("Keys", _keys(vendors)),
        _section("What stays on a phone at logout", _stays(vendors), _STAYS),
    ]
    return "\n".join(parts)


def _section(title: str, rows: Iterable[list[str]], said: str = "") -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rule = "|---" * (lines[0].count("|") - 1) + "|"
    return "\n".join([f"## {title}", "", *([said] if said else []), lines[0], rule, *lines[1:], ""])


def _models(vendors: list[Vendor]) -> Iterator[list[str]]:
    yield ["Dialect", "Vendor", "Models", "Which"]
    for vendor in vendors:
        names = ", ".join(model.id for model in vendor.data.models)
        yield [f"`{vendor.id}`", vendor.data.name, str(len(vendor.data.models)), names]
    yield ["all", "", str(sum(len(vendor.data.models) for vendor in vendors)), ""]


def _settings(vendors: list[Vendor]) -> Iterator[list[str]]:
    seen = {vendor.id: _seen(vendor) for vendor in vendors}
    yield ["Setting", *(vendor.id for vendor in vendors)]
    for setting in SETTINGS:
        if setting.scope not in IN_FILES:
            continue  # no phone has a parameter for it
        yield [
            f"`{setting.key}`",
            *(_word(vendor, setting.key, seen[vendor.id]) for vendor in vendors),
        ]


def _seen(vendor: Vendor) -> list[set[str]]:
    """What the files of each sort of model look at, after what those of the golden cases do."""
    golden = [(case.phone, used(case.phone, vendor)) for case in cases(vendor)]
    found = [set[str]().union(*(keys for _, keys in golden))]
    for model in _sorts(vendor):
        alike = [item for item in golden if _kind(vendor, item[0]) == model.kind]
        phones = [replace(phone, model=model.id, firmware="") for phone in _telling(alike)]
        found.append(set[str]().union(*(used(phone, vendor) for phone in phones)))
    return [found[0], *filter(None, found[1:])]  # of a model without files nothing is claimed


def _kind(vendor: Vendor, phone: Phone) -> str:
    model = vendor.model(phone.model)
    return str(model.kind) if model else ""


def _sorts(vendor: Vendor) -> list[Model]:
    """One model of each sort that templates can tell apart."""
    sorts = {
        repr((model.kind, model.screen and model.screen.colour, model.cannot, model.traits)): model
        for model in vendor.data.models
    }
    return list(sorts.values())


def _telling(golden: Iterable[tuple[Phone, set[str]]]) -> Iterator[Phone]:
    """As few phones as together look at all that any of them does."""
    known: set[str] = set()
    for phone, keys in sorted(golden, key=lambda item: -len(item[1])):
        if keys - known:
            known |= keys
            yield phone


def _keys(vendors: list[Vendor]) -> Iterator[list[str]]:
    yield ["Type of key", *(vendor.id for vendor in vendors)]
    for kind in KeyType:
        if kind is KeyType.NONE or kind in SETS:
            continue
        yield [
            f"`{kind}`",
            *(_word(vendor, kind, [set(map(str, vendor.data.key_types))]) for vendor in vendors),
        ]


def _stays(vendors: list[Vendor]) -> Iterator[list[str]]:
    yield ["Dialect", "What stays"]
    for vendor in vendors:
        things = "; ".join(thing.what for thing in vendor.data.logout.stays)
        yield [f"`{vendor.id}`", things or "nothing known"]


def _word(vendor: Vendor, concept: str, seen: list[set[str]]) -> str:
    """``concept`` is a setting's key or a type of key; models name settings by the last word."""
    if concept not in seen[0]:
        return _CANNOT if concept in vendor.data.cannot else _NO
    word = "phonebook" if concept.startswith("phonebook.") else concept.rpartition(".")[2]
    lacking = any(word in model.cannot for model in vendor.data.models)
    return _NOT_ALL if lacking or any(concept not in keys for keys in seen) else _YES
