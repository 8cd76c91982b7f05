"""Reading back files of assignments and statements, one a line."""

from __future__ import annotations

import re

Parameters = list[tuple[str, str]]


def ini(text: str) -> Parameters:
    """Lines of ``name=value`` with nothing around the sign; ``[section]`` lines part them."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith(("#", ";")) or re.fullmatch(r"\[[a-z]+\]", line):
            continue
        parts = re.fullmatch(r"([a-z][a-z0-9_]*(?:/[a-z0-9_]+)*)=(.*)", line)
        if not parts:
            raise ValueError(f"line {number} is not 'name=value': {line[:60]!r}")
        found.append((parts[1], parts[2].strip()))
    return found


def avaya(text: str) -> Parameters:
    """``SET NAME value`` and ``GET file`` statements (NOTES.md of the dialect).

    A key is named by its number, ``PHONEKEY.3``, because its one name stands once for each.
    """
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("##"):
            continue
        parts = re.fullmatch(r"(?:SET ([A-Z0-9_]+)|(GET)) (.+)", line)
        if not parts:
            raise ValueError(f"line {number} is no SET or GET: {line[:60]!r}")
        quoted = re.fullmatch('"(.*)"', parts[3])
        value = quoted[1] if quoted else parts[3]
        key = re.match(r"Key=(\d+);", value) if parts[1] == "PHONEKEY" else None
        found.append((f"PHONEKEY.{key[1]}" if key else parts[1] or parts[2], value))
    return found
