"""Telling phones: who, when, by which way, how often, and what people read of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from provisioning.domain.errors import UnreadableSecret
from provisioning.domain.kinds import ReloadState, Way
from provisioning.store import outbox, queries, telling
from provisioning.store.devices import Device, Station
from provisioning.store.outbox import Reload
from provisioning.store.people import User
from provisioning.usecases import (
    assignments,
    devices,
    hotdesk,
    organisations,
    progress,
    registering,
    reload,
    settings,
    sip,
    users,
)
from provisioning.usecases.ports import Connector, Heard, Telling
from provisioning.usecases.purposes import PURPOSE_SCREEN
from provisioning.usecases.reload import AGAIN, settle, to_tell, told
from provisioning.usecases.requests import ScreenCredential, TokenCredential

OK = Heard(well=True, words="200 OK")
SILENT = Heard(well=False, words="no answer")
SECOND = timedelta(seconds=1)
OURS = "198.51.100.5"
NOT_LED = "its files name no URL of this server's that it could be asked to open"
UNLISTED = "its web server takes no request while the setting reload.http-from is empty"


@pytest.fixture
def clock(clock):
    """A clock that shows today: what is marked and served is written with the real one."""
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
def desk(desk):
    """Ada's phone, which has its files."""
    for _ in range(2):
        desk.fetch()
    return desk


@pytest.fixture
def settled(core, clock):
    """Turn the clock until changes have gathered, and look at them."""

    def look():
        clock.now = max(clock.now, datetime.now(UTC)) + outbox.COALESCE * 2
        while settle(core):
            pass

    return look


@pytest.fixture
def rename(core, actor, settled):
    """Change what a person's phone shows."""

    def change(desk, name="King"):
        settled()
        users.change_user(core, actor, desk.user, {"last_name": name})
        settled()

    return change


@pytest.fixture
def status(core, actor, desk):
    """The line about a device, by default Ada's phone."""
    return lambda device=None: progress.read_reload(core, actor, device or desk.device).status


def row_of(core, device):
    """The row of a device that waits, if it does."""
    with core.database.read() as session:
        return outbox.reload_of(session, device)


def claim(core, at=None, limit=10):
    """Take those that are to be told now."""
    return to_tell(core, at or core.clock(), limit)


def asterisk(_session, _cipher, _server):
    """Asterisk behind every SIP server."""
    return Connector("pbx", 5038)


# --- from saved to current


def test_changed_phone_is_told_at_its_address(core, desk, rename, status):
    """A phone whose bytes changed is told by SIP where it fetched last, as its first line."""
    rename(desk)
    assert status() == "saved"
    (item,) = claim(core)
    assert (item.way, item.event) == (Way.SIP, "check-sync;reboot=false")
    assert (item.contact.host, item.contact.port) == ("192.0.2.1", 5060)
    assert item.contact.user == "1001"
    assert item.contact.password
    assert item.contact.password not in repr(item)
    assert not item.contact.alone
    assert claim(core) == []


def test_told_phone_that_comes_is_current(core, desk, rename, status, settled, clock):
    """Told, fetched and current follow each other, and each can be read."""
    rename(desk)
    (item,) = claim(core)
    told(core, item, OK)
    assert status() == "told by SIP, 200 OK"
    clock.turn(seconds=2)
    desk.fetch()
    settled()
    assert row_of(core, desk.device) is None
    assert status().startswith("current since ")
    assert claim(core, clock.now + timedelta(days=1)) == []


def test_phone_that_comes_before_its_answer_is_noted_is_not_told_again(
    core, desk, rename, settled, clock
):
    """A phone that has fetched by the time its answer is written is current all the same."""
    rename(desk)
    (item,) = claim(core)
    desk.fetch()
    core.log.flush()
    told(core, item, OK)
    settled()
    assert row_of(core, desk.device) is None


def test_told_but_not_back_is_shown_with_the_answer(core, desk, rename, status, clock):
    """After two minutes the line says so, and the phone is told again."""
    rename(desk)
    (item,) = claim(core)
    told(core, item, OK)
    clock.turn(seconds=119)
    assert claim(core) == []
    clock.turn(seconds=1)
    assert status() == "told but not back after 2 minutes: 200 OK"
    (again,) = claim(core)
    told(core, again, OK)
    assert row_of(core, desk.device).tries == 2
    clock.turn(seconds=AGAIN[1].total_seconds())
    (again,) = claim(core)
    told(core, again, SILENT)
    assert row_of(core, desk.device).told_at is None
    assert status() == "saved; not reached by SIP: no answer"


