"""Conversations with Asterisk's manager interface, byte by byte."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.outbound import links
from provisioning.outbound.asterisk import AsteriskTeller
from provisioning.usecases.ports import Contact, Heard

BANNER = b"Asterisk Call Manager/9.0.0\r\n"
END = b"\r\n\r\n"
SHARED = Contact("1001", "192.0.2.7", 5062, "tcp", domain="pbx.example.com")


def number_of(action: bytes) -> bytes:
    """The ActionID of an action."""
    found = re.search(rb"ActionID: (\S+)\r\n", action)
    assert found is not None
    return found[1]


async def answer(said, result=b"Success", message=b"NOTIFY sent", before=b""):
    """Hear an action and answer it."""
    number = number_of(await said.hear(END))
    await said.say(
        before
        + b"Response: "
        + result
        + b"\r\nActionID: "
        + number
        + b"\r\nMessage: "
        + message
        + END
    )


async def welcome(said):
    """Greet, and let in whoever comes."""
    await said.say(BANNER)
    await answer(said, message=b"Authentication accepted")


async def ready(said):
    """An Asterisk that sends whatever it is asked to."""
    await welcome(said)
    while True:
        await answer(said)


async def test_place_account_is_told_by_its_endpoint(listening, telling):
    """A phone alone on its account is told by its endpoint, after a login without events."""
    teller = AsteriskTeller()
    async with listening(ready) as peer:
        heard = await teller.tell(telling(peer.port))
        teller.close()
    assert heard == Heard(well=True, words="NOTIFY sent")
    login, notify = peer.heard
    assert login == (
        b"Action: Login\r\nActionID: " + number_of(login) + b"\r\n"
        b"Username: roost\r\nSecret: Secret-Enough\r\nEvents: off\r\n\r\n"
    )
    assert notify == (
        b"Action: PJSIPNotify\r\nActionID: " + number_of(notify) + b"\r\n"
        b"Endpoint: p1\r\nVariable: Event=check-sync;reboot=false\r\n\r\n"
    )


async def test_shared_account_is_told_by_the_uri_of_this_phone(listening, telling):
    """Of an account that other phones register too, this phone's address alone is told."""
    teller = AsteriskTeller()
    async with listening(ready) as peer:
        assert (await teller.tell(telling(peer.port, contact=SHARED))).well
        await teller.tell(
            telling(peer.port, contact=replace(SHARED, host="2001:db8::7", port=5060))
        )
        teller.close()
    assert b"\r\nURI: sip:1001@192.0.2.7:5062;transport=tcp\r\n" in peer.heard[1]
    assert b"\r\nURI: sip:1001@[2001:db8::7]:5060;transport=tcp\r\n" in peer.heard[2]
    assert b"Endpoint" not in b"".join(peer.heard)
    assert peer.connections == 1


async def test_refused_login_is_told_and_not_tried_again_at_once(listening, telling, clock):
    """A wrong password is told with Asterisk's words, and the next phone does not try it anew."""

    async def refusing(said):
        await said.say(BANNER)
        await answer(said, b"Error", b"Authentication failed")

    teller = AsteriskTeller(clock=clock)
    async with listening(refusing) as peer:
        first = await teller.tell(telling(peer.port))
        second = await teller.tell(telling(peer.port))
        clock.now += 1
        await teller.tell(telling(peer.port))
        third = await teller.tell(telling(peer.port))
    assert first == Heard(well=False, words="Asterisk says: Authentication failed.")
    assert second.words == f"{first.words} The next try is in 1 s."
    assert third.words == f"{first.words} The next try is in 2 s."
    assert peer.connections == 2


async def test_error_is_told_and_the_connection_stays(listening, telling):
    """An endpoint Asterisk does not know is a no; others are told over the same connection."""

    async def knowing_one(said):
        await welcome(said)
        await answer(said, b"Error", b"Unable to retrieve endpoint p1")
        await answer(said)

    teller = AsteriskTeller()
    async with listening(knowing_one) as peer:
        heard = await teller.tell(telling(peer.port))
        assert (await teller.tell(telling(peer.port))).well
        teller.close()
    assert heard == Heard(well=False, words="Asterisk says: Unable to retrieve endpoint p1.")
    assert peer.connections == 1


async def test_events_late_responses_and_half_lines_are_no_matter(listening, telling):
    """The answer is found by its number, whatever comes before it and however it is cut."""
    noise = (
        b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n"
        b"Response: Error\r\nActionID: roost-0\r\nMessage: Of another\r\n\r\n"
        b"no header at all\r\n\xff\xfe\r\n\r\n"
    )

    async def noisy(said):
        await said.say_slowly(BANNER + noise)
        await answer(said, message=b"Authentication accepted", before=noise)
        number = number_of(await said.hear(END))
        await said.say_slowly(
            noise + b"Response: Success\r\nActionID: " + number + b"\r\nMessage: NOTIFY sent" + END
        )

    teller = AsteriskTeller()
    async with listening(noisy) as peer:
        assert await teller.tell(telling(peer.port)) == Heard(True, "NOTIFY sent")
        teller.close()


async def test_connection_lost_in_the_middle_of_an_answer_is_told(listening, telling):
    """An Asterisk that stops while it speaks is told as such, and not asked again at once."""

    async def stopping(said):
        await welcome(said)
        await said.hear(END)
        await said.say(b"Response: Succ")

    async with listening(stopping) as peer:
        teller = AsteriskTeller()
        heard = await teller.tell(telling(peer.port))
        assert not heard.well
        assert "broke off" in heard.words
        assert "next try" in (await teller.tell(telling(peer.port))).words
    assert peer.connections == 1


