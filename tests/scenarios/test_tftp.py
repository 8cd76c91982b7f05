"""Phones that know TFTP only, at a site that trusts its network."""

from __future__ import annotations

import socket
import subprocess

import pytest

CLIENTS = {
    "tftp-hpa": "tftp -m octet 127.0.0.1 {port} -c get {name} {out}",
    "atftp": "atftp --option 'blksize 1428' --get -r {name} -l {out} 127.0.0.1 {port}",
    "curl": "curl -sSf -o {out} tftp://127.0.0.1:{port}/{name}",
    "busybox": "busybox tftp -g -r {name} -l {out} 127.0.0.1 {port}",
}

# Each of these ends some other server's listener.
MALFORMED = {
    "a block size that is no number": b"\0\1%s\0octet\0blksize\0many\0",
    "a block size beyond the RFC's": b"\0\1%s\0octet\0blksize\00065536\0",
    "a name outside ASCII": b"\0\1\xff\xfe%s\0octet\0",
    "an option outside ASCII": b"\0\1%s\0octet\0\xe9\xff\0001\0",
    "an option without its end": b"\0\1%s\0octet\0blksize\000512",
    "an option without a value": b"\0\1%s\0octet\0blksize\0",
    "a name without its end": b"\0\1%s",
    "no mode": b"\0\1%s\0",
    "a folder": b"\0\1/\0octet\0",
    "a write below a file": b"\0\2%s/x\0octet\0",
    "a write": b"\0\2%s\0octet\0",
    "an opcode nobody knows": b"\0\x63%s\0octet\0",
    "an acknowledgement of nothing": b"\0\4\0\1",
    "half an opcode": b"\0",
    "nothing": b"",
}


@pytest.fixture
def site(server, request):
    """A site whose phones are known by their network alone."""
    trust = {"networks": ["127.0.0.0/8"], "minimum_trust": "network"}
    return server.api("POST", "sites", {"name": request.node.name[:60], **trust})


@pytest.fixture
def desk(server, site):
    """A registered phone with an account at that site."""
    return server.make_phone(server.make_user(), model="T54W", site=site["id"])


@pytest.fixture
def get(server, client_program, tmp_path):
    """Fetch a file with one of the clients above; None if it was refused."""

    def fetch(command, name):
        program, _, words = command.partition(" ")
        out = tmp_path / "out"
        out.unlink(missing_ok=True)
        line = (
            f"{client_program(program)} {words.format(port=server.tftp_port, name=name, out=out)}"
        )
        subprocess.run(line, shell=True, capture_output=True, timeout=20, check=False)
        return (out.read_bytes() if out.exists() else b"") or None

    return fetch


def test_every_tftp_client_gets_what_plain_http_gives(server, desk, curl, get):
    """The bytes of a phone's file do not depend on which client fetches it by which door."""
    expected = curl("-A", "", f"{server.http}/{desk.name}").body
    assert b"account.1.enable = 1" in expected
    assert {name: get(command, desk.name) for name, command in CLIENTS.items()} == dict.fromkeys(
        CLIENTS, expected
    )


def test_tftp_tells_a_stranger_nothing(server, desk, get):
    """A name that is nobody's, and one with a folder upwards, are refused."""
    assert get(CLIENTS["curl"], "001565ffff03.cfg") is None
    assert get(CLIENTS["tftp-hpa"], f"../{desk.name}") is None


def test_outside_its_networks_a_phone_gets_nothing_by_tftp(server, site, desk, get):
    """An adopted phone's file stays closed to an address the site does not name."""
    assert get(CLIENTS["curl"], desk.name) is not None
    server.api("PATCH", f"sites/{site['id']}", {"networks": ["127.0.0.2/32"]})
    assert get(CLIENTS["curl"], desk.name) is None
    assert get(CLIENTS["curl"].replace("-sSf", "-sSf --interface 127.0.0.2"), desk.name) is not None


def test_malformed_datagrams_do_not_end_the_server(server, desk, get):
    """After each malformed datagram the next transfer is whole."""
    expected = get(CLIENTS["curl"], desk.name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in MALFORMED.values():
            shaped = datagram.replace(b"%s", desk.name.encode())
            sender.sendto(shaped, ("127.0.0.1", server.tftp_port))
            assert get(CLIENTS["curl"], desk.name) == expected
    assert "Traceback" not in server.log
