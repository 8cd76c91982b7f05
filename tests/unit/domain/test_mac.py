"""Reading a MAC address in any usual spelling."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import MalformedMac
from provisioning.domain.mac import Mac

real_macs = st.integers(1, (1 << 48) - 2).map(lambda number: f"{number:012x}")


def spellings(digits: str) -> list[str]:
    """The ways labels, phones and switches write one address."""
    pairs = re.findall("..", digits)
    fours = re.findall("....", digits)
    return [
        digits,
        digits.upper(),
        ":".join(pairs),
        "-".join(pairs).upper(),
        ".".join(fours),
        " ".join(pairs),
        f"  {':'.join(pairs)}\n",
    ]


@given(digits=real_macs)
def test_every_spelling_is_the_same_address(digits: str):
    """However it is written, it is one address, and its outside form reads back."""
    macs = {Mac.parse(text) for text in spellings(digits)}
    assert macs == {Mac(digits)}
    [mac] = macs
    assert Mac.parse(str(mac)) == mac
    assert re.fullmatch("([0-9A-F]{2}:){5}[0-9A-F]{2}", str(mac))


def test_parts_of_an_address():
    """The maker's prefix and the upper-case form are read from the digits."""
    mac = Mac.parse("00:15:65:AA:BB:CC")
    assert (mac.digits, mac.oui, mac.upper) == ("001565aabbcc", "001565", "001565AABBCC")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "001565aabbc",
        "001565aabbccd",
        "001565aabbcg",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "0x001565aabb",
        "001565aabbcc/../",
        "001565aabbc\u0663",  # an Arabic digit
        "\uff10" * 12,  # full-width zeros
        "001565\0aabbcc",
    ],
    ids=ascii,
)
def test_what_is_no_address_is_refused(text: str):
    """Too short, too long, other digits, and the addresses no device has are refused."""
    with pytest.raises(MalformedMac) as caught:
        Mac.parse(text)
    assert caught.value.remedy


@given(text=st.text())
def test_any_text_is_an_address_or_refused(text: str):
    """Reading never fails otherwise than by saying that it is no address."""
    try:
        mac = Mac.parse(text)
    except MalformedMac:
        return
    assert re.fullmatch("[0-9a-f]{12}", mac.digits)
