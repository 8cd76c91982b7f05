"""Paths that walked out of other servers' folders, by every door."""

from __future__ import annotations

import socket

import pytest

# As a client sends them, byte for byte.
ATTACKS = [
    b"/../../../../etc/passwd",
    b"/..%2f..%2f..%2fetc%2fpasswd",
    b"/%2e%2e/%2e%2e/etc/passwd",
    b"/%252e%252e%252fetc%252fpasswd",
    b"/..%c0%af..%c0%afetc/passwd",
    b"/%c0%ae%c0%ae/etc/passwd",
    b"/..\\..\\windows\\win.ini",
    b"/..%5c..%5cwindows%5cwin.ini",
    b"/C:/windows/win.ini",
    b"/C:%5cwindows%5cwin.ini",
    b"/%5c%5chost%5cshare%5cfile.cfg",
    b"//etc/passwd",
    b"/etc/passwd",
    b"/001565aabbcc.cfg%00.txt",
    b"/001565aabbcc.cfg%00",
    b"/%00001565aabbcc.cfg",
    b"/001565aabbcc.cfg/../../data/secret.key",
    b"/data/roost.db",
    b"/secret.key",
    b"/roost.db",
    b"/certs/ca.key",
    b"/.",
    b"/..",
    b"/./..",
    b"/",
    b"/dev/stdin",
    b"/proc/self/environ",
    b"/about/../001565aabbcc.cfg",
    b"/%ff%fe",
    b"/001565aabbcc.cfg%0d%0aX-Injected:1",
    b"/{mac}.cfg",
    b"/{{7*7}}",
    b"/$(id)",
    b"/t/../001565aabbcc.cfg",
    b"/t//001565aabbcc.cfg",
    b"/o//001565aabbcc.cfg",
    b"/s/x/001565aabbcc.cfg",
    b"/" + b"a" * 4096,
    b"/" + b"../" * 1300,
]

SECRET = b"account.1.enable = 1"


@pytest.fixture(scope="module")
def desk(server):
    """A registered phone whose file no attack may bring home; its URL is known to itself only."""
    phone = server.make_phone(server.make_user(), mac="001565aabbcc", model="T54W")
    assert SECRET in server.get(phone.plain_url).body
    return phone


def converse(port: int, target: bytes) -> bytes:
    """Everything a plain HTTP server answers to a target sent as it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target
        connection.sendall(head)
        received = b""
        while more := connection.recv(65536):
            received += more
        return received


def test_no_path_brings_home_anything_by_http(server, desk):
    """Every attack is the common 404, bare and behind a proven URL, and nothing is logged as ours."""
    port = int(server.http.rpartition(":")[2])
    token_path = desk.plain_url.removeprefix(server.http).removesuffix(f"/{desk.name}").encode()
    for attack in ATTACKS:
        for target in (attack, b"/o/nobody" + attack, b"http://other" + attack):
            answer = converse(port, target)
            assert answer.startswith(b"HTTP/1.1 404 "), (target, answer[:200])
            assert answer.endswith(b"\r\n\r\nNot found\n"), (target, answer[-200:])
            assert b"X-Injected" not in answer
        # Folders before a name mean nothing: a phone may have been told to look in some.
        if attack != b"/s/x/001565aabbcc.cfg":
            assert converse(port, token_path + attack).startswith(b"HTTP/1.1 404 "), attack
    assert SECRET in server.get(desk.plain_url).body
    assert "Traceback" not in server.log


def test_curl_that_does_not_clean_a_path_gets_nothing(server, desk, curl):
    """Dots and backslashes sent as they are, by HTTPS, are no way to a file."""
    for path in ("/../../etc/passwd", "/t/../../data/secret.key", "/..\\..\\secret.key"):
        got = curl("--path-as-is", "--cacert", server.ca, server.https + path)
        assert (got.status, got.body) == (404, b"Not found\n")


def test_no_path_brings_home_anything_by_tftp(server, desk):
    """Every attack, decoded or not, is error 1 of TFTP, and the listener lives on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        for attack in ATTACKS:
            name = attack.replace(b"%00", b"")[1:400]
            for path in (name, b"/" + name, b"./" + name):
                client.sendto(b"\0\1" + path + b"\0octet\0", ("127.0.0.1", server.tftp_port))
                packet = client.recv(2048)
                assert packet[:4] == b"\0\5\0\1", (path, packet[:100])
    assert "Traceback" not in server.log
