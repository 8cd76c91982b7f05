"""Trying out connections from threads."""

from __future__ import annotations

import threading

import pytest

from provisioning.outbound.reaching import AT_ONCE, reaching
from provisioning.usecases.ports import Connector


def test_few_threads_wait_for_pbxs():
    """However many are tried at once, few threads of the API wait for a PBX."""
    looked_up = threading.Barrier(AT_ONCE + 1)
    reach = reaching(())
    silent = Connector("silent.example", 5038, "roost", "x")
    heard = []

    def resolve(*_args, **_kinds):
        looked_up.wait(5)
        looked_up.wait(5)
        raise OSError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.getaddrinfo", resolve)
        threads = [
            threading.Thread(target=lambda: heard.append(reach(silent))) for _ in range(AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        looked_up.wait(5)
        refused = reach(silent)
        looked_up.wait(5)
        for thread in threads:
            thread.join()
    assert "Others are being tried" in refused.words
    assert len(heard) == AT_ONCE
