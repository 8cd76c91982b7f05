from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.crypto.digest import (
    NONCE_SECONDS,
    Nonces,
    Verdict,
    challenge_headers,
    verify_basic,
    verify_digest,
)

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
REALM = 'Roost "phones"'
TARGET = "/a/001565aabbcc.cfg?x=1"
PASSWORD = "kX7pQ2mN9vR4tW8zB3cD"


class Clock:
    """A clock that stands still until it is told otherwise."""

    now = 1_800_000_000.0

    def __call__(self):
        """Give the time in Unix seconds."""
        return self.now


@pytest.fixture
def clock():
    """The server's clock."""
    return Clock()


@pytest.fixture
def nonces(clock):
    """A source of nonces on that clock."""
    return Nonces([KEY], clock=clock)


def answer(nonce, *, count=1, algorithm="MD5", uri=TARGET, password=PASSWORD, method="GET", **more):
    """Compute what a phone answers, from RFC 7616 section 3.4 and not from our code."""
    name = {"MD5": "md5", "SHA-256": "sha256"}[algorithm]

    def hashed(text):
        return hashlib.new(name, text.encode()).hexdigest()

    secret = hashed(f"phone:{REALM}:{password}")
    request = hashed(f"{method}:{uri}")
    response = hashed(f"{secret}:{nonce}:{count:08x}:0a4f113b:auth:{request}")
    sent = {"username": "phone", "realm": REALM, "nonce": nonce, "uri": uri, "qop": "auth"}
    sent |= {"nc": f"{count:08x}", "cnonce": "0a4f113b", "response": response}
    return sent | {"algorithm": algorithm} | more


def judge(nonces, sent, *, user="phone", password=PASSWORD, method="GET", target=TARGET):
    """Judge an answer as a door would."""
    return verify_digest(
        sent,
        nonces,
        method=method,
        target=target,
        realm=REALM,
        user=user,
        password=password,
    )


def test_the_example_of_rfc_7616_is_computed_as_printed(monkeypatch):
    """The responses of RFC 7616 section 3.9.1 verify, for MD5 and for SHA-256."""
    nonces = Nonces([KEY])
    monkeypatch.setattr(nonces, "issued", lambda nonce, realm: 1)
    monkeypatch.setattr(nonces, "take", lambda nonce, issued, count: True)
    for algorithm, response in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        sent = {
            "username": "Mufasa",
            "realm": "http-auth@example.org",
            "uri": "/dir/index.html",
            "algorithm": algorithm,
            "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            "nc": "00000001",
            "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "qop": "auth",
            "response": response,
        }
        verdict = verify_digest(
            sent,
            nonces,
            method="GET",
            target="/dir/index.html",
            realm="http-auth@example.org",
            user="Mufasa",
            password="Circle of Life",
        )
        assert verdict is Verdict.GOOD


def test_md5_is_offered_first_and_basic_last_and_only_over_tls(nonces):
    """Old phones take the first challenge; a password never travels in the clear."""
    plain = challenge_headers(REALM, nonces, tls=False)
    assert [header.split(", ")[-1] for header in plain] == ["algorithm=MD5", "algorithm=SHA-256"]
    secure = challenge_headers(REALM, nonces, tls=True, stale=True)
    assert [header.split()[0] for header in secure] == ["Digest", "Digest", "Basic"]
    assert all("stale=true" in header for header in secure[:2])
    assert 'realm="Roost \\"phones\\""' in plain[0]
    assert 'qop="auth"' in plain[0]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_right_answer_is_good(nonces, algorithm):
    """A phone that knows the password and answers our challenge is let in."""
    header = challenge_headers(REALM, nonces, tls=False)[0]
    nonce = re.search('nonce="([^"]+)"', header)[1]
    assert judge(nonces, answer(nonce, algorithm=algorithm)) is Verdict.GOOD


def test_without_algorithm_md5_is_meant(nonces):
    """A phone of RFC 2617's time names no algorithm."""
    sent = answer(nonces.new(REALM))
    del sent["algorithm"]
    assert judge(nonces, {name.upper(): value for name, value in sent.items()}) is Verdict.GOOD


@pytest.mark.parametrize(
    "change",
    [
        {"response": "0" * 32},
        {"response": ""},
        {"username": "phone2"},
        {"username": ""},
        {"realm": "elsewhere"},
        {"uri": "/a/other.cfg"},
        {"uri": "http://[broken"},
        {"qop": "auth-int"},
        {"qop": ""},
        {"nc": "1"},
        {"cnonce": ""},
        {"algorithm": "MD5-sess"},
        {"algorithm": "SHA-512-256"},
        {"userhash": "true"},
        {"nonce": "bm9uY2U="},
        {"nonce": "\u00fc"},
    ],
)
def test_any_wrong_parameter_is_wrong(nonces, change):
    """An answer that differs in one parameter from what was asked does not count."""
    assert judge(nonces, answer(nonces.new(REALM)) | change) is Verdict.WRONG


@pytest.mark.parametrize(
    "missing", ["username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"]
)
def test_any_missing_parameter_is_wrong(nonces, missing):
    """A legacy answer without qop, and every other incomplete one, is refused."""
    sent = answer(nonces.new(REALM))
    del sent[missing]
    assert judge(nonces, sent) is Verdict.WRONG