def test_silent_phone_is_told_ever_less_and_given_up(core, desk, rename, status, clock):
    """Each try comes later than the one before; at the end it is given up and says why."""
    rename(desk)
    for wait in AGAIN:
        (item,) = claim(core)
        told(core, item, SILENT)
        assert status() == "saved; not reached by SIP: no answer"
        assert row_of(core, desk.device).next_at == clock.now + wait
        clock.turn(seconds=wait.total_seconds())
    (item,) = claim(core)
    told(core, item, SILENT)
    assert row_of(core, desk.device).state == ReloadState.GIVEN_UP
    assert status().startswith("given up: tried 6 times, no answer; waits for its poll, by ")
    assert claim(core, clock.now + timedelta(days=99)) == []


def test_given_up_phone_that_comes_is_current(core, desk, rename, settled, clock):
    """A phone that was given up is looked at as soon as it comes by itself."""
    rename(desk)
    with core.database.write() as session:
        session.execute(update(Reload).values(state=ReloadState.GIVEN_UP))
    desk.fetch()
    settled()
    assert row_of(core, desk.device) is None


def test_change_after_telling_is_told_anew(core, actor, desk, rename, settled):
    """A change that comes while a phone is told is told for itself; the old answer is not its."""
    rename(desk)
    (item,) = claim(core)
    users.change_user(core, actor, desk.user, {"last_name": "Byron"})
    told(core, item, OK)
    settled()
    assert row_of(core, desk.device).told_at is None
    assert len(claim(core)) == 1


def test_never_fetched_is_said(core, actor, status):
    """A phone that never came says so."""
    device = registering.add_device(core, actor, mac="001565000077").device.id
    assert status(device) == "never fetched"


# --- not told twice


def test_phone_that_loads_by_itself_is_left_alone(core, actor, desk, rename, clock):
    """A phone whose screen made it fetch is told only if it has not come in 20 s."""
    rename(desk)
    with core.database.write() as session:
        telling.coming(session, desk.device, clock.now)
    assert claim(core, clock.now + 19 * SECOND) == []
    assert len(claim(core, clock.now + 21 * SECOND)) == 1


def test_phone_in_the_middle_of_a_boot_is_left_alone(core, actor, desk, rename, settled, clock):
    """A phone that has just fetched a file is not told while it fetches the others."""
    users.change_user(core, actor, desk.user, {"last_name": "Byron"})
    desk.fetch()
    core.log.flush()
    users.change_user(core, actor, desk.user, {"last_name": "King"})
    settled()
    came = datetime.now(UTC)
    assert claim(core, came + 10 * SECOND) == []
    assert len(claim(core, came + 30 * SECOND)) == 1


def test_broken_secret_keeps_a_phone_waiting(core, actor, crowd, monkeypatch):
    """A phone of which a secret cannot be read waits and says so; the others are told."""
    broken = next(iter(crowd))
    find = reload.told_account

    def fail(rows):
        if rows.device.id == broken:
            raise UnreadableSecret("A stored secret (sip) is damaged.")
        return find(rows)

    monkeypatch.setattr(reload, "told_account", fail)
    to_tell(core, core.clock(), 100)
    rows = progress.list_reloads(core, actor, progress.Page(limit=100))
    assert {row.held for row in rows if row.device_id == broken} == {
        "A stored secret (sip) is damaged."
    }
    assert {row.held for row in rows if row.device_id != broken} == {"it has no SIP account"}


# --- claimed, paced


