"""The vendors' own requests, with phones that answer on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from ipaddress import ip_network
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.kinds import Way
from provisioning.outbound import http_action
from provisioning.outbound.http_action import HttpTeller
from provisioning.usecases.ports import Heard, Telling
from provisioning.vendors.behaviour import HttpReload

DEVICE = UUID("0197a7b4-0000-7000-8000-000000000001")
END = b"\r\n\r\n"
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n" + b'{"Status": "2000"}'
DIGEST = b'Digest realm="phone", nonce="n1", qop="auth", algorithm=MD5'


def challenge(*schemes):
    """A 401 that offers schemes."""
    lines = b"".join(b"WWW-Authenticate: " + scheme + b"\r\n" for scheme in schemes)
    return b"HTTP/1.1 401 Unauthorized\r\n" + lines + b"Content-Length: 0\r\n\r\n"


def phone(port, host="127.0.0.1", *, username="", password="it's <me> & 100%", **http):
    """A phone to be asked."""
    wanted = {"path": "/api/update", "method": "POST", "user": "Polycom", "port": port} | http
    return Telling(
        device=DEVICE, way=Way.HTTP, http=HttpReload(**wanted), host=host,
        username=username, password=password, screen="https://prov.example.com/s/token/reload",
    )  # fmt: skip


@pytest.fixture
def ask(listening):
    """Ask a phone that gives these answers, one for each request; what was heard, and the peer."""

    async def ask(*answers, refuse=(), **http):
        left = list(answers)

        async def script(said):
            await said.hear(END)
            await said.say(left.pop(0))

        async with listening(script) as peer:
            heard = await HttpTeller(refuse).tell(phone(peer.port, **http))
        return heard, peer

    return ask


async def test_phone_that_asks_for_digest_is_answered(ask):
    """Digest is answered as RFC 7616 has it, and nothing was sent before the phone asked."""
    heard, peer = await ask(challenge(DIGEST), DONE, says='"2000"')
    assert heard == Heard(well=True, words="The phone answered 200.")
    first, second = peer.heard
    assert first.startswith(b"POST /api/update HTTP/1.1\r\n")
    assert b"Authorization" not in first
    sent = dict(re.findall(r'(\w+)="?([^",]+)', second.decode().split("Authorization: ")[1]))

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5("Polycom:phone:it's <me> & 100%")
    used = f"{sent['nonce']}:{sent['nc']}:{sent['cnonce']}:auth"
    assert sent["response"] == md5(f"{secret}:{used}:{md5('POST:/api/update')}")


async def test_phone_that_knows_basic_only_is_answered(ask):
    """Basic is answered where nothing else is offered."""
    heard, peer = await ask(challenge(b'Basic realm="phone"'), DONE, method="GET", username="admin")
    assert heard.well
    assert b"Authorization" not in peer.heard[0]
    wanted = base64.b64encode(b"admin:it's <me> & 100%")
    assert b"Authorization: Basic " + wanted + b"\r\n" in peer.heard[1]


async def test_basic_is_never_the_second_best(ask):
    """A phone that offers Digest and refuses it does not get the password by Basic."""
    both = (DIGEST, b'Basic realm="phone"')
    heard, peer = await ask(challenge(*both), challenge(*both), DONE)
    assert heard == Heard(False, "The phone refused the password (401).")
    assert b"Basic" not in b"".join(peer.heard)
    assert len(peer.heard) == 2


async def test_phone_that_sends_elsewhere_is_not_followed(ask):
    """AT8: a redirect, to whomever, is told and not followed."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    heard, peer = await ask(moved, DONE)
    assert not heard.well
    assert "302" in heard.words
    assert len(peer.heard) == 1


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "outbound.refuse"),
        ("::ffff:127.0.0.1", "outbound.refuse"),
        ("phone.example", "no phone's address"),
        ("", "no phone's address"),
        ("192.0.2.7/x", "no phone's address"),
    ],
)
async def test_at8_only_a_phones_own_address_is_asked(ask, host, words):
    """AT8: names are not resolved, and refused networks not reached."""
    heard, peer = await ask(DONE, refuse=(ip_network("127.0.0.0/8"),), host=host)
    assert not heard.well
    assert words in heard.words
    assert peer.connections == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "reload.http-from"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"Status":"4000"}', '"4000"'),
        (b"", "was not asked"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "was not asked"),
        (b"\x16\x03\x01 garbage\r\n\r\n", "was not asked"),
    ],
)
async def test_no_is_told_with_the_phones_words(ask, answer, words):
    """What is not a good answer is told as the phone gave it."""
    heard, _ = await ask(answer, says='"2000"', listed=True, path="/open?url={screen}")
    assert not heard.well
    assert words in heard.words
    assert "token" not in heard.words


