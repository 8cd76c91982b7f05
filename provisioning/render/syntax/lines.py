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
