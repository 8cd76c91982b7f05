"""Passwords and PINs: how they are made, judged, hashed and compared."""

from __future__ import annotations

import hmac
import re
import secrets
import string
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from provisioning.crypto.secrets import KeyUse, check_keys, derive_key, key_id
from provisioning.domain.errors import InvalidInput, UnreadableSecret

PIN_LENGTHS = (6, 12)
PASSWORD_LENGTHS = (10, 128)
_PIN = re.compile(r"[0-9]{6,12}")
_STORED_PIN = re.compile(r"([0-9a-f]{2})(\$argon2id\$.+)", re.ASCII)

# The second choice of RFC 9106 section 4 takes 64 MiB, too much for a burst of logins on a small
# host; 19 MiB and two passes resist a graphics card about as well for a portal's passwords.
_PASSWORDS = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# A PIN has few digits, so that the server key's pepper protects it, not the cost; the cost only
# has to be low enough for everybody who logs in at eight in the morning.
_PINS = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)

# No 0 O o, 1 I l: people read these off a display. Letters and digits only: phones choke on
# quotes, ampersands, semicolons and percent signs in their own files.
_ALPHABET = "".join(c for c in string.ascii_letters + string.digits if c not in "0Oo1Il")


def _bytes(password: str) -> bytes:
    # NFC (as RFC 8265 section 4.2 has it): keyboards differ in how they compose an umlaut.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _matches(hasher: PasswordHasher, stored: str, secret: bytes) -> bool:
    try:
        return hasher.verify(stored, secret)
    except InvalidHashError:
        raise UnreadableSecret(
            "A stored password or PIN is damaged.", remedy="Set it anew."
        ) from None
    except VerificationError:
        return False


def hash_password(password: str) -> str:
    """Hash a password with argon2id (2 passes, 19 MiB): some 30 ms of a worker thread."""
    return _PASSWORDS.hash(_bytes(password))


@cache
def _nobodys_password() -> str:
    return _PASSWORDS.hash(secrets.token_bytes(16))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the one ``stored`` was made of.

    ``stored`` is None for a user who does not exist or has no password: the answer is False and
    takes as long, so that nobody learns which users exist. Raises UnreadableSecret if ``stored``
    is no argon2 hash.
    """
    if stored is None:
        _matches(_PASSWORDS, _nobodys_password(), _bytes(password))
        return False
    return _matches(_PASSWORDS, stored, _bytes(password))


def needs_rehash(stored: str) -> bool:
    """Whether a password was hashed at another cost than today's; hash it anew at its next use."""
    return _PASSWORDS.check_needs_rehash(stored)


_WELL_KNOWN = (
    "password", "passwort", "passw0rd", "letmein", "iloveyou", "welcome", "qwertyuiop",
    "qwertzuiop", "asdfghjkl", "1qaz2wsx", "abcdefghij", "changeme", "administrator",
)  # fmt: skip
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def check_password_form(password: str, email: str = "") -> None:
    """Raise InvalidInput unless a password of a person is long enough and no obvious one.

    Long ones are asked for instead of odd ones (NIST SP 800-63B section 3.1.1.2): 10 to 128
    characters, five different ones, no digits in equal steps, none that everybody tries first,
    and not the person's own e-mail.
    """
    plain = unicodedata.normalize("NFC", password)
    if not PASSWORD_LENGTHS[0] <= len(plain) <= PASSWORD_LENGTHS[1]:
        raise _refused(f"A password has to have {PASSWORD_LENGTHS[0]} to {PASSWORD_LENGTHS[1]}"
                       " characters.")  # fmt: skip
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in plain):
        raise _refused("A password cannot have control characters.")
    if len(set(plain.lower())) < 5:
        raise _refused("A password has to have five different characters.")
    folded = plain.casefold()
    letters = _NOT_LETTERS.sub("", folded)
    obvious = folded in _WELL_KNOWN or letters in _WELL_KNOWN
    if obvious or (plain.isascii() and plain.isdigit() and _has_equal_steps(plain)):
        raise _refused("This password is one of those that are tried first.")
    name = _NOT_LETTERS.sub("", email.casefold().partition("@")[0])
    if email and (folded == email.casefold() or (name and letters in (name, name * 2))):
        raise _refused("This password is made of the e-mail.")


