"""Where a page may lead on to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provisioning.doors.http.portal.asked import onward, own_path


@given(st.text() | st.from_regex(r"[/\\.:?#@a-z%]{1,30}", fullmatch=True))
def test_the_way_on_never_leaves_the_server(text):
    """Whatever ``next`` holds, what is gone to is a path of ours, of plain letters."""
    path = own_path(text)
    assert path == "/" or (path.startswith("/") and not path.startswith("//"))
    assert path.isascii()
    assert not set(path) & set("\\?#:@%. \r\n\t")
    assert onward("/sign-in", path).startswith("/sign-in")


def test_our_own_paths_are_kept():
    """A label's path comes through as it is."""
    assert own_path("/take/abcdefghijklmnop") == "/take/abcdefghijklmnop"
    assert onward("/sign-in", "/take/abc") == "/sign-in?next=/take/abc"
    assert onward("/sign-in", "/") == "/sign-in"
