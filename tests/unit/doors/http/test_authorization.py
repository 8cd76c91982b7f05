"""Reading the Authorization header."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.doors.http.authorization import parse_authorization
from provisioning.usecases.requests import BasicCredential, DigestCredential


def read(header: str) -> BasicCredential | DigestCredential | None:
    """A header as the door reads it."""
    return parse_authorization(header, method="GET", target="/a/x.cfg?y=1")


def basic(text: bytes) -> str:
    """A Basic header."""
    return "Basic " + base64.b64encode(text).decode()


def test_basic_is_split_at_the_first_colon():
    """The password may hold colons and the user name may not (RFC 7617 section 2)."""
    assert read(basic(b"ada:1:2")) == BasicCredential("ada", "1:2")


@pytest.mark.parametrize("raw", ["ä:ö".encode(), "ä:ö".encode("latin-1")])
def test_basic_is_utf_8_or_latin_1(raw):
    """Credentials are UTF-8, as our challenge asks, or else Latin-1, as old firmware sends."""
    assert read(basic(raw)) == BasicCredential("ä", "ö")


@pytest.mark.parametrize("header", ["basic YTpi", "BASIC  YTpi ", "Basic YTpi====", "Basic YTo"])
def test_basic_is_read_in_odd_spellings(header):
    """Case of the scheme, blanks and padding do not matter."""
    assert isinstance(read(header), BasicCredential)


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ", "Basic YQ==", "Basic Y", "Basic ä", "Bearer x", "Digest", "x"]
)
def test_what_is_malformed_is_no_credential(header):
    """A header of another scheme, or one that cannot be read, is none."""
    assert read(header) is None


def test_digest_is_read_with_method_and_target():
    """The parameters come by lower-case name, unquoted, with the request's method and target."""
    header = 'Digest username="a\\"b\\\\c", URI="/a/x.cfg?y=1", nc=00000001, qop=auth, realm=""'
    assert read(header) == DigestCredential(
        "GET",
        "/a/x.cfg?y=1",
        {
            "username": 'a"b\\c',
            "uri": "/a/x.cfg?y=1",
            "nc": "00000001",
            "qop": "auth",
            "realm": "",
        },
    )


@pytest.mark.parametrize(
    "parameters",
    [
        'username="a",nc=1',
        ' username = "a" , nc = 1 ',
        ',, username="a",, nc=1,',
        "username=a\t,nc=1",
        'username=a, nc="1"',
    ],
)
def test_digest_is_read_in_odd_spellings(parameters):
    """Blanks, empty members and quotes where none belong, or none where some do, are taken."""
    read_back = read(f"Digest {parameters}")
    assert isinstance(read_back, DigestCredential)
    assert read_back.parameters == {"username": "a", "nc": "1"}


@pytest.mark.parametrize(
    "parameters",
    [
        'username="a", username="b"',
        'username="a", USERNAME="a"',
        'username="a" nc=1',
        'username="a',
        'username="a"b',
        "username",
        "=a",
        ", ".join(f"p{number}=1" for number in range(21)),
    ],
)
def test_digest_that_can_be_read_in_two_ways_is_refused(parameters):
    """A parameter that comes twice, an open quote or a missing comma voids the header."""
    assert read(f"Digest {parameters}") is None


@given(st.text())
def test_no_header_raises(text):
    """Whatever follows the scheme, reading gives a credential or None."""
    for scheme in ("", "Basic ", "Digest "):
        read(scheme + text)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,10}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"])),
        max_size=9,
    )
)
def test_quoted_parameters_come_back(parameters):
    """Every text survives quoting and reading."""
    quoted = {
        name: text.replace("\\", r"\\").replace('"', r"\"") for name, text in parameters.items()
    }
    header = "Digest " + ", ".join(f'{name}="{text}"' for name, text in quoted.items())
    credential = read(header)
    assert (credential.parameters if credential else {}) == parameters
