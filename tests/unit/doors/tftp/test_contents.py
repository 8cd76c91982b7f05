"""Contents read block by block."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.doors.tftp.contents import FileContents, MemoryContents, NetasciiContents


def read_all(contents, length):
    """Everything a content gives, in reads of one length."""
    whole = b""
    while data := contents.read(length):
        whole += data
    return whole


def from_netascii(data):
    """What a Unix client makes of netascii (RFC 764)."""
    return data.replace(b"\r\n", b"\n").replace(b"\r\0", b"\r")


@given(st.binary(max_size=300), st.integers(1, 40))
def test_memory_is_read_in_any_length(content, length):
    """The reads joined are the content."""
    contents = MemoryContents(content)
    assert contents.size == len(content)
    assert read_all(contents, length) == content


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\0", b"x"])).map(b"".join), st.integers(1, 9))
def test_netascii_can_be_read_back(content, length):
    """Whatever the line ends and wherever the blocks are cut, the client gets the same bytes."""
    contents = NetasciiContents(MemoryContents(content))
    assert contents.size is None
    converted = read_all(contents, length)
    assert converted.count(b"\r") == converted.count(b"\r\n") + converted.count(b"\r\0")
    assert from_netascii(converted) == content


def test_a_file_is_read_to_its_size(tmp_path):
    """What is appended while a file is sent does not belong to it."""
    path = tmp_path / "blob"
    path.write_bytes(b"x" * 100)
    contents = FileContents.open(path)
    with path.open("ab") as grown:
        grown.write(b"more")
    assert contents.size == 100
    assert read_all(contents, 30) == b"x" * 100
    contents.close()


def test_a_file_that_shrank_is_an_error(tmp_path):
    """A short read is never taken for the end."""
    path = tmp_path / "blob"
    path.write_bytes(b"x" * 100)
    contents = FileContents.open(path)
    os.truncate(path, 10)
    with pytest.raises(EOFError):
        contents.read(50)
    contents.close()


def test_only_regular_files_are_opened(tmp_path):
    """A folder, a FIFO, a link and nothing at all are refused without waiting."""
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "folder", "fifo", "nothing"):
        with pytest.raises(OSError, match=name):
            FileContents.open(tmp_path / name)
