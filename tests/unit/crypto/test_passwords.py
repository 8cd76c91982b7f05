from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.crypto import passwords
from provisioning.crypto.passwords import (
    Pins,
    check_password_form,
    check_pin_form,
    generate_password,
    generate_pin,
    hash_password,
    needs_rehash,
    verify_password,
)
from provisioning.domain.errors import InvalidInput, UnreadableSecret

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
_PINS = Pins([KEY])


@pytest.fixture(scope="module", autouse=True)
def real_hashes(cheap_hashes):
    """Hash as the server does."""
    with pytest.MonkeyPatch.context() as patch:
        for name, hasher in cheap_hashes.items():
            patch.setattr(passwords, name, hasher)
        yield


def test_only_the_right_password_verifies():
    """A hash is of argon2id and matches the password it was made of and no other."""
    stored = hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert verify_password(stored, "correct horse")
    assert not verify_password(stored, "correct horse ")
    assert not needs_rehash(stored)


def test_an_umlaut_matches_however_it_was_composed():
    """A keyboard that sends two code points for one letter logs in all the same."""
    assert verify_password(hash_password("gr\u00fcn-123"), "gru\u0308n-123")


def test_odd_passwords_do_not_crash():
    """NUL, lone surrogates and long texts are hashed and compared like any other."""
    stored = hash_password("a\x00b\ud800" + "x" * 5000)
    assert verify_password(stored, "a\x00b\ud800" + "x" * 5000)
    assert not verify_password(stored, "a")


def test_unknown_users_are_never_matched():
    """Without a stored hash a password is compared with nobody's, in vain."""
    assert not verify_password(None, "anything")
    assert not verify_password(None, "")


def test_a_cheaper_hash_is_due_for_rehashing():
    """A hash made at a lower cost is recognised, so that it is made anew at the next login."""
    assert needs_rehash(Pins([KEY]).hash("482913")[2:])


def test_a_damaged_hash_is_named():
    """What is no argon2 hash is reported as damaged, never taken for a wrong password."""
    with pytest.raises(UnreadableSecret, match="damaged"):
        verify_password("plain text", "plain text")


@pytest.mark.parametrize("pin", ["482913", "000001", "112233", "918273645501"])
def test_ordinary_pins_pass(pin):
    """Six to twelve digits without a pattern are a PIN, leading zeros included."""
    check_pin_form(pin)


@pytest.mark.parametrize(
    "pin",
    [
        *("", "12345", "1234567890123", "48291a", "482 913", "482913\n", "-482913"),
        "\u0664\u0668\u0662\u0669\u0661\u0663",
    ],
)
def test_only_six_to_twelve_ascii_digits_are_a_pin(pin):
    """Anything a phone's keypad could not send is refused with what to do."""
    with pytest.raises(InvalidInput, match="6 to 12 digits") as caught:
        check_pin_form(pin)
    assert caught.value.field == "pin"
    assert caught.value.remedy


@pytest.mark.parametrize(
    "pin",
    ["000000", "111111", "123456", "987654", "890123", "135791", "121212", "123123", "4829" * 2],
)
def test_sequences_and_repetitions_are_refused(pin):
    """The PINs tried first are not accepted."""
    with pytest.raises(InvalidInput, match="sequence or a repetition"):
        check_pin_form(pin)


@pytest.mark.parametrize("length", [6, 7, 12])
def test_generated_pins_pass_their_own_check(length):
    """A generated PIN has the length asked for and a form that is accepted."""
    pins = {generate_pin(length) for _ in range(50)}
    assert len(pins) > 40
    for pin in pins:
        check_pin_form(pin)
        assert len(pin) == length


@pytest.mark.parametrize("length", [5, 13])
def test_no_pin_of_a_bad_length_is_generated(length):
    """A PIN that could not be entered is not made."""
    with pytest.raises(InvalidInput):
        generate_pin(length)


def test_generated_passwords_are_readable_and_harmless():
    """Letters and digits of every kind, no look-alikes, nothing a phone would choke on."""
    passwords = {generate_password() for _ in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        assert re.fullmatch(r"[a-zA-Z0-9]{20}", password)
        assert not set(password) & set("0Oo1Il")
        assert re.search("[a-z]", password)
        assert re.search("[A-Z]", password)
        assert re.search("[0-9]", password)
    with pytest.raises(InvalidInput):
        generate_password(7)


def test_a_pin_verifies_with_its_key_only():
    """The PIN's hash needs the server key: with another one it cannot even be tried."""
    stored = Pins([KEY]).hash("482913")
    assert Pins([KEY]).verify(stored, "482913")
    assert not Pins([KEY]).verify(stored, "482914")
    with pytest.raises(UnreadableSecret, match="key"):
        Pins([OTHER]).verify(stored, "482913")


def test_pins_outlive_a_rotation_of_the_key():
    """A PIN hashed with a former key verifies as long as that key is kept."""
    stored = Pins([KEY]).hash("482913")
    assert Pins([OTHER, KEY]).verify(stored, "482913")


def test_who_has_no_pin_is_never_let_in():
    """Without a stored PIN no input matches, the empty one included."""
    pins = Pins([KEY])
    assert not pins.verify(None, "482913")
    assert not pins.verify(None, "")


@given(st.text(max_size=40))
def test_no_stored_text_lets_a_pin_pass(stored):
    """A damaged row ends in the named error, never in a login."""
    with pytest.raises(UnreadableSecret):
        _PINS.verify(stored, "482913")


# --- passwords of people


@pytest.mark.parametrize(
    "password",
    ["four words in no order", "Zwölf Boxkämpfer", "x9$Kq2!vLp", "ada lovelace and babbage"],
)
def test_good_password_is_taken(password):
    """A phrase, or ten characters of any kinds, will do."""
    check_password_form(password, "ada@example.com")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "10 to 128"), ("short-one", "10 to 128"), ("x" * 129, "10 to 128"),
        ("aAaAaAaAaAaA", "five different"), ("line one\nline two", "control characters"),
        ("1234567890", "tried first"), ("9876543210", "tried first"),
        ("Password-2026", "tried first"),
        ("QWERTYUIOP", "tried first"), ("ada.lovelace1815", "e-mail"),
        ("ada.lovelace@example.com", "e-mail"),
    ],
)  # fmt: skip
def test_weak_password_is_refused_with_its_reason(password, reason):
    """A password that is short or tried first is refused, says why, and is not repeated."""
    with pytest.raises(InvalidInput, match=reason) as refused:
        check_password_form(password, "ada.lovelace@example.com")
    assert refused.value.field == "password"
    assert not password or password not in str(refused.value)


@given(st.text(max_size=200), st.emails())
def test_any_text_is_judged(password, email):
    """Whatever is typed is taken or refused, and what is generated is always taken."""
    with contextlib.suppress(InvalidInput):
        check_password_form(password, email)
    check_password_form(generate_password(), email)