@pytest.fixture
def crowd(core, actor, server):
    """Sixty phones of two sites that are to be told, in the order they were registered."""
    other = organisations.add_site(core, actor, name="Annex").id
    main = organisations.list_sites(core, actor, progress.Page())[0].id
    made = {}
    with core.database.write() as session:
        for site in (main, other):
            for _ in range(30):
                device = Device(
                    organisation_id=actor.organisation,
                    site_id=site,
                    vendor="yealink",
                    admin_password_encrypted=b"x",
                    user_password_encrypted=b"x",
                )
                session.add(device)
                session.flush()
                station = Station(
                    organisation_id=actor.organisation, device_id=device.id, pool=True
                )
                session.add(station)
                made[device.id] = site
                session.add(
                    outbox.ServedFile(
                        organisation_id=actor.organisation,
                        device_id=device.id,
                        at=core.clock(),
                        since=core.clock(),
                        vendor="yealink",
                        rule="mac",
                        door="http",
                        content_hash="x",
                        address="192.0.2.9",
                    )
                )
                session.flush()
        session.execute(update(Reload).values(state=ReloadState.SAVED))
    return made


def test_replicas_share_the_phones(core, crowd):
    """Several who claim at once get different phones, and together all of them."""

    def take(_number):
        with core.database.write() as session:
            return [row.device_id for row in telling.claim(session, core.clock(), 7)]

    found = []
    with ThreadPoolExecutor(4) as threads:
        while batch := [device for part in threads.map(take, range(4)) for device in part]:
            found += batch
    assert sorted(found) == sorted(crowd)


def test_claimed_phones_come_back_when_the_lease_ends(core, crowd):
    """What a replica that died had claimed is anybody's again."""
    at = core.clock()
    for moment, count in ((at, 60), (at, 0), (at + telling.LEASE + SECOND, 60)):
        with core.database.write() as session:
            assert len(telling.claim(session, moment, 100)) == count


def test_sites_take_turns(core, crowd):
    """Neighbours of one site are not told one after the other while another site waits."""
    with core.database.write() as session:
        rows = telling.claim(session, core.clock(), 20)
    sites = [crowd[row.device_id] for row in rows]
    assert len(set(sites[:2])) == 2
    assert all(one != two for one, two in zip(sites[::2], sites[1::2], strict=True))


def test_replica_whose_clock_is_wrong_holds_no_other_up(core, actor, desk, settled):
    """Phones told by a replica that is a minute ahead leave the others' pace as it is."""
    settled()
    for ahead in (60 * SECOND, 0 * SECOND):
        reload.tell_now(core, actor, desk.device)
        (item,) = to_tell(core, datetime.now(UTC) + ahead, 1)
        assert item.wait < 10 * SECOND


def test_pace_of_none_tells_nobody(core, desk, rename):
    """Where no phone is to be told in a second, none is."""
    rename(desk)
    core.reloads_per_second = 0
    assert claim(core) == []


# --- ways


def test_next_way_is_tried_at_once(core, desk, rename, clock):
    """What one way did not do, the next one of the place does without waiting."""
    rename(desk)
    order = []
    for _ in range(3):
        (item,) = to_tell(core, clock.now, 10, asterisk)
        order.append(item.way)
        told(core, item, SILENT)
        if row_of(core, desk.device).next_at:
            clock.turn(seconds=AGAIN[0].total_seconds())
    assert order == [Way.SIP, Way.ASTERISK, Way.SIP]


@pytest.mark.parametrize(
    ("vendor", "web", "listed", "why"),
    [
        ("fanvil", "https", [OURS], "its place allows none of the ways to tell it"),
        (
            "poly-ucs",
            "both",
            [],
            "its web server takes no request with the setting web.mode 'both'",
        ),
        ("poly-ucs", "https", [], ""),
        (
            "yealink",
            "off",
            [OURS],
            "its web server takes no request with the setting web.mode 'off'",
        ),
        ("yealink", "https", [], UNLISTED),
        ("yealink", "https", [OURS], ""),
        ("snom", "https", [], UNLISTED),
        ("snom", "https", [OURS], NOT_LED),
    ],
)
def test_place_may_leave_ways_out(
    core, actor, desk, settled, rename, status, vendor, web, listed, why
):
    """A site that allows no way leaves its phones to their poll, and the line says what is missing."""
    settled()
    site = organisations.list_sites(core, actor, progress.Page())[0].id
    given = {"reload.ways": ["http"], "web.mode": web, "reload.http-from": listed}
    settings.set_values(core, actor, "site", site, given)
    rename(desk)
    with core.database.write() as session:
        session.execute(update(Device).values(vendor=vendor))
    assert [item.way for item in claim(core)] == [Way.HTTP] * (not why)
    assert status().endswith(f": {why}" if why else "saved")


