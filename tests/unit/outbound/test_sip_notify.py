"""A NOTIFY of ours on the wire, and what counts as its answer."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from hashlib import md5
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from provisioning.config.schema import Outbound
from provisioning.crypto.challenges import answer as answer_to
from provisioning.crypto.digest import response
from provisioning.domain.kinds import Way
from provisioning.outbound.sip_messages import Answer, Notify, parse_answer, uri_of
from provisioning.outbound.sip_notify import SipNotify
from provisioning.usecases.ports import Contact, Heard, Telling

QUICK = 0.1
"""A T1 of 100 ms: timer F ends after 6.4 s."""


def header(message: bytes, name: str) -> str:
    """The value of a header of a message."""
    found = re.search(rf"^{name}: (.*)\r$", message.decode(), re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def reply(request: bytes, status: str, *more: str, **changed: str) -> bytes:
    """A response to a request, with the headers RFC 3261 section 8.2.6 has copied."""
    copied = {name: header(request, name) for name in ("Via", "From", "To", "Call-ID", "CSeq")}
    copied |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"SIP/2.0 {status}", *(f"{name}: {value}" for name, value in copied.items()), *more]
    return ("\r\n".join([*lines, "Content-Length: 0"]) + "\r\n\r\n").encode()


class Phone(asyncio.DatagramProtocol):
    """A phone on loopback that answers each request by a script: what to send back, in turn."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests = []

    def connection_made(self, transport):
        """Keep what is sent by."""
        self.transport = transport

    def datagram_received(self, data, addr):
        """Note a request and send what the script has for it."""
        self.requests.append(data)
        if self.script:
            for message in self.script.pop(0)(data):
                self.transport.sendto(message, addr)


@pytest.fixture
async def phone():
    """Start phones with a script."""
    started = []

    async def start(*script):
        made = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Phone(*script), local_addr=("127.0.0.1", 0)
        )
        started.append(made[0])
        made[1].port = made[0].get_extra_info("sockname")[1]
        return made[1]

    yield start
    for transport in started:
        transport.close()


@pytest.fixture
async def sip():
    """The teller, with quick timers."""
    sip = SipNotify(t1=QUICK)
    yield sip
    await sip.close()


def telling(port: int, **contact) -> Telling:
    """A phone on loopback to be told."""
    given = {"user": "place 7", "host": "127.0.0.1", "port": port, "password": "s3cret"}
    return Telling(
        uuid4(), Way.SIP, event="check-sync;reboot=false", contact=Contact(**given | contact)
    )


def ok(request):
    """The script's answer of a phone that does what it is told."""
    return [reply(request, "200 OK")]


async def test_phone_is_told_by_one_request(phone, sip):
    """The NOTIFY names the account at the phone's own address and has all that is needed."""
    told = await phone(ok)
    assert await sip.tell(telling(told.port)) == Heard(well=True, words="200 OK")
    (request,) = told.requests
    assert request.startswith(f"NOTIFY sip:place%207@127.0.0.1:{told.port} SIP/2.0\r\n".encode())
    assert header(request, "Event") == "check-sync;reboot=false"
    assert header(request, "Max-Forwards") == "70"
    assert header(request, "CSeq") == "1 NOTIFY"
    assert re.fullmatch(r"<sip:provisioning@127\.0\.0\.1:\d+>", header(request, "Contact"))
    assert re.search(r";branch=z9hG4bK[0-9a-f]{32};rport$", header(request, "Via"))
    assert header(request, "Subscription-State").startswith("terminated")
    assert request.endswith(b"Content-Length: 0\r\n\r\n")


async def test_request_is_sent_again_until_it_is_answered(phone, sip):
    """A lost datagram is sent again, the same to the byte; a provisional answer ends nothing."""
    told = await phone(lambda _: [], lambda request: [reply(request, "100 Trying")], ok)
    assert (await sip.tell(telling(told.port))).well
    assert len(told.requests) == 3
    assert len(set(told.requests)) == 1


async def test_silent_phone_is_given_up_in_time(phone):
    """A phone that never answers is no answer after 64 times T1."""
    sip = SipNotify(t1=0.01)
    told = await phone()
    heard = await asyncio.wait_for(sip.tell(telling(told.port)), 30)
    await sip.close()
    assert heard == Heard(well=False, words="no answer")
    assert len(told.requests) > 1


