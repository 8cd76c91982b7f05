"""What a check has to say: where, what is wrong there, what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_QUOTED = re.compile(r"'([^']{2,})'")


class Severity(StrEnum):
    """How bad a finding is: errors fail the check, notes only tell."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``line`` counts from 1 and is None where it is not known.

    ``when`` says in which case it showed; the same finding in two cases is one.
    """

    vendor: str
    file: Path
    line: int | None
    what: str
    remedy: str = ""
    level: Severity = Severity.ERROR
    when: str = field(default="", compare=False)

    def __str__(self) -> str:
        where = f"{shown(self.file)}:{self.line}" if self.line else shown(self.file)
        kind = "" if self.level is Severity.ERROR else f"{self.level}: "
        what = f"{self.what.rstrip('.')} ({self.when})." if self.when else self.what
        return f"{where}: {kind}{what} {self.remedy}".rstrip()


def shown(path: Path) -> str:
    """A path as people read it: relative where it lies below the current folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def line_of(path: Path, text: str) -> int | None:
    """The line of a file that holds a text as a word of its own, if exactly one does."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    word = re.compile(rf"(?<![\w.-]){re.escape(text)}(?![\w-])")
    found = [number for number, line in enumerate(lines, 1) if word.search(line)]
    return found[0] if len(found) == 1 else None


def line_named(path: Path, sentence: str) -> int | None:
    """The line that a sentence speaks of: the first of its quoted words that only one line has."""
    for quoted in _QUOTED.findall(sentence):
        for text in (quoted, quoted.rpartition(".")[2]):
            number = line_of(path, text)
            if number is not None:
                return number
    return None
