"""Our own certificate authority, so that HTTPS works before anybody has bought a certificate.

One RSA root signs both server chains: a phone that knows only RSA can verify either signature on
the certificates, and every phone has to be given one CA file only.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.crypto.chains import (
    ChainFiles,
    ChainKind,
    KeyKind,
    PrivateKey,
    ServerChain,
    chain_pem,
    installed_chain,
    issued_by,
    key_pem,
    kind_of,
    parse_chain,
    parse_key,
    public_bytes,
    read_file,
)
from provisioning.crypto.files import PUBLIC, locked, read_private, write_whole
from provisioning.domain.errors import BadCertificate

CA_FILE = "ca.pem"
CA_KEY_FILE = "ca.key.pem"
ALWAYS_NAMED = ("localhost", "127.0.0.1", "::1")

_CA_BITS = 3072
_SERVER_BITS = 2048
_CA_DAYS = 20 * 365
# The longest a browser accepts of a public CA; no client is stricter with a private one.
_SERVER_DAYS = 397
_RENEW_DAYS = 30
# A phone's clock may lag behind ours when it boots.
_BACKDATED = timedelta(days=1)
_LONGEST_COMMON_NAME = 64
_DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*"
)


def alternative_name(name: str) -> x509.GeneralName:
    """A DNS name or IP address as a certificate names it (RFC 5280 section 4.2.1.6).

    Raises BadCertificate for what is neither.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        ascii_name = name.lower().rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        ascii_name = ""
    if not _DNS_NAME.fullmatch(ascii_name):
        raise BadCertificate(
            f"'{name[:80]}' is neither a host name nor an IP address.",
            remedy="Check the public URLs in the configuration.",
        )
    return x509.DNSName(ascii_name)


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Roost"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(*, signs_certificates: bool, encrypts_keys: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=encrypts_keys,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _new_root(now: datetime) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_CA_BITS)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # Two installations must not have CAs of one name: clients look an issuer up by it.
    name = _subject(f"Roost Provisioning CA {identifier.digest.hex()[:8]}")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True, encrypts_keys=False), critical=True)
        .add_extension(identifier, critical=False)
    )
    return builder.sign(key, SHA256()), key


