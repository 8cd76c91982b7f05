"""The server key, what is derived from it, and the encryption of secrets at rest.

The database holds SIP passwords and tokens only as blobs of this module; the key stands in a file
beside it, so that a copy of the database alone gives nothing away.

A blob is ``version (1) | key id (1) | nonce (12) | ciphertext | tag (16)``: AES-256-GCM (NIST SP
800-38D) with everything before the ciphertext, and the purpose, as associated data. A blob moved
to another column therefore does not decrypt there.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from provisioning.crypto.files import create_whole, read_private
from provisioning.domain.errors import BadConfig, UnreadableSecret

KEY_BYTES = 32
_VERSION = 1
_HEADER_BYTES = 2
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SHORTEST = _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES
_KEY_LINE = re.compile(r"[0-9a-fA-F]{64}")


class KeyUse(StrEnum):
    """What a key derived from the server key is for; no two uses share key material."""

    ENCRYPTION = "encryption"
    NONCES = "nonces"
    PIN_PEPPER = "pin-pepper"
    KEY_ID = "key-id"
    ALIASES = "aliases"


def derive_key(server_key: bytes, use: KeyUse) -> bytes:
    """Derive the 32-byte key for one use (HKDF-SHA256, RFC 5869)."""
    info = f"roost/1/{use.value}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(server_key)


def key_id(server_key: bytes) -> int:
    """One byte that tells which of several server keys was used; it reveals nothing of the key.

    Two keys may share an id by chance, so that a reader tries every key that has it.
    """
    return derive_key(server_key, KeyUse.KEY_ID)[0]


def check_keys(server_keys: Sequence[bytes]) -> tuple[bytes, ...]:
    """Give the keys back if there is at least one and each has 32 bytes; raise BadConfig else."""
    if not server_keys or any(len(key) != KEY_BYTES for key in server_keys):
        raise BadConfig(
            f"A server key has to be exactly {KEY_BYTES} bytes.",
            remedy="Write one line of 64 hexadecimal digits (openssl rand -hex 32) for each key.",
        )
    return tuple(server_keys)


class Cipher:
    """Encrypts and decrypts short texts with the server keys.

    The first key encrypts, every key decrypts: after a rotation the former keys stay in the list
    until all blobs are written anew. Raises BadConfig if a key does not have 32 bytes.
    """

    def __init__(self, server_keys: Sequence[bytes]) -> None:
        keys = check_keys(server_keys)
        self._ciphers = [(key_id(key), AESGCM(derive_key(key, KeyUse.ENCRYPTION))) for key in keys]
        self._aliases = derive_key(keys[0], KeyUse.ALIASES)

    def encrypt(self, plain: str, purpose: str) -> bytes:
        """Encrypt ``plain``; ``purpose`` names its place (``sip-account``) and must be known again.

        The nonce is random, which is safe for about 2**32 blobs with one key.
        """
        identity, cipher = self._ciphers[0]
        header = bytes((_VERSION, identity))
        nonce = os.urandom(_NONCE_BYTES)
        text = plain.encode("utf-8", "surrogatepass")
        return header + nonce + cipher.encrypt(nonce, text, header + purpose.encode())

    def decrypt(self, blob: bytes, purpose: str) -> str:
        """Give the text back that ``encrypt`` was given with the same purpose.

        Raises UnreadableSecret for a blob of another key, another purpose, or a changed one.
        """
        if len(blob) < _SHORTEST or blob[0] != _VERSION:
            raise UnreadableSecret(
                f"A stored secret ({purpose}) is damaged: it is not a blob of this version.",
                remedy="Restore it from a backup or set it anew.",
            )
        header, nonce = blob[:_HEADER_BYTES], blob[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        rest = blob[_HEADER_BYTES + _NONCE_BYTES :]
        candidates = [cipher for identity, cipher in self._ciphers if identity == header[1]]
        for cipher in candidates:
            try:
                plain = cipher.decrypt(nonce, rest, header + purpose.encode())
            except InvalidTag:
                continue
            return plain.decode("utf-8", "surrogatepass")
        raise _unreadable(purpose, known=bool(candidates))

    def alias(self, plain: str, purpose: str) -> str:
        """What stands for a text that is only to be found again, in hexadecimal digits.

        It is an HMAC by the first key: who has the database without the key cannot try out what
        the text was, and after a rotation its alias is another.
        """
        text = f"{purpose}\0{plain}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._aliases, text, "sha256").hex()


def _unreadable(purpose: str, *, known: bool) -> UnreadableSecret:
    if known:
        return UnreadableSecret(
            f"A stored secret ({purpose}) was changed outside this server, or moved.",
            remedy="Restore it from a backup or set it anew.",
        )
    return UnreadableSecret(
        f"A stored secret ({purpose}) was encrypted with a key this server does not have.",
        remedy="Point PROVISIONING_SECRET_KEY_FILE to the key file that belongs to this database.",
    )


def load_or_create_keys(path: Path) -> tuple[bytes, ...]:
    """Read the server keys of ``path``, newest first; make the file with one key if there is none.

    The file has one key a line, 64 hexadecimal digits; empty lines and lines with ``#`` are
    skipped. Several processes may start at once: the first one's file counts for all.

    Raises BadConfig if the file can be opened by others than its owner, or is malformed.
    """
    try:
        return _parse(path, read_private(path))
    except FileNotFoundError:
        create_whole(path, os.urandom(KEY_BYTES).hex().encode() + b"\n")
    try:
        return _parse(path, read_private(path))
    except FileNotFoundError:
        # A symbolic link that leads nowhere exists and cannot be read.
        raise BadConfig(f"'{path}' leads to no file.", remedy="Remove or mend the link.") from None


def _parse(path: Path, content: bytes) -> tuple[bytes, ...]:
    lines = [line.strip() for line in content.decode("ascii", "replace").splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted or not all(_KEY_LINE.fullmatch(line) for line in wanted):
        raise BadConfig(
            f"'{path}' is not a key file: each line has to be 64 hexadecimal digits.",
            remedy="Restore it from a backup; a new key cannot read the secrets already stored.",
        )
    return tuple(bytes.fromhex(line) for line in wanted)
