"""`provisioning serve` as a real process: doors, signals, what stays and what stops a start."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.crypto.authority import Authority

ROOT = Path(__file__).resolve().parent.parent.parent
PROVISIONING = (sys.executable, "-m", "provisioning")
COMMON = "y000000000108.cfg"
"""A file that is the same for everybody: Yealink's T54W."""


def environment(data: Path, **variables: object) -> dict[str, str]:
    """The environment of a command: nothing of ours but what the test sets."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PROVISIONING_", "NOTIFY_"))
    }
    ours = {"DATA_DIR": data, "PEOPLE__PORT": 0} | variables
    return kept | {f"PROVISIONING_{name}": str(value) for name, value in ours.items()}


def run(data: Path, *arguments: object, **variables: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*PROVISIONING, *map(str, arguments)],
        env=environment(data, **variables),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@dataclass
class Server:
    """A running `provisioning serve`."""

    process: subprocess.Popen[str]
    channel: socket.socket
    data: Path
    http: int
    https: int
    tftp: int
    ops: int

    @property
    def ca(self) -> Path:
        """The file of its own CA."""
        return self.data / "certs" / "ca.pem"

    def told(self) -> str:
        """What it tells systemd next."""
        return self.channel.recv(1000).decode()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Ask it to end; its exit status and everything it wrote to stderr."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, stderr = self.process.communicate(timeout=30)
        return self.process.returncode, stderr


Start = Callable[..., Server]
FreePorts = Callable[[int], list[int]]


def start_server(
    folder: Path, opened: list[Server], ports: list[int], **variables: object
) -> Server:
    """Start a server and wait until it says that it is ready."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.settimeout(30)
    address = folder / f"notify{len(opened)}"
    channel.bind(str(address))
    named = dict(zip(("http", "https", "tftp", "ops"), ports, strict=True))
    given = {
        "PHONES__HTTP_PORT": named["http"],
        "PHONES__HTTPS_PORT": named["https"],
        "PHONES__HOST": "127.0.0.1,::1",
        "TFTP__HOST": "127.0.0.1,::1",
        "TFTP__PORT": named["tftp"],
        "OPS__PORT": named["ops"],
        "PUBLIC_URL": f"https://localhost:{named['https']}",
        "PUBLIC_HTTP_URL": f"http://localhost:{named['http']}",
    } | variables
    process = subprocess.Popen(
        [*PROVISIONING, "serve"],
        env=environment(folder / "data", **given) | {"NOTIFY_SOCKET": str(address)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Server(process, channel, folder / "data", **named)
    opened.append(server)
    assert server.told() == "READY=1"
    return server


def end_all(opened: list[Server]) -> None:
    """End what a test left running."""
    for server in opened:
        server.channel.close()
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


@pytest.fixture
def start(tmp_path: Path, free_ports: FreePorts) -> Iterator[Start]:
    """Start servers over one data folder, with variables such as ``TFTP__PORT=0``."""
    opened: list[Server] = []
    yield lambda **variables: start_server(tmp_path, opened, free_ports(4), **variables)
    end_all(opened)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, free_ports: FreePorts) -> Iterator[Server]:
    """A server that the tests of a module share and none of them changes."""
    opened: list[Server] = []
    yield start_server(tmp_path_factory.mktemp("server"), opened, free_ports(4))
    end_all(opened)


@pytest.fixture
def curl(client_program):
    """Fetch a URL with the real curl and return the body; the test fails if curl does."""

    def fetch(url: str, *options: object) -> str:
        command = [client_program("curl"), "-sSf", *map(str, options), url]
        ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return fetch


def secure(server: Server, ca: Path) -> http.client.HTTPSConnection:
    """A connection over TLS that trusts one CA."""
    context = ssl.create_default_context(cafile=ca)
    return http.client.HTTPSConnection("localhost", server.https, timeout=20, context=context)


def get(connection: http.client.HTTPConnection, path: str = f"/{COMMON}") -> tuple[int, bytes]:
    """Status and body of a path, over a connection that stays open."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def keys_and_chains(folder: Path) -> dict[str, bytes]:
    """Every file of the keys and certificates, by name."""
    files = [folder / "secret.key", *(folder / "certs").rglob("*.pem")]
    return {str(file): file.read_bytes() for file in files}


# --- doors


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_phones_are_served_by_every_door(server, curl, host):
    """HTTP, HTTPS by our own CA, and TFTP serve the same bytes on IPv4 and IPv6."""
    plain = curl(f"http://{host}:{server.http}/{COMMON}")
    assert plain.startswith("#!version")
    assert curl(f"https://{host}:{server.https}/{COMMON}", "--cacert", server.ca) == plain
    assert curl(f"tftp://{host}:{server.tftp}/{COMMON}") == plain


def test_operator_sees_that_it_is_ready(server, curl):
    """The operator's door says that the process lives and the database answers."""
    assert curl(f"http://127.0.0.1:{server.ops}/healthz") == "ok\n"
    assert curl(f"http://127.0.0.1:{server.ops}/readyz") == "ready\n"


def test_data_folder_is_its_owner_s(server):
    """Nobody else may enter the data folder, and no file in it but certificates is for others."""
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    for file in server.data.rglob("*"):
        public = file.name.endswith(".pem") and not file.name.endswith(".key.pem")
        assert public or not stat.S_IMODE(file.stat().st_mode) & 0o077, file


def test_api_is_https_unless_on_loopback(start, curl, free_ports):
    """The API is served by our own CA as soon as other machines could reach it."""
    [port] = free_ports(1)
    server = start(PEOPLE__HOST="0.0.0.0", PEOPLE__PORT=port, PHONES__HTTP_PORT=0, TFTP__PORT=0)
    document = curl(f"https://127.0.0.1:{port}/api/v1/openapi.json", "--cacert", server.ca)
    assert json.loads(document)["openapi"].startswith("3.1")
    status, stderr = server.end()
    assert status == 0, stderr
    assert re.search(rf"^Pages and API: +https://.*:{port}$", stderr, re.MULTILINE)


# --- signals


def test_sigterm_writes_the_log_and_ends_with_zero(start, curl):
    """SIGTERM tells systemd, closes idle connections, writes the fetch log and ends with 0."""
    server = start()
    curl(f"http://127.0.0.1:{server.http}/{COMMON}")
    with socket.create_connection(("127.0.0.1", server.http)):
        server.signal(signal.SIGTERM)
        assert server.told() == "STOPPING=1"
        status, stderr = server.end()
    assert status == 0, stderr
    with contextlib.closing(sqlite3.connect(server.data / "roost.db")) as database:
        rows = database.execute("SELECT path, outcome FROM fetch").fetchall()
    assert rows == [(COMMON, "served")]
    assert f"https://localhost:{server.https}" in stderr
    assert f"http://localhost:{server.http}" in stderr


def test_sighup_takes_up_a_chain_and_keeps_connections(start, tmp_path):
    """After SIGHUP new connections meet the installed chain, and open ones live on."""
    server = start()
    other = Authority.load_or_create(tmp_path / "other", datetime.now(UTC))
    chain = other.ensure_chain(["localhost"], datetime.now(UTC))
    before = secure(server, server.ca)
    assert get(before)[0] == 200
    connected = before.sock
    rsa = ("--rsa", chain.rsa.chain, chain.rsa.key)
    ecdsa = ("--ecdsa", chain.ecdsa.chain, chain.ecdsa.key)
    ran = run(server.data, "cert", "install", "phones", *rsa, *ecdsa)
    assert ran.returncode == 0, ran.stderr
    reload(server)
    assert get(before)[0] == 200
    assert before.sock is connected
    after = secure(server, other.folder / "ca.pem")
    assert get(after)[0] == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        get(secure(server, server.ca))
    before.close()
    after.close()


def reload(server: Server) -> None:
    """Send SIGHUP and wait until the server has told both ends of the reload."""
    server.signal(signal.SIGHUP)
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", server.told())
    assert server.told() == "READY=1"


def test_sighup_takes_up_vendor_folders(start, tmp_path):
    """After SIGHUP files come from the changed vendor folder, and a broken one harms no other."""
    own = tmp_path / "vendors"
    (own / "yealink").mkdir(parents=True)
    server = start(VENDOR_FOLDER=own)
    connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=20)
    status, before = get(connection)
    assert status == 200
    template = (ROOT / "templates" / "yealink" / "common.cfg.j2").read_text()
    (own / "yealink" / "common.cfg.j2").write_text(template + "# of our own\n")
    (own / "snom").mkdir()
    (own / "snom" / "vendor.toml").write_text("this is no TOML")
    reload(server)
    assert get(connection) == (200, before + b"# of our own\n")
    connection.close()
    assert "vendor-disabled" in server.end()[1]


