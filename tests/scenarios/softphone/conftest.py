"""A real registrar (Kamailio) and a real softphone (linphonec), both without a screen or sound."""

from __future__ import annotations

import configparser
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds a program may take for what it does in one on an idle machine."""

# The realm of a challenge is the domain of the address that registers.
REGISTRAR = """#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:{port}
loadmodule "ctl.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "htable.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("ctl", "binrpc", "unix:{control}")
modparam("htable", "htable", "subscribers=>size=4;")
modparam("usrloc", "db_mode", 0)

request_route {{
    if ($rm != "REGISTER") {{
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }}
    if ($au == $null || $sht(subscribers=>$au) == $null
            || !pv_auth_check("$fd", "$sht(subscribers=>$au)", "0", "1")) {{
        auth_challenge("$fd", "1");
        exit;
    }}
    save("location");
}}
"""

# The ports are those it would else open on every address. With IPv6 it would ask the machine's
# name server for the address of localhost.
SOFTPHONE = """[misc]
config-uri={url}

[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port=0
bind_address=127.0.0.1
use_ipv6=0
root_ca={root_ca}

[rtp]
audio_rtp_port=0
video_rtp_port=0
text_rtp_port=0
"""


def eventually(ask: Callable[[], T], what: str) -> T:
    """The first true answer; fails the test when none comes."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.05)
    return answer


def free_udp_port() -> int:
    """A UDP port nobody on the loopback address uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(process: subprocess.Popen[str]) -> None:
    """End a process of ours, the hard way if it must be."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


# --- the registrar


@dataclass(frozen=True)
class Registrar:
    """A running Kamailio; who it knows and who is registered is asked by its control socket."""

    host: str
    port: int
    control: Path
    kamcmd: str

    def ask(self, *words: str) -> str:
        """What Kamailio answers to a command; its tool exits with 0 for errors too."""
        command = [self.kamcmd, "-s", f"unix:{self.control}", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return done.stdout + done.stderr

    def subscribe(self, user: str, password: str) -> None:
        """Let a user register, with this password from now on."""
        answer = self.ask("htable.sets", "subscribers", f"s:{user}", f"s:{password}")
        assert answer.startswith("Ok"), answer

    def registered(self, user: str) -> bool:
        """Whether somebody is registered as that user."""
        answer = self.ask("ul.lookup", "location", f"s:{user}")
        assert "Contact:" in answer or "AOR not found" in answer, answer
        return "Contact:" in answer


@pytest.fixture
def run_registrar(client_program, tmp_path_factory) -> Iterator[Callable[..., Registrar]]:
    """Run registrars on loopback; ``folder`` is where a configuration's own files lie."""
    kamailio, kamcmd = client_program("kamailio"), client_program("kamcmd")
    with ExitStack() as stack:

        def run(text: str, folder: Path | None = None) -> Registrar:
            # The path of a socket is short by nature: 107 bytes.
            home = folder or tmp_path_factory.mktemp("sip")
            port, control = free_udp_port(), home / "ctl"
            config = home / "kamailio.cfg"
            config.write_text(text.format(port=port, control=control, folder=home))
            command = [kamailio, "-f", str(config), "-DD", "-E", "-P", str(home / "pid")]
            command += ["-Y", str(home), "-m", "16", "-M", "4"]
            with (home / "log").open("w") as log:
                process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
            stack.callback(stop, process)
            registrar = Registrar("127.0.0.1", port, control, kamcmd)
            eventually(
                lambda: process.poll() is not None or "kamailio" in registrar.ask("core.version"),
                "kamailio answers",
            )
            assert process.poll() is None, (home / "log").read_text()
            return registrar

        yield run


@pytest.fixture
def registrar(run_registrar) -> Registrar:
    """A registrar on loopback that knows nobody yet."""
    return run_registrar(REGISTRAR)


# --- the softphone


class Softphone:
    """An installation of Linphone: a home of its own, whose settings last from start to start."""

    def __init__(self, program: str, home: Path) -> None:
        self._program = program
        self._home = home
        self._rc = home / "linphonerc"
        self._process: subprocess.Popen[str] | None = None
        # Without the folder of its database it runs but fetches and registers nothing.
        (home / ".local/share/linphone").mkdir(parents=True)
        (home / ".config/linphone").mkdir(parents=True)

    def install(self, url: str, root_ca: Path | str) -> None:
        """Write what its user has before the first start: a link and whom to trust."""
        text = SOFTPHONE.format(url=url, root_ca=root_ca, port=free_udp_port())
        self._rc.write_text(text)

    def start(self) -> None:
        """Run it; it fetches its settings at once."""
        assert self._process is None
        with (self._home / "out").open("w") as out:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._rc), "-d", "5", "-l", str(self._home / "log")],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={"HOME": str(self._home), "PATH": os.environ["PATH"]},
                cwd=self._home,
                text=True,
            )

    def says(self, command: str, word: str) -> str:
        """The line starting with ``word`` that it prints for a command; empty if none comes yet."""
        assert self._process is not None
        assert self._process.stdin is not None
        before = len(self._printed())
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

        def answer() -> str:
            lines = self._printed()[before:].splitlines()
            return next((line for line in lines if line.startswith(word)), "")

        return eventually(answer, f"an answer to '{command}'")

    def _printed(self) -> str:
        return (self._home / "out").read_text(errors="replace")

    def wait_registered(self) -> str:
        """Wait until it calls its default account registered; the line that says so."""

        def answer() -> str:
            line = self.says("status register", "registered")
            return line if line.startswith("registered,") else ""

        return eventually(answer, "linphonec is registered")

    def wait_refused(self) -> None:
        """Wait until it has answered a challenge and was not let in."""
        log = self._home / "log"
        eventually(
            lambda: (
                log.exists()
                and "to [LinphoneRegistrationFailed]" in log.read_text(errors="replace")
            ),
            "linphonec is refused",
        )
        assert "HttpDigest authentication fails" in log.read_text(errors="replace")

    def wait_without_account(self) -> None:
        """Wait until it has no default account."""
        eventually(
            lambda: self.says("status register", "registered") == "registered=0",
            "linphonec has no account",
        )

    def wait_disconnected(self) -> None:
        """Wait until a connection of its has failed, which its log calls a channel in error."""
        log = self._home / "log"
        eventually(
            lambda: log.exists() and "entering state ERROR" in log.read_text(errors="replace"),
            "linphonec gave up on the server",
        )

    def quit(self) -> None:
        """Let it end by itself, so that it writes its settings; it unregisters first."""
        assert self._process is not None
        self._process.communicate("quit\n", timeout=PATIENCE)
        self._process = None

    def kill(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            stop(self._process)
            self._process = None

    @property
    def written(self) -> str:
        """The text of its settings."""
        return self._rc.read_text()

    @property
    def settings(self) -> configparser.RawConfigParser:
        """What it has written down."""
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(self.written)
        return parser

    @property
    def url(self) -> str:
        """Where it will fetch its settings next time."""
        return self.settings.get("misc", "config-uri", fallback="")

    @property
    def identities(self) -> list[str]:
        """Whom its accounts register as."""
        sections = [name for name in self.settings if name.startswith("proxy_")]
        found = [self.settings.get(name, "reg_identity", fallback="") for name in sections]
        return [identity for identity in found if identity]


@pytest.fixture
def softphone(client_program, tmp_path_factory) -> Iterator[Callable[[], Softphone]]:
    """Make installations of Linphone."""
    program = client_program("linphonec")
    with ExitStack() as stack:

        def install() -> Softphone:
            phone = Softphone(program, tmp_path_factory.mktemp("linphone"))
            stack.callback(phone.kill)
            return phone

        yield install