async def test_values_stand_in_path_and_body_as_these_need_it(ask):
    """User and password are written as a URL, JSON or XML has them, and cannot add anything."""
    _, peer = await ask(DONE, path="/go?u={user}&p={password}", username="{password}/&")
    assert peer.heard[0].startswith(
        b"POST /go?u=%7Bpassword%7D%2F%26&p=it%27s%20%3Cme%3E%20%26%20100%25 HTTP/1.1\r\n"
    )
    _, peer = await ask(DONE, path="/open?url={screen}&{user}", username="{screen}", method="GET")
    assert peer.heard[0].startswith(
        b"GET /open?url=https%3A%2F%2Fprov.example.com%2Fs%2Ftoken%2Freload&%7Bscreen%7D HTTP/1.1\r\n"
    )
    written = http_action._filled
    told = phone(1, password='"<&')
    assert written("<p>{password}</p>", told, http_action._xml_quoted) == "<p>&quot;&lt;&amp;</p>"
    assert written('{"p":"{password}"}', told, http_action._json_quoted) == '{"p":"\\"<&"}'


async def test_endless_answer_is_not_read_to_its_end(listening, monkeypatch):
    """Of an answer without end the beginning is read, and that is enough."""
    monkeypatch.setattr(http_action, "LARGEST_ANSWER", 1000)

    async def endless(said):
        await said.hear(END)
        await said.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await said.say(b"x" * 1000)
            await asyncio.sleep(0)

    async with listening(endless) as peer:
        assert (await HttpTeller().tell(phone(peer.port))).well


async def test_r16_silent_phone_is_given_up(listening, monkeypatch):
    """A phone that takes the request and says nothing is given up."""
    monkeypatch.setattr(http_action, "PATIENCE", 0.2)

    async def silent(said):
        await said.hear(b"never")

    async with listening(silent) as peer:
        heard = await HttpTeller().tell(phone(peer.port))
    assert heard == Heard(False, "The phone was not asked: it did not answer.")


async def test_vendor_without_a_request_is_told():
    """A telling without a request is answered, not raised."""
    assert not (await HttpTeller().tell(Telling(DEVICE, Way.HTTP, host="192.0.2.7"))).well


FRAGMENTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 401 No\r\n", b"\r\n", b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n", b"WWW-Authenticate: Digest\r\n", b"ffffffff\r\n",
        b"WWW-Authenticate: " + DIGEST + b"\r\n", b"WWW-Authenticate: Basic\r\n", b"\xff\x00",
        b'WWW-Authenticate: Digest realm="\xff", nonce="", algorithm=X, qop="auth-int"\r\n',
        b"Content-Encoding: gzip\r\n", b"Set-Cookie: a=b\r\n", b"Location: http://[\r\n",
    ]
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(FRAGMENTS | st.binary(max_size=40), max_size=10))
def test_hostile_phone_is_always_heard_out(listening, parts):
    """Whatever a phone answers, there is an answer of ours, fit to be shown."""

    async def hostile(said):
        await said.hear(END)
        await said.say(b"".join(parts))

    async def told() -> Heard:
        async with listening(hostile) as peer:
            return await HttpTeller().tell(phone(peer.port))

    heard = asyncio.run(told())
    assert heard.words.isprintable()
    assert len(heard.words) < 400
