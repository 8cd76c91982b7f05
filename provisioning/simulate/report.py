"""What a boot of a virtual phone came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioning.simulate.shown import Shown


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a boot: what was asked for, the answer's status (0 for none) and bytes."""

    name: str
    status: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class BootReport:
    """A boot as an observer of phone and wire would tell it.

    ``next_url`` is where the phone will ask the next time; ``problems`` are sentences.
    """

    url: str
    user_agent: str
    requests: tuple[Asked, ...] = ()
    shown: Shown = field(default_factory=Shown)
    next_url: str = ""
    problems: tuple[str, ...] = ()

    @property
    def served(self) -> tuple[str, ...]:
        """The names of what was found."""
        return tuple(item.name for item in self.requests if item.status == 200)
