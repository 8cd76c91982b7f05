"""Where a phone goes next: what ``[adopt]`` of vendor.toml wrote, read the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from provisioning.simulate.shown import Place, without_empty
from provisioning.vendors.schema import VendorData

_PARTS = {
    "{url}": "(?P<url>[a-z]+://[^ ]+?/?)",
    "{scheme}": "(?P<scheme>[A-Za-z0-9]+)",
    "{hostpath}": "(?P<hostpath>[^ ]+?/?)",
    "{userinfo}": "(?:(?P<user>[^:/@]*):(?P<password>[^/@]*)@)?",
    "{user}": "(?P<user>.*)",
    "{password}": "(?P<password>.*)",
    "{mac}": "[0-9a-f]{12}",
}


def next_place(parameters: Mapping[str, str], data: VendorData) -> Place | None:
    """The place the parameters (names in lower case) move a phone to; None if nowhere."""
    adopt = data.adopt
    if data.readback:
        parameters = without_empty(parameters, data.readback)
    found: dict[str, str] = {}
    for name, template in adopt.parameters.items():
        if re.search(r"\{[a-z]+\}", template):
            found |= _read(template, parameters.get(name.lower(), ""))
    schemes = {own: ours for ours, own in adopt.schemes.items()}
    scheme = schemes.get(found.get("scheme", ""), found.get("scheme", "").lower())
    url = _spread(parameters, data.readback.urls if data.readback else ())
    url = url or found.get("url", "")
    if not url and scheme and found.get("hostpath"):
        url = f"{scheme}://{found['hostpath']}"
    if not url:
        return None
    return Place(
        url if url.endswith("/") else f"{url}/",
        unquote(found.get("user", "")),
        unquote(found.get("password", "")),
    )


def _spread(parameters: Mapping[str, str], templates: Iterable[str]) -> str:
    """The first URL of which every parameter has a value."""
    for template in templates:
        names = re.findall(r"\{([^{}]+)\}", template)
        if all(parameters.get(name.lower()) for name in names):
            return re.sub(r"\{([^{}]+)\}", lambda it: parameters[it[1].lower()], template)
    return ""


def _read(template: str, value: str) -> dict[str, str]:
    parts = re.split(r"(\{[a-z]+\})", template)
    expression = "".join(_PARTS.get(part, re.escape(part)) for part in parts)
    found = re.fullmatch(expression, value)
    return {name: text for name, text in found.groupdict().items() if text} if found else {}
