"""Phones that are nobody's: without a user, for whoever comes, blocked, retired."""

from __future__ import annotations

import pytest

MAC, NAME = "00:15:65:AA:BB:CC", "001565aabbcc.cfg"
LINE = "account.1.user_name = 1001"
NO_LINE = "account.1.enable = 0"


@pytest.fixture
def sip_server(server):
    """A SIP server, so that users have accounts."""
    return server.api("POST", "sip-servers", {"name": "main", "registrar": "pbx.example.com"})


@pytest.fixture
def fetch(server, curl):
    """Fetch the phone's file by HTTPS from its own URL."""

    def get():
        url = server.api("GET", f"devices/{MAC}/provisioning-url")["token_url"]
        return curl("--cacert", server.ca, url + NAME)

    return get


@pytest.mark.parametrize("pool", [False, True])
def test_a_phone_without_a_user_gets_its_guest_file(server, sip_server, fetch, pool):
    """A registered phone that nobody has is served: no line, but the place and emergency calls."""
    server.make_device(MAC, pool=pool)
    got = fetch()
    assert got.status == 200
    assert "phone_setting.emergency.number = 112,911" in got.text
    assert NO_LINE in got.text
    assert "account.1.enable = 1" not in got.text


def test_a_pool_phone_takes_no_users(server, sip_server, fetch):
    """Assigning somebody to a pool phone is refused, and its file stays a guest's."""
    device = server.make_device(MAC, pool=True)
    user = server.make_user("1001")
    answer = server.ask("PUT", f"devices/{device['id']}/assignments", {"users": [user["id"]]})
    assert (answer.status, answer.json()["code"]) == (409, "pool-phone")
    assert NO_LINE in fetch().text


def test_a_phone_whose_user_leaves_becomes_a_guests_again(server, sip_server, fetch):
    """Without its user the phone is told to forget the line, not left as it was."""
    device = server.make_device(MAC, server.make_user("1001"))
    assert LINE in fetch().text
    server.api("PUT", f"devices/{device['id']}/assignments", {"users": []})
    got = fetch()
    assert NO_LINE in got.text
    assert "account.1.password = %NULL%" in got.text


def test_a_blocked_phone_is_blanked_once(server, sip_server, fetch):
    """Blocking sends one file that erases the line, and then nothing until it is undone."""
    device = server.make_device(MAC, server.make_user("1001"))
    assert LINE in fetch().text
    server.api("PATCH", f"devices/{device['id']}", {"state": "blocked"})
    blank = fetch()
    assert (blank.status, NO_LINE in blank.text) == (200, True)
    assert "account.1.user_name = %NULL%" in blank.text
    assert fetch().status == 404

    server.api("PATCH", f"devices/{device['id']}", {"state": "registered"})
    assert LINE in fetch().text


def test_a_retired_phone_is_blanked_once_and_its_mac_is_free(server, sip_server, curl, fetch):
    """Retiring sends one erasing file to the phone's own URL; then the MAC can be another's."""
    device = server.make_device(MAC, server.make_user("1001"))
    assert LINE in fetch().text
    url = server.api("GET", f"devices/{device['id']}/provisioning-url")["token_url"] + NAME
    server.api("DELETE", f"devices/{device['id']}")

    blank = curl("--cacert", server.ca, url)
    assert (blank.status, "account.1.user_name = %NULL%" in blank.text) == (200, True)
    assert curl("--cacert", server.ca, url).status == 404
    again = server.make_device(MAC, server.make_user("1002"))
    assert again["id"] != device["id"]
    assert "account.1.user_name = 1002" in fetch().text
    assert curl("--cacert", server.ca, url).status == 404