def _refused(what: str) -> InvalidInput:
    return InvalidInput(
        what, remedy="Choose a longer phrase, such as four words in no order.", field="password"
    )


def check_pin_form(pin: str) -> None:
    """Raise InvalidInput unless the PIN has 6 to 12 digits and is none of the obvious ones.

    Obvious are digits in equal steps (111111, 123456, 975319) and a group that repeats (121212,
    123123).
    """
    if not _PIN.fullmatch(pin):
        raise InvalidInput(
            "A PIN has to have 6 to 12 digits and nothing else.",
            remedy="Choose one such as the server would generate.",
            field="pin",
        )
    if _has_equal_steps(pin) or _repeats(pin):
        raise InvalidInput(
            "This PIN is a sequence or a repetition, which is tried first.",
            remedy="Choose digits in no order, or let the server generate the PIN.",
            field="pin",
        )


def _has_equal_steps(pin: str) -> bool:
    digits = [int(digit) for digit in pin]
    return len({(b - a) % 10 for a, b in pairwise(digits)}) == 1


def _repeats(pin: str) -> bool:
    lengths = [n for n in range(1, len(pin) // 2 + 1) if len(pin) % n == 0]
    return any(pin[:n] * (len(pin) // n) == pin for n in lengths)


def generate_pin(length: int = PIN_LENGTHS[0]) -> str:
    """Make a random PIN that passes ``check_pin_form``; raises InvalidInput for a bad length."""
    if not PIN_LENGTHS[0] <= length <= PIN_LENGTHS[1]:
        raise InvalidInput(f"A PIN cannot have {length} digits.", remedy="Ask for 6 to 12.")
    while True:
        pin = "".join(secrets.choice(string.digits) for _ in range(length))
        if not (_has_equal_steps(pin) or _repeats(pin)):
            return pin


def generate_password(length: int = 20) -> str:
    """Make a random password of letters and digits without look-alikes, for SIP and for people.

    It has a small letter, a capital and a digit, which some PBXs insist on. 20 characters are
    116 bits. Raises InvalidInput below 8 characters.
    """
    if length < 8:
        raise InvalidInput(
            f"A password of {length} characters can be guessed.", remedy="Ask for 8 or more."
        )
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(length))
        kinds = (str.islower, str.isupper, str.isdigit)
        if all(any(map(kind, password)) for kind in kinds):
            return password


class Pins:
    """Hashes and compares PINs with the server keys; the first key hashes, every key compares.

    A stored PIN is a key id of two hex digits followed by an argon2id hash (one pass, 8 MiB) over
    the PIN's HMAC-SHA256: who has the database without the key cannot try the million PINs.
    Raises BadConfig if a key does not have 32 bytes.
    """

    def __init__(self, server_keys: Sequence[bytes]) -> None:
        self._peppers = [
            (f"{key_id(key):02x}", derive_key(key, KeyUse.PIN_PEPPER))
            for key in check_keys(server_keys)
        ]
        self._nobodys = self.hash(secrets.token_hex(16))

    def hash(self, pin: str) -> str:
        """Hash a PIN whose form was checked before."""
        identity, pepper = self._peppers[0]
        return identity + _PINS.hash(_peppered(pepper, pin))

    def verify(self, stored: str | None, pin: str) -> bool:
        """Whether the PIN is the one ``stored`` was made of.

        ``stored`` is None for a user who does not exist or has no PIN: the answer is False and
        takes as long. Raises UnreadableSecret if no key of this server made ``stored``.
        """
        found = _STORED_PIN.fullmatch(self._nobodys if stored is None else stored)
        peppers = [p for identity, p in self._peppers if found and identity == found[1]]
        if not found or not peppers:
            raise UnreadableSecret(
                "A stored PIN was hashed with a key this server does not have.",
                remedy="Restore the key file of this database, or set the PIN anew.",
            )
        results = [_matches(_PINS, found[2], _peppered(pepper, pin)) for pepper in peppers]
        return stored is not None and any(results)


def _peppered(pepper: bytes, pin: str) -> bytes:
    return hmac.digest(pepper, pin.encode("utf-8", "surrogatepass"), "sha256")