@pytest.mark.parametrize(
    ("source", "networks", "proxies", "why"),
    [
        ("198.18.0.9", [], (), ""),
        ("2001:4860::1", ["2001:4860::/32"], (), ""),
        ("8.8.8.8", [], (), "it is behind a NAT"),
        ("8.8.8.8", ["192.0.2.0/24"], (), "it is behind a NAT"),
        ("8.8.8.8", ["8.8.8.0/24"], (), ""),
        (
            "192.0.2.1",
            [],
            ("192.0.2.0/24",),
            "it came through a proxy, so its address is not known",
        ),
    ],
)
def test_phone_nothing_reaches_waits_for_its_poll(
    core, actor, desk, rename, status, clock, source, networks, proxies, why
):
    """A phone behind a NAT or a proxy is not told, and the line says when it comes by itself."""
    site = organisations.list_sites(core, actor, progress.Page())[0].id
    organisations.change_site(core, actor, site, {"networks": networks})
    settings.set_values(core, actor, "site", site, {"time.zone": "Asia/Kolkata"})
    settings.set_values(core, actor, "site", site, {"provisioning.poll-minutes": 90})
    clock.now = datetime.now(UTC)
    token = desk_by_token(core, actor, desk)
    desk.fetch(source=source, credential=token)
    came = clock.now
    core.proxies = tuple(map(ip_network, proxies))
    rename(desk)
    found = to_tell(core, core.clock(), 10, asterisk)
    assert bool(found) is not bool(why)
    if why:
        due = (came + timedelta(minutes=90)).astimezone(progress.ZoneInfo("Asia/Kolkata"))
        assert status().startswith("waits for its poll, by ")
        assert f"{due:%H:%M}: {why}" in status()


def desk_by_token(core, actor, desk):
    """The credential of the phone's own URL."""
    url = devices.provisioning_urls(core, actor, desk.device).token_url
    return TokenCredential(url.rstrip("/").rpartition("/")[2])


def test_phones_that_share_a_public_address_are_not_told_there(
    core, actor, desk, rename, status, phone_of
):
    """Two phones of one public address are behind a NAT, even in a network of their site."""
    site = organisations.list_sites(core, actor, progress.Page())[0].id
    organisations.change_site(core, actor, site, {"networks": ["8.8.8.0/24"]})
    other = registering.add_device(core, actor, mac="001565000088").device.id
    for phone in (desk, phone_of(other, "001565000088.cfg")):
        agent = f"Yealink SIP-T54W 96.86.0.45 {phone.name.removesuffix('.cfg')}"
        token = desk_by_token(core, actor, phone)
        phone.fetch(source="8.8.8.8", credential=token, user_agent=agent)
    rename(desk)
    assert desk.device not in {item.device for item in claim(core)}
    assert status().endswith("it shares its address with another phone behind a NAT")


def test_dialect_without_a_way_says_why(core, actor, add_person, phones, status, settled, clock):
    """A phone that takes no NOTIFY waits, with the reason its folder gives."""
    user = add_person("Bob", "1002")
    device = registering.add_device(core, actor, vendor="linphone", name="Laptop").device.id
    assignments.assign_device(core, actor, device, [user])
    reload.tell_now(core, actor, device)
    assert claim(core, datetime.now(UTC)) == []
    assert "only as it starts" in status(device)
    assert status(device).startswith("waits until it comes by itself")


def test_place_account_is_told_before_anybodys_line(core, actor, desk, rename, server):
    """A station's own account is told, never a person's whose other phones would be told too."""
    with core.database.read() as session:
        station = session.scalars(select(Station).filter_by(device_id=desk.device)).one().id
    sip.add_account(core, actor, sip_server_id=server.id, username="place1", station_id=station)
    rename(desk)
    (item,) = claim(core)
    assert item.contact.user == "place1"
    assert item.contact.alone


# --- hotdesk


