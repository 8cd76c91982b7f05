from __future__ import annotations

import subprocess
import threading
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.crypto.authority import Authority, alternative_name
from provisioning.crypto.chains import ChainKind
from provisioning.domain.errors import BadCertificate, BadConfig

NAMES = ["phones.example.com", "192.0.2.10"]


def leaf(files):
    """The server certificate of a chain file."""
    return x509.load_pem_x509_certificates(files.chain.read_bytes())[0]


def extension(certificate, kind):
    """The value of one extension."""
    return certificate.extensions.get_extension_for_class(kind).value


def contents(folder):
    """Everything in a folder, byte for byte."""
    return {path: path.read_bytes() for path in folder.rglob("*.pem")}


def test_the_root_is_one_rsa_ca_for_twenty_years(authority, now):
    """Phones are given one CA, of the kind the oldest of them can verify."""
    root = x509.load_pem_x509_certificate(authority.ca_pem)
    assert isinstance(root.public_key(), rsa.RSAPublicKey)
    assert root.not_valid_after_utc - now == timedelta(days=20 * 365)
    assert extension(root, x509.BasicConstraints) == x509.BasicConstraints(True, 0)
    assert extension(root, x509.KeyUsage).key_cert_sign
    assert authority.fingerprint.count(":") == 31


def test_both_server_chains_are_signed_by_it(authority, now):
    """An RSA and an ECDSA certificate, each with what clients check."""
    chain = authority.ensure_chain(NAMES, now)
    for files, key in ((chain.rsa, rsa.RSAPublicKey), (chain.ecdsa, ec.EllipticCurvePublicKey)):
        server = leaf(files)
        assert isinstance(server.public_key(), key)
        server.verify_directly_issued_by(authority.certificate)
        assert server.not_valid_after_utc - server.not_valid_before_utc == timedelta(days=397)
        usage = extension(server, x509.ExtendedKeyUsage)
        assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
        assert not extension(server, x509.BasicConstraints).ca
        root = extension(authority.certificate, x509.SubjectKeyIdentifier)
        assert extension(server, x509.AuthorityKeyIdentifier).key_identifier == root.digest
        (common_name,) = server.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert common_name.value == "phones.example.com"


def test_every_name_is_in_the_certificate(authority, now):
    """DNS names and addresses asked for, and the local ones always."""
    names = extension(leaf(authority.ensure_chain(NAMES, now).rsa), x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["phones.example.com", "localhost"]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["192.0.2.10", "127.0.0.1", "::1"]


def test_openssl_agrees(authority, now):
    """The chains verify strictly with the openssl tool, for a name and for an address."""
    chain = authority.ensure_chain(NAMES, now)
    for files in chain.files:
        for check in (["-verify_hostname", NAMES[0]], ["-verify_ip", NAMES[1]]):
            command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *check]
            command += ["-CAfile", authority.folder / "ca.pem", files.chain]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_keys_are_private_and_certificates_are_not(authority):
    """Only the owner can open a key; the CA file may be served by anyone."""
    for path in authority.folder.rglob("*.pem"):
        assert path.stat().st_mode & 0o777 == (0o600 if "key" in path.name else 0o644), path


def test_good_files_are_left_alone(authority, now):
    """Another start, even with fewer names, writes nothing."""
    before = contents(authority.folder)
    again = Authority.load_or_create(authority.folder, now)
    again.ensure_chain(NAMES, now)
    again.ensure_chain(NAMES[:1], now + timedelta(days=365))
    assert contents(authority.folder) == before


@pytest.mark.parametrize(
    ("names", "days"), [([*NAMES, "new.example.com"], 0), (NAMES, 370), (NAMES, -3)]
)
def test_chains_are_renewed_when_due(authority, now, names, days):
    """A missing name, fewer than 30 days or a clock set back: a new leaf for the same key."""
    before = contents(authority.folder)
    then = now + timedelta(days=days)
    chain = authority.ensure_chain(names, max(then, now - timedelta(hours=30)))
    for files in chain.files:
        assert files.chain.read_bytes() != before[files.chain]
        assert files.key.read_bytes() == before[files.key]
    for path in ("ca.pem", "ca.key.pem"):
        assert (authority.folder / path).read_bytes() == before[authority.folder / path]


@pytest.mark.parametrize("damage", [b"", b"not PEM", None])
@pytest.mark.parametrize("which", ["chain", "key"])
def test_damaged_own_files_are_made_anew(authority, now, which, damage):
    """A truncated or missing chain or key heals at the next start."""
    path = getattr(authority.ensure_chain(NAMES, now).ecdsa, which)
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
        path.chmod(0o600)
    files = authority.ensure_chain(NAMES, now).ecdsa
    leaf(files).verify_directly_issued_by(authority.certificate)
    assert (
        leaf(files).public_key()
        == x509.load_pem_x509_certificate(files.chain.read_bytes()).public_key()
    )


def test_a_leaf_never_outlives_its_ca(authority, now):
    """In the CA's last year a leaf ends with it; after that the admin is told."""
    end = authority.certificate.not_valid_after_utc
    files = authority.ensure_chain(NAMES, end - timedelta(days=100)).rsa
    assert leaf(files).not_valid_after_utc == end
    with pytest.raises(BadCertificate, match="expired"):
        authority.ensure_chain(NAMES, end + timedelta(days=1))


def test_starts_together_make_one_ca(tmp_path, now):
    """However many processes start on an empty folder, there is one CA afterwards."""
    found = []

    def start():
        found.append(Authority.load_or_create(tmp_path / "certs", now).ca_pem)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


@pytest.mark.parametrize("lost", ["ca.pem", "ca.key.pem"])
def test_half_a_ca_stops_the_start(certs, now, lost):
    """A lost CA file is not papered over with a new CA that no phone knows."""
    (certs / lost).unlink()
    with pytest.raises(BadCertificate, match="backup"):
        Authority.load_or_create(certs, now)


def test_a_foreign_or_exposed_ca_key_stops_the_start(certs, now):
    """The key has to belong to the certificate and to nobody else."""
    key = certs / "ca.key.pem"
    key.chmod(0o644)
    with pytest.raises(BadConfig, match="chmod 600"):
        Authority.load_or_create(certs, now)
    key.write_bytes((certs / "own" / "rsa.key.pem").read_bytes())
    key.chmod(0o600)
    with pytest.raises(BadCertificate, match="not the key of the CA"):
        Authority.load_or_create(certs, now)


@pytest.mark.parametrize(
    "name", ["", "a b", "-x.example", "x" * 64, "a..b", "*", "http://x", "a/b"]
)
def test_what_is_no_name_is_refused(name):
    """A typing error in a public URL is named, and not signed."""
    with pytest.raises(BadCertificate, match="neither a host name"):
        alternative_name(name)


def test_names_are_written_as_clients_compare_them():
    """Capitals, a trailing dot and umlauts become what stands in DNS."""
    assert alternative_name("Phones.Example.COM.") == x509.DNSName("phones.example.com")
    assert alternative_name("b\u00fcro.example") == x509.DNSName("xn--bro-hoa.example")


def test_a_listener_without_installed_chains_serves_our_own(authority, now):
    """Until something is installed, every listener has our own chains."""
    assert authority.chain_kind("phones") is ChainKind.OWN
    assert authority.chain_for("phones", NAMES, now) == authority.ensure_chain(NAMES, now)
