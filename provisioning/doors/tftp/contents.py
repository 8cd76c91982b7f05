"""The bytes of a transfer, read in order: rendered content, a stored file, either in netascii."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol, Self

_READ_AHEAD = 16 * 1024


class Contents(Protocol):
    """Bytes that are read once, from front to back. ``size`` is None if it is not known."""

    size: int | None

    def read(self, length: int) -> bytes:
        """The next ``length`` bytes; fewer only at the end.

        Raises OSError or EOFError if the bytes promised cannot be had.
        """

    def close(self) -> None:
        """Free what is held open."""


class MemoryContents:
    """Rendered bytes."""

    def __init__(self, content: bytes) -> None:
        self.size: int | None = len(content)
        self._content = content
        self._offset = 0

    def read(self, length: int) -> bytes:
        """The next ``length`` bytes; fewer only at the end."""
        start, self._offset = self._offset, self._offset + length
        return self._content[start : self._offset]

    def close(self) -> None:
        """Nothing is held open."""


class FileContents:
    """A stored file, read ahead in small pieces on the loop: the page cache outruns any phone."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.size: int | None = size
        self._left = size
        self._file = os.fdopen(descriptor, "rb", buffering=_READ_AHEAD)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a regular file, never through a symbolic link in its last part.

        Raises OSError for everything else; a FIFO does not block.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise OSError(f"{path.name} is not a regular file")
        return cls(descriptor, status.st_size)

    def read(self, length: int) -> bytes:
        """The next ``length`` bytes; EOFError if the file has become shorter than it was."""
        wanted = min(length, self._left)
        data = self._file.read(wanted)
        if len(data) < wanted:
            # A short block would tell the client that the file ends here and is whole.
            raise EOFError("The file was cut while it was being sent.")
        self._left -= wanted
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class NetasciiContents:
    """Another content as netascii; its size shows only at the end."""

    def __init__(self, inner: Contents) -> None:
        self.size: int | None = None
        self._inner = inner
        self._ready = b""

    def read(self, length: int) -> bytes:
        """The next ``length`` converted bytes; fewer only at the end."""
        while len(self._ready) < length and (raw := self._inner.read(length)):
            self._ready += to_netascii(raw)
        data, self._ready = self._ready[:length], self._ready[length:]
        return data

    def close(self) -> None:
        """Close the content that is converted."""
        self._inner.close()


def to_netascii(raw: bytes) -> bytes:
    """A newline becomes CR LF and a bare CR becomes CR NUL (RFC 764, named by RFC 1350)."""
    return raw.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
