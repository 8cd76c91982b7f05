"""What a phone tells of itself: its do not disturb, and whom that reaches."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address

import pytest
from sqlalchemy import delete, select

from provisioning.crypto.tokens import new_token
from provisioning.store import queries
from provisioning.store.base import now
from provisioning.store.devices import Device
from provisioning.store.outbox import Reload
from provisioning.usecases import (
    assignments,
    devices,
    events,
    organisations,
    registering,
    settings,
)
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.purposes import PURPOSE_SCREEN
from provisioning.usecases.reload import settle
from provisioning.usecases.requests import Door, FileRequest, Outcome, ScreenCredential


def tell(core, token: str, event: str, method: str = "GET"):
    """Ask for a screen URL as a phone does."""
    request = FileRequest(
        path=event,
        peer=ip_address("192.0.2.1"),
        door=Door.HTTPS,
        method=method,
        credential=ScreenCredential(token),
    )
    return fetch_file(core, request)


def screen_token(core, device) -> str:
    """The screen token of a device, as its files name it."""
    with core.database.read() as session:
        trust = queries.trust_of(session, device)
        return core.cipher.decrypt(trust.screen_token_encrypted, PURPOSE_SCREEN)


def incoming(core, actor, level: str, owner) -> object:
    """What stands for incoming calls at a level."""
    held = settings.list_values(core, actor, level, owner)
    return next((row.value for row in held if row.key == "line.incoming"), None)


@pytest.fixture
def other(desk):
    """A second phone of the same user."""
    row = registering.add_device(desk.core, desk.actor, mac="00:15:65:00:00:02").device
    assignments.assign_device(desk.core, desk.actor, row.id, [desk.user])
    return row.id


def version(core, device) -> int:
    """How often a device was touched by a change."""
    with core.database.read() as session:
        return session.get_one(Device, device).version


def test_c6_a_phone_left_to_itself_keeps_its_state(desk, other):
    """Under "per client" what a phone tells stays at this phone and touches no other."""
    before = version(desk.core, other)
    assert tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on").outcome is (
        Outcome.SERVED
    )
    assert incoming(desk.core, desk.actor, "device", desk.device) == "disabled"
    assert incoming(desk.core, desk.actor, "user", desk.user) is None
    assert version(desk.core, other) == before


def test_c6_a_persons_state_reaches_all_their_phones(desk, other):
    """What is set for the person is changed for the person by any of their phones."""
    settings.set_values(desk.core, desk.actor, "user", desk.user, {"line.incoming": "enabled"})
    before = version(desk.core, other)
    tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on")
    assert incoming(desk.core, desk.actor, "user", desk.user) == "disabled"
    assert version(desk.core, other) != before
    tell(desk.core, screen_token(desk.core, other), "event/dnd-off")
    assert incoming(desk.core, desk.actor, "user", desk.user) == "enabled"


@pytest.mark.parametrize(
    ("vendor", "model", "mac"),
    [
        ("fanvil", "X5U-V2", "0c383e000041"),
        ("fanvil", "X4", "00a859000041"),
        ("grandstream", "GXP1628", "000b82000041"),
        ("htek", "UC926", "001fc1000041"),
        ("snom", "D785", "000413000041"),
        ("yealink", "T54W", "805ec0000041"),
    ],
)
def test_c6_a_phones_file_names_where_it_tells(desk, phones, vendor, model, mac):
    """The URLs in a dialect's file, asked for as they stand, change what holds for the phone."""
    device = phones.add(mac, model, desk.user, vendor=vendor)
    text = phones.text(device)
    for state, value in (("on", "disabled"), ("off", "enabled")):
        url = re.search(rf"https?://[^\s<\"]+/s/([a-z0-9]+)/(event/dnd-{state})\b", text)
        assert url
        assert tell(desk.core, url[1], url[2]).outcome is Outcome.SERVED
        assert incoming(desk.core, desk.actor, "device", device) == value


def marked(core) -> set:
    """The devices that may have to load their files anew."""
    with core.database.read() as session:
        return set(session.scalars(select(Reload.device_id)))


def test_c6_the_phone_that_told_it_is_not_reloaded(desk, other):
    """A switch at one phone marks the person's others for a reload, and never itself."""
    settings.set_values(desk.core, desk.actor, "user", desk.user, {"line.incoming": "enabled"})
    with desk.core.database.write() as session:
        session.execute(delete(Reload))
    tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on")
    assert marked(desk.core) == {other}


def test_c6_the_phone_that_told_it_is_not_reloaded_for_an_older_mark(desk):
    """A phone that was marked and looked at only after it told its state has what it should."""
    desk.fetch(source="192.0.2.1")
    with desk.core.database.write() as session:
        session.get_one(Device, desk.device).nomadic = True
    assert desk.device in marked(desk.core)
    tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on")
    settle(desk.core, at=now() + timedelta(minutes=1))
    assert desk.device not in marked(desk.core)


