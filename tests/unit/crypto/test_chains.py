from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest

from provisioning.crypto.chains import (
    ChainFiles,
    ChainKind,
    install_chain,
    installed_chain,
    remove_chain,
)
from provisioning.domain.errors import BadCertificate, InvalidInput

NAMES = ["phones.example.com", "192.0.2.10"]


@pytest.fixture
def given(made, tmp_path):
    """Chains as they come from elsewhere: leaf and issuer in one file, the key in another."""
    folder = tmp_path / "from-elsewhere"
    folder.mkdir()
    files = {}
    for kind in ("rsa", "ecdsa"):
        own = ChainFiles.within(made / "own", kind)
        files[kind] = ChainFiles(folder / f"{kind}-full.pem", folder / f"{kind}.pem")
        files[kind].chain.write_bytes(own.chain.read_bytes() + (made / "ca.pem").read_bytes())
        files[kind].key.write_bytes(own.key.read_bytes())
    return files


def make_certificate(folder, *options):
    """Make a key and a self-signed certificate with the openssl tool."""
    files = ChainFiles(folder / "made.pem", folder / "made.key")
    command = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=phones.example.com"]
    command += ["-out", files.chain, "-keyout", files.key, *options]
    subprocess.run(command, check=True, capture_output=True)
    return files


def test_installed_chains_win(authority, given, now):
    """After an installation the listener serves the copies, another listener still our own."""
    install_chain(authority.folder, "phones", now=now, **given)
    chain = authority.chain_for("phones", NAMES, now)
    assert authority.chain_kind("phones") is ChainKind.INSTALLED
    assert authority.chain_kind("people") is ChainKind.OWN
    assert chain.rsa.chain == authority.folder / "installed" / "phones" / "rsa.chain.pem"
    assert chain.ecdsa.chain.read_bytes() == given["ecdsa"].chain.read_bytes()
    for files in chain.files:
        assert files.key.stat().st_mode & 0o777 == 0o600


def test_removing_goes_back_to_our_own(authority, given, now):
    """What was installed can be taken away again, once."""
    install_chain(authority.folder, "phones", now=now, **given)
    assert remove_chain(authority.folder, "phones")
    assert authority.chain_kind("phones") is ChainKind.OWN
    assert not remove_chain(authority.folder, "phones")


def test_one_kind_alone_is_served_alone(certs, given, now):
    """Beside an installed RSA chain our own ECDSA chain is not served."""
    install_chain(certs, "phones", now=now, rsa=given["rsa"])
    chain = installed_chain(certs, "phones")
    assert chain.ecdsa is None
    assert chain.files == (chain.rsa,)


def test_the_other_kind_stays_installed(certs, given, now):
    """The deploy hooks of two certificates do not undo each other."""
    install_chain(certs, "phones", now=now, rsa=given["rsa"])
    install_chain(certs, "phones", now=now, ecdsa=given["ecdsa"])
    assert len(installed_chain(certs, "phones").files) == 2


def test_a_key_inside_the_chain_file_is_left_behind(certs, given, now):
    """A combined PEM file may be given twice; the served chain holds certificates only."""
    both = given["rsa"].chain
    both.write_bytes(given["rsa"].key.read_bytes() + both.read_bytes())
    install_chain(certs, "phones", now=now, rsa=ChainFiles(both, both))
    assert b"PRIVATE" not in installed_chain(certs, "phones").rsa.chain.read_bytes()


def test_nothing_is_written_unless_all_is_good(certs, given, now):
    """One bad chain of two leaves the listener as it was."""
    given["ecdsa"].key.write_bytes(b"")
    with pytest.raises(BadCertificate):
        install_chain(certs, "phones", now=now, **given)
    assert installed_chain(certs, "phones") is None


def test_a_key_of_another_certificate_is_refused(certs, given, now, tmp_path):
    """The key has to belong to the first certificate."""
    other = make_certificate(tmp_path, "-newkey", "rsa:2048")
    mixed = ChainFiles(given["rsa"].chain, other.key)
    with pytest.raises(BadCertificate, match="does not belong"):
        install_chain(certs, "phones", now=now, rsa=mixed)


