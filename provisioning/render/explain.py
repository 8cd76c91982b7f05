"""Which setting a rendered line comes from: recorded while the template runs.

In an explaining render the settings a template sees are ``Recorded``: a look-up is noted, and the
next value printed on the line carries a mark (a private-use character and a number) that says what
was looked up before it. The marks are taken out again line by line. What a template keeps for later
keeps what was looked up for it (``carrying``), and tells it where it is used; ``tracing`` sees to
that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from provisioning.domain.effective import Effective
from provisioning.domain.settings import BY_KEY, Value

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


@dataclass
class Recorder:
    """What was looked up since the last mark, what each mark stands for, and all keys seen.

    ``set_aside`` is what was pending when the values began that are worked out now.
    """

    pending: list[Effective] = field(default_factory=list)
    set_aside: list[list[Effective]] = field(default_factory=list)
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
    """A text worked out from settings, which are noted when it is used or printed."""

    __slots__ = ("held",)
    held: tuple[Effective, ...]

    @classmethod
    def of(cls, text: str, *held: Effective) -> Word:
        """The text for effective values."""
        word = cls(text)
        word.held = held
        return word


class Number(int):
    """A number, or a boolean as 0 or 1, that was worked out from settings."""

    held: tuple[Effective, ...]


class Several(list[Any]):
    """A list worked out from settings."""

    __slots__ = ("held",)
    held: tuple[Effective, ...]


class Fixed(tuple[Any, ...]):  # noqa: SLOT001 - a tuple takes none
    """A tuple worked out from settings."""

    held: tuple[Effective, ...]


class Escaped(Markup):
    """A text of one line that is escaped already and was worked out from settings."""

    held: tuple[Effective, ...] = ()


_CARRIERS: dict[type, type[Word | Number | Several | Fixed | Escaped]] = {
    str: Word, bool: Number, int: Number, list: Several, tuple: Fixed, Markup: Escaped,
}  # fmt: skip
_CARRYING = (Word, Number, Several, Fixed, Escaped)


def carrying(value: Any, *held: Effective) -> Any:
    """The value with the settings it was worked out from; as it is where it cannot carry them.

    It compares, counts and prints as it did before.
    """
    already = held_by(value)
    carrier = type(value) if already else _CARRIERS.get(type(value))
    if carrier is None or not held:
        return value
    carried = carrier(value)
    carried.held = tuple(dict.fromkeys((*already, *held)))
    return carried


def held_by(value: Any) -> tuple[Effective, ...]:
    """The settings that a value carries."""
    return value.held if isinstance(value, _CARRYING) else ()


class Words(dict[str, Any]):
    """Plain data of which some carries what it comes from: that is noted when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        return touched(super().__getitem__(name))


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


def given(value: Any) -> Any:
    """What a macro gave: without marks where it is one line, for it may be compared or tested.

    What they stood for is noted, as of any other value that is being used.
    """
    recorder = _current.get()
    if recorder is None or not isinstance(value, Markup) or "\n" in value:
        return value
    note(*_stood_for(value, recorder))
    return Markup(_MARK.sub("", value))  # noqa: S704 - it was escaped with the marks in it


def touched(value: Any) -> Any:
    """The value, which is being used: what it carries is noted."""
    held = held_by(value)
    if held:
        note(*held)
    return value


def begun() -> str:
    """Set aside what is pending: a value is worked out next, for ``kept`` or ``each``."""
    recorder = _current.get()
    if recorder is not None:
        recorder.set_aside.append(recorder.pending)
        recorder.pending = []
    return ""


def _collected() -> list[Effective]:
    """What was noted since the last ``begun``; what was pending before is pending again."""
    recorder = _current.get()
    if recorder is None:
        return []
    found, recorder.pending = recorder.pending, recorder.set_aside.pop()
    return found


def kept(worked_out: tuple[str, Any]) -> Any:
    """A value a template keeps, carrying what was noted while it was worked out."""
    held = _collected()
    value = worked_out[1]
    if isinstance(value, Markup) and "\n" in value:
        return value + _mark_for(held)
    carried = carrying(value, *held)
    if not held_by(carried):
        note(*held)
    return carried


def _mark_for(held: list[Effective]) -> str:
    begun()
    note(*held)
    found = mark()
    _collected()
    return found


def each(worked_out: tuple[str, list[Any]]) -> list[Any]:
    """The items of a loop, each carrying what was noted while their list was worked out."""
    held = _collected()
    items = [carrying(item, *held) for item in worked_out[1]]
    if not any(map(held_by, items)):
        note(*held)
    return items


def ended() -> Markup:
    """A line has ended: what was noted on it and not printed is nothing of the next one."""
    recorder = _current.get()
    if recorder is not None:
        recorder.pending.clear()
    return Markup("")


def is_recording() -> bool:
    """Whether look-ups are being recorded."""
    return _current.get() is not None


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line of a file and the settings whose values stand in it."""

    text: str
    origins: tuple[Effective, ...]


def explained(text: str, recorder: Recorder) -> list[ExplainedLine]:
    """Take the marks out of a rendered text and say for each line what they stood for."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        found = dict.fromkeys(_stood_for(line, recorder))
        lines.append(ExplainedLine(_MARK.sub("", line), tuple(found)))
    return lines


def _stood_for(text: str, recorder: Recorder) -> list[Effective]:
    """What the marks in a text stood for."""
    return [
        held
        for number in _MARK.findall(text)
        if int(number) < len(recorder.marks)
        for held in recorder.marks[int(number)]
    ]
