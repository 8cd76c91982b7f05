"""The closed grammar of file names: what is of it, and that nothing else gets through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.mac import Mac
from provisioning.vendors import grammar
from provisioning.vendors.registry import load_registry

REGISTRY = load_registry([Path(__file__).parents[3] / "templates"])
PATTERNS = sorted(
    {
        pattern
        for vendor in REGISTRY
        for pattern in (*(rule.pattern for rule in vendor.data.files), *vendor.data.asks)
    }
)
NAME = re.compile(r"[A-Za-z0-9._~+=-]{1,100}")

TRAVERSALS = [
    "../001565aabbcc.cfg",
    "../../etc/passwd",
    "./../001565aabbcc.cfg",
    "a/../001565aabbcc.cfg",
    "a/./001565aabbcc.cfg",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/001565aabbcc.cfg",
    "%252e%252e%252f001565aabbcc.cfg",
    "..\\..\\001565aabbcc.cfg",
    "..%5c001565aabbcc.cfg",
    "a\\001565aabbcc.cfg",
    "C:\\001565aabbcc.cfg",
    "C:/001565aabbcc.cfg",
    "\\\\host\\share\\001565aabbcc.cfg",
    "//host//001565aabbcc.cfg",
    "http://host/001565aabbcc.cfg",
    "file:///etc/passwd",
    "001565aabbcc.cfg\0",
    "001565aabbcc.cfg\0.txt",
    "001565aabbcc.cfg%00",
    "001565aabbcc.cfg\n",
    "001565aabbcc.cfg ",
    " 001565aabbcc.cfg",
    "001565aabbcc.cfg;a",
    "001565aabbcc.cfg?a",
    "001565aabbcc.cfg#a",
    "001565aabbcc.cfg::$DATA",
    "\u2025/001565aabbcc.cfg",
    "\uff0e\uff0e/001565aabbcc.cfg",
    "\xc0\xae\xc0\xae/001565aabbcc.cfg",
    "\udcc0\udcae/001565aabbcc.cfg",
    "001565aabbc\u0663.cfg",
    "\uff10\uff10\uff11\uff15\uff16\uff15aabbcc.cfg",
    "~root/001565aabbcc.cfg\r\n",
    "..",
    ".",
    "...",
    "./",
    "../",
    "",
    "/",
    "//",
    "a" * 129,
    "a/" * 60 + "001565aabbcc.cfg",
    "a" * 4096,
    "/dev/stdin\0",
    "{mac}.cfg",
    "{{ 7 * 7 }}.cfg",
    "$(id).cfg",
    "`id`.cfg",
    "|id",
]


def named(name: str) -> list[str]:
    """The patterns of all shipped vendors a name is of."""
    return [pattern for pattern in PATTERNS if grammar.match(pattern, name)]


@pytest.mark.parametrize("path", TRAVERSALS, ids=ascii)
def test_traversals_are_no_names(path: str):
    """No trick with dots, slashes, encodings or letters gives the name of a file."""
    assert grammar.file_name(path) is None


@pytest.mark.parametrize("path", TRAVERSALS, ids=ascii)
def test_traversals_are_of_no_pattern(path: str):
    """Even past the first check, no shipped pattern takes such a text for a name."""
    assert named(path) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("001565aabbcc.cfg", "001565aabbcc.cfg"),
        ("/001565AABBCC.cfg", "001565AABBCC.cfg"),
        ("./001565aabbcc.cfg", "001565aabbcc.cfg"),
        ("provisioning/yealink/001565aabbcc.cfg", "001565aabbcc.cfg"),
        ("snomD735-000413AABBCC.htm", "snomD735-000413AABBCC.htm"),
        (".hidden", ".hidden"),
        ("a..b", "a..b"),
    ],
)
def test_names_and_folders_before_them_are_read(path: str, name: str):
    """The last segment is the name; folders before it mean nothing."""
    assert grammar.file_name(path) == name


@given(path=st.text() | st.lists(st.sampled_from("./\\%20aA0\0~:"), max_size=140).map("".join))
def test_any_path_gives_a_plain_name_or_none(path: str):
    """Whatever a client sends, a name has no separator, is not long and is not all dots."""
    name = grammar.file_name(path)
    if name is not None:
        assert NAME.fullmatch(name)
        assert set(name) != {"."}
        assert len(path) <= grammar.LONGEST


@pytest.mark.parametrize("pattern", PATTERNS)
@given(name=st.text())
def test_any_text_is_of_a_pattern_or_not(pattern: str, name: str):
    """Reading a name by a shipped pattern never fails, and takes plain names only."""
    if grammar.match(pattern, name) is not None:
        assert NAME.fullmatch(name)


@given(number=st.integers(1, (1 << 48) - 2), code=st.integers(0, 99))
def test_names_read_back_as_they_were_made(number: int, code: int):
    """A name made for a phone gives that phone's MAC, model and traits, in any case."""
    mac = Mac(f"{number:012x}")
    for pattern in ("{mac}.cfg", "x{MAC}-y.xml", "{model}-{mac}", "y{code:12}.cfg"):
        name = grammar.emit(pattern, mac=mac, model="D735", traits={"code": code})
        assert name is not None
        for spelling in (name, name.upper(), name.lower()):
            found = grammar.match(pattern, spelling)
            assert found is not None
            assert found.mac == (mac if "mac" in pattern.lower() else None)
            assert found.model.lower() == ("d735" if "model" in pattern else "")
            assert found.traits == ((("code", code),) if "code" in pattern else ())


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{mac}.cfg", "001565aabbcc.cfg"),
        ("{MAC}.cfg", "001565AABBCC.cfg"),
        ("cfg{mac}", "cfg001565aabbcc"),
        ("{model}.bin", "T54W.bin"),
        ("y{code:12}.cfg", "y000000000096.cfg"),
        ("fixed.xml", "fixed.xml"),
    ],
)
def test_names_have_the_vendors_case(pattern: str, name: str):
    """A name is made as the vendor writes it."""
    mac = Mac("001565aabbcc")
    assert grammar.emit(pattern, mac=mac, model="T54W", traits={"code": 96}) == name


