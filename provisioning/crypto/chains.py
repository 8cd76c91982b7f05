"""Server chains as files: reading, judging and storing a certificate chain with its key.

A listener may serve one chain of each kind of key, RSA for phones that know nothing else and
ECDSA for the rest. Installed chains stand in ``installed/<listener>/`` and win over our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from provisioning.crypto.files import PUBLIC, locked, write_whole
from provisioning.domain.errors import BadCertificate, InvalidInput

_LISTENER = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SMALLEST_RSA = 2048
_CURVES = ("secp256r1", "secp384r1")

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KeyKind(StrEnum):
    """The kind of a server key; TLS chooses the chain by it."""

    RSA = "rsa"
    ECDSA = "ecdsa"


class ChainKind(StrEnum):
    """Where a listener's chains come from."""

    OWN = "own"
    INSTALLED = "installed"


@dataclass(frozen=True, slots=True)
class ChainFiles:
    """One chain (PEM, the server's certificate first) and its key (PEM, not encrypted)."""

    chain: Path
    key: Path

    @classmethod
    def within(cls, folder: Path, kind: KeyKind) -> ChainFiles:
        """The files of one kind of key in a folder; they need not exist."""
        return cls(folder / f"{kind}.chain.pem", folder / f"{kind}.key.pem")

    def exist(self) -> bool:
        """Whether both files are there."""
        return self.chain.is_file() and self.key.is_file()


@dataclass(frozen=True, slots=True)
class ServerChain:
    """What one listener serves: a chain of either kind of key, or both."""

    rsa: ChainFiles | None
    ecdsa: ChainFiles | None

    @property
    def files(self) -> tuple[ChainFiles, ...]:
        """The chains there are, RSA first."""
        return tuple(files for files in (self.rsa, self.ecdsa) if files is not None)


def read_file(path: Path) -> bytes:
    """Read a PEM file; raises BadCertificate if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(
            f"'{path}' cannot be read: {error.strerror or error}.", remedy="Check path and owner."
        ) from error


def parse_chain(pem: bytes, source: Path) -> list[x509.Certificate]:
    """Read one or more certificates; raises BadCertificate if there is none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise BadCertificate(
            f"'{source}' holds no certificate chain in PEM form.",
            remedy="Give the file with the server's certificate first, then its issuers.",
        ) from error


