"""PINs at the phone's own log-in: how they are proven, counted and kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from provisioning.usecases import organisations, seats, users
from provisioning.usecases.inventory import list_fetches
from provisioning.usecases.pages import Page
from provisioning.usecases.requests import Door, Outcome
from provisioning.usecases.settings import set_values

PINS = {"1001": "482913", "1002": "917364"}
WRONG = "000001"
FAILED, SERVED, CHALLENGE = Outcome.FAILED, Outcome.SERVED, Outcome.CHALLENGE


@pytest.fixture
def clock(clock):
    """A clock that shows today: what is marked and served is written with the real one."""
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
def phone(add_mitel):
    """A phone with a log-in of its own."""
    return add_mitel()


def test_hd9_nobody_is_told_what_was_wrong(core, ada, phone):
    """Without a name, with another's, with a wrong PIN or nobody's extension: one and the same challenge."""
    ask = [
        phone.ask(f"{phone.folder()}1001.cfg"),
        phone.ask(f"{phone.folder()}1002.cfg", "1001", PINS["1001"]),
        phone.log_in(pin=WRONG),
        phone.log_in("4711", pin=PINS["1001"]),
        phone.log_in("ada%20x", pin="x" * 500),
    ]
    assert {reply.outcome for reply in ask} == {CHALLENGE}
    told = {tuple(re.sub('nonce="[^"]+"', "", item) for item in r.challenges) for r in ask}
    digest = 'Digest realm="Provisioning", qop="auth", , algorithm=MD5'
    assert told == {(digest, 'Basic realm="Provisioning", charset="UTF-8"')}
    core.log.flush()
    seen = list_fetches(core, phone.actor, phone.device, Page(limit=5))
    assert {row.path for row in seen} == {"users/***"}
    assert not [row for row in seen if PINS["1001"] in f"{row.path}{row.reason}{row.user_agent}"]


@pytest.mark.parametrize("door", [Door.HTTPS, Door.HTTP])
def test_hd9_a_digest_answer_counts_once(core, actor, ada, phone, door):
    """It proves a PIN that was set or typed since the place needs it; sent again, or wrong, it does not."""
    site = organisations.list_sites(core, actor, Page())[0].id
    organisations.change_site(core, actor, site, {"allow_http": True})
    url = f"{phone.folder()}1001.cfg"
    assert phone.ask(url, phone.answer(door=door), door=door).outcome is CHALLENGE  # set before
    phone.log_in()
    right = phone.answer(door=door)
    assert phone.ask(url, phone.answer(pin=WRONG, door=door), door=door).outcome is CHALLENGE
    assert phone.ask(url, right, door=door).outcome is SERVED
    assert phone.ask(url, right, door=door).outcome is CHALLENGE
    assert phone.log_in(door=door).outcome is (SERVED if door is Door.HTTPS else CHALLENGE)
    users.set_pin(core, actor, ada, "917365")
    assert phone.ask(url, phone.answer(door=door), door=door).outcome is CHALLENGE
    assert phone.ask(url, phone.answer(pin="917365", door=door), door=door).outcome is SERVED
    users.change_user(core, actor, ada, {"extension": "1009"})
    phone.log_in("1009", "917365")  # what is kept names the extension
    url = url.replace("1001", "1009")
    if door is Door.HTTPS:
        assert phone.ask(url, phone.answer("1009", "917365")).outcome is SERVED
    users.clear_pin(core, actor, ada)
    assert users.read_user(core, actor, ada).user.pin_digest_encrypted is None


def test_hd9_an_old_nonce_costs_no_try(core, ada, phone, monkeypatch):
    """Who answers too late is asked anew and told so, however often."""
    url, late = f"{phone.folder()}1001.cfg", phone.answer()
    with monkeypatch.context() as turned:
        turned.setattr(core.nonces, "_clock", lambda: 10.0**9)
        for _ in range(6):
            assert "stale=true" in phone.ask(url, late).challenges[0]
    assert phone.log_in().outcome is SERVED


def test_g3_no_digest_is_kept_where_no_phone_needs_it(core, actor, ada, pool, desks):
    """PINs can be tried out on it sooner than on their hash: it comes and goes with the setting."""

    def kept() -> bool:
        return users.read_user(core, actor, ada).user.pin_digest_encrypted is not None

    desks.log_in(pool)
    assert not kept()
    for native in (True, False):
        set_values(core, actor, "organisation", actor.organisation, {"hotdesk.native": native})
        desks.log_in(pool)
        assert kept() is native
        users.set_pin(core, actor, ada, PINS["1001"])
        assert kept() is native


def test_hd9_guesses_are_counted_as_anywhere(core, actor, ada, bob, phone, clock):
    """Five wrong PINs of one person, or ten at one phone, and it is told when to come again."""
    assert [phone.log_in(pin=WRONG).outcome for _ in range(5)] == [CHALLENGE] * 5
    waits = phone.log_in()
    assert (waits.outcome, waits.again) == (FAILED, 900)
    for number in range(2000, 2005):
        phone.log_in(str(number), WRONG)
    assert phone.log_in("1002").outcome is FAILED
    assert seats.list_sessions(core, actor, Page()) == []
    clock.turn(hours=1)
    assert phone.log_in("1002").outcome is SERVED
