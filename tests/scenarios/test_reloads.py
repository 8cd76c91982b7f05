"""A running server finds out by itself which phones have to load their files anew."""

from __future__ import annotations

import time

import pytest

PATIENCE = 60.0


@pytest.fixture
def waiting(server):
    """Wait until the state of a phone's reload is this one; None stands for no reload."""

    def wait(phone, state):
        deadline = time.monotonic() + PATIENCE
        while True:
            found = server.api("GET", f"devices/{phone.id}/reload")["reload"]
            if (found and found["state"]) == state:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    return wait


def test_b6_renamed_user_leaves_their_phone_waiting_and_no_other(server, waiting):
    """A rename leaves the person's phone waiting, and no other, and it fetches the new name."""
    ada, bob = server.make_user(), server.make_user()
    hers, his = server.make_phone(ada), server.make_phone(bob)
    for phone in (hers, his):
        assert server.get(phone.url).status == 200
        waiting(phone, None)
    server.api("PATCH", f"users/{ada['id']}", {"last_name": "King"})
    assert waiting(hers, "saved")["reason"] == "user Ada King"
    waiting(his, None)
    listed = {item["device_id"] for item in server.api("GET", "reloads?state=saved")["items"]}
    assert {hers.id, his.id} & listed == {hers.id}
    assert "Ada King" in server.get(hers.url).body.decode()
