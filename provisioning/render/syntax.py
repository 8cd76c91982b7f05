"""The forms files have: how a value is written into one, and how the file is read back.

``escape`` is applied to every value a template prints. ``parse`` gives the parameters of a file
in order as (name, value) and raises ValueError where the file is not of its form; tests and
`check` use it on everything that is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET  # only our own output is parsed, DOCTYPE refused

from markupsafe import escape as escape_xml

from provisioning.domain.errors import UnsafeValue
from provisioning.vendors.schema import Syntax

Parameters = list[tuple[str, str]]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_LINE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_NOT_ATTRIBUTE = re.compile("[\t\n\r]")
YEALINK_FIRST_LINE = "#!version:1.0.0.1"


@dataclass(frozen=True, slots=True)
class Form:
    """One syntax: how to escape a value, and how to read a file."""

    escape: Callable[[str], str]
    parse: Callable[[str], Parameters]


def _line(value: str) -> str:
    """A value on its own line: nothing can be escaped, so what would end the line is refused."""
    if found := _NOT_LINE.search(value):
        raise _unsafe(found, "a line")
    return value


def _xml(value: str) -> str:
    """Text or attribute value (XML 1.0 sections 2.2 and 2.4); line breaks never come from data."""
    if found := _NOT_XML.search(value) or _NOT_ATTRIBUTE.search(value):
        raise _unsafe(found, "XML")
    return str(escape_xml(value))


def _unsafe(found: re.Match[str], where: str) -> UnsafeValue:
    """The error for a character; it does not show the value, which may be a secret."""
    return UnsafeValue(
        f"A value holds U+{ord(found[0]):04X} as character {found.start() + 1}, "
        f"which {where} cannot carry.",
        remedy="Remove line breaks and control characters from the name or setting.",
    )


def _yealink(text: str) -> Parameters:
    lines = text.split("\n")
    if lines[0] != YEALINK_FIRST_LINE:
        raise ValueError(f"the first line is not {YEALINK_FIRST_LINE}")
    found = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9_.]+", name.strip(), re.IGNORECASE):
            raise ValueError(f"line {number} is not 'key = value': {line[:60]!r}")
        found.append((name.strip(), value.strip()))
    return found


def _yealink_boot(text: str) -> Parameters:
    lines = text.split("\n")
    if lines[0] != YEALINK_FIRST_LINE:
        raise ValueError(f"the first line is not {YEALINK_FIRST_LINE}")
    found = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        include = re.fullmatch(r'include:config ?(<[^<>"]+>|"[^<>"]+")', line)
        if include:
            found.append(("include:config", include[1][1:-1]))
        elif line.startswith("overwrite_mode"):
            found.append(("overwrite_mode", line.partition("=")[2].strip()))
        else:
            raise ValueError(f"line {number} is no boot directive: {line[:60]!r}")
    return found


def _tree(text: str) -> ET.Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a DOCTYPE or ENTITY is not allowed")
    try:
        return ET.fromstring(text)  # noqa: S314 - own output, DOCTYPE refused above
    except ET.ParseError as error:
        raise ValueError(f"not well-formed XML: {error}") from None


def _poly(text: str) -> Parameters:
    """Attributes of any element, whatever its name (facts/poly.md section 3)."""
    return [pair for element in _tree(text).iter() for pair in element.attrib.items()]


def _snom(text: str) -> Parameters:
    """Elements with their idx, below the sections of a settings file."""
    root = _tree(text)
    if root.tag not in ("settings", "setting-files", "firmware-settings"):
        raise ValueError(f"root element '{root.tag}' is not one of Snom's")
    return list(_snom_elements(root))


def _snom_elements(parent: ET.Element) -> Iterator[tuple[str, str]]:
    for element in parent:
        if len(element):
            yield from _snom_elements(element)
            continue
        name = element.tag
        if "idx" in element.attrib:
            name += f"[{element.attrib['idx']}]"
        yield name, element.attrib.get("url") or element.text or ""


def _grandstream(text: str) -> Parameters:
    root = _tree(text)
    if root.tag != "gs_provision":
        raise ValueError(f"root element '{root.tag}' is not gs_provision")
    found: Parameters = []
    for config in root.iter("config"):
        for element in config:
            name = element.attrib["name"] if element.tag == "item" else element.tag
            parts = element.findall("part")
            found.extend((f"{name}.{part.attrib['name']}", part.text or "") for part in parts)
            if not parts:
                found.append((name, element.text or ""))
    return found


def _linphone(text: str) -> Parameters:
    root = _tree(text)
    local = root.tag.rpartition("}")[2]
    if local != "config":
        raise ValueError(f"root element '{local}' is not config")
    return [
        (f"{section.attrib['name']}/{entry.attrib['name']}", entry.text or "")
        for section in root
        for entry in section
    ]


FORMS: dict[Syntax, Form] = {
    Syntax.YEALINK: Form(_line, _yealink),
    Syntax.YEALINK_BOOT: Form(_line, _yealink_boot),
    Syntax.POLY_XML: Form(_xml, _poly),
    Syntax.SNOM_XML: Form(_xml, _snom),
    Syntax.GRANDSTREAM_XML: Form(_xml, _grandstream),
    Syntax.LINPHONE_XML: Form(_xml, _linphone),
}
