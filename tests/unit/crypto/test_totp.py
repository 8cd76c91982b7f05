"""Codes of authenticators, against the RFC's own vectors."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.crypto.totp import accepted_step, code_at, new_secret, provisioning_uri

SECRET = base64.b32encode(b"12345678901234567890").decode()
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
        (2000000000, "279037"), (20000000000, "353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_the_rfc(seconds, code):
    """The last six digits of each vector of RFC 6238, appendix B, are the code of its moment."""
    moment = datetime.fromtimestamp(seconds, UTC)
    assert code_at(SECRET, moment) == code
    assert accepted_step(SECRET, code, moment, 0) == seconds // 30


def test_a_clock_may_be_one_step_off_and_no_more():
    """The codes before and after are good too, with the step that is theirs."""
    now = int(MOMENT.timestamp()) // 30
    for steps in range(-3, 4):
        code = code_at(SECRET, MOMENT + timedelta(seconds=30 * steps))
        expected = now + steps if abs(steps) <= 1 else None
        assert accepted_step(SECRET, code, MOMENT, 0) == expected


def test_no_code_is_good_twice():
    """A code of a step that was taken, or of one before it, is refused."""
    step = accepted_step(SECRET, code_at(SECRET, MOMENT), MOMENT, 0)
    assert step is not None
    assert accepted_step(SECRET, code_at(SECRET, MOMENT), MOMENT, step) is None
    before = code_at(SECRET, MOMENT - timedelta(seconds=30))
    assert accepted_step(SECRET, before, MOMENT, step) is None
    after = code_at(SECRET, MOMENT + timedelta(seconds=30))
    assert accepted_step(SECRET, after, MOMENT, step) == step + 1


@given(st.text(max_size=20))
def test_no_text_is_a_code_but_the_right_ones(text):
    """Whatever is typed is judged without failing, and only right codes are taken."""
    near = {code_at(SECRET, MOMENT + timedelta(seconds=30 * step)) for step in (-1, 0, 1)}
    taken = accepted_step(SECRET, text, MOMENT, 0) is not None
    assert taken == (text.replace(" ", "") in near)


def test_secrets_differ_and_the_uri_carries_them():
    """Every secret is new, has 160 bits, and stands in the URI with the account's name."""
    secret = new_secret()
    assert secret != new_secret()
    assert len(base64.b32decode(secret)) == 20
    uri = provisioning_uri(secret, "ada@example.com", "Roost")
    assert uri.startswith("otpauth://totp/Roost:ada%40example.com?")
    assert f"secret={secret}" in uri
