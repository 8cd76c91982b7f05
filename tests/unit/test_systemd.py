"""What systemd is told, over real datagram sockets."""

from __future__ import annotations

import secrets
import socket
import time

import pytest
from structlog.testing import capture_logs

from provisioning import systemd


def receive(address: str, monkeypatch: pytest.MonkeyPatch, name: str, state: str) -> str:
    """Bind a socket, tell it a state, and return what came."""
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        assert systemd.notify(state)
        return channel.recv(1000).decode()


def test_ready_is_sent_to_a_path(tmp_path, monkeypatch):
    """A state goes to the socket whose path NOTIFY_SOCKET has."""
    path = str(tmp_path / "notify")
    assert receive(path, monkeypatch, path, systemd.READY) == "READY=1"


def test_stopping_is_sent_to_an_abstract_name(monkeypatch):
    """An @ in front names a socket of the abstract namespace."""
    name = f"roost-test-{secrets.token_hex(8)}"
    assert receive(f"\0{name}", monkeypatch, f"@{name}", systemd.STOPPING) == "STOPPING=1"


def test_reloading_carries_the_monotonic_time():
    """The start of a reload says when it was, in microseconds of CLOCK_MONOTONIC."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    state, stamp = systemd.reloading().split("\n")
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert state == "RELOADING=1"
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= after


@pytest.mark.parametrize("name", [None, "", "relative", "vsock:2:1234"])
def test_nothing_is_sent_without_a_socket(name, monkeypatch):
    """Without a socket that can be used nothing is sent and nothing fails."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if name is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", name)
    assert not systemd.notify(systemd.READY)


def test_socket_nobody_listens_on_is_logged_and_survived(tmp_path, monkeypatch):
    """A socket that is gone costs a line in the log and nothing else."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    with capture_logs() as logged:
        assert not systemd.notify(systemd.READY)
    assert [entry["event"] for entry in logged] == ["systemd-not-told"]
