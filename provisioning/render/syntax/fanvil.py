"""Reading back the two forms of Fanvil's configuration: lines of text and a tree of XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET  # only our own output is parsed, DOCTYPE refused

from provisioning.render.syntax.trees import tree

Parameters = list[tuple[str, str]]

FIRST_LINE = re.compile(r"<<VOIP CONFIG FILE>>Version:[0-9.]+ *")
LAST_LINE = "<<END OF FILE>>"
_MODULE = re.compile(r"<[A-Z]+( [A-Z]+)* MODULE>")
_SECTION = re.compile(r"--(?P<title>[A-Za-z0-9 ]+)-- *:")
_LABEL = re.compile(r"[A-Za-z0-9 .-]+")
_KEYS = re.compile(r"(Side|Dss)key Config[0-9]+|SoftDss Config")
"""Sections whose labels are the same on every page of keys."""


def text(text: str) -> Parameters:
    """Lines of ``label :value``; those of a page of keys with the page's title before them."""
    lines = text.rstrip("\n").split("\n")
    if not FIRST_LINE.fullmatch(lines[0]):
        raise ValueError("the first line does not say that this is a VOIP CONFIG FILE")
    if lines[-1] != LAST_LINE:
        raise ValueError(f"the last line is not {LAST_LINE}")
    found: Parameters = []
    section = ""
    for number, line in enumerate(lines[1:-1], start=2):
        heading = _SECTION.fullmatch(line)
        if heading or not line or _MODULE.fullmatch(line):
            section = heading["title"] if heading else ""
            continue
        label, colon, value = line.partition(":")
        if not colon or not _LABEL.fullmatch(label):
            raise ValueError(f"line {number} is not 'label :value': {line[:60]!r}")
        before = f"{section}/" if _KEYS.fullmatch(section) else ""
        found.append((before + label.rstrip(), value.strip()))
    return found


def xml(text: str) -> Parameters:
    """Elements by their path below the root, an index behind its element: ``sip.line.1.Subscribe``."""
    root = tree(text)
    if root.tag != "sysConf":
        raise ValueError(f"root element '{root.tag}' is not sysConf")
    return list(_leaves(root, ""))


def _leaves(parent: ET.Element, above: str) -> Iterator[tuple[str, str]]:
    for element in parent:
        index = element.get("index")
        path = above + element.tag + (f".{index}" if index else "")
        if len(element):
            yield from _leaves(element, f"{path}.")
        elif not index:
            yield path, element.text or ""
