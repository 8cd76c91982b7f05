"""A phone's own user name and password, by Digest and Basic, as curl answers a challenge."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def desk(server):
    """A registered phone that has an account's secret in its file."""
    return server.make_phone(server.make_user())


@pytest.fixture
def credentials(desk):
    """The user name and password of that phone, as curl takes them."""
    ways = desk.ways
    return f"{ways['username']}:{ways['password']}"


def algorithms(head):
    """The schemes and algorithms of the challenges in the order they were sent."""
    challenges = re.findall(r"(?im)^www-authenticate: (\S+)(?:.*algorithm=([\w-]+))?", head)
    return [" ".join(filter(None, pair)) for pair in challenges]


@pytest.mark.parametrize("door", ["http", "https"])
def test_digest_opens_the_file(server, curl, desk, credentials, door):
    """A challenged phone that answers by Digest gets its file, by either door."""
    url = f"{getattr(server, door)}/a/{desk.name}"
    got = curl("--cacert", server.ca, "--digest", "-u", credentials, url)
    assert (got.status, "account.1.enable = 1" in got.text) == (200, True)
    answered = re.findall(r"(?i)authorization: digest .*algorithm=([\w-]+)", got.trace)
    assert answered == ["MD5"]


def test_the_challenge_offers_what_its_door_may(server, curl, desk, credentials):
    """MD5 comes before SHA-256, and Basic is offered inside TLS only."""
    assert algorithms(curl(f"{server.http}/a/{desk.name}").head) == ["Digest MD5", "Digest SHA-256"]
    secure = curl("--cacert", server.ca, f"{server.https}/a/{desk.name}")
    assert algorithms(secure.head) == ["Digest MD5", "Digest SHA-256", "Basic"]


def test_basic_opens_the_file_inside_tls_only(server, curl, desk, credentials):
    """The right password sent in clear over plain HTTP is not taken."""
    secure = curl(
        "--cacert", server.ca, "--basic", "-u", credentials, f"{server.https}/a/{desk.name}"
    )
    assert secure.status == 200
    assert curl("--basic", "-u", credentials, f"{server.http}/a/{desk.name}").status == 401


@pytest.mark.parametrize("scheme", ["--digest", "--basic"])
@pytest.mark.parametrize("wrong", ["{user}:wrong", "nobody:{password}", "{user}:", ":"])
def test_wrong_credentials_are_asked_for_again(server, curl, desk, credentials, scheme, wrong):
    """A wrong password and an unknown user get the same 401, without a byte of the file."""
    user, password = credentials.split(":")
    given = wrong.format(user=user, password=password)
    got = curl("--cacert", server.ca, scheme, "-u", given, f"{server.https}/a/{desk.name}")
    assert (got.status, got.body) == (401, b"Credentials are needed\n")


def test_credentials_of_one_phone_do_not_open_another_ones_file(server, curl, desk, credentials):
    """The right password for another device's name is a 404, like a name that is nobody's."""
    other = server.make_phone(server.make_user())
    for name in (other.name, "001565ffff02.cfg"):
        got = curl("--digest", "-u", credentials, f"{server.http}/a/{name}")
        assert (got.status, got.body) == (404, b"Not found\n")
