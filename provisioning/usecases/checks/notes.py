"""NOTES.md against the golden files: every parameter that is emitted has its source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from provisioning.render.syntax import Parameters
from provisioning.usecases.checks.finding import Finding
from provisioning.vendors.load import Vendor

_WORD = re.compile(r"[A-Za-z0-9_.:/@%{}\[\]-]+")
# A name with blanks is told from the text around it by its backquotes.
_CODE = re.compile(r"`([^`\n]+)`")
_PLACEHOLDER = re.compile(r"\{[a-z]\}")


class Notes:
    """The names that a vendor's NOTES.md files hold; ``{n}`` in them stands for any number.

    Each parameter that is missing is told of once, however many cases emit it.
    """

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._told: set[str] = set()
        files = [file for folder in vendor.folders if (file := folder / "NOTES.md").is_file()]
        self._file = (files or [vendor.folders[0] / "NOTES.md"])[0]
        words: set[str] = set()
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace")
            found = _WORD.findall(text)
            words.update(found, (word.rstrip(".:") for word in found), _CODE.findall(text))
        self._words = words
        self._patterns = [
            re.compile("[0-9]+".join(map(re.escape, _PLACEHOLDER.split(word))))
            for word in words
            if _PLACEHOLDER.search(word)
        ]

    def missing(self, file: Path, parameters: Parameters) -> Iterator[Finding]:
        """The parameters of a golden file that the notes do not name."""
        for name in dict.fromkeys(name for name, _ in parameters):
            plain = re.sub("[0-9]+", "{n}", name)
            if plain in self._told or self._named(name):
                continue
            self._told.add(plain)
            yield Finding(
                self._vendor.id, self._file, None,
                f"The parameter '{name}' of golden/{file.parent.name}/{file.name} is not named.",
                f"Write `{plain}`, its meaning and its source.",
            )  # fmt: skip

    def _named(self, name: str) -> bool:
        return name in self._words or any(p.fullmatch(name) for p in self._patterns)