@pytest.mark.parametrize("status", ["480 Temporarily Unavailable", "481 Gone", "500 Oops"])
async def test_refusal_is_told_in_the_phones_words(phone, sip, status):
    """What a phone refuses with is what an admin reads."""
    told = await phone(lambda request: [reply(request, status)])
    assert await sip.tell(telling(told.port)) == Heard(well=False, words=status)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", ""])
@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
async def test_challenge_is_answered_once(phone, sip, status, asks, answers, algorithm):
    """A challenge is answered with the account's digest, in a transaction of its own, and once."""
    said = f', algorithm={algorithm}, qop="auth"' if algorithm else ""

    def challenge(request):
        return [reply(request, status, f'{asks}: Digest realm="p", nonce="n"{said}')]

    told = await phone(challenge, ok)
    assert (await sip.tell(telling(told.port, auth_name="auth7"))).well
    first, second = told.requests
    assert header(second, "CSeq") == "2 NOTIFY"
    assert header(second, "Call-ID") == header(first, "Call-ID")
    assert header(second, "Via") != header(first, "Via")
    assert right_digest(header(second, answers), "s3cret", told.port)
    told = await phone(challenge, challenge, ok)
    assert (await sip.tell(telling(told.port))).words == status
    assert len(told.requests) == 2


def right_digest(value: str, password: str, port: int) -> bool:
    """Whether a header is the right answer, by the code that judges phones' own."""
    sent = dict(re.findall(r'([a-z]+)="?([^",]*)"?', value.removeprefix("Digest ")))
    assert sent["uri"] == f"sip:place%207@127.0.0.1:{port}"
    assert sent["username"] == "auth7"
    if "qop" not in sent:
        parts = (f"auth7:p:{password}", f"NOTIFY:{sent['uri']}")
        one, two = (md5(part.encode()).hexdigest() for part in parts)
        return md5(f"{one}:n:{two}".encode()).hexdigest() == sent["response"]
    right = response(
        sent["algorithm"],
        user="auth7",
        realm="p",
        password=password,
        method="NOTIFY",
        uri=sent["uri"],
        used=("n", sent["nc"], sent["cnonce"], "auth"),
    )
    return right == sent["response"]


async def test_unknown_challenge_is_left_unanswered(phone, sip):
    """A challenge of a kind we do not know is the phone's answer, and nothing is sent for it."""
    unknown = 'WWW-Authenticate: Digest realm="p", nonce="n", algorithm=SHA-512-256'
    told = await phone(lambda request: [reply(request, "401 Unauthorized", unknown)])
    assert (await sip.tell(telling(told.port))).words == "401 Unauthorized"
    assert len(told.requests) == 1


async def test_answers_that_are_not_ours_are_ignored(phone, sip):
    """Garbage, another branch, another CSeq, another method and doubles change nothing."""

    def noise(request):
        via = header(request, "Via")
        return [
            b"",
            b"\x00\xff" * 40,
            b"\r\n\r\n",
            b"SIP/2.0 200 OK\r\n\r\n",
            reply(request, "200 Other branch", Via=re.sub("branch=[^;]+", "branch=z9hG4bKx", via)),
            reply(request, "200 Other number", CSeq="7 NOTIFY"),
            reply(request, "200 Other method", CSeq="1 INVITE"),
            request,
            reply(request, "486 Busy Here"),
            reply(request, "486 Busy Here"),
            reply(request, "200 Late"),
        ]

    told = await phone(noise)
    assert await sip.tell(telling(told.port)) == Heard(well=False, words="486 Busy Here")


async def test_answer_from_another_address_is_ignored(phone, sip):
    """A right answer counts only if it comes from the phone."""
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.2", 0))

    def forged(request):
        port = int(header(request, "Contact").rpartition(":")[2].rstrip(">"))
        other.sendto(reply(request, "200 Forged"), ("127.0.0.1", port))
        return []

    told = await phone(forged, lambda request: [reply(request, "403 Forbidden")])
    assert (await sip.tell(telling(told.port))).words == "403 Forbidden"
    other.close()


