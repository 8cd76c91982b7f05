"""Conversations with FreeSWITCH's event socket, byte by byte."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.kinds import Way
from provisioning.outbound import links
from provisioning.outbound.freeswitch import FreeswitchTeller
from provisioning.usecases.ports import Contact, Heard

END = b"\n\n"
HELLO = b"Content-Type: auth/request\n\n"
ACCEPTED = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
SENT = b"Content-Type: command/reply\nReply-Text: +OK 2f3a\n\n"
LINE = "=" * 80
ALONE = Contact("p1", "192.0.2.7", domain="pbx.example.com", alone=True)
SHARED = Contact("1001", "192.0.2.7", 5062, domain="pbx.example.com")


def listed(*found):
    """What `sofia status profile … user` says of registrations: Call-ID, address and port of each."""
    each = "".join(
        f"Call-ID:    \t{call_id}\nUser:       \t1001@pbx.example.com\n"
        f'Contact:    \t"Ada" <sip:1001@10.9.8.7:5060;transport=udp;fs_nat=yes>\n'
        f"Agent:      \tYealink SIP-T54W 96.86.0.20\n"
        f"Status:     \tRegistered(UDP-NAT)(unknown) EXP(2030-01-01 00:00:00) EXPSECS(300)\n"
        f"Ping-Status:\tReachable\nHost:       \tfs1\nIP:         \t{address}\nPort:       \t{port}\n"
        f"Auth-User:  \t1001\nAuth-Realm: \tpbx.example.com\nMWI-Account:\t1001@pbx.example.com\n\n"
        for call_id, address, port in found
    )
    body = f"\nRegistrations:\n{LINE}\n{each}Total items returned: {len(found)}\n{LINE}\n"
    return answered(body.encode())


def answered(body):
    """An answer to `api`."""
    return b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body


def knowing(*replies):
    """A FreeSWITCH that lets in whoever comes and then says these replies, each when asked."""

    async def script(said):
        await said.say(HELLO)
        await said.hear(END)
        await said.say(ACCEPTED)
        for reply in replies:
            await said.hear(END)
            await said.say(reply)
        await said.hear(b"never")

    return script


@pytest.fixture
def ask(listening, telling):
    """Tell a phone by a FreeSWITCH with a script; what was heard, and the peer."""

    async def ask(script, contact=ALONE, **told):
        teller = FreeswitchTeller()
        async with listening(script) as peer:
            wanted = telling(peer.port, way=Way.FREESWITCH, contact=contact, **told)
            heard = await teller.tell(wanted)
            teller.close()
        return heard, peer

    return ask


async def test_place_account_is_told_as_a_whole(ask):
    """An account of one phone is told by its name, once FreeSWITCH knows a registration."""
    heard, peer = await ask(knowing(listed(("a@b", "192.0.2.99", 5060)), SENT))
    assert heard == Heard(well=True, words="+OK 2f3a")
    assert peer.heard == [
        b"auth Secret-Enough\n\n",
        b"api sofia status profile internal user p1@pbx.example.com\n\n",
        (
            b"sendevent NOTIFY\n"
            b"profile: internal\n"
            b"content-type: application/simple-message-summary\n"
            b"event-string: check-sync;reboot=false\n"
            b"user: p1\n"
            b"host: pbx.example.com\n\n"
        ),
    ]


async def test_shared_account_is_told_at_this_phone_alone(ask):
    """Of several registrations the one from the phone's address is told, by its Call-ID."""
    found = listed(("one@x", "192.0.2.6", 5062), ("two@x", "192.0.2.7", 1024))
    heard, peer = await ask(knowing(found, SENT), SHARED)
    assert heard.well
    assert peer.heard[-1].endswith(b"user: 1001\nhost: pbx.example.com\ncall-id: two@x\n\n")


async def test_port_tells_phones_behind_one_address_apart(ask):
    """Of several phones behind one address the port says which is meant."""
    found = listed(("one@x", "192.0.2.7", 5061), ("two@x", "192.0.2.7", 5062))
    heard, peer = await ask(knowing(found, SENT), SHARED)
    assert heard.well
    assert b"call-id: two@x\n" in peer.heard[-1]


@pytest.mark.parametrize(
    "found",
    [
        (("one@x", "192.0.2.6", 5062),),
        (("one@x", "192.0.2.7", 1), ("two@x", "192.0.2.7", 2)),
        (("one@x", "192.0.2.7", 5062), ("two@x", "192.0.2.7", 5062)),
        (("", "192.0.2.7", 5062),),
        (("one\x07x", "192.0.2.7", 5062),),
        (("one@x", "no address", 5062),),
    ],
)
async def test_doubtful_registration_is_not_told(ask, found):
    """Where it cannot be said which registration is the phone's, nobody is told."""
    heard, peer = await ask(knowing(listed(*found), SENT), SHARED)
    assert not heard.well
    assert "registrations of 1001" in heard.words
    assert not any(b"sendevent" in sent for sent in peer.heard)


async def test_unregistered_account_is_told_as_such(ask):
    """FreeSWITCH would say OK to a NOTIFY for nobody: the registrations are looked at first."""
    heard, peer = await ask(knowing(listed()))
    assert heard == Heard(False, "FreeSWITCH knows no registration of p1@pbx.example.com.")
    assert len(peer.heard) == 2


async def test_unknown_profile_is_told(ask):
    """A profile that FreeSWITCH has not is told with its words."""
    heard, _ = await ask(knowing(answered(b"Invalid Profile!\n")))
    assert heard == Heard(False, "FreeSWITCH says: Invalid Profile!")


