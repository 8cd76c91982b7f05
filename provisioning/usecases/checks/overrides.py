"""An operator's own files over shipped ones, and what changed beneath them since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.domain.errors import InvalidInput
from provisioning.usecases.checks.finding import Finding, Severity
from provisioning.usecases.checks.writing import writing_to

BASED_ON = ".based-on.json"
"""In the operator's folder: the hash of each shipped file when its override was accepted."""

_NOT_SERVED = ("golden", "NOTES.md")


@dataclass(frozen=True, slots=True)
class Override:
    """A file of the operator's and the shipped one it stands for; ``name`` is vendor/file."""

    name: str
    own: Path
    shipped: Path

    @property
    def digest(self) -> str:
        """The shipped file's SHA-256."""
        return hashlib.sha256(self.shipped.read_bytes()).hexdigest()


def overrides(roots: tuple[Path, ...]) -> list[Override]:
    """The files of the first folder that stand for one of a later folder, in order of names."""
    found = []
    for own in sorted(roots[0].glob("*/**/*")) if roots[1:] else ():
        name = own.relative_to(roots[0])
        if not own.is_file() or name.parts[1] in _NOT_SERVED or name.parts[0].startswith("."):
            continue
        shipped = next((path for root in roots[1:] if (path := root / name).is_file()), None)
        if shipped is not None:
            found.append(Override(name.as_posix(), own, shipped))
    return found


def changed_beneath(roots: tuple[Path, ...]) -> Iterator[Finding]:
    """Every override, with a warning where the shipped file is not the one it was made from."""
    found = overrides(roots)
    accepted = _accepted(roots[0]) if found else {}
    for override in found:
        vendor = override.name.partition("/")[0]
        former = accepted.get(override.name)
        if former is None:
            yield Finding(
                vendor, override.own, None, f"This file stands for the shipped {override.name}.",
                "`provisioning check --accept` notes which version it is based on.",
                Severity.NOTE,
            )  # fmt: skip
        elif former == override.digest:
            yield Finding(
                vendor, override.own, None,
                f"This file stands for the shipped {override.name}, as it was when accepted.",
                level=Severity.NOTE,
            )  # fmt: skip
        else:
            yield Finding(
                vendor, override.own, None,
                f"The shipped {override.name} has changed beneath this file.",
                f"Compare it with {override.shipped}, then `provisioning check --accept`.",
                Severity.WARNING,
            )  # fmt: skip


def _accepted(root: Path) -> dict[str, str]:
    """What was accepted; nothing where the file is missing or damaged."""
    try:
        data = json.loads((root / BASED_ON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def accept(roots: tuple[Path, ...]) -> int:
    """Note the shipped files that the overrides are based on now; returns how many there are.

    Raises InvalidInput where there is no folder of the operator's own.
    """
    if not roots[1:]:
        raise InvalidInput(
            "There is no vendor folder of your own.", remedy="Name one: PROVISIONING_VENDOR_FOLDER."
        )
    found = overrides(roots)
    text = json.dumps({item.name: item.digest for item in found}, indent=2, sort_keys=True)
    with writing_to(roots[0]):
        (roots[0] / BASED_ON).write_text(text + "\n", encoding="utf-8")
    return len(found)