@dataclass(frozen=True, slots=True)
class Authority:
    """The CA and the folder that holds it and every server chain (``data_dir/certs``)."""

    folder: Path
    certificate: x509.Certificate
    key: PrivateKey

    @classmethod
    def load_or_create(cls, folder: Path, now: datetime) -> Self:
        """Read the CA of ``folder``, or make one that is valid for 20 years.

        ``now`` is aware. Processes that start together end up with one CA. Raises BadConfig if
        others may read the key, BadCertificate if the files are damaged or one is missing.
        """
        certificate_file, key_file = folder / CA_FILE, folder / CA_KEY_FILE
        with locked(folder):
            if not (certificate_file.exists() or key_file.exists()):
                certificate, key = _new_root(now)
                write_whole(certificate_file, chain_pem([certificate]), mode=PUBLIC)
                write_whole(key_file, key_pem(key))
        for file in (certificate_file, key_file):
            if not file.exists():
                raise BadCertificate(f"Half of the CA is missing: '{file}'.", remedy=_LOST_CA)
        loaded = parse_key(read_private(key_file), key_file)
        root = parse_chain(read_file(certificate_file), certificate_file)[0]
        if public_bytes(root) != public_bytes(loaded):
            raise BadCertificate(
                f"'{key_file}' is not the key of the CA in '{certificate_file}'.", remedy=_LOST_CA
            )
        return cls(folder, root, loaded)

    @property
    def ca_pem(self) -> bytes:
        """The CA's certificate, to be delivered to phones and browsers."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the CA's certificate as people compare it: ``AB:CD:…``."""
        return self.certificate.fingerprint(SHA256()).hex(":").upper()

    def ensure_chain(self, names: Sequence[str], now: datetime) -> ServerChain:
        """Our own chains for these names, issued anew where needed; good ones are left alone.

        ``names`` are DNS names and IP addresses, the one phones use first; localhost is added.
        A chain is renewed 30 days before its end, when a name is missing, or when it is damaged;
        its key is kept if it can be, so that chain and key always fit each other.

        Raises BadCertificate for a malformed name, BadConfig if the folder cannot be written.
        """
        wanted = [alternative_name(name) for name in (*names, *ALWAYS_NAMED)]
        unique = list(dict.fromkeys(wanted))
        with locked(self.folder):
            return ServerChain(
                rsa=self._ensure(KeyKind.RSA, unique, now),
                ecdsa=self._ensure(KeyKind.ECDSA, unique, now),
            )

    def _ensure(
        self, kind: KeyKind, names: Sequence[x509.GeneralName], now: datetime
    ) -> ChainFiles:
        files = ChainFiles.within(self.folder / "own", kind)
        key = _kept_key(files, kind)
        if key is not None and self._is_good(files, key, names, now):
            return files
        if key is None:
            key = _new_key(kind)
            write_whole(files.key, key_pem(key))
        leaf = self._issue(key, names, now)
        write_whole(files.chain, chain_pem([leaf]), mode=PUBLIC)
        return files

    def _is_good(
        self,
        files: ChainFiles,
        key: PrivateKey,
        names: Sequence[x509.GeneralName],
        now: datetime,
    ) -> bool:
        try:
            (leaf,) = parse_chain(read_file(files.chain), files.chain)
            named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (BadCertificate, ValueError, x509.ExtensionNotFound):
            return False
        lasts = leaf.not_valid_after_utc - now > timedelta(days=_RENEW_DAYS)
        return (
            public_bytes(leaf) == public_bytes(key)
            and issued_by(leaf, self.certificate)
            and leaf.not_valid_before_utc <= now
            and lasts
            and {*names} <= {*named}
        )

    def _issue(
        self, key: PrivateKey, names: Sequence[x509.GeneralName], now: datetime
    ) -> x509.Certificate:
        # Some phones still look at the common name and not at the alternatives.
        common_name = str(names[0].value)[:_LONGEST_COMMON_NAME]
        start = max(now - _BACKDATED, self.certificate.not_valid_before_utc)
        end = min(start + timedelta(days=_SERVER_DAYS), self.certificate.not_valid_after_utc)
        if end <= now:
            raise BadCertificate("The CA has expired.", remedy=_LOST_CA)
        public = key.public_key()
        root_identifier = self.certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        ).value
        usage = _key_usage(signs_certificates=False, encrypts_keys=kind_of(key) is KeyKind.RSA)
        server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_identifier)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_subject(common_name))
            .issuer_name(self.certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(server, critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(issuer, critical=False)
        )
        return builder.sign(self.key, SHA256())

    def chain_kind(self, listener: str) -> ChainKind:
        """Whether a listener serves our own chains or installed ones."""
        found = installed_chain(self.folder, listener)
        return ChainKind.OWN if found is None else ChainKind.INSTALLED

    def chain_for(self, listener: str, names: Sequence[str], now: datetime) -> ServerChain:
        """What a listener serves: the installed chains, or else our own for these names.

        Raises as ``ensure_chain`` does.
        """
        return installed_chain(self.folder, listener) or self.ensure_chain(names, now)


_LOST_CA = (
    "Restore both files from a backup. If there is none, move both away: a new CA is made, which "
    "every phone has to be given again."
)


def _new_key(kind: KeyKind) -> PrivateKey:
    if kind is KeyKind.RSA:
        return rsa.generate_private_key(public_exponent=65537, key_size=_SERVER_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _kept_key(files: ChainFiles, kind: KeyKind) -> PrivateKey | None:
    """The key already there, unless it is missing, damaged or of another kind."""
    try:
        key = parse_key(read_private(files.key), files.key)
    except (FileNotFoundError, BadCertificate):
        return None
    return key if kind_of(key) is kind else None
