"""A running server tells a real SIP program that its files changed, and sees it come for them."""

from __future__ import annotations

import itertools
import os
import subprocess
import time

import pytest

PATIENCE = 60.0
HOSTS = itertools.count(2)

_ANSWER = """<send><![CDATA[

SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=phone
[last_Call-ID:]
[last_CSeq:]
{more}Content-Length: 0

]]></send>"""

_EVENT = """<recv request="NOTIFY"><action>
<ereg regexp="^ ?check-sync;reboot=false$" search_in="hdr" header="Event:" check_it="true" assign_to="1"/>
{more}</action></recv>"""

_SCENARIO = """<?xml version="1.0"?><!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="phone">{steps}<Reference variables="{variables}"/></scenario>"""

TAKES_IT = _SCENARIO.format(
    steps=_EVENT.format(more="") + _ANSWER.format(status="200 OK", more=""), variables="1"
)


def challenges(username: str, password: str) -> str:
    """A phone that asks for the account's digest and takes nothing else."""
    asked = 'WWW-Authenticate: Digest realm="phone", nonce="abc", qop="auth", algorithm=MD5\n'
    judge = f'<verifyauth assign_to="2" username="{username}" password="{password}"/>\n'
    return _SCENARIO.format(
        steps=_EVENT.format(more="")
        + _ANSWER.format(status="401 Unauthorized", more=asked)
        + _EVENT.format(more=judge)
        + '<nop next="good" test="2"/>'
        + _ANSWER.format(status="403 Forbidden", more="")
        + '<nop next="end"/><label id="good"/>'
        + _ANSWER.format(status="200 OK", more="")
        + '<label id="end"/>',
        variables="1,2",
    )


@pytest.fixture
def host():
    """An address of loopback that no other phone of this machine has."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    return f"127.5.{worker}.{next(HOSTS)}"


@pytest.fixture
def sipp(client_program, tmp_path, host):
    """Run sipp as the phone that takes SIP at an address; its exit status is what it thinks."""
    program, started = client_program("sipp"), []

    def start(scenario):
        file = tmp_path / "phone.xml"
        file.write_text(scenario)
        command = [program, "-sf", file, "-i", host, "-p", "5060", "-m", "1", "-nostdin"]
        process = subprocess.Popen(
            [*command, "-timeout", f"{PATIENCE:.0f}s", "-timeout_error", "-trace_err"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def phone(server, host):
    """Ada's phone, which has its file and is at that address."""
    user = server.make_user()
    phone = server.make_phone(user)
    for _ in range(2):
        assert server.get(phone.url, source=host).status == 200
    wait_for(server, phone, lambda found: found["state"] == "current")
    return phone, user


def wait_for(server, phone, right):
    """What the API tells of a phone's reload, as soon as it is right."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = server.api("GET", f"devices/{phone.id}/reload")
        if right(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_changed_phone_is_told_fetches_and_is_current(server, sipp, phone, host, curl):
    """A change reaches a phone by NOTIFY; it fetches, and every state on the way can be read."""
    phone, user = phone
    process = sipp(TAKES_IT)
    server.api("PATCH", f"users/{user['id']}", {"last_name": "King"})
    told = wait_for(server, phone, lambda found: found["told_at"])
    assert process.wait(PATIENCE) == 0, process.stdout.read()
    assert told["way"] == "sip"
    assert told["status"] == "told by SIP, 200 OK"
    shown = server.command("device", "show", phone.id)
    assert "told by SIP, 200 OK" in shown
    fetched = curl("--interface", host, "--cacert", server.ca, phone.url)
    assert "King" in fetched.text
    current = wait_for(server, phone, lambda found: found["state"] == "current")
    assert current["status"].startswith("current since ")
    assert current["reload"] is None


@pytest.mark.parametrize(("right", "words"), [(True, "200 OK"), (False, "403 Forbidden")])
def test_challenge_is_answered_with_the_accounts_digest(server, sipp, phone, right, words):
    """A phone that asks who it is gets the digest of its own SIP account, which sipp judges."""
    phone, user = phone
    account = server.api("GET", f"sip-accounts/{user['sip_account']['id']}?secrets=1")
    process = sipp(challenges(account["username"], account["password"] if right else "other"))
    server.api("POST", f"devices/{phone.id}/reload")
    told = wait_for(server, phone, lambda found: found["answer"])
    assert told["answer"] == words
    assert bool(told["told_at"]) is right
    assert process.wait(PATIENCE) == 0, process.stdout.read()
