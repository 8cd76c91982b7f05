"""Tokens: what a URL or a Bearer header carries as proof.

26 characters of the lower-case base32 alphabet (RFC 4648 section 6) are 130 random bits. Phones
and people can type them, and no file system, URL or display changes their case.
"""

from __future__ import annotations

import hashlib
import re
import secrets

TOKEN_LENGTH = 26
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_TOKEN = re.compile(f"[{_ALPHABET}]{{{TOKEN_LENGTH}}}")


def new_token() -> str:
    """Make a token nobody has seen: 26 characters, 130 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))


def is_token(text: str) -> bool:
    """Whether the text has a token's form; says nothing of whether it was ever given out."""
    return _TOKEN.fullmatch(text) is not None


def token_hash(token: str) -> bytes:
    """The SHA-256 of a token, which is all that is compared and looked up.

    A plain hash will do: nobody guesses 130 bits, and a slow hash would slow every fetch.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
