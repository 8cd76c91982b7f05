from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from provisioning.crypto.authority import Authority
from provisioning.crypto.chains import ChainFiles, ServerChain
from provisioning.domain.errors import BadCertificate
from provisioning.doors.tls import (
    HANDSHAKE_TIMEOUT,
    SHUTDOWN_TIMEOUT,
    HandshakeFailures,
    ListeningSocket,
    ReloadableTls,
    server_context,
)

NAMES = ["phones.example.com"]
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA that no test changes."""
    return Authority.load_or_create(tmp_path_factory.mktemp("certs"), datetime.now(UTC))


@pytest.fixture(scope="module")
def chain(authority):
    """Its first server chains, copied to where no renewal reaches them."""
    own = authority.ensure_chain(NAMES, datetime.now(UTC))
    folder = authority.folder / "first"
    folder.mkdir()
    for file in own.rsa.chain.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return ServerChain(ChainFiles.within(folder, "rsa"), ChainFiles.within(folder, "ecdsa"))


@pytest.fixture(scope="module")
def renewed(authority, chain):
    """Server chains for one name more."""
    return authority.ensure_chain([*NAMES, "more.example.com"], datetime.now(UTC))


@pytest.fixture
def tls(chain):
    """What a listener holds."""
    return ReloadableTls(chain, listener="phones")


async def echo_lines(reader, writer):
    """Answer a request line with a page and any other line with itself."""
    while line := await reader.readline():
        writer.write(ANSWER if line.startswith(b"GET ") else line)
        await writer.drain()
        if line.startswith(b"GET "):
            break
    writer.close()


@asynccontextmanager
async def serving(context):
    """Serve on a loopback port; gives the port."""
    listening = ListeningSocket(socket.AF_INET)
    listening.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(
        echo_lines,
        sock=listening,
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
        ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
    )
    async with server:
        yield listening.getsockname()[1]


async def run(*command, stdin=b""):
    """Run a client to its end and give status and all it printed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(stdin)
    return process.returncode, output.decode(errors="replace")


async def s_client(port, *options):
    """Shake hands with the openssl tool."""
    return await run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options)


def client_context(authority):
    """A client that trusts our CA and nothing else, as strictly as Python knows how."""
    context = ssl.create_default_context(cadata=authority.ca_pem.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


async def connect(port, context, name="localhost"):
    """Open a connection to the served port."""
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)


def served(writer):
    """The certificate a connection was opened with."""
    return x509.load_der_x509_certificate(writer.get_extra_info("ssl_object").getpeercert(True))


def on_disk(files):
    """The certificate of a chain file."""
    return x509.load_pem_x509_certificates(files.chain.read_bytes())[0]


RSA_ONLY = ["-sigalgs", "RSA+SHA256:RSA-PSS+SHA256"]


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (["-tls1_2", *RSA_ONLY], "RSA"),
        (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "RSA"),
        (["-tls1_3", *RSA_ONLY], "RSA"),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "ECDSA"),
        (["-tls1_2", "-sigalgs", "ECDSA+SHA256"], "ECDSA"),
        (["-tls1_3", "-sigalgs", "ECDSA+SHA256:RSA+SHA256"], "ECDSA"),
        ([], "ECDSA"),
        (["-noservername"], "ECDSA"),
        (["-noservername", "-tls1_2", *RSA_ONLY], "RSA"),
    ],
)
async def test_each_client_gets_the_chain_it_can_verify(tls, authority, options, key):
    """RSA for clients that know nothing else, ECDSA for the rest, one CA for both."""
    verify = ["-CAfile", authority.folder / "ca.pem", "-verify_return_error"]
    async with serving(tls.context) as port:
        status, output = await s_client(port, *verify, *options)
    assert status == 0, output
    assert "Verification: OK" in output
    assert f"Peer signature type: {key}" in output
    assert not tls.failures.counts


async def test_pythons_strict_client_verifies_names_and_addresses(tls, authority):
    """The names localhost and 127.0.0.1 are always named, with everything a strict client looks for."""
    async with serving(tls.context) as port:
        for name in ("localhost", "127.0.0.1", *NAMES):
            _, writer = await connect(port, client_context(authority), name)
            writer.close()
            await writer.wait_closed()


async def test_curl_fetches_with_our_ca(tls, authority):
    """The everyday client is content with --cacert and nothing switched off."""
    async with serving(tls.context) as port:
        command = ["curl", "-sS", "--cacert", authority.folder / "ca.pem"]
        status, output = await run(*command, f"https://localhost:{port}/")
    assert (status, output) == (0, "ok\n")


async def test_tls_1_1_is_refused_with_an_alert_and_logged(tls):
    """An old client is told the reason by an alert, the admin by the log, with its address."""
    old = ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"]
    with structlog.testing.capture_logs() as logs:
        async with serving(tls.context) as port:
            status, output = await s_client(port, *old)
    assert status != 0
    assert "alert protocol version" in output
    (failure,) = tls.failures.recent
    assert failure.reason == "UNSUPPORTED_PROTOCOL"
    assert failure.peer == "127.0.0.1"
    assert "legacy" in failure.advice
    (line,) = [entry for entry in logs if entry["event"] == "tls-handshake-failed"]
    assert line["reason"] == "UNSUPPORTED_PROTOCOL"
    assert line["listener"] == "phones"