def test_password_method_and_target_are_all_covered(nonces):
    """An answer for one request is worthless for another, and with another password."""
    assert judge(nonces, answer(nonces.new(REALM), password="guess")) is Verdict.WRONG
    assert judge(nonces, answer(nonces.new(REALM)), method="PUT") is Verdict.WRONG
    assert judge(nonces, answer(nonces.new(REALM)), target="/a/boss.cfg") is Verdict.WRONG


@pytest.mark.parametrize("stored", [None, ""])
def test_no_stored_password_means_no_entry(nonces, stored):
    """Where no password is stored nobody gets in, not even with the empty one."""
    sent = answer(nonces.new(REALM), password="")
    assert judge(nonces, sent, password=stored) is Verdict.WRONG


def test_an_absolute_uri_names_the_same_target(nonces):
    """A phone that repeats the whole URL as uri is right too, but only with our path."""
    sent = answer(nonces.new(REALM), uri=f"http://phones.example.com{TARGET}")
    assert judge(nonces, sent) is Verdict.GOOD
    sent = answer(nonces.new(REALM), uri="http://phones.example.com/a/boss.cfg")
    assert judge(nonces, sent) is Verdict.WRONG


def test_a_request_cannot_be_replayed(nonces):
    """The same count of the same nonce counts once; a new count goes on."""
    nonce = nonces.new(REALM)
    assert judge(nonces, answer(nonce)) is Verdict.GOOD
    assert judge(nonces, answer(nonce)) is Verdict.STALE
    assert judge(nonces, answer(nonce, count=2)) is Verdict.GOOD


def test_counts_may_overtake_each_other(nonces):
    """Two connections of one phone may arrive out of order, each count once."""
    nonce = nonces.new(REALM)
    order = [3, 1, 2, 100, 40, 40, 36, 2, 99]
    verdicts = [judge(nonces, answer(nonce, count=count)) for count in order]
    good, stale = Verdict.GOOD, Verdict.STALE
    assert verdicts == [good, good, good, good, good, stale, stale, stale, good]


def test_a_huge_count_is_taken_in_stride(nonces):
    """The largest count a header can carry costs no memory and no error."""
    nonce = nonces.new(REALM)
    assert judge(nonces, answer(nonce, count=0xFFFFFFFF)) is Verdict.GOOD
    assert judge(nonces, answer(nonce, count=1)) is Verdict.STALE


def test_an_old_nonce_is_stale_only_for_who_knows_the_password(nonces, clock):
    """After five minutes a phone is asked again; a guesser still only hears wrong."""
    nonce = nonces.new(REALM)
    clock.now += NONCE_SECONDS + 1
    assert judge(nonces, answer(nonce)) is Verdict.STALE
    assert judge(nonces, answer(nonce, password="guess")) is Verdict.WRONG


def test_a_clock_set_back_neither_locks_out_nor_prolongs(nonces, clock):
    """Nonces from what is now the future are stale, new ones good."""
    former = nonces.new(REALM)
    clock.now -= 3600
    assert judge(nonces, answer(former)) is Verdict.STALE
    assert judge(nonces, answer(nonces.new(REALM))) is Verdict.GOOD


def test_a_replica_accepts_anothers_nonce(nonces, clock):
    """Replicas share the key and nothing else; a nonce of a former key is good as well."""
    nonce = nonces.new(REALM)
    assert judge(Nonces([OTHER, KEY], clock=clock), answer(nonce)) is Verdict.GOOD
    assert judge(Nonces([OTHER], clock=clock), answer(nonce)) is Verdict.WRONG


def test_a_nonce_is_bound_to_its_realm(nonces):
    """A nonce given out for another realm is not one of this realm's."""
    assert judge(nonces, answer(nonces.new("portal"))) is Verdict.WRONG


def test_a_forgotten_nonce_cannot_be_replayed(clock):
    """When the table is full the oldest nonce is dropped and then stale, never fresh again."""
    nonces = Nonces([KEY], clock=clock, remembered=2)
    first = nonces.new(REALM)
    assert judge(nonces, answer(first)) is Verdict.GOOD
    for _ in range(3):
        clock.now += 1
        assert judge(nonces, answer(nonces.new(REALM))) is Verdict.GOOD
    assert judge(nonces, answer(first)) is Verdict.STALE
    assert len(nonces._uses) == 2


def test_wrong_answers_take_no_room(nonces):
    """Only who knows the password makes the table grow."""
    for _ in range(10):
        judge(nonces, answer(nonces.new(REALM), password="guess"))
    assert not nonces._uses


NAMES = ["username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce", "algorithm"]
HOSTILE = Nonces([KEY])


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=60)))
def test_no_header_crashes_the_judge(change):
    """Whatever the parameters hold, lone surrogates included, the verdict is wrong."""
    sent = answer(HOSTILE.new(REALM), password="guess") | change
    assert judge(HOSTILE, sent) is Verdict.WRONG


def test_basic_needs_user_and_password():
    """Both are compared, and nothing stored means nobody enters."""
    assert verify_basic("phone", "pw", user="phone", password="pw") is Verdict.GOOD
    assert verify_basic("other", "pw", user="phone", password="pw") is Verdict.WRONG
    assert verify_basic("phone", "no", user="phone", password="pw") is Verdict.WRONG
    assert verify_basic("phone", "", user="phone", password="") is Verdict.WRONG
    assert verify_basic("phone\ud800", "\ud800", user="phone", password=None) is Verdict.WRONG
