"""Reading back the XML of Gigaset's bases, desk phones and phone book."""

from __future__ import annotations

from xml.etree import ElementTree as ET  # only our own output is parsed, DOCTYPE refused

from provisioning.render.syntax.trees import tree

Parameters = list[tuple[str, str]]

_DIRECTORY_TYPE = "<!DOCTYPE LocalDirectory>"


def provisioning(text: str) -> Parameters:
    """Parameters and operations in order (NOTES.md of the dialect).

    Names that hold a handset's IPUI get its number in the file instead: the IPUI is a value.
    """
    root = _root(text, "provisioning")
    found: Parameters = []
    handsets: dict[str, str] = {}
    for element in root.iter():
        name, value = element.get("name", ""), element.get("value", "")
        if element.tag == "oper" and name == "add_hs":
            handsets.setdefault(value, str(len(handsets) + 1))
        if element.tag in ("oper", "param"):
            found.append((_numbered(name, handsets), value))
    return found


def _numbered(name: str, handsets: dict[str, str]) -> str:
    return ".".join(handsets.get(part, part) for part in name.split("."))


def provider_frame(text: str) -> Parameters:
    """Symbols by their ID, other elements by their tag; texts without the quotes they stand in."""
    [provider] = _root(text, "ProviderFrame")
    return [_symbol(element) for element in provider]


def _symbol(element: ET.Element) -> tuple[str, str]:
    value = element.attrib["value"]
    if value.startswith('"'):
        if len(value) < 2 or not value.endswith('"'):
            raise ValueError(f"the text of '{element.get('ID', element.tag)}' has one quote")
        value = value[1:-1]
    return element.get("ID", element.tag), value


def directory(text: str) -> Parameters:
    """The attributes of a phone book's entries; an empty book is its root alone.

    The DOCTYPE the bases want declares nothing.
    """
    root = _root(text.replace(_DIRECTORY_TYPE, "", 1), "list")
    entries = [pair for entry in root for pair in entry.attrib.items()]
    return entries or [(root.tag, "")]


def online(text: str) -> Parameters:
    """The parts of the entries of an online directory's answer, then how many there are."""
    root = _root(text, "list")
    parts = [(part.tag, part.text or "") for entry in root for part in entry]
    return [*parts, ("total", root.attrib["total"])]


def _root(text: str, tag: str) -> ET.Element:
    root = tree(text)
    if root.tag != tag:
        raise ValueError(f"root element '{root.tag}' is not {tag}")
    return root