async def test_many_are_told_at_once_by_one_socket(phone, sip):
    """Answers find the request they belong to, in whatever order they come."""
    phones = [await phone(lambda _: [], ok) for _ in range(40)]
    heard = await asyncio.gather(*(sip.tell(telling(one.port)) for one in phones))
    assert all(item.well for item in heard)
    assert len(sip._datagrams) == 1


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_at8_phone_at_an_address_of_this_machine_is_not_told(phone, transport):
    """Nothing goes to an address that the operator refuses, in whichever spelling."""
    sip = SipNotify(Outbound().refuse, t1=0.01)
    told = await phone(ok)
    for host in ("127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "224.0.1.75"):
        heard = await sip.tell(telling(told.port, host=host, transport=transport))
        assert not heard.well
        assert "outbound.refuse" in heard.words, host
    await sip.close()
    assert told.requests == []


async def test_nothing_there_is_told_in_words(sip, free_ports):
    """A phone that takes no connection is one that cannot be reached."""
    (port,) = free_ports(1)
    for transport in ("tcp", "tls"):
        heard = await sip.tell(telling(port, transport=transport))
        assert not heard.well
        assert heard.words.startswith("it cannot be reached: ")
    assert not (await sip.tell(telling(port, host="not an address"))).well
    assert not (await sip.tell(Telling(uuid4(), Way.SIP))).well


# --- streams


@pytest.fixture
def stream_phone():
    """Run a phone that takes TCP or TLS for a block; its answers come in pieces."""

    async def run(sip, script, context=None, **contact):
        requests = []

        async def serve(reader, writer):
            for step in script:
                requests.append(await reader.readuntil(b"\r\n\r\n"))
                for message in step(requests[-1]):
                    for piece in (message[:9], message[9:]):
                        writer.write(piece)
                        await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            heard = await sip.tell(telling(port, auth_name="auth7", **contact))
        return heard, requests, port

    return run


async def test_phone_is_told_by_tcp(sip, stream_phone):
    """Over TCP the request is sent once, keep-alives and others' messages are passed over."""

    def busy(request):
        other = reply(request, "200 Other", CSeq="9 NOTIFY").replace(
            b"Content-Length: 0\r\n\r\n", b"Content-Length: 4\r\n\r\nbody"
        )
        return [b"\r\n\r\n", reply(request, "100 Trying"), other, reply(request, "202 Accepted")]

    heard, (request,), port = await stream_phone(sip, [busy], transport="tcp")
    assert heard == Heard(well=True, words="202 Accepted")
    assert request.startswith(f"NOTIFY sip:place%207@127.0.0.1:{port};transport=tcp ".encode())
    assert header(request, "Via").startswith("SIP/2.0/TCP ")


async def test_phone_that_hangs_up_is_told_in_words(sip, stream_phone):
    """A connection that ends, or an endless message, is not reached and never an exception."""
    heard, _, _ = await stream_phone(sip, [lambda _: [b"SIP/2.0 200"]], transport="tcp")
    assert not heard.well
    heard, _, _ = await stream_phone(sip, [lambda _: [b"x" * 200_000]], transport="tcp")
    assert not heard.well


async def test_phone_is_told_by_tls_whatever_its_certificate(sip, stream_phone, tmp_path):
    """Over TLS the phone's own certificate, which names no address, is taken unverified."""
    chain, key = tmp_path / "phone.pem", tmp_path / "phone.key"
    own_chain(chain, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    def challenge(request):
        line = 'WWW-Authenticate: Digest realm="p", nonce="n", qop="auth"'
        return [reply(request, "401 Unauthorized", line)]

    heard, requests, _ = await stream_phone(sip, [challenge, ok], context, transport="tls")
    assert heard.well
    assert len(requests) == 2
    assert header(requests[0], "Via").startswith("SIP/2.0/TLS ")


def own_chain(chain, key):
    """An expired self-signed certificate of no address, as phones have."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "001565aabbcc")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    signed = (
        builder.not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


# --- hostile input


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_answer_raises(message: bytes):
    """Whatever comes is an answer or nothing."""
    for text in (message, b"SIP/2.0 200 " + message, b"SIP/2.0 401 X\r\n" + message):
        assert isinstance(parse_answer(text), Answer | None)


@given(st.lists(st.text(max_size=120).map(lambda text: f"Digest {text}"), max_size=3))
def test_no_challenge_raises(challenges: list[str]):
    """Whatever a challenge says, it is answered by one line or not at all."""
    value = answer_to(challenges, method="NOTIFY", uri="sip:a@b", user="u", password="p")
    assert value is None or "\n" not in value


@given(st.text(), st.sampled_from(["127.0.0.1", "2001:db8::7"]))
def test_no_account_adds_a_line(user: str, host: str):
    """A user name, however odd, stays within its place in the request."""
    contact = Contact(user=user, host="127.0.0.1")
    message = Notify(contact, "check-sync", "192.0.2.1:5060").message()
    assert message.count(b"\r\n") == 12
    assert uri_of(Contact(user="u", host=host)).count("@") == 1