@pytest.mark.parametrize("level", ["user", "organisation"])
def test_c6_what_others_change_meanwhile_is_not_taken_for_shown(desk, monkeypatch, level):
    """A phone that told its state is told of what somebody else changed at that moment."""
    desk.fetch(source="192.0.2.1")
    owner = {"user": desk.user, "organisation": desk.actor.organisation}[level]
    set_values = events.set_values

    def meanwhile(core, actor, *told):
        set_values(core, desk.actor, level, owner, {"line.anonymous": True})
        return set_values(core, actor, *told)

    monkeypatch.setattr(events, "set_values", meanwhile)
    tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on")
    settle(desk.core, at=now() + timedelta(minutes=1))
    assert desk.device in marked(desk.core)


def test_c6_a_person_who_goes_back_to_per_client_has_each_phones_own(desk, other):
    """The state a phone told while left to itself holds again when the person leaves it to it."""
    tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on")
    settings.set_values(desk.core, desk.actor, "user", desk.user, {"line.incoming": "enabled"})
    settings.set_values(desk.core, desk.actor, "user", desk.user, {"line.incoming": "per-client"})
    tell(desk.core, screen_token(desk.core, other), "event/dnd-off")
    assert incoming(desk.core, desk.actor, "device", desk.device) == "disabled"
    assert incoming(desk.core, desk.actor, "device", other) == "enabled"
    assert incoming(desk.core, desk.actor, "user", desk.user) == "per-client"


@pytest.mark.parametrize("how", ["right", "lock"])
def test_c4_without_the_right_a_phone_changes_nothing(desk, how):
    """A phone whose person may not configure incoming calls, or where they are locked, is heard only."""
    if how == "right":
        values = {"right.incoming": False}
    else:
        values = {"line.incoming": {"value": "enabled", "locked": True}}
    settings.set_values(desk.core, desk.actor, "organisation", desk.actor.organisation, values)
    reply = tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on")
    assert reply.outcome is Outcome.SERVED
    assert incoming(desk.core, desk.actor, "device", desk.device) is None
    assert incoming(desk.core, desk.actor, "user", desk.user) is None
    assert any(word in desk.log()[0].reason for word in ("may not", "locked"))


@pytest.mark.parametrize(
    ("token", "event", "method"),
    [
        (None, "event/dnd-on", "GET"),
        ("own", "event/reboot", "GET"),
        ("own", "001565aabbcc.cfg", "GET"),
        ("own", "", "GET"),
        ("own", "event/dnd-on", "HEAD"),
    ],
)
def test_what_is_no_event_is_not_found_and_changes_nothing(desk, token, event, method):
    """An unknown token, an unknown event, a file's name and a look without a GET are all alike."""
    text = screen_token(desk.core, desk.device) if token else new_token()
    reply = tell(desk.core, text, event, method)
    assert reply.outcome is Outcome.NOT_FOUND
    assert incoming(desk.core, desk.actor, "device", desk.device) is None


def test_a_blocked_phone_is_not_heard(desk):
    """A blocked device changes nothing."""
    devices.change_device(desk.core, desk.actor, desk.device, {"state": "blocked"})
    reply = tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on")
    assert reply.outcome is Outcome.NOT_FOUND


def test_a_device_of_an_older_version_gets_its_screen_token_at_the_next_start(desk):
    """A device registered before there were screen tokens has one after a start."""
    with desk.core.database.write() as session:
        trust = queries.trust_of(session, desk.device)
        trust.screen_token_hash = trust.screen_token_encrypted = None
    organisations.prepare(desk.core, email="admin@example.com", password="correct horse battery")
    assert tell(desk.core, screen_token(desk.core, desk.device), "event/dnd-on").outcome is (
        Outcome.SERVED
    )


@pytest.mark.parametrize(
    ("mac", "model", "name"),
    [
        ("00:15:65:00:00:09", "T54W", "001565000009.cfg"),
        ("00:04:13:A3:00:09", "D735", "snomD735-000413A30009.htm"),
        ("00:0B:82:00:00:09", "GXP1625", "cfg000b82000009.xml"),
    ],
)
def test_c6_the_phones_file_names_the_url_its_switch_asks_for(
    core, actor, clock, phone_of, mac, model, name
):
    """What a phone's own file tells it to ask for when do not disturb is switched is heard."""
    row = registering.add_device(core, actor, mac=mac, model=model).device
    file = phone_of(row.id, name).fetch(door=Door.HTTPS, user_agent="").content.decode()
    (token,) = set(re.findall(r"/s/([a-z2-7]{26})/event/dnd-on", file))
    assert tell(core, token, "event/dnd-on").outcome is Outcome.SERVED
    assert incoming(core, actor, "device", row.id) == "disabled"
