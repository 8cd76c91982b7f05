"""Files that hold keys: written whole or not at all, and read by nobody but their owner."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.domain.errors import BadConfig

PRIVATE = 0o600
PUBLIC = 0o644
_LARGEST = 1 << 20


def _cannot(verb: str, path: Path, error: OSError) -> BadConfig:
    return BadConfig(
        f"'{path}' cannot be {verb}: {error.strerror or error}.",
        remedy="Let the user the server runs as own it and its folder.",
    )


def make_folder(path: Path) -> None:
    """Make a folder (and those above it) that only its owner enters; one that exists is kept.

    Raises BadConfig if the file system refuses.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot("made", path, error) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _complete_draft(path: Path, content: bytes, mode: int) -> Iterator[str]:
    """A file beside ``path`` that is on the disk in full; removed if it was not moved away."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        Path(draft).unlink(missing_ok=True)


def write_whole(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Replace ``path`` in one step: a reader or a crash sees the old file or the new one.

    Raises BadConfig if the file system refuses.
    """
    make_folder(path.parent)
    try:
        with _complete_draft(path, content, mode) as draft:
            Path(draft).replace(path)
            _sync_folder(path.parent)
    except OSError as error:
        raise _cannot("written", path, error) from error


def create_whole(path: Path, content: bytes, *, mode: int = PRIVATE) -> bool:
    """Write ``path`` in one step unless it exists; False if someone else was first.

    Raises BadConfig if the file system refuses.
    """
    make_folder(path.parent)
    try:
        with _complete_draft(path, content, mode) as draft:
            try:
                # A link, unlike a rename, never replaces what another process put there.
                os.link(draft, path)
            except FileExistsError:
                return False
            _sync_folder(path.parent)
            return True
    except OSError as error:
        raise _cannot("written", path, error) from error


def read_private(path: Path) -> bytes:
    """Read a regular file that nobody but its owner may open, at most 1 MiB.

    Raises BadConfig for a file that group or others can read, and for one that cannot be read;
    FileNotFoundError where there is none.
    """
    try:
        # O_NONBLOCK so that a FIFO in the key's place cannot hold up the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadConfig(f"'{path}' is not a regular file.", remedy="Move it away.")
            if status.st_mode & 0o077:
                raise BadConfig(
                    f"'{path}' holds a key but others than its owner may open it "
                    f"(mode {stat.S_IMODE(status.st_mode):04o}).",
                    remedy=f"Run: chmod 600 '{path}'",
                )
            return file.read(_LARGEST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _cannot("read", path, error) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep the other processes of this host from writing in ``folder`` meanwhile.

    Raises BadConfig if the lock file cannot be made.
    """
    make_folder(folder)
    lock = folder / ".lock"
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    except OSError as error:
        raise _cannot("opened", lock, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
