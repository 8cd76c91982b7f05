"""Reading back files of lines."""

from __future__ import annotations

import re

Parameters = list[tuple[str, str]]

YEALINK_FIRST_LINE = "#!version:1.0.0.1"


def yealink(text: str) -> Parameters:
    """Lines of ``key = value`` after Yealink's first line (NOTES.md of the dialect)."""
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


def yealink_boot(text: str) -> Parameters:
    """The directives of a Yealink boot file."""
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


def yealink_links(text: str) -> list[str]:
    """The files a boot file includes."""
    return [value for name, value in yealink_boot(text) if name == "include:config"]


def mitel(text: str) -> Parameters:
    """Lines of ``name: value``; ``^`` or ``!`` before a name and quotes around a value are taken off."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = re.fullmatch(r"[\^!]?([a-z][a-z0-9 |\[\]-]*?):(?: (.*))?", line, re.IGNORECASE)
        if not parts:
            raise ValueError(f"line {number} is not 'name: value': {line[:60]!r}")
        value = (parts[2] or "").strip()
        quoted = re.fullmatch('"(.*)"', value)
        found.append((parts[1], quoted[1] if quoted else value))
    return found


PANASONIC_FIRST_LINES = (
    "# Panasonic SIP Phone Standard Format File # DO NOT CHANGE THIS LINE!",
    "# PCC Standard Format File # DO NOT CHANGE THIS LINE!",
)


def panasonic(text: str) -> Parameters:
    """Lines of ``NAME="value"`` that end with CR LF, the last one empty."""
    lines = text.split("\r\n")
    if lines[0] not in PANASONIC_FIRST_LINES or lines[-2:] != ["", ""]:
        raise ValueError("the first line is not Panasonic's, or the last one is not empty")
    found = []
    for number, line in enumerate(lines[1:], start=2):
        if not line or line.startswith("#"):
            continue
        parts = re.fullmatch(r'([A-Z0-9_]{1,32})="([^"\r\n]*)"', line)
        if not parts:
            raise ValueError(f"line {number} is not 'NAME=\"value\"': {line[:60]!r}")
        found.append((parts[1], parts[2]))
    return found


def vtech(text: str) -> Parameters:
    """Lines of ``name = value``; comments begin with a hash (NOTES.md of the dialect)."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = re.fullmatch(r"([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)+) =(?: (.*))?", line)
        if not parts:
            raise ValueError(f"line {number} is not 'name = value': {line[:60]!r}")
        found.append((parts[1], (parts[2] or "").strip()))
    return found


def algo(text: str) -> Parameters:
    """Lines of ``name = value``; a value runs to the end of its line, whatever it holds."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9_.]+", name.strip()):
            raise ValueError(f"line {number} is not 'name = value': {line[:60]!r}")
        found.append((name.strip(), value.strip()))
    return found


def checksum(text: str) -> Parameters:
    """One line with the MD5 of another file."""
    if not re.fullmatch(r"[0-9a-f]{32}\n?", text):
        raise ValueError("it is no MD5 in lower-case hex")
    return [("checksum", text.strip())]


def vcard(text: str) -> Parameters:
    """The properties of a list of vCards 4.0 (RFC 6350), without their parameters."""
    if text and not text.endswith("\r\n"):
        raise ValueError("the last line does not end with CR LF")
    found: Parameters = []
    begins, version, end = "BEGIN:VCARD", "VERSION:4.0", "END:VCARD"
    expected = {begins}
    for line in text.split("\r\n")[:-1]:
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[A-Z]+(;[A-Z]+=[a-z]+)*", name):
            raise ValueError(f"'{line[:40]}' is no property of a vCard")
        # A whole line: a name may well be "END:VCARD".
        if line in (begins, version, end) or expected:
            if line not in (expected or {end}):
                raise ValueError(f"'{line[:40]}' is out of place in a vCard 4.0")
            expected = {begins: {version}, version: set(), end: {begins}}[line]
        else:
            found.append((name.partition(";")[0], re.sub(r"\\(.)", r"\1", value)))
    if text and expected != {begins}:
        raise ValueError("the last vCard does not end")
    return found
