"""The closed grammar of file names: nothing a client sends reaches the file system.

A pattern is literal text with placeholders: ``{mac}`` and ``{MAC}`` (twelve hex digits, in the
case the vendor writes them), ``{model}`` (the model's ``file_name``, else its id), ``{any}``
(letters, digits, dot, dash, underscore) and ``{name:N}``, a trait of the model padded with zeros
to N digits. Names are matched without regard to case and emitted in the vendor's case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from provisioning.domain.errors import MalformedMac
from provisioning.domain.mac import Mac
from provisioning.vendors.schema import Trait

LONGEST = 128
"""Characters of a path, folders included; anything longer is not a file name of a phone."""

_SEGMENT = re.compile(r"[A-Za-z0-9._~+=-]{1,100}")
_PLACEHOLDER = re.compile(r"\{(?:(?P<word>mac|MAC|model|any)|(?P<trait>[a-z_]+):(?P<width>\d+))\}")
_MAC = "[0-9A-Fa-f]{12}"
_MODEL = "[A-Za-z0-9_.-]{1,40}?"


class BadPattern(ValueError):
    """A pattern holds a brace that is not one of the grammar's placeholders."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a file name says: the MAC, the model's name and trait digits it holds."""

    mac: Mac | None
    model: str
    traits: tuple[tuple[str, int], ...]


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern; raises BadPattern."""
    parts: list[str] = []
    position = 0
    for found in _PLACEHOLDER.finditer(pattern):
        parts.append(re.escape(_literal(pattern[position : found.start()])))
        parts.append(_expression(found))
        position = found.end()
    parts.append(re.escape(_literal(pattern[position:])))
    return re.compile("".join(parts), re.IGNORECASE)


def _literal(text: str) -> str:
    if "{" in text or "}" in text or "/" in text:
        raise BadPattern(text)
    return text


def _expression(found: re.Match[str]) -> str:
    word = found["word"]
    if word is None:
        return f"(?P<t_{found['trait']}>[0-9]{{{found['width']}}})"
    if word == "any":
        return "[A-Za-z0-9._-]{1,64}?"
    return f"(?P<model>{_MODEL})" if word == "model" else f"(?P<mac>{_MAC})"


def match(pattern: str, name: str) -> Match | None:
    """Read a file name by a pattern; None when it is not of that form."""
    found = compile_pattern(pattern).fullmatch(name)
    if found is None:
        return None
    groups = found.groupdict()
    try:
        mac = Mac.parse(groups["mac"]) if groups.get("mac") else None
    except MalformedMac:
        return None
    return Match(
        mac=mac,
        model=groups.get("model") or "",
        traits=tuple((key[2:], int(text)) for key, text in groups.items() if key[:2] == "t_"),
    )


def emit(pattern: str, *, mac: Mac | None, model: str, traits: dict[str, Trait]) -> str | None:
    """The name a pattern has for a phone, in the vendor's case; None if something is unknown."""
    missing = False

    def fill(found: re.Match[str]) -> str:
        nonlocal missing
        word = found["word"]
        value: str | None
        if word is None:
            trait = traits.get(found["trait"])
            value = f"{trait:0{int(found['width'])}d}" if isinstance(trait, int) else None
        elif word == "model":
            value = model or None
        elif word == "any" or mac is None:
            value = None
        else:
            value = mac.digits if word == "mac" else mac.upper
        missing = missing or value is None
        return value or ""

    text = _PLACEHOLDER.sub(fill, pattern)
    return None if missing else text


def needs(pattern: str, word: str) -> bool:
    """Whether a pattern holds the placeholder ``word``, in either case for ``mac``."""
    return any((found["word"] or "").lower() == word for found in _PLACEHOLDER.finditer(pattern))


def file_name(path: str) -> str | None:
    """The last segment of a path if every segment is of the closed alphabet, else None.

    Folders before it come from how the server's URL was typed into the phone and mean nothing.
    """
    if len(path) > LONGEST:
        return None
    segments = path.removeprefix("./").strip("/").split("/")
    if any(not _SEGMENT.fullmatch(segment) or set(segment) == {"."} for segment in segments):
        return None
    return segments[-1]
