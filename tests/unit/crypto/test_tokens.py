from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from provisioning.crypto.tokens import is_token, new_token, token_hash


def test_tokens_have_their_form_and_do_not_repeat():
    """A token is 26 characters of lower-case base32, and a new one every time."""
    tokens = {new_token() for _ in range(500)}
    assert len(tokens) == 500
    assert all(is_token(token) for token in tokens)
    assert set("".join(tokens)) == set("abcdefghijklmnopqrstuvwxyz234567")


def test_other_forms_are_not_tokens():
    """Capitals, other digits, other lengths and a line end are refused."""
    token = new_token()
    others = [token.upper(), token[:-1], token + "a", token + "\n", "1" * 26, ""]
    assert not any(is_token(other) for other in others)


def test_the_hash_is_sha256():
    """Other tools can look a token up by its plain SHA-256."""
    assert token_hash("abc") == hashlib.sha256(b"abc").digest()


@given(st.text())
def test_any_text_can_be_looked_up(text):
    """What a client sends in a token's place is hashed without a crash."""
    assert len(token_hash(text)) == 32