async def test_connection_that_ended_while_unused_is_opened_again(listening, telling):
    """An Asterisk that was restarted since the last question is asked over a new connection."""
    gone = asyncio.Event()

    async def restarting(said):
        await welcome(said)
        await answer(said)
        if said.number > 1:
            await said.hear(END)
        gone.set()

    teller = AsteriskTeller()
    async with listening(restarting) as peer:
        assert (await teller.tell(telling(peer.port))).well
        await gone.wait()
        assert (await teller.tell(telling(peer.port))).well
        teller.close()
    assert peer.connections == 2


async def test_what_is_no_manager_is_not_repeated(listening, telling):
    """Of a port that speaks something else not one word is told: it is nobody's business."""

    async def mail(said):
        await said.say(b"220 mail.internal.example ESMTP Postfix 3.7.11\r\n")

    async with listening(mail) as peer:
        heard = await AsteriskTeller().tell(telling(peer.port))
    assert heard == Heard(False, "What answers there is not Asterisk's manager interface.")


@pytest.mark.parametrize(
    "flood", [b"x" * 100_000, b"Event: e\r\n\r\n" * 20_000, b"a: b\r\n" * 20_000]
)
async def test_flood_is_cut_off(listening, telling, flood):
    """Long lines, messages without end and events without end are listened to for a while only."""

    async def flooding(said):
        await welcome(said)
        await said.hear(END)
        await said.say(flood)
        await said.hear(END)

    async with listening(flooding) as peer:
        heard = await AsteriskTeller().tell(telling(peer.port))
    assert not heard.well
    assert "too" in heard.words


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"event": "check-sync\r\nAction: Command"}, "Event"),
        ({"event": "check-sync,Content=x"}, "Event"),
        ({"contact": Contact("p1\r\nX: y", "192.0.2.7", alone=True)}, "user name"),
        ({"contact": Contact("1001", "192.0.2.7\r\nX: y")}, "address"),
        ({"contact": Contact("1001", "pbx.example.com")}, "address"),
        ({"contact": Contact("1001", "192.0.2.7", transport="udp\r\n")}, "port"),
    ],
)
async def test_no_value_can_add_a_header(listening, telling, told, words):
    """A value that could say more than it should never leaves the server."""
    async with listening(ready) as peer:
        heard = await AsteriskTeller().tell(telling(peer.port, **told))
    assert not heard.well
    assert words in heard.words
    assert peer.connections == 0


async def test_no_password_can_add_a_header(listening, telling):
    """A password with a line's end in it is not sent, nor told."""
    async with listening(ready) as peer:
        heard = await AsteriskTeller().tell(telling(peer.port, password="a\r\nAction: Command"))
    assert heard == Heard(False, "The value of 'Secret' has characters that no line can carry.")
    assert peer.heard == []


async def test_r16_silent_pbx_holds_nobody_up(listening, telling, monkeypatch, clock):
    """R16: hundreds of phones at a PBX that is gone all get their no; only so many ever wait."""
    monkeypatch.setattr(links, "PATIENCE", 0.05)

    async def silent(said):
        await said.hear(b"never")

    teller = AsteriskTeller(clock=clock)
    async with listening(silent) as peer:
        asked = [teller.tell(telling(peer.port)) for _ in range(links.MOST_WAITING + 50)]
        heard = await asyncio.gather(*asked)
        later = await teller.tell(telling(peer.port))
    assert not any(each.well for each in heard)
    assert sum("others wait" in each.words for each in heard) == 50
    assert "next try" in later.words
    assert peer.connections <= 1


async def test_r16_pause_doubles_up_to_a_minute_and_ends(listening, telling, clock):
    """R16: ten minutes without a PBX are a try a minute at most, and its return is noticed."""

    async def failing(said):
        if said.number > 12:
            await ready(said)

    teller = AsteriskTeller(clock=clock)
    pauses = []
    async with listening(failing) as peer:
        while not (await teller.tell(telling(peer.port))).well:
            refused = await teller.tell(telling(peer.port))
            pauses.append(int(re.search(r"in (\d+) s", refused.words)[1]))
            clock.now += pauses[-1]
        teller.close()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]


async def test_nobody_there_is_told(listening, telling):
    """A port nobody listens on is told with the system's reason."""
    async with listening(ready) as peer:
        pass
    heard = await AsteriskTeller().tell(telling(peer.port))
    assert not heard.well
    assert "cannot be reached" in heard.words


async def test_telling_without_a_pbx_is_a_no(telling):
    """A telling that names no PBX or no account is answered, not raised."""
    bare = replace(telling(1), connector=None)
    assert not (await AsteriskTeller().tell(bare)).well
    assert not (await AsteriskTeller().tell(replace(telling(1), contact=None))).well


FRAGMENTS = st.sampled_from(
    [
        BANNER, b"\r\n", b"\n", b"Response: Success\r\n", b"Response: Error\r\n", b"ActionID: roost-",
        b"Message: \xff\x00\r\n", b"Event: x\r\n", b":::\r\n", b"\x00" * 50, b"x" * 9000,
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(FRAGMENTS | st.binary(max_size=60), max_size=12))
def test_hostile_pbx_is_always_heard_out(listening, telling, parts):
    """Whatever a PBX sends, there is an answer, with words fit to be shown."""

    async def hostile(said):
        await said.say(b"".join(parts))

    async def ask() -> Heard:
        async with listening(hostile) as peer:
            return await AsteriskTeller().tell(telling(peer.port))

    heard = asyncio.run(ask())
    assert not heard.well
    assert heard.words.isprintable()
    assert len(heard.words) < 400