async def test_wrong_password_is_told_and_not_tried_again_at_once(listening, telling, clock):
    """A refused password is told, and the next phone does not try it anew."""

    async def refusing(said):
        await said.say(HELLO)
        await said.hear(END)
        await said.say(b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")

    teller = FreeswitchTeller(clock=clock)
    async with listening(refusing) as peer:
        told = telling(peer.port, way=Way.FREESWITCH, contact=ALONE)
        first, second = await teller.tell(told), await teller.tell(told)
    assert first == Heard(False, "FreeSWITCH says: -ERR invalid.")
    assert second.words.startswith(first.words)
    assert peer.connections == 1


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (
            b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n",
            "none of its lists",
        ),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n", "is not FreeSWITCH's event socket"),
        (b"Content-Type: auth/request\nContent-Length: 99999999\n\n", "too long"),
        (b"Content-Type: auth/request\nContent-Length: minus\n\n", "too long"),
    ],
)
async def test_odd_greetings_get_no_password(ask, greeting, words):
    """Whoever does not ask for the password as FreeSWITCH does is not told it."""

    async def odd(said):
        await said.say(greeting)
        await said.hear(END)

    heard, peer = await ask(odd)
    assert not heard.well
    assert words in heard.words
    assert peer.heard == []
    assert "OpenSSH" not in heard.words


async def test_events_and_half_frames_are_no_matter(listening, telling):
    """The reply is found by its type, whatever comes between and however it is cut."""
    event = b"Content-Length: 12\nContent-Type: text/event-plain\n\nEvent: X\n\n\n\n"

    async def noisy(said):
        await said.say_slowly(HELLO)
        await said.hear(END)
        await said.say_slowly(event + ACCEPTED)
        await said.hear(END)
        await said.say_slowly(event + listed(("one@x", "192.0.2.7", 5060)))
        await said.hear(END)
        await said.say_slowly(event + SENT)

    teller = FreeswitchTeller()
    async with listening(noisy) as peer:
        heard = await teller.tell(telling(peer.port, way=Way.FREESWITCH, contact=ALONE))
        teller.close()
    assert heard.well


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"Content-Type: api/resp",
        b"Content-Type: api/response\nContent-Length: 500\n\nRegistr",
        b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n",
        b"Content-Type: text/event-plain\n\n" * 5000,
        b"x: y\n" * 20_000,
    ],
)
async def test_answer_that_never_ends_is_given_up(listening, telling, cut):
    """A FreeSWITCH that stops, hangs up or talks without end is told as such."""

    async def stopping(said):
        await said.say(HELLO)
        await said.hear(END)
        await said.say(ACCEPTED)
        await said.hear(END)
        await said.say(cut)

    async with listening(stopping) as peer:
        heard = await FreeswitchTeller().tell(telling(peer.port, way=Way.FREESWITCH, contact=ALONE))
    assert not heard.well
    assert "broke off" in heard.words


@pytest.mark.parametrize(
    "told",
    [
        {"contact": replace(ALONE, user="x' or 1=1 --")},
        {"contact": replace(ALONE, domain="pbx\n\napi shutdown")},
        {"contact": replace(ALONE, domain="")},
        {"event": "check-sync\nuser: other"},
        {"profile": "internal restart"},
        {"profile": ""},
    ],
)
async def test_no_value_can_add_a_command(ask, told):
    """A value that could say more than it should never leaves the server."""
    heard, peer = await ask(knowing(listed()), told.pop("contact", ALONE), **told)
    assert not heard.well
    assert peer.connections == 0


async def test_no_password_can_add_a_command(ask):
    """A password with a line's end in it is not sent."""
    heard, peer = await ask(knowing(listed()), password="a\n\napi shutdown")
    assert not heard.well
    assert peer.heard == []


async def test_r16_silent_pbx_holds_nobody_up(listening, telling, monkeypatch, clock):
    """R16: phones at a FreeSWITCH that is gone all get their no, and then at once."""
    monkeypatch.setattr(links, "PATIENCE", 0.05)

    async def silent(said):
        await said.hear(b"never")

    teller = FreeswitchTeller(clock=clock)
    async with listening(silent) as peer:
        told = telling(peer.port, way=Way.FREESWITCH, contact=ALONE)
        heard = await asyncio.gather(*(teller.tell(told) for _ in range(50)))
        assert not any(each.well for each in heard)
        assert "next try" in (await teller.tell(told)).words
    assert peer.connections <= 1


FRAGMENTS = st.sampled_from(
    [
        HELLO, ACCEPTED, SENT, listed(("a@b", "192.0.2.7", 5060)), b"\n", b"Content-Length: 5\n",
        b"Content-Length: -1\n\n", b"Content-Type: api/response\n", b"\xff\x00", b"x" * 9000,
        "Content-Length: ٣\n\n".encode(),
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(FRAGMENTS | st.binary(max_size=60), max_size=12))
def test_hostile_pbx_is_always_heard_out(listening, telling, parts):
    """Whatever comes instead of FreeSWITCH's answers, there is one of ours, fit to be shown."""

    async def hostile(said):
        await said.say(b"".join(parts))

    async def ask() -> Heard:
        teller = FreeswitchTeller()
        async with listening(hostile) as peer:
            heard = await teller.tell(telling(peer.port, way=Way.FREESWITCH, contact=ALONE))
            teller.close()
        return heard

    heard = asyncio.run(ask())
    assert heard.words.isprintable()
    assert len(heard.words) < 400