@pytest.mark.parametrize(
    ("pattern", "mac", "model", "traits"),
    [
        ("{mac}.cfg", None, "T54W", {}),
        ("{model}.cfg", None, "", {}),
        ("y{code:12}.cfg", None, "T54W", {}),
        ("y{code:12}.cfg", None, "T54W", {"code": "96"}),
        ("{any}.cfg", None, "T54W", {}),
    ],
)
def test_unknown_parts_give_no_name(pattern: str, mac, model: str, traits):
    """A name that needs what is not known of the phone is not made."""
    assert grammar.emit(pattern, mac=mac, model=model, traits=traits) is None


@pytest.mark.parametrize("name", ["000000000000.cfg", "ffffffffffff.cfg"])
def test_addresses_no_device_has_are_of_no_pattern(name: str):
    """A name with the address of a broken flash is not a phone's."""
    assert grammar.match("{mac}.cfg", name) is None


@pytest.mark.parametrize("pattern", ["{serial}.cfg", "a/b.cfg", "{mac.cfg", "mac}.cfg", "{}"])
def test_other_braces_and_slashes_are_no_pattern(pattern: str):
    """A pattern is made of plain text and the placeholders there are."""
    with pytest.raises(grammar.BadPattern):
        grammar.compile_pattern(pattern)


def test_special_letters_of_expressions_are_plain():
    """A dot of a pattern is a dot, not any letter."""
    assert grammar.match("a.c+fg", "a.c+fg")
    assert grammar.match("a.c+fg", "abccfg") is None


def test_placeholders_are_found():
    """Whether a pattern needs a MAC or a model is told, in either case."""
    assert grammar.needs("{MAC}.cfg", "mac")
    assert grammar.needs("{model}-{mac}.cfg", "model")
    assert not grammar.needs("y{code:12}.cfg", "mac")
