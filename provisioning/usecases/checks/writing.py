"""Writing into vendor folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.domain.errors import InvalidInput


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into InvalidInput that names the folder."""
    try:
        yield
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be written: {error.strerror or error}.",
            remedy="Give a folder this user may write to.",
        ) from error
