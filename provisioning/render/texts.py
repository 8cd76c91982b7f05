"""What the screens of phones say, one table per language, and the labels of the keys to them.

The tables are ``_shared/screens/<language>.toml`` of the template roots: an operator's own goes
before the shipped one, sentence by sentence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from provisioning.domain.errors import RenderFailed
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.registry import SHARED

FALLBACK = "en"


class Texts:
    """The sentences of one language by name; English where it lacks one."""

    def __init__(self, roots: Sequence[Path], language: str) -> None:
        self.sentences: dict[str, str] = {}
        self._files: dict[str, Path] = {}
        for tag in _tags(language):
            for root in reversed(_roots(roots)):
                path = root / SHARED / "screens" / f"{tag}.toml"
                if path.is_file():
                    read = _read(path, path.stat().st_mtime_ns)
                    self.sentences |= read
                    self._files |= dict.fromkeys(read, path)

    def __contains__(self, name: str) -> bool:
        """Whether there is such a sentence."""
        return name in self.sentences

    def __call__(self, name: str, /, **values: object) -> str:
        """The sentence of a name with its placeholders filled; raises RenderFailed."""
        sentence = self.sentences[name]
        try:
            return sentence.format(**values)
        except (AttributeError, LookupError, TypeError, ValueError):
            known = ", ".join(f"{{{value}}}" for value in sorted(values)) or "none"
            raise RenderFailed(
                f"{self._files[name]}: the sentence '{name}' has a placeholder it is not given.",
                remedy=f"Correct it; it is given: {known}.",
            ) from None


def languages() -> list[str]:
    """The languages there are tables of."""
    return sorted(path.stem for path in (shipped_root() / SHARED / "screens").glob("*.toml"))


def _tags(language: str) -> Iterator[str]:
    """English first, so that what comes later goes before it."""
    yield FALLBACK
    plain = language.partition("-")[0].lower()
    if plain.isalpha() and plain != FALLBACK:
        yield plain


def _roots(roots: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((*roots, shipped_root())))


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> dict[str, str]:
    """The table in a file, read anew where that has changed; raises RenderFailed."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RenderFailed(f"{path} is no table: {error}.", remedy="Correct it.") from None
    return {name: str(text) for name, text in table.items()}
