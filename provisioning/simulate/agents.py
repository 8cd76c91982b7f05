"""The User-Agent of a virtual phone: a real one of its dialect with its own words put in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.domain.mac import Mac
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model


@dataclass(frozen=True, slots=True)
class Agent:
    """A User-Agent and the firmware it tells; both empty where the dialect's is unknown."""

    text: str = ""
    firmware: str = ""


def user_agent(vendor: Vendor, model: Model | None, mac: Mac | None, firmware: str = "") -> Agent:
    """What such a phone calls itself, by an example of its model if there is one."""
    examples = [
        (pattern, example)
        for pattern, agent in zip(vendor.agents, vendor.data.user_agents, strict=True)
        for example in agent.examples
    ]
    own = [
        item
        for item in examples
        if model and item[1].model and vendor.model(item[1].model) is model
    ]
    for pattern, example in [*own, *examples]:
        version = firmware or (example.firmware or "" if (pattern, example) in own else "")
        for name in _names(model):
            text = _filled(pattern, example.text, name, version or (example.firmware or ""), mac)
            found = pattern.search(text)
            if found is None:
                continue
            groups = found.groupdict()
            if (
                model is None
                or "model" not in groups
                or vendor.model(groups["model"] or "") is model
            ):
                return Agent(text, groups.get("fw") or groups.get("fw2") or "")
    return Agent(firmware=firmware)


def _names(model: Model | None) -> Iterator[str]:
    if model is None:
        yield ""
        return
    for name in (model.id, *model.names):
        yield name
        yield re.sub("[ -]", "_", name)
        yield re.sub("[ _]", "-", name)


def _filled(pattern: re.Pattern[str], text: str, name: str, firmware: str, mac: Mac | None) -> str:
    """The example with the model, the firmware and the MAC in place of its own, from the right."""
    found = pattern.search(text)
    assert found is not None  # noqa: S101 - loading checked each example
    values = {"model": name, "fw": firmware, "fw2": firmware}
    groups = [group for group in ("model", "fw", "fw2", "mac") if found.groupdict().get(group)]
    for group in sorted(groups, key=found.start, reverse=True):
        value = _spelt(found["mac"], mac) if group == "mac" else values[group]
        if value:
            text = text[: found.start(group)] + value + text[found.end(group) :]
    return text


def _spelt(example: str, mac: Mac | None) -> str:
    """A MAC in the spelling of the example."""
    if mac is None:
        return ""
    digits = iter(mac.upper if example == example.upper() else mac.digits)
    return re.sub("[0-9A-Fa-f]", lambda _: next(digits), example)
