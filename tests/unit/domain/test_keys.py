"""Keys refuse values that do not fit what they do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import InvalidInput
from provisioning.domain.keys import Area, Key, KeyAddress, KeyType

PLACE = KeyAddress(Area.LINE, 0, 3)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (KeyType.BLF, "1002"),
        (KeyType.SPEED_DIAL, "+49301234"),
        (KeyType.SPEED_DIAL, "sip:ada@example.com"),
        (KeyType.PARK, "701"),
        (KeyType.DTMF, "*9#"),
        (KeyType.URL, "https://intranet.example.com/phone.xml?a=1&b=2"),
        (KeyType.LINE, ""),
        (KeyType.DND, ""),
        (KeyType.NONE, ""),
        (KeyType.PICKUP, ""),
    ],
)
def test_fitting_values_are_taken(kind: KeyType, value: str):
    """Numbers, addresses, URLs, and nothing where nothing is needed."""
    assert Key(PLACE, kind, value).value == value


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (KeyType.BLF, "", "has no value"),
        (KeyType.SPEED_DIAL, "", "has no value"),
        (KeyType.URL, "", "has no value"),
        (KeyType.BLF, "1002\naccount.1.enable = 0", "does not take"),
        (KeyType.SPEED_DIAL, "12 34", "does not take"),
        (KeyType.URL, "javascript:alert(1)", "does not take"),
        (KeyType.URL, "1002", "does not take"),
        (KeyType.PARK, "7" * 129, "does not take"),
        (KeyType.DTMF, "9\n", "does not take"),
    ],
)
def test_other_values_are_refused(kind: KeyType, value: str, said: str):
    """A missing or unfit value is refused, and the message names the key."""
    with pytest.raises(InvalidInput, match=said) as caught:
        Key(PLACE, kind, value)
    assert "key line 3" in caught.value.what
    assert caught.value.remedy.startswith("Give ")


@given(kind=st.sampled_from(KeyType), value=st.text())
def test_no_key_holds_blanks_or_control_characters(kind: KeyType, value: str):
    """Whatever is asked for, a key that exists has a value without blanks and breaks."""
    try:
        key = Key(PLACE, kind, value)
    except InvalidInput:
        return
    assert not any(letter.isspace() or not letter.isprintable() for letter in key.value)