# --- starting again, and not starting


def test_second_start_leaves_keys_ca_and_admin_alone(start):
    """What the first start made is made once; the first admin's password is shown once."""
    first = start()
    status, stderr = first.end()
    assert (status, stderr.count("The first admin is ")) == (0, 1)
    made = keys_and_chains(first.data)
    status, stderr = start().end()
    assert (status, stderr.count("The first admin is ")) == (0, 0)
    assert keys_and_chains(first.data) == made


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TFTP__PORT": "70000"}, ["tftp.port", "70000", "1 to 65535"]),
        ({"TFTP__PROT": "69"}, ["PROVISIONING_TFTP__PROT", "PROVISIONING_TFTP__PORT"]),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.db"}, ["database_url", "unable to open"]),
    ],
)
def test_wrong_configuration_is_one_line(tmp_path, variables, named):
    """A start that cannot be stops with status 1 and one line that names what to change."""
    ran = run(tmp_path / "data", "serve", **variables)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert all(part in ran.stderr for part in named), ran.stderr


def test_port_in_use_is_one_line(server, tmp_path):
    """A port somebody else has stops the start with status 1 and its address."""
    ran = run(tmp_path, "serve", PHONES__HOST="127.0.0.1", PHONES__HTTP_PORT=server.http)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith(
        f"provisioning: The phones listener cannot have '127.0.0.1' port {server.http}"
    )


