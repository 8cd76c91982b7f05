"""Linphone, from the admin's first call to a blocked device, against a real registrar."""

from __future__ import annotations

import re

import pytest

TOKEN_PATH = re.compile(r"/t/[a-z2-7]{26}/linphone\.xml")


@pytest.fixture
def ada(server, registrar):
    """A person with a generated SIP password that the registrar knows; her user and account."""
    columns = {"registrar": registrar.host, "port": registrar.port, "transport": "udp"}
    made = server.api("POST", "sip-servers", {"name": f"on {registrar.port}", **columns})
    user = server.make_user(sip_account={"sip_server_id": made["id"]})
    account = server.api("GET", f"sip-accounts/{user['sip_account']['id']}?secrets=1")
    registrar.subscribe(account["username"], account["password"])
    return {
        "user": user["id"],
        "account": account["id"],
        "sip": account["username"],
        "password": account["password"],
    }


@pytest.fixture
def laptop(server, ada):
    """Ada's softphone as the API answered when it was made, assigned to her."""
    device = server.api("POST", "devices", {"vendor": "linphone", "name": "Ada's laptop"})
    server.api("PUT", f"devices/{device['id']}/assignments", {"users": [ada["user"]]})
    return device


def test_a_softphone_enrols_by_link_and_registers(server, registrar, softphone, ada, laptop):
    """A link makes a softphone register, hands it a URL of its own, and then is worth nothing."""
    link = laptop["enrolment_url"]
    assert TOKEN_PATH.search(link)
    phone = softphone()
    phone.install(link, server.ca)

    phone.start()
    assert f"sip:{ada['sip']}@127.0.0.1" in phone.wait_registered()
    assert registrar.registered(ada["sip"])
    phone.quit()
    durable = phone.url
    assert durable != link
    assert TOKEN_PATH.search(durable)
    assert len(phone.identities) == 1

    phone.start()
    phone.wait_registered()
    phone.quit()
    assert phone.url == durable
    assert server.get(link).status == 404
    assert server.api("GET", f"devices/{laptop['id']}")["state"] == "adopted"


def test_a_softphone_takes_a_new_password(server, registrar, softphone, ada, laptop):
    """After a change of the SIP password the next start registers with the new one."""
    phone = softphone()
    phone.install(laptop["enrolment_url"], server.ca)
    phone.start()
    phone.wait_registered()
    phone.quit()
    assert not registrar.registered(ada["sip"])

    server.api("PATCH", f"sip-accounts/{ada['account']}", {"password": "brand-New-4711"})
    registrar.subscribe(ada["sip"], "brand-New-4711")
    phone.start()
    phone.wait_registered()
    assert registrar.registered(ada["sip"])


def test_a_blocked_softphone_loses_its_account(server, registrar, softphone, ada, laptop):
    """A blocked device's next start erases its account and its secrets."""
    phone = softphone()
    phone.install(laptop["enrolment_url"], server.ca)
    phone.start()
    phone.wait_registered()
    phone.quit()
    assert "ha1=" in phone.written

    server.api("PATCH", f"devices/{laptop['id']}", {"state": "blocked"})
    phone.start()
    phone.wait_without_account()
    phone.quit()
    assert phone.identities == []
    assert "ha1=" not in phone.written
    assert ada["password"] not in phone.written
    assert not registrar.registered(ada["sip"])
    assert server.get(phone.url).status == 404


def test_a_softphone_that_cannot_check_the_server_gets_nothing(
    server, registrar, softphone, ada, laptop
):
    """A softphone that was not given our CA takes no settings; our log says why, and its link stays good."""
    phone = softphone()
    phone.install(laptop["enrolment_url"], "/dev/null")
    phone.start()
    phone.wait_disconnected()
    phone.quit()
    assert phone.identities == []
    assert "TLSV1_ALERT_UNKNOWN_CA" in server.log
    assert server.get(laptop["enrolment_url"]).status == 200


def test_a_softphone_proves_itself_by_digest(server, registrar, softphone, ada, laptop):
    """With its user name and password in the link, Linphone answers the challenge and registers."""
    ways = server.api("GET", f"devices/{laptop['id']}/provisioning-url")
    credentials = f"//{ways['username']}:{ways['password']}@"
    phone = softphone()
    phone.install(ways["password_url"].replace("//", credentials) + "linphone.xml", server.ca)
    phone.start()
    phone.wait_registered()
    phone.quit()
    assert phone.url == ways["token_url"] + "linphone.xml"
    settings, phone_book = server.fetches(laptop["id"], 2)
    assert settings["reason"] == "proven by password"
    assert (phone_book["path"], phone_book["outcome"]) == ("contacts.vcf", "served")
