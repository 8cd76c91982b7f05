"""Which setting a rendered line comes from: recorded while the template runs.

In an explaining render the settings a template sees are ``Recorded``: a look-up is noted, and the
next value printed carries a mark (a private-use character and a number) that says what was
looked up before it. The marks are taken out again line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from provisioning.domain.effective import Effective
from provisioning.domain.settings import BY_KEY, Value

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


@dataclass
class Recorder:
    """What was looked up since the last mark, what each mark stands for, and all keys seen."""

    pending: list[Effective] = field(default_factory=list)
    marks: list[list[Effective]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


_current: ContextVar[Recorder | None] = ContextVar("explaining", default=None)


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record look-ups of settings while the block runs."""
    recorder = Recorder()
    token = _current.set(recorder)
    try:
        yield recorder
    finally:
        _current.reset(token)


@contextmanager
def silence() -> Iterator[None]:
    """Record nothing while the block runs: what it renders is not shown itself."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


class Recorded(dict[str, Value]):
    """Settings by template name that note each look-up when something is being recorded."""

    def __init__(self, effective: Mapping[str, Effective]) -> None:
        super().__init__({BY_KEY[key].name: held.value for key, held in effective.items()})
        self._effective = {BY_KEY[key].name: held for key, held in effective.items()}

    def __getitem__(self, name: str) -> Value:
        if name in self._effective:
            note(self._effective[name])
        return super().__getitem__(name)


class RecordedBy(dict[str, Any]):
    """Plain data worked out from settings: a look-up in it notes them."""

    def __init__(self, data: Mapping[str, Any], *held: Effective) -> None:
        super().__init__(data)
        self._held = held

    def __getitem__(self, name: str) -> Any:
        note(*self._held)
        return super().__getitem__(name)


class Word(str):
    """A vendor's word for the value of settings, which are noted when the word is printed."""

    __slots__ = ("held",)
    held: tuple[Effective, ...]

    @classmethod
    def of(cls, text: str, *held: Effective) -> Word:
        """The word for effective values."""
        word = cls(text)
        word.held = held
        return word


class Words(dict[str, Any]):
    """Plain data whose words are noted when looked up: they may be printed as part of another."""

    def __getitem__(self, name: str) -> Any:
        word = super().__getitem__(name)
        if isinstance(word, Word):
            note(*word.held)
        return word


def note(*held: Effective) -> None:
    """Remember that settings were looked at, for the next value printed."""
    recorder = _current.get()
    if recorder is not None:
        recorder.pending.extend(held)
        recorder.seen.update(item.key for item in held)


def mark() -> str:
    """The mark to put behind a printed value; empty unless something is to be told of it."""
    recorder = _current.get()
    if recorder is None or not recorder.pending:
        return ""
    recorder.marks.append(list(recorder.pending))
    recorder.pending.clear()
    return f"{_OPEN}{len(recorder.marks) - 1}{_CLOSE}"


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line of a file and the settings whose values stand in it."""

    text: str
    origins: tuple[Effective, ...]


def explained(text: str, recorder: Recorder) -> list[ExplainedLine]:
    """Take the marks out of a rendered text and say for each line what they stood for."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        found = [
            held
            for number in _MARK.findall(line)
            if int(number) < len(recorder.marks)
            for held in recorder.marks[int(number)]
        ]
        lines.append(ExplainedLine(_MARK.sub("", line), tuple(dict.fromkeys(found))))
    return lines
