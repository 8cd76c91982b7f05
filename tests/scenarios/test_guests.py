"""Phones that are nobody's: without a user, for whoever comes, blocked, retired."""

from __future__ import annotations

import pytest

LINE = "account.1.enable = 1"
NO_LINE = "account.1.enable = 0"


@pytest.fixture
def fetch(server, curl):
    """Fetch a phone's file by HTTPS from its own URL."""

    def get(url):
        return curl("--cacert", server.ca, url)

    return get


@pytest.mark.parametrize("pool", [False, True])
def test_a_phone_without_a_user_gets_its_guest_file(server, fetch, pool):
    """A registered phone that nobody has is served: no line, but the place and emergency calls."""
    got = fetch(server.make_phone(pool=pool).url)
    assert got.status == 200
    assert "phone_setting.emergency.number = 112,911" in got.text
    assert NO_LINE in got.text
    assert LINE not in got.text


def test_a_pool_phone_takes_no_users(server, fetch):
    """Assigning somebody to a pool phone is refused, and its file stays a guest's."""
    phone = server.make_phone(pool=True)
    user = server.make_user()
    answer = server.ask("PUT", f"devices/{phone.id}/assignments", {"users": [user["id"]]})
    assert (answer.status, answer.json()["code"]) == (409, "pool-phone")
    assert NO_LINE in fetch(phone.url).text


def test_a_phone_whose_user_leaves_becomes_a_guests_again(server, fetch):
    """Without its user the phone is told to forget the line, not left as it was."""
    phone = server.make_phone(server.make_user())
    assert LINE in fetch(phone.url).text
    server.api("PUT", f"devices/{phone.id}/assignments", {"users": []})
    got = fetch(phone.url)
    assert NO_LINE in got.text
    assert "account.1.password = %NULL%" in got.text


def test_a_blocked_phone_is_blanked_once(server, fetch):
    """Blocking sends one file that erases the line, and then nothing until it is undone."""
    phone = server.make_phone(server.make_user())
    assert LINE in fetch(phone.url).text
    server.api("PATCH", f"devices/{phone.id}", {"state": "blocked"})
    blank = fetch(phone.url)
    assert (blank.status, NO_LINE in blank.text) == (200, True)
    assert "account.1.user_name = %NULL%" in blank.text
    assert fetch(phone.url).status == 404

    server.api("PATCH", f"devices/{phone.id}", {"state": "registered"})
    assert LINE in fetch(phone.url).text


def test_a_retired_phone_is_blanked_once_and_its_mac_is_free(server, fetch):
    """Retiring sends one erasing file to the phone's own URL; then the MAC can be another's."""
    phone = server.make_phone(server.make_user())
    assert LINE in fetch(phone.url).text
    url = phone.url
    server.api("DELETE", f"devices/{phone.id}")

    blank = fetch(url)
    assert (blank.status, "account.1.user_name = %NULL%" in blank.text) == (200, True)
    assert fetch(url).status == 404
    again = server.make_phone(server.make_user(), mac=phone.mac)
    assert again.id != phone.id
    assert LINE in fetch(again.url).text
    assert fetch(url).status == 404
