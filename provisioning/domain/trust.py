"""How surely a requester is the device it names, and what that is enough for (DESIGN section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class Grade(IntEnum):
    """The grades of proof, weakest first; comparing them is the whole rule of enough."""

    NONE = 0
    """A MAC in a name, which anybody can type."""
    NETWORK = 1
    """The source address lies in the networks of the device's site."""
    TOKEN = 2
    """The device's own provisioning URL."""
    PASSWORD = 3
    """The device's own user name and password, by Digest or by Basic over TLS."""
    CERTIFICATE = 4
    """A factory certificate whose MAC is the requested MAC."""

    @property
    def word(self) -> str:
        """The grade as configuration, API and pages spell it."""
        return self.name.lower()


GRADES = {grade.word: grade for grade in Grade}

WINDOW = timedelta(hours=24)
"""How long a provisioning window stays open for the first source that comes."""

WINDOW_FOR_BOUND = timedelta(days=7)
"""How long a window that has served stays open for its bound source."""

MOST_SECRET_FILES = 20
"""Secret files an open window serves; a boot takes three or four."""


class Effect(StrEnum):
    """What admitting or refusing a request changes in the device's security state."""

    BIND = "bind"
    COUNT = "count"
    PROVEN = "proven"
    ALARM = "alarm"


class WindowStage(StrEnum):
    """What an admin is told of a device's window, in its own words."""

    NEVER_OPENED = "never opened"
    OPEN = "open"
    WAITING = "waiting for its return"
    BOUND = "bound to its first source"
    NEVER_CAME_BACK = "never came back"
    UNUSED = "closed unused"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Window:
    """A device's provisioning window as stored; ``until`` is None when none was opened.

    ``stays_bound`` marks a phone that can follow to no safer URL: it keeps its first source.
    """

    until: datetime | None = None
    bound_source: str = ""
    first_served_at: datetime | None = None
    served: int = 0
    alarmed: bool = False
    adopted: bool = False
    stays_bound: bool = False

    def stage(self, now: datetime) -> WindowStage:
        """What has come of the window so far."""
        if self.until is None:
            return WindowStage.ADOPTED if self.adopted else WindowStage.NEVER_OPENED
        if self.keeps(self.bound_source):
            return WindowStage.BOUND
        if self.open_for(self.bound_source, now):
            return WindowStage.WAITING if self.bound_source else WindowStage.OPEN
        return WindowStage.NEVER_CAME_BACK if self.bound_source else WindowStage.UNUSED

    def keeps(self, source: str) -> bool:
        """Whether the source is the one a phone that can follow nowhere stays bound to."""
        return self.stays_bound and source != "" and source == self.bound_source

    def open_for(self, source: str, now: datetime) -> bool:
        """Whether the window is open: for anyone at first, for the bound source longer."""
        if self.until is None:
            return False
        if now < self.until or self.keeps(source):
            return True
        if self.first_served_at is None or source != self.bound_source:
            return False
        return now < self.first_served_at + WINDOW_FOR_BOUND


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a request gets a secret file, why, and what that changes."""

    admitted: bool
    reason: str
    effects: frozenset[Effect] = frozenset()


def judge(grade: Grade, minimum: Grade, window: Window, source: str, now: datetime) -> Judgement:
    """Decide on a request for a secret file (DESIGN section 8).

    Enough proof is served, and the first of it adopts the device. Less is served only while the
    window is open, to the first source that comes; a second one is refused and raises an alarm.
    """
    if grade >= minimum:
        proven = grade >= max(minimum, Grade.NETWORK) and (
            not window.adopted or window.until is not None
        )
        effects = frozenset({Effect.PROVEN}) if proven else frozenset()
        return Judgement(True, f"proven by {grade.word}", effects)
    return _judge_window(grade, minimum, window, source, now)


def _judge_window(
    grade: Grade, minimum: Grade, window: Window, source: str, now: datetime
) -> Judgement:
    if not window.open_for(source, now):
        what = "the window closed" if window.until else "no window is open"
        return Judgement(False, f"{grade.word} is less than {minimum.word} and {what}")
    if window.bound_source not in ("", source):
        effects = frozenset() if window.alarmed else frozenset({Effect.ALARM})
        return Judgement(False, "a second source came in the open window", effects)
    if window.keeps(source):
        return Judgement(True, "the one source of a phone that can follow nowhere")
    if window.served >= MOST_SECRET_FILES:
        return Judgement(False, f"the window has served {MOST_SECRET_FILES} files already")
    if window.bound_source:
        return Judgement(True, "the window's bound source", frozenset({Effect.COUNT}))
    return Judgement(
        True, "the first source in the open window", frozenset({Effect.BIND, Effect.COUNT})
    )
