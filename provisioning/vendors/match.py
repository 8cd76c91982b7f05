"""Who is asking: vendor, model, firmware and MAC, as far as a request shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from provisioning.domain.errors import MalformedMac
from provisioning.domain.mac import Mac
from provisioning.vendors import grammar
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import Registry
from provisioning.vendors.schema import FileRule, Model

_LONGEST_AGENT = 512


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a request says of its sender; none of it is proof of anything.

    ``mac`` is that of the file name, ``agent_mac`` that of the User-Agent; ``model_name`` is
    what the phone calls itself even when no model of that name is known. ``handsets`` is how many
    handsets a base says it takes, None where it does not say.
    """

    vendor: Vendor | None = None
    model: Model | None = None
    model_name: str = ""
    firmware: str = ""
    mac: Mac | None = None
    agent_mac: Mac | None = None
    handsets: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A file name read by one vendor's grammar; ``rule`` is None for a name it only asks for."""

    vendor: Vendor
    rule: FileRule | None
    found: grammar.Match


def read_name(
    vendor: Vendor, name: str, model: Model | None = None, firmware: str = ""
) -> Named | None:
    """The name by the rules of one vendor that apply to the phone, then by what it asks for.

    A reading that finds a known model goes first: ``snom{model}.htm`` also fits longer names.
    """
    readings = list(_readings(vendor, vendor.rules_for(model, firmware), name))
    return next(iter(_surest(readings)), None)


def _readings(vendor: Vendor, rules: Iterable[FileRule], name: str) -> Iterator[Named]:
    patterns = [(rule, rule.pattern) for rule in rules]
    for rule, pattern in (*patterns, *((None, pattern) for pattern in vendor.data.asks)):
        found = grammar.match(pattern, name)
        if found is not None:
            yield Named(vendor, rule, found)


def recognise(registry: Registry, *, name: str | None, user_agent: str = "") -> Recognition:
    """Recognise the sender by its User-Agent, else by its MAC's prefix, else by the file name.

    File names overlap between vendors (``{mac}.cfg`` is four vendors'), so a name alone decides
    only when exactly one vendor or brand knows it.
    """
    named = _surest(list(_namings(registry, name))) if name else []
    mac = next((item.found.mac for item in named if item.found.mac), None)
    by_agent = _by_agent(registry, user_agent[:_LONGEST_AGENT])
    if by_agent is not None:
        return replace(by_agent, mac=mac)
    vendor = _by_prefix(registry, mac, named) or _by_name_alone(named)
    if vendor is None:
        return Recognition(mac=mac)
    found = next((item.found for item in named if item.vendor is vendor), None)
    model = model_of(vendor, found) if found else None
    return Recognition(vendor, model, model.id if model else "", mac=mac)


def _namings(registry: Registry, name: str) -> Iterator[Named]:
    for vendor in registry:
        yield from _readings(vendor, vendor.data.files, name)


def _surest(named: list[Named]) -> list[Named]:
    """Dialects share names that hold a model or its code; those that know the model are meant."""
    return [item for item in named if model_of(item.vendor, item.found)] or named


def _by_agent(registry: Registry, user_agent: str) -> Recognition | None:
    candidates: list[Recognition] = []
    for vendor in registry:
        for pattern in vendor.agents:
            found = pattern.search(user_agent)
            if found is None:
                continue
            groups = found.groupdict()
            name = groups.get("model") or ""
            model = vendor.model(name) if name else None
            candidates.append(
                Recognition(
                    vendor,
                    model,
                    name,
                    groups.get("fw") or groups.get("fw2") or "",
                    agent_mac=_mac(groups.get("mac")),
                    handsets=int(groups["handsets"]) if groups.get("handsets") else None,
                )
            )
            break
    # Two dialects of one brand share a form; the one that knows the model is meant.
    return max(candidates, key=lambda item: item.model is not None, default=None)


def _mac(text: str | None) -> Mac | None:
    try:
        return Mac.parse(text) if text else None
    except MalformedMac:
        return None


def _by_prefix(registry: Registry, mac: Mac | None, named: list[Named]) -> Vendor | None:
    owners = registry.by_oui(mac) if mac else []
    knowing = {item.vendor.id for item in named}
    return next((vendor for vendor in owners if vendor.id in knowing), None) or next(
        iter(owners), None
    )


def _by_name_alone(named: list[Named]) -> Vendor | None:
    """The only vendor that knows the name; of the dialects of one brand, the brand's first."""
    vendors = {item.vendor.id: item.vendor for item in named}
    if len(vendors) == 1:
        return next(iter(vendors.values()))
    brands = {vendor_id.partition("-")[0] for vendor_id in vendors}
    return vendors.get(brands.pop()) if len(brands) == 1 else None


def model_of(vendor: Vendor, found: grammar.Match) -> Model | None:
    """The model that a name holds or whose number it holds, where that is one model."""
    if found.model:
        return vendor.model(found.model)
    for trait, value in found.traits:
        models = [model for model in vendor.data.models if model.traits.get(trait) == value]
        if len(models) == 1:
            return models[0]
    return None