async def test_a_client_that_distrusts_us_is_logged(tls):
    """The commonest failure of all, a phone without our CA, says so."""
    async with serving(tls.context) as port:
        status, output = await run("curl", "-sS", f"https://localhost:{port}/")
        await until(lambda: tls.failures.recent)
    assert status != 0, output
    assert tls.failures.recent[0].reason == "TLSV1_ALERT_UNKNOWN_CA"
    assert "give it the CA" in tls.failures.recent[0].advice


async def until(condition):
    """Wait for what the server does after the client has gone."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the server offers no event for it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET /001565aabbcc.cfg HTTP/1.1\r\n\r\n", "HTTP_REQUEST"),
        (b"\x00" * 64, "WRONG_VERSION_NUMBER"),
        (b"SSH-2.0-scanner\r\n", "WRONG_VERSION_NUMBER"),
    ],
)
async def test_what_is_not_tls_is_logged_and_does_no_harm(tls, authority, sent, reason):
    """Plain HTTP and noise on the port are named; the next client is served."""
    async with serving(tls.context) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.write_eof()
        await reader.read()
        writer.close()
        await until(lambda: tls.failures.recent)
        _, writer = await connect(port, client_context(authority))
        writer.close()
    assert tls.failures.counts == {reason: 1}


@pytest.mark.parametrize("options", [[], ["-noservername"], ["-noservername", "-tls1_2"]])
async def test_a_reload_serves_the_new_chain(tls, chain, renewed, options):
    """After a reload new handshakes get the new chains, with and without a server name."""
    async with serving(tls.context) as port:
        _, before = await s_client(port, *options)
        tls.reload(renewed)
        _, after = await s_client(port, *options)
        _, after_rsa = await s_client(port, *options, *RSA_ONLY)
    assert pem(on_disk(chain.ecdsa)) in before
    assert pem(on_disk(renewed.ecdsa)) in after
    assert pem(on_disk(renewed.rsa)) in after_rsa


def pem(certificate):
    """A certificate as the openssl tool prints it."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


async def test_an_open_connection_survives_a_reload(tls, chain, renewed, authority):
    """A download in progress goes on with the chain it began with."""
    async with serving(tls.context) as port:
        reader, writer = await connect(port, client_context(authority))
        writer.write(b"before\n")
        assert await reader.readline() == b"before\n"
        tls.reload(renewed)
        _, newer = await connect(port, client_context(authority))
        writer.write(b"after\n")
        assert await reader.readline() == b"after\n"
        assert served(writer) == on_disk(chain.ecdsa)
        assert served(newer) == on_disk(renewed.ecdsa)
        writer.close()
        newer.close()


async def test_a_reload_can_take_a_chain_away_and_bring_it_back(tls, chain, authority):
    """With only RSA installed nobody is served the former ECDSA chain."""
    async with serving(tls.context) as port:
        kinds = []
        for now_served in (chain, ServerChain(chain.rsa, None), chain):
            tls.reload(now_served)
            _, writer = await connect(port, client_context(authority))
            kinds.append(type(served(writer).public_key()))
            writer.close()
    assert [issubclass(kind, ec.EllipticCurvePublicKey) for kind in kinds] == [True, False, True]
    assert issubclass(kinds[1], rsa.RSAPublicKey)


async def test_a_failed_reload_leaves_the_former_chain(tls, chain, authority):
    """A pair that does not fit is refused, and phones notice nothing."""
    mixed = ServerChain(rsa=ChainFiles(chain.rsa.chain, chain.ecdsa.key), ecdsa=None)
    async with serving(tls.context) as port:
        with pytest.raises(BadCertificate, match=r"rsa\.chain\.pem"):
            tls.reload(mixed)
        _, writer = await connect(port, client_context(authority))
        assert served(writer) == on_disk(chain.ecdsa)
        writer.close()


async def test_sessions_are_resumed_across_a_reload(tls, renewed, tmp_path):
    """A phone's ticket is still good after a reload, which spares the handshake's costly part."""
    ticket = tmp_path / "ticket"
    async with serving(tls.context) as port:
        await s_client(port, "-tls1_2", "-sess_out", ticket)
        tls.reload(renewed)
        _, output = await s_client(port, "-tls1_2", "-sess_in", ticket)
    assert "Reused, TLSv1.2" in output


def test_a_missing_or_empty_chain_is_named(chain, tmp_path):
    """A context is never made of nothing."""
    with pytest.raises(BadCertificate, match="no chain"):
        server_context(ServerChain(None, None))
    absent = ChainFiles.within(tmp_path, "rsa")
    with pytest.raises(BadCertificate, match="Install"):
        server_context(ServerChain(absent, None))
    assert isinstance(server_context(chain), ssl.SSLContext)


def test_failures_are_remembered_within_bounds():
    """A scanner cannot fill the memory: the last 256 are kept, and a count for each reason."""
    from provisioning.doors.tls import HandshakeFailure

    failures = HandshakeFailures("phones")
    with structlog.testing.capture_logs():
        for _ in range(300):
            failures.record(HandshakeFailure("HTTP_REQUEST", ""))
    assert len(failures.recent) == 256
    assert failures.counts == {"HTTP_REQUEST": 300}