def test_a_chain_upside_down_is_refused(certs, given, now):
    """The server's certificate comes first; the sentence says so."""
    chain = given["rsa"].chain
    first, second = chain.read_bytes().split(b"-----END CERTIFICATE-----\n")[:2]
    end = b"-----END CERTIFICATE-----\n"
    chain.write_bytes(second + end + first + end)
    with pytest.raises(BadCertificate, match="server's own certificate first"):
        install_chain(certs, "phones", now=now, rsa=given["rsa"])


def test_an_issuer_that_did_not_issue_is_refused(certs, given, now, tmp_path):
    """An intermediate of another chain is found out before phones meet it."""
    stranger = make_certificate(tmp_path, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    own = given["rsa"].chain.read_bytes().split(b"-----END CERTIFICATE-----\n")[0]
    given["rsa"].chain.write_bytes(
        own + b"-----END CERTIFICATE-----\n" + stranger.chain.read_bytes()
    )
    with pytest.raises(BadCertificate, match="was not issued by the next one"):
        install_chain(certs, "phones", now=now, rsa=given["rsa"])


@pytest.mark.parametrize(("days", "words"), [(400, "expired on"), (-30, "valid only from")])
def test_a_chain_out_of_its_time_is_refused(certs, given, now, days, words):
    """An expired or a future certificate is named with its date."""
    with pytest.raises(BadCertificate, match=words):
        install_chain(certs, "phones", now=now + timedelta(days=days), rsa=given["rsa"])


def test_kinds_that_were_mixed_up_are_told(certs, given, now):
    """An ECDSA chain given as RSA gets the option to use instead."""
    with pytest.raises(BadCertificate, match="--ecdsa"):
        install_chain(certs, "phones", now=now, rsa=given["ecdsa"])


@pytest.mark.parametrize(
    "options", [["-newkey", "rsa:1024"], ["-newkey", "ed25519"]], ids=["weak", "unusual"]
)
def test_keys_that_clients_refuse_are_refused(certs, now, tmp_path, options):
    """A short RSA key or one of a kind no phone knows would fail in every handshake."""
    files = make_certificate(tmp_path, *options)
    with pytest.raises(BadCertificate, match="Use RSA with 2048 bits"):
        install_chain(certs, "phones", now=now, rsa=files)


def test_a_certificate_for_clients_is_refused(certs, now, tmp_path):
    """A certificate whose purpose is not serving would be refused by careful clients."""
    later = now + timedelta(hours=1)
    usage = ["-addext", "extendedKeyUsage=clientAuth", "-newkey", "rsa:2048"]
    with pytest.raises(BadCertificate, match="not meant for servers"):
        install_chain(certs, "phones", now=later, rsa=make_certificate(tmp_path, *usage))


def test_a_key_with_a_passphrase_is_refused(certs, given, now):
    """Nobody is there to type a passphrase when the server starts."""
    key = given["ecdsa"].key
    command = ["openssl", "pkcs8", "-topk8", "-passout", "pass:secret", "-in", key]
    key.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    with pytest.raises(BadCertificate, match="passphrase"):
        install_chain(certs, "phones", now=now, ecdsa=given["ecdsa"])


@pytest.mark.parametrize("which", ["chain", "key"])
@pytest.mark.parametrize(
    "content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"\xff\x00"]
)
def test_files_that_are_not_pem_are_named(certs, given, now, which, content):
    """A missing or garbled file is named with its path."""
    path = getattr(given["rsa"], which)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadCertificate, match=path.name):
        install_chain(certs, "phones", now=now, rsa=given["rsa"])


def test_at_least_one_chain_has_to_be_given(certs, now):
    """Installing nothing is a mistake and not a silent success."""
    with pytest.raises(BadCertificate, match="--rsa"):
        install_chain(certs, "phones", now=now)


@pytest.mark.parametrize("listener", ["", "../own", "a/b", "Phones", "x" * 33, "phones\n"])
def test_a_listeners_name_cannot_lead_elsewhere(certs, given, now, listener):
    """A name is a name: nothing is written outside the folder of installed chains."""
    with pytest.raises(InvalidInput):
        install_chain(certs, listener, now=now, rsa=given["rsa"])
    with pytest.raises(InvalidInput):
        installed_chain(certs, listener)
