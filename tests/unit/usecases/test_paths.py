"""The credential prefixes of a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.usecases.paths import split_path
from provisioning.usecases.requests import Challenged, OrganisationCredential, TokenCredential


@pytest.mark.parametrize(
    ("path", "credential", "rest"),
    [
        ("", None, ""),
        ("y000000000000.cfg", None, "y000000000000.cfg"),
        ("//y.cfg", None, "y.cfg"),
        ("folder/y.cfg", None, "folder/y.cfg"),
        ("/t/abc/y.cfg", TokenCredential("abc"), "y.cfg"),
        ("t/A_b-9/folder/y.cfg", TokenCredential("A_b-9"), "folder/y.cfg"),
        ("t/abc//y.cfg", TokenCredential("abc"), "y.cfg"),
        ("t/abc/", TokenCredential("abc"), ""),
        ("o/abc/y.cfg", OrganisationCredential("abc"), "y.cfg"),
        ("a/y.cfg", Challenged(), "y.cfg"),
        ("t/" + "x" * 128 + "/y", TokenCredential("x" * 128), "y"),
        ("t/abc/o/def/y", TokenCredential("abc"), "o/def/y"),
    ],
)
def test_a_prefix_becomes_a_credential(path, credential, rest):
    """The three prefixes are taken off and mean what they mean."""
    assert split_path(path) == (credential, rest)


@pytest.mark.parametrize(
    "path",
    [
        "t/abc",
        "t//y.cfg",
        "T/abc/y.cfg",
        "A/y.cfg",
        "t/a.b/y.cfg",
        "t/../y.cfg",
        "t/\u00e9/y.cfg",
        "t/abc\n/y.cfg",
        "t/" + "x" * 129 + "/y",
        "x/abc/y.cfg",
        "a",
    ],
)
def test_what_is_no_prefix_stays_in_the_path(path):
    """A malformed token, another case or another letter prove nothing."""
    assert split_path(path) == (None, path)


@given(st.text())
def test_no_path_raises_and_the_rest_is_its_end(path):
    """Any text is split, and the rest is always the tail of what was sent."""
    _credential, rest = split_path(path)
    assert path.endswith(rest)
    assert not rest.startswith("/")