def test_login_is_looked_at_and_told_at_once(core, actor, desk, add_person, clock, settled):
    """A login waits for no other change, wakes the teller, and goes before every other phone."""
    settled()
    bob = add_person("Bob", "1002")
    users.set_pin(core, actor, bob, "482913")
    with core.database.write() as session:
        session.execute(update(User).where(User.id == bob).values(pin_must_change=False))
        session.execute(update(Station).values(hotdesking="any"))
    settled()
    stirred = []
    core.database.stir = lambda: stirred.append(True)
    users.change_user(core, actor, desk.user, {"last_name": "King"})
    assert not stirred
    clock.now = datetime.now(UTC)
    hotdesk.log_in(core, actor, extension="1002", pin="482913", device=desk.device)
    assert stirred
    clock.now = datetime.now(UTC)
    assert settle(core) == 1
    (item,) = claim(core)
    assert item.wait < SECOND
    assert row_of(core, desk.device).urgent


# --- calls


def call(core, desk, event):
    """Tell of a call by the phone's screen URL, as the phone does."""
    with core.database.read() as session:
        trust = queries.trust_of(session, desk.device)
    token = core.cipher.decrypt(trust.screen_token_encrypted, PURPOSE_SCREEN)
    return desk.fetch(f"event/call-{event}", credential=ScreenCredential(token))


def test_hd6_phone_in_a_call_is_told_after_it(core, actor, desk, rename, status):
    """A phone that does not wait by itself is told when its last call has ended, and at once."""
    rename(desk)
    with core.database.write() as session:
        session.execute(update(Device).values(vendor="snom"))
        session.execute(update(Reload).values(state=ReloadState.SAVED))
    for _ in range(2):
        assert call(core, desk, "started").content == b"OK\n"
    assert claim(core) == []
    assert status() == "saved: it is in a call"
    call(core, desk, "ended")
    assert claim(core, core.clock() + reload.IN_A_CALL) == []
    stirred = []
    core.database.stir = lambda: stirred.append(True)
    call(core, desk, "ended")
    assert stirred
    (item,) = claim(core)
    assert item.device == desk.device


def test_hd6_end_of_a_call_brings_no_try_forward(core, desk, rename, status, clock):
    """A phone that was told in vain is told again in its time, however many calls end meanwhile."""
    rename(desk)
    (item,) = claim(core)
    told(core, item, OK)
    with core.database.write() as session:
        session.execute(update(Device).values(vendor="snom"))
    for event in ("started", "ended") * 3:
        call(core, desk, event)
    assert claim(core) == []
    call(core, desk, "started")
    clock.turn(minutes=2)
    assert claim(core) == []
    answered = "told but not back after 2 minutes: 200 OK"
    assert status() == f"{answered}; not told again: it is in a call"
    call(core, desk, "ended")
    assert status() == answered
    assert len(claim(core)) == 1


def test_hd6_phone_that_waits_by_itself_is_told_during_a_call(core, desk, rename):
    """A phone that by its source waits for the end of a call is told at once."""
    rename(desk)
    call(core, desk, "started")
    assert len(claim(core)) == 1


def test_hd6_phone_in_a_call_is_asked_nothing_over_http(core, actor, desk, rename, status):
    """That a phone waits is known of its event: over HTTP it is asked when the call has ended."""
    site = organisations.list_sites(core, actor, progress.Page())[0].id
    given = {"reload.ways": ["http"], "reload.http-from": [OURS]}
    settings.set_values(core, actor, "site", site, given)
    desk.fetch()
    rename(desk)
    call(core, desk, "started")
    assert claim(core) == []
    assert status() == "saved: it is in a call"
    call(core, desk, "ended")
    assert [item.way for item in claim(core)] == [Way.HTTP]


# --- on demand


def test_phone_is_told_on_demand(core, actor, desk, settled, status, clock):
    """An admin has a phone told that has all there is; when it comes the row goes."""
    settled()
    assert status().startswith("current since ")
    reload.tell_now(core, actor, desk.device)
    clock.now = datetime.now(UTC)
    (item,) = claim(core)
    told(core, item, OK)
    assert status() == "told by SIP, 200 OK"
    desk.fetch()
    settled()
    assert row_of(core, desk.device) is None


def test_answer_to_a_device_that_is_gone_is_nothing(core, desk):
    """What came of telling a device that needs nothing any more is let go."""
    told(core, Telling(uuid4(), Way.SIP), OK)
    assert row_of(core, desk.device) is None or row_of(core, desk.device).told_at is None
