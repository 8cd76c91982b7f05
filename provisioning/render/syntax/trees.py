"""Reading back files of XML."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET  # only our own output is parsed, DOCTYPE refused

Parameters = list[tuple[str, str]]


def tree(text: str) -> ET.Element:
    """The document; raises ValueError where it is not well-formed or declares entities."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a DOCTYPE or ENTITY is not allowed")
    try:
        return ET.fromstring(text)  # noqa: S314 - own output, DOCTYPE refused above
    except ET.ParseError as error:
        raise ValueError(f"not well-formed XML: {error}") from None


def poly(text: str) -> Parameters:
    """Attributes of any element, whatever its name (NOTES.md of the dialect)."""
    return [pair for element in tree(text).iter() for pair in element.attrib.items()]


def poly_links(text: str) -> list[str]:
    """The files a master configuration names, the first one the strongest."""
    named = [value for name, value in poly(text) if name in ("CONFIG_FILES", "MISC_FILES")]
    return [name for names in named for part in names.split(",") if (name := part.strip())]


def snom_links(text: str) -> list[str]:
    """The URLs in a list of setting files."""
    root = tree(text)
    if root.tag != "setting-files":
        return []
    return [url for element in root if (url := element.attrib.get("url", ""))]


def snom(text: str) -> Parameters:
    """Elements with their idx, below the sections of a settings file; labels by ``name@label``."""
    root = tree(text)
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
        if "label" in element.attrib:
            yield f"{name}@label", element.attrib["label"]


def grandstream(text: str) -> Parameters:
    """P values or alias items with their parts (NOTES.md of the dialect)."""
    root = tree(text)
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


def htek(text: str) -> Parameters:
    """P values (NOTES.md of the dialect)."""
    root = tree(text)
    if root.tag != "hl_provision":
        raise ValueError(f"root element '{root.tag}' is not hl_provision")
    return [(element.tag, element.text or "") for config in root for element in config]


def digium(text: str) -> Parameters:
    """Settings by their id, anything else by path and attribute (NOTES.md of the dialect).

    An account's path has its index: ``accounts/account[0]@username``.
    """
    root = tree(text)
    for account in root.findall("accounts/account"):
        account.tag = f"account[{account.attrib['index']}]"
    if root.tag not in ("config", "phonebooks"):
        raise ValueError(f"root element '{root.tag}' is neither config nor phonebooks")
    settings = [(item.attrib["id"], item.attrib["value"]) for item in root.findall("setting")]
    others = [pair for item in root if item.tag != "setting" for pair in _leaves(item, "")]
    return settings + [pair for pair in others if "@" in pair[0]]


def digium_links(text: str) -> list[str]:
    """The lists of contacts and the places of keys that a configuration names."""
    root = tree(text)
    named = [*root.findall("contacts"), *root.findall("smart_blf/blf_items")]
    return [url for element in named if (url := element.attrib.get("url", ""))]


def ale(text: str) -> Parameters:
    """Settings by their id (NOTES.md of the dialect)."""
    root = tree(text)
    if root.tag != "settings" or any(item.tag != "setting" for item in root):
        raise ValueError("the document is not a list of settings")
    return [(item.attrib["id"], item.attrib["value"]) for item in root]


def linphone(text: str) -> Parameters:
    """Entries by ``section/name`` (NOTES.md of the dialect)."""
    root = tree(text)
    local = root.tag.rpartition("}")[2]
    if local != "config":
        raise ValueError(f"root element '{local}' is not config")
    return [
        (f"{section.attrib['name']}/{entry.attrib['name']}", entry.text or "")
        for section in root
        for entry in section
    ]


def cisco(text: str) -> Parameters:
    """Elements of a flat profile, and those of the parts in it by ``part/name``."""
    root = tree(text)
    if root.tag != "flat-profile":
        raise ValueError(f"root element '{root.tag}' is not flat-profile")
    found: Parameters = []
    for element in root:
        found.extend((f"{element.tag}/{inner.tag}", inner.text or "") for inner in element)
        if not len(element):
            found.append((element.tag, element.text or ""))
    return found


def cisco_sep(text: str) -> Parameters:
    """Elements by path, but those of lines by the line's index and by the button that shows them.

    ``line2/name`` is of the second account, ``button5/featureID`` of what stands on button 5.
    """
    root = tree(text)
    if root.tag != "device":
        raise ValueError(f"root element '{root.tag}' is not device")
    lines = root.findall("sipProfile/sipLines/line")
    others = [pair for pair in _leaves(root, "") if "/sipLines" not in pair[0]]
    return others + [pair for element in lines for pair in _cisco_line(element)]


def _cisco_line(element: ET.Element) -> Iterator[tuple[str, str]]:
    """An adapter's only account has neither index nor button."""
    button = element.get("button", "")
    names = [f"button{button}"] if button else []
    if not button or "lineIndex" in element.attrib:
        names.append(f"line{element.get('lineIndex', '1')}")
    yield from ((f"{name}/{item.tag}", item.text or "") for name in names for item in element)


def leaves(text: str) -> Parameters:
    """Any XML: each element without children by its path, then its attributes by ``path@name``."""
    return list(_leaves(tree(text), ""))


def _leaves(element: ET.Element, above: str) -> Iterator[tuple[str, str]]:
    path = f"{above}/{element.tag.rpartition('}')[2]}".lstrip("/")
    yield from ((f"{path}@{name}", value) for name, value in element.attrib.items())
    if len(element) == 0:
        yield path, element.text or ""
    for child in element:
        yield from _leaves(child, path)


def obi(text: str) -> Parameters:
    """Parameters by their object's name and their own; a reset one is empty (NOTES.md)."""
    root = tree(text)
    if root.tag != "ParameterList":
        raise ValueError(f"root element '{root.tag}' is not ParameterList")
    return [
        (f"{item.findtext('N', '')}{parameter.findtext('N', '')}", parameter.findtext("V", ""))
        for item in root.findall("O")
        for parameter in item.findall("P")
    ]


def two_n(text: str) -> Parameters:
    """Elements by their path below the root, a row's number behind it: ``Phone/Sip0/Enabled``."""
    root = tree(text)
    if root.tag != "DeviceDatabase":
        raise ValueError(f"root element '{root.tag}' is not DeviceDatabase")
    return [pair for element in root for pair in _two_n_leaves(element, "")]


def _two_n_leaves(element: ET.Element, above: str) -> Iterator[tuple[str, str]]:
    path = f"{above}{element.tag}{element.attrib.get('At', '')}"
    if len(element) == 0:
        yield path, element.text or ""
    for child in element:
        yield from _two_n_leaves(child, f"{path}/")
