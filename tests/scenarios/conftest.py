"""The server as its operator runs it: a process of its own on loopback, over a fresh SQLite."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

PATIENCE = 30.0
"""Seconds a program may take for what it does in one or two on an idle machine."""

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass
class Server:
    """A running server: where it listens, and the API as an admin uses it."""

    folder: Path
    environment: dict[str, str]
    http: str
    https: str
    people: str
    ops: str
    tftp_port: int
    process: subprocess.Popen[bytes] | None = None
    token: str = field(default="", repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001), repr=False)

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """What it has logged on stderr so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def ca(self) -> Path:
        """The certificate of its own CA."""
        return self.data / "certs" / "ca.pem"

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        with (self.folder / "log").open("ab") as log, (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "provisioning", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not become ready:\n{self.log[-4000:]}")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return self.get(f"{self.ops}/readyz").status == 200
        except OSError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process; its exit status."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"the server did not end:\n{self.log[-4000:]}")

    def command(self, *words: str) -> str:
        """What a ``provisioning`` command prints, run in the server's environment."""
        done = subprocess.run(
            [sys.executable, "-m", "provisioning", *words],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def get(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        source: str = HOST,
    ) -> Answer:
        """One request on a connection of its own, from a source address; trusts only our CA."""
        parts = urlsplit(url)
        assert parts.hostname
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=str(self.ca))
            connection = http.client.HTTPSConnection(
                parts.hostname,
                parts.port,
                timeout=PATIENCE,
                source_address=(source, 0),
                context=context,
            )
        else:
            connection = http.client.HTTPConnection(
                parts.hostname, parts.port, timeout=PATIENCE, source_address=(source, 0)
            )
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """One request to the API with the admin's token."""
        if not self.token:
            self.token = self.command("token", "create", "--name", "tests", "--role", "admin")
        return self.get(
            f"{self.people}/api/v1/{path}",
            method=method,
            body=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )

    def make_user(self, **columns: Any) -> dict[str, Any]:
        """A person with an extension nobody else has and an account named after it."""
        extension = str(next(self._numbers))
        named = {"first_name": "Ada", "last_name": f"Lovelace {extension}", "extension": extension}
        user: dict[str, Any] = self.api("POST", "users", named | columns)
        return user

    def make_phone(self, *users: dict[str, Any], **columns: Any) -> Phone:
        """A registered Yealink with a MAC nobody else has and these users assigned."""
        columns.setdefault("mac", f"001565{next(self._numbers):06x}")
        device = self.api("POST", "devices", columns)
        if users:
            path = f"devices/{device['id']}/assignments"
            self.api("PUT", path, {"users": [user["id"] for user in users]})
        return Phone(self, device["id"], columns["mac"])

    def fetches(self, device: str, count: int) -> list[dict[str, Any]]:
        """The device's fetch log, oldest first, once it has ``count`` entries."""
        deadline = time.monotonic() + PATIENCE
        while True:
            items = self.api("GET", f"devices/{device}/fetches?limit=100")["items"]
            if len(items) >= count or time.monotonic() > deadline:
                assert len(items) == count, items
                return sorted(items, key=lambda item: item["at"])
            time.sleep(0.1)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers to a request that succeeds."""
        answer = self.ask(method, path, body)
        assert answer.status < 300, (method, path, answer.status, answer.body)
        return answer.json() if answer.body else None


@dataclass(frozen=True)
class Phone:
    """A registered Yealink as its admin sees it."""

    server: Server
    id: str
    mac: str

    @property
    def name(self) -> str:
        """The name of its own file."""
        return f"{self.mac}.cfg"

    @property
    def row(self) -> dict[str, Any]:
        """The device as the API shows it now."""
        row: dict[str, Any] = self.server.api("GET", f"devices/{self.id}")
        return row

    @property
    def ways(self) -> dict[str, str]:
        """Its own URLs and credentials of now."""
        ways: dict[str, str] = self.server.api("GET", f"devices/{self.id}/provisioning-url")
        return ways

    @property
    def url(self) -> str:
        """Where its file is by HTTPS, for whoever knows the phone's token."""
        return self.ways["token_url"] + self.name

    @property
    def plain_url(self) -> str:
        """The same by HTTP."""
        return self.plain_base() + self.name

    def plain_base(self, ways: dict[str, str] | None = None) -> str:
        """The token URL by HTTP, of now or of former ways."""
        return self.server.http + urlsplit((ways or self.ways)["token_url"]).path


@dataclass(frozen=True)
class Transfer:
    """What curl brought home: the status (0 for none), the head of the last answer, the body."""

    status: int
    head: str
    body: bytes
    exit: int
    trace: str

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@pytest.fixture
def curl(client_program, tmp_path) -> Callable[..., Transfer]:
    """Run curl as a phone would use its own client: options, then the URL."""
    program = client_program("curl")

    def run(*words: str | Path) -> Transfer:
        head, body = tmp_path / "curl.head", tmp_path / "curl.body"
        head.unlink(missing_ok=True)
        body.unlink(missing_ok=True)
        command = [program, "-sSv", "-D", head, "-o", body, "-w", "%{http_code}", *words]
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        return Transfer(
            status=int(done.stdout or b"0"),
            head=head.read_text(errors="replace") if head.exists() else "",
            body=body.read_bytes() if body.exists() else b"",
            exit=done.returncode,
            trace=done.stderr.decode(errors="replace"),
        )

    return run


@pytest.fixture(scope="session")
def serve(tmp_path_factory, free_ports) -> Iterator[Callable[..., Server]]:
    """Start servers, each with its own folder; keywords are further configuration keys."""
    with ExitStack() as stack:

        def start(*, before: Callable[[Server], None] | None = None, **keys: str) -> Server:
            folder = tmp_path_factory.mktemp("server")
            http_port, https_port, people, ops, tftp = free_ports(5)
            configuration = {
                "DATA_DIR": folder / "data",
                "PUBLIC_URL": f"https://localhost:{https_port}",
                "PUBLIC_HTTP_URL": f"http://{HOST}:{http_port}",
                "PHONES__HOST": HOST,
                "PHONES__HTTP_PORT": http_port,
                "PHONES__HTTPS_PORT": https_port,
                "TFTP__HOST": HOST,
                "TFTP__PORT": tftp,
                "PEOPLE__HOST": HOST,
                "PEOPLE__PORT": people,
                "OPS__HOST": HOST,
                "OPS__PORT": ops,
                "ADMIN_EMAIL": "admin@example.com",
                "ADMIN_PASSWORD": "correct horse battery",
                **keys,
            }
            # Nothing of the caller's own configuration may leak in.
            kept = {k: v for k, v in os.environ.items() if not k.startswith("PROVISIONING_")}
            server = Server(
                folder=folder,
                environment=kept
                | {f"PROVISIONING_{key}": str(value) for key, value in configuration.items()},
                http=f"http://{HOST}:{http_port}",
                https=f"https://localhost:{https_port}",
                people=f"http://{HOST}:{people}",
                ops=f"http://{HOST}:{ops}",
                tftp_port=tftp,
            )
            stack.callback(server.stop)
            if before is not None:
                before(server)
            server.start()
            return server

        yield start


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server]) -> Server:
    """A server that tests share, each with phones and people of its own; it has a SIP server."""
    # Its phones are on loopback, and may be told there.
    server = serve(OUTBOUND__REFUSE="169.254.0.0/16")
    server.api("POST", "sip-servers", {"name": "main", "registrar": "pbx.example.com"})
    return server