def parse_key(pem: bytes, source: Path) -> PrivateKey:
    """Read a private key; raises BadCertificate for none, an encrypted, weak or unusual one."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise BadCertificate(
            f"The key in '{source}' is protected by a passphrase.",
            remedy="Decrypt it first: openssl pkey -in FILE -out PLAIN",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificate(
            f"'{source}' holds no private key in PEM form.", remedy="Give the key of the chain."
        ) from error
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SMALLEST_RSA:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    raise BadCertificate(
        f"The key in '{source}' is of a kind phones and TLS libraries refuse.",
        remedy="Use RSA with 2048 bits or more, or ECDSA with P-256 or P-384.",
    )


def kind_of(key: PrivateKey) -> KeyKind:
    """The kind of a key that ``parse_key`` gave."""
    return KeyKind.RSA if isinstance(key, rsa.RSAPrivateKey) else KeyKind.ECDSA


def public_bytes(holder: x509.Certificate | PrivateKey) -> bytes:
    """The public key of a certificate or private key, in a form that can be compared."""
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_pem(key: PrivateKey) -> bytes:
    """A private key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def chain_pem(chain: Sequence[x509.Certificate]) -> bytes:
    """Certificates as one PEM file."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and signature fit; its own validity is not judged."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check_order(chain: Sequence[x509.Certificate], source: Path) -> None:
    for place, (certificate, issuer) in enumerate(pairwise(chain), start=1):
        if not issued_by(certificate, issuer):
            raise BadCertificate(
                f"In '{source}' certificate {place} ({certificate.subject.rfc4514_string()}) was "
                f"not issued by the next one ({issuer.subject.rfc4514_string()}).",
                remedy="Order the file: the server's certificate, its issuer, that one's issuer.",
            )


def _check_dates(chain: Sequence[x509.Certificate], source: Path, now: datetime) -> None:
    for certificate in chain:
        name = certificate.subject.rfc4514_string()
        if certificate.not_valid_after_utc <= now:
            raise BadCertificate(
                f"In '{source}' the certificate of {name} expired on "
                f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC.",
                remedy="Renew it and install the new chain.",
            )
        if certificate.not_valid_before_utc > now:
            raise BadCertificate(
                f"In '{source}' the certificate of {name} is valid only from "
                f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC.",
                remedy="Check this server's clock, or wait.",
            )


def _check_purpose(leaf: x509.Certificate, source: Path) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    except ValueError as error:
        raise BadCertificate(
            f"The extensions of the first certificate in '{source}' are malformed.",
            remedy="Have it issued anew.",
        ) from error
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {*usage}:
        raise BadCertificate(
            f"The first certificate in '{source}' is not meant for servers (extended key usage).",
            remedy="Have it issued for server authentication.",
        )


def _checked(given: ChainFiles, kind: KeyKind, now: datetime) -> tuple[bytes, bytes]:
    """The PEM of chain and key, if they can be served; raises BadCertificate else."""
    chain = parse_chain(read_file(given.chain), given.chain)
    key = parse_key(read_file(given.key), given.key)
    if kind_of(key) is not kind:
        raise BadCertificate(
            f"'{given.key}' holds an {kind_of(key).upper()} key but was given as {kind.upper()}.",
            remedy=f"Give it as --{kind_of(key)}.",
        )
    if public_bytes(chain[0]) != public_bytes(key):
        raise BadCertificate(
            f"The key in '{given.key}' does not belong to the first certificate in "
            f"'{given.chain}' ({chain[0].subject.rfc4514_string()}).",
            remedy="Give the server's own certificate first and the key it was issued for.",
        )
    _check_order(chain, given.chain)
    _check_dates(chain, given.chain, now)
    _check_purpose(chain[0], given.chain)
    # Written anew from what was parsed, so that a key inside a chain file is left behind.
    return chain_pem(chain), key_pem(key)


def _folder(certs: Path, listener: str) -> Path:
    if not _LISTENER.fullmatch(listener):
        raise InvalidInput(
            f"'{listener[:40]}' is not the name of a listener.",
            remedy="Name one such as phones or people.",
            field="listener",
        )
    return certs / "installed" / listener


def install_chain(
    certs: Path,
    listener: str,
    *,
    now: datetime,
    rsa: ChainFiles | None = None,
    ecdsa: ChainFiles | None = None,
) -> None:
    """Copy chains from elsewhere into ``certs/installed/<listener>/`` and serve them from there.

    A kind that is not given stays as it was, so that the deploy hooks of an RSA and an ECDSA
    certificate do not undo each other. Everything is judged before anything is written: the key
    fits the first certificate, the order of issuers, dates, purpose. A running server takes the
    chains up at its next SIGHUP.

    Raises BadCertificate saying what does not fit, InvalidInput for an odd listener name.
    """
    folder = _folder(certs, listener)
    given = {KeyKind.RSA: rsa, KeyKind.ECDSA: ecdsa}
    checked = {kind: _checked(files, kind, now) for kind, files in given.items() if files}
    if not checked:
        raise BadCertificate("No chain was given.", remedy="Give --rsa or --ecdsa or both.")
    with locked(certs):
        for kind, (chain, key) in checked.items():
            target = ChainFiles.within(folder, kind)
            write_whole(target.key, key)
            write_whole(target.chain, chain, mode=PUBLIC)


def remove_chain(certs: Path, listener: str) -> bool:
    """Go back to our own chains; False if none were installed.

    Raises InvalidInput for an odd listener name.
    """
    folder = _folder(certs, listener)
    with locked(certs):
        there = [file for kind in KeyKind for file in _paths(ChainFiles.within(folder, kind))]
        found = [path for path in there if path.exists()]
        for path in found:
            path.unlink(missing_ok=True)
    return bool(found)


def _paths(files: ChainFiles) -> tuple[Path, Path]:
    return files.chain, files.key


def installed_chain(certs: Path, listener: str) -> ServerChain | None:
    """The chains installed for a listener, or None.

    With one kind installed only that one is served: beside it, our own chain of the other kind
    would reach clients that do not know our CA. Raises InvalidInput for an odd listener name.
    """
    folder = _folder(certs, listener)
    found = {kind: files for kind in KeyKind if (files := ChainFiles.within(folder, kind)).exist()}
    if not found:
        return None
    return ServerChain(rsa=found.get(KeyKind.RSA), ecdsa=found.get(KeyKind.ECDSA))


def trusted_certificates(pem: str) -> str:
    """Certificates to trust, in PEM, without anything that stood around them.

    Raises InvalidInput if there is none, or one of them cannot be read.
    """
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(
            "These are no certificates in PEM.",
            remedy="Give everything from -----BEGIN CERTIFICATE----- to the end of the last one.",
            field="ca_pem",
        ) from None
