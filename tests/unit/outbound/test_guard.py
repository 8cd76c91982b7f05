"""Whom the server connects to, whatever it is asked for."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provisioning.config.schema import Outbound
from provisioning.outbound.asterisk import AsteriskTeller
from provisioning.outbound.guard import Refused, allowed_address, plain

REFUSED = Outbound().refuse


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "localhost", "2130706433", "0x7f.1", "017700000001", "::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "0.0.0.0", "::", "169.254.169.254",
        "2852039166", "224.0.1.75", "255.255.255.255", "fe80::1", "ff02::1",
    ],
)  # fmt: skip
async def test_at8_this_machine_and_link_local_are_refused(host):
    """Loopback, metadata addresses and multicast are refused, however they are spelled."""
    with pytest.raises(Refused):
        await allowed_address(host, 5038, REFUSED)


@pytest.mark.parametrize(
    "host", ["10.0.0.5", "192.168.1.10", "192.0.2.5", "2001:db8::5", "fd00::5"]
)
async def test_private_networks_are_allowed(host):
    """PBXs live in private networks, so that these are allowed."""
    assert ip_address(await allowed_address(host, 5038, REFUSED)) == ip_address(host)


async def test_at8_name_is_resolved_once(listening, telling, monkeypatch):
    """A name that would say something else the second time is not asked a second time."""
    asked = []

    def resolve(host, port, *_args, **_kinds):
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async def mute(_said):
        """Hang up."""

    async with listening(mute) as peer:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        await AsteriskTeller().tell(telling(peer.port, host="rebinding.example"))
        monkeypatch.undo()
        assert peer.connections == 1
    assert asked == ["rebinding.example"]


async def test_at8_one_refused_address_refuses_the_name(monkeypatch):
    """A name with an allowed and a refused address is refused."""

    def resolve(_host, port, *_args, **_kinds):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("192.0.2.5", "127.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Refused):
        await allowed_address("mixed.example", 5038, REFUSED)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 300, "x..y", "\udcff"])
async def test_name_without_address_is_told(host):
    """A name that cannot be resolved is refused with that reason."""
    with pytest.raises(Refused, match="has no address"):
        await allowed_address(host, 5038, ())


async def test_refused_pbx_is_told_without_a_connection(listening, telling):
    """A teller with the default list does not even knock at loopback."""

    async def mute(_said):
        """Hang up."""

    async with listening(mute) as peer:
        heard = await AsteriskTeller(REFUSED).tell(telling(peer.port))
    assert not heard.well
    assert "outbound.refuse" in heard.words
    assert peer.connections == 0


def test_what_others_say_becomes_one_plain_line():
    """Control characters and length of somebody else's words are taken away."""
    assert plain("a\r\nb\x00\x1b[31m" + "c" * 500) == ("a b [31m" + "c" * 500)[:200]


# --- TLS


def own_certificate(folder):
    """A certificate that signed itself, for a name nobody is reached by, and its context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "asterisk")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    plain_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "both.pem").write_bytes(pem + plain_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return pem.decode(), context


async def sending(said):
    """An Asterisk that lets in whoever comes."""
    await said.say(b"Asterisk Call Manager/9.0.0\r\n")
    while True:
        number = (await said.hear(b"\r\n\r\n")).split(b"ActionID: ")[1].split(b"\r\n")[0]
        await said.say(b"Response: Success\r\nActionID: " + number + b"\r\n\r\n")


async def test_pbx_is_believed_by_the_certificate_that_was_given(listening, telling, tmp_path):
    """Over TLS the given certificate is enough, whatever name it is for."""
    pem, context = own_certificate(tmp_path)
    teller = AsteriskTeller()
    async with listening(sending, context) as peer:
        heard = await teller.tell(telling(peer.port, tls=True, ca_pem=pem))
        teller.close()
    assert heard.well


async def test_unknown_certificate_gets_no_password(listening, telling, tmp_path):
    """Without a certificate to trust, one that signed itself is refused before the login."""
    _, context = own_certificate(tmp_path)
    other, _ = own_certificate(tmp_path)
    async with listening(sending, context) as peer:
        for trusted in ("", other):
            heard = await AsteriskTeller().tell(telling(peer.port, tls=True, ca_pem=trusted))
            assert not heard.well
            assert "cannot be reached" in heard.words
    assert peer.heard == []