def test_wrong_usage_is_status_2(tmp_path):
    """A word a command does not take is exit status 2."""
    assert run(tmp_path, "cert", "install", "fax").returncode == 2


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_postgresql_waits_for_migrate(start, tmp_path, empty_url):
    """PostgreSQL is refused until `migrate` has been run, and served from afterwards."""
    ran = run(tmp_path / "data", "serve", DATABASE_URL=empty_url)
    assert ran.returncode == 1
    assert "Run `provisioning migrate`, then start again." in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert run(tmp_path / "data", "migrate", DATABASE_URL=empty_url).returncode == 0
    status, stderr = start(DATABASE_URL=empty_url).end()
    assert status == 0, stderr


# --- certificates


def test_cert_shows_what_is_served_and_prints_the_ca(server):
    """`cert show` lists the chains of each listener, `cert ca` prints the CA and nothing else."""
    shown = run(server.data, "cert", "show", "--json")
    items = json.loads(shown.stdout)["items"]
    assert {(item["listener"], item["kind"]) for item in items} == {
        ("phones", "own"),
        ("people", "own"),
    }
    assert all("localhost" in item["names"] for item in items)
    assert run(server.data, "cert", "ca").stdout == server.ca.read_text()


def test_cert_install_refuses_what_does_not_fit(server, tmp_path):
    """A chain that cannot be served is refused with one line and nothing is installed."""
    ran = run(server.data, "cert", "install", "phones", "--rsa", server.ca, server.ca)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "holds no private key" in ran.stderr
    assert not list((server.data / "certs").glob("installed/*/*"))
