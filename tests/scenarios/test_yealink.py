"""A Yealink from its box to its own URL, played by curl with what such a phone sends."""

from __future__ import annotations

import re

import pytest

MAC = "00:15:65:AA:BB:CC"
USER_AGENT = "Yealink SIP-T54W 96.86.0.45 00:15:65:aa:bb:cc"
URL = re.compile(r"^static\.auto_provision\.server\.url = (\S+)$", re.MULTILINE)
CA_URL = re.compile(r"^static\.trusted_certificates\.url = (\S+)$", re.MULTILINE)


@pytest.fixture
def desk(server):
    """A registered phone, its model still unknown, assigned to Ada."""
    server.api("POST", "sip-servers", {"name": "main", "registrar": "pbx.example.com"})
    return server.make_device(MAC, server.make_user("1001"))


@pytest.fixture
def phone(curl):
    """Fetch a URL as that phone does."""

    def fetch(url, *options):
        return curl("-A", USER_AGENT, *options, url)

    return fetch


def test_a_phone_boots_in_its_window_and_moves_to_its_own_url(server, desk, phone, tmp_path):
    """By plain HTTP it gets its files and our CA, then its HTTPS URL; the bare name is closed."""
    boot = phone(f"{server.http}/001565aabbcc.boot")
    assert (boot.status, "<y000000000096.cfg>" in boot.text) == (200, True)
    assert phone(f"{server.http}/y000000000096.cfg").status == 200
    first = phone(f"{server.http}/001565aabbcc.cfg")
    assert "account.1.user_name = 1001" in first.text

    ca_url = CA_URL.search(first.text)[1]
    ca = tmp_path / "ca.crt"
    ca.write_bytes(phone(ca_url).body)
    assert ca.read_bytes() == server.ca.read_bytes()

    again = phone(f"{server.http}/001565aabbcc.cfg")
    url = URL.search(again.text)[1]
    assert re.fullmatch(re.escape(server.https) + "/t/[a-z2-7]{26}/", url)
    proven = phone(f"{url}001565aabbcc.cfg", "--cacert", ca)
    assert (proven.status, URL.search(proven.text)[1]) == (200, url)

    device = server.api("GET", f"devices/{desk['id']}")
    assert (device["state"], device["model"], device["firmware"]) == (
        "adopted",
        "T54W",
        "96.86.0.45",
    )
    bare = phone(f"{server.http}/001565aabbcc.cfg")
    assert (bare.status, b"1001" in bare.body) == (404, False)
    assert phone(f"{server.https}/001565aabbcc.cfg", "--cacert", ca).status == 404
    assert phone(f"{url}001565aabbcc.cfg", "--cacert", ca).status == 200


def test_the_fetch_log_says_why_each_file_was_served_or_not(server, desk, phone):
    """An admin reads from the log what the phone asked for, what it got, and the reason."""
    phone(f"{server.http}/001565aabbcc.boot")
    url = server.api("GET", f"devices/{desk['id']}/provisioning-url")["http_token_url"]
    phone(f"{url}001565aabbcc.cfg")
    phone(f"{server.http}/001565aabbcc.cfg")
    phone(f"{url}001565ffffff.cfg")

    log = server.fetches(desk, 3)
    assert [(item["path"], item["outcome"], item["grade"]) for item in log] == [
        ("/001565aabbcc.boot", "served", "none"),
        ("/t/***/001565aabbcc.cfg", "served", "token"),
        ("/001565aabbcc.cfg", "not-found", "none"),
    ]
    assert [item["reason"] for item in log] == [
        "the first source in the open window",
        "proven by token",
        "none is less than token and no window is open",
    ]
    assert {item["user_agent"] for item in log} == {USER_AGENT}
    token = url.split("/")[-2]
    assert token not in server.log


def test_a_second_source_in_the_window_gets_nothing_and_raises_an_alarm(server, desk, phone, curl):
    """Whoever comes second is told what a stranger is told, and the token changes."""
    unknown = USER_AGENT.replace("aa:bb:cc", "aa:bb:00")
    stranger = curl("-A", unknown, f"{server.http}/001565aabb00.cfg")
    before = server.api("GET", f"devices/{desk['id']}/provisioning-url")
    assert phone(f"{server.http}/001565aabbcc.cfg").status == 200

    second = phone(f"{server.http}/001565aabbcc.cfg", "--interface", "127.0.0.2")
    assert (second.status, second.body) == (404, stranger.body)
    assert _without_date(second.head) == _without_date(stranger.head)

    after = server.api("GET", f"devices/{desk['id']}/provisioning-url")
    assert after["token_url"] != before["token_url"]
    assert phone(f"{before['http_token_url']}001565aabbcc.cfg").status == 404
    assert phone(f"{server.http}/001565aabbcc.cfg").status == 200
    alarm = server.api("GET", f"devices/{desk['id']}/window")["alarm"]
    assert "127.0.0.2" in alarm
    reason = next(item["reason"] for item in server.fetches(desk, 3) if "127.0.0.2" in str(item))
    assert reason == "a second source came in the open window"


def test_a_reopened_window_is_for_whoever_comes_first_again(server, desk, phone):
    """Reopening forgets the bound source and the alarm, and the old URL serves once more."""
    url = server.api("GET", f"devices/{desk['id']}/provisioning-url")["http_token_url"]
    assert phone(f"{url}001565aabbcc.cfg").status == 200
    assert phone(f"{server.http}/001565aabbcc.cfg").status == 404

    server.api("POST", f"devices/{desk['id']}/window")
    again = phone(f"{server.http}/001565aabbcc.cfg", "--interface", "127.0.0.2")
    assert again.status == 200
    assert URL.search(again.text)[1] != url
    assert phone(f"{url}001565aabbcc.cfg").status == 200


def test_an_unchanged_file_is_not_sent_twice(server, desk, phone):
    """A phone that shows the entity tag of what it has is answered 304, until a change."""
    url = server.api("GET", f"devices/{desk['id']}/provisioning-url")["http_token_url"]
    name = f"{url}001565aabbcc.cfg"
    tag = re.search(r"(?i)^etag: (\S+)", phone(name).head, re.MULTILINE)[1]
    # The first proven fetch taught us model and firmware, which the file depends on.
    tag = re.search(r"(?i)^etag: (\S+)", phone(name).head, re.MULTILINE)[1]
    assert phone(name, "-H", f"If-None-Match: {tag}").status == 304

    (user,) = server.api("GET", "users")["items"]
    server.api("PATCH", f"users/{user['id']}", {"last_name": "Byron"})
    changed = phone(name, "-H", f"If-None-Match: {tag}")
    assert (changed.status, "Ada Byron" in changed.text) == (200, True)


def _without_date(head):
    return [line for line in head.splitlines() if not line.lower().startswith("date:")]
