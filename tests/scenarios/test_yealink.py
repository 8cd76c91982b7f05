"""A Yealink from its box to its own URL, played by curl with what such a phone sends."""

from __future__ import annotations

import re

import pytest

URL = re.compile(r"^static\.auto_provision\.server\.url = (\S+)$", re.MULTILINE)
CA_URL = re.compile(r"^static\.trusted_certificates\.url = (\S+)$", re.MULTILINE)


@pytest.fixture
def desk(server):
    """A registered phone, its model still unknown, assigned to Ada."""
    return server.make_phone(server.make_user())


def user_agent(mac):
    """What a T54W with that MAC calls itself."""
    return "Yealink SIP-T54W 96.86.0.45 " + ":".join(re.findall("..", mac))


@pytest.fixture
def phone(curl, desk):
    """Fetch a URL as that phone does."""

    def fetch(url, *options):
        return curl("-A", user_agent(desk.mac), *options, url)

    return fetch


def test_a_phone_boots_in_its_window_and_moves_to_its_own_url(server, desk, phone, tmp_path):
    """By plain HTTP it gets its files and our CA, then its HTTPS URL; the bare name is closed."""
    boot = phone(f"{server.http}/{desk.mac}.boot")
    assert (boot.status, "<y000000000096.cfg>" in boot.text) == (200, True)
    assert phone(f"{server.http}/y000000000096.cfg").status == 200
    first = phone(f"{server.http}/{desk.name}")
    assert "account.1.enable = 1" in first.text

    ca_url = CA_URL.search(first.text)[1]
    ca = tmp_path / "ca.crt"
    ca.write_bytes(phone(ca_url).body)
    assert ca.read_bytes() == server.ca.read_bytes()

    again = phone(f"{server.http}/{desk.name}")
    url = URL.search(again.text)[1]
    assert re.fullmatch(re.escape(server.https) + "/t/[a-z2-7]{26}/", url)
    proven = phone(f"{url}{desk.name}", "--cacert", ca)
    assert (proven.status, URL.search(proven.text)[1]) == (200, url)

    row = desk.row
    assert (row["state"], row["model"], row["firmware"]) == ("adopted", "T54W", "96.86.0.45")
    assert phone(f"{server.http}/{desk.name}").status == 404
    assert phone(f"{server.https}/{desk.name}", "--cacert", ca).status == 404
    assert phone(f"{url}{desk.name}", "--cacert", ca).status == 200


def test_the_fetch_log_says_why_each_file_was_served_or_not(server, desk, phone):
    """An admin reads from the log what the phone asked for, what it got, and the reason."""
    phone(f"{server.http}/{desk.mac}.boot")
    url = desk.plain_base()
    phone(f"{url}{desk.name}")
    phone(f"{server.http}/{desk.name}")
    phone(f"{url}001565ffffff.cfg")

    log = server.fetches(desk.id, 3)
    assert [(item["path"], item["outcome"], item["grade"]) for item in log] == [
        (f"{desk.mac}.boot", "served", "none"),
        (desk.name, "served", "token"),
        (desk.name, "not-found", "none"),
    ]
    assert [item["reason"] for item in log] == [
        "the first source in the open window",
        "proven by token",
        "none is less than token and no window is open",
    ]
    assert {item["user_agent"] for item in log} == {user_agent(desk.mac)}
    token = url.split("/")[-2]
    assert token not in server.log


def test_a_second_source_in_the_window_gets_nothing_and_raises_an_alarm(server, desk, phone, curl):
    """Whoever comes second is told what a stranger is told, and the token changes."""
    stranger = curl("-A", user_agent("001565ffff01"), f"{server.http}/001565ffff01.cfg")
    before = desk.ways
    assert phone(f"{server.http}/{desk.name}").status == 200

    second = phone(f"{server.http}/{desk.name}", "--interface", "127.0.0.2")
    assert (second.status, second.body) == (404, stranger.body)
    assert _without_date(second.head) == _without_date(stranger.head)

    assert desk.ways["token_url"] != before["token_url"]
    assert phone(desk.plain_base(before) + desk.name).status == 404
    assert phone(f"{server.http}/{desk.name}").status == 200
    window = server.api("GET", f"devices/{desk.id}/window")
    assert window["bound_source"] == "127.0.0.1"
    assert "127.0.0.2" in window["alarm"]
    log = server.fetches(desk.id, 3)
    assert [(item["address"], item["outcome"]) for item in log] == [
        ("127.0.0.1", "served"),
        ("127.0.0.2", "not-found"),
        ("127.0.0.1", "served"),
    ]
    assert log[1]["reason"] == "a second source came in the open window"


def test_a_reopened_window_is_for_whoever_comes_first_again(server, desk, phone):
    """Reopening forgets the bound source and the alarm, and the old URL serves once more."""
    url = desk.plain_base()
    assert phone(f"{url}{desk.name}").status == 200
    assert phone(f"{server.http}/{desk.name}").status == 404

    server.api("POST", f"devices/{desk.id}/window")
    again = phone(f"{server.http}/{desk.name}", "--interface", "127.0.0.2")
    assert again.status == 200
    assert desk.plain_base() != url
    assert phone(f"{url}{desk.name}").status == 200


def test_an_unchanged_file_is_not_sent_twice(server, desk, phone):
    """A phone that shows the entity tag of what it has is answered 304, until a change."""
    url = desk.plain_base()
    name = f"{url}{desk.name}"
    tag = re.search(r"(?i)^etag: (\S+)", phone(name).head, re.MULTILINE)[1]
    # The first proven fetch taught us model and firmware, which the file depends on.
    tag = re.search(r"(?i)^etag: (\S+)", phone(name).head, re.MULTILINE)[1]
    assert phone(name, "-H", f"If-None-Match: {tag}").status == 304

    (user,) = server.api("GET", f"devices/{desk.id}/assignments")["users"]
    server.api("PATCH", f"users/{user}", {"last_name": "Byron"})
    changed = phone(name, "-H", f"If-None-Match: {tag}")
    assert (changed.status, "Ada Byron" in changed.text) == (200, True)


def _without_date(head):
    return [line for line in head.splitlines() if not line.lower().startswith("date:")]
