"""The outbox: exactly the phones whose bytes changed are to load their files anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.kinds import ReloadState
from provisioning.store import outbox, queries
from provisioning.store.audit import AuditEvent
from provisioning.store.catalogue import Category, CategoryOption, UserOption
from provisioning.store.devices import Device
from provisioning.store.organisations import Organisation
from provisioning.store.outbox import Reload, ServedFile
from provisioning.usecases import (
    assignments,
    devices,
    keys,
    organisations,
    progress,
    registering,
    users,
)
from provisioning.usecases import reload as usecases
from provisioning.usecases.actors import changing
from provisioning.usecases.pages import Page
from provisioning.usecases.reload import settle
from provisioning.usecases.requests import Door
from provisioning.usecases.settings import set_values

PAGE = Page()
LATER = timedelta(days=36500)


@pytest.fixture
def settled(core, clock):
    """Settle everything that is due some day, and tell who waits then and why."""

    def look():
        while settle(core, at=datetime.now(UTC) + LATER):
            pass
        with core.database.read() as session:
            rows = session.scalars(select(Reload)).all()
            session.expunge_all()
        assert {row.state for row in rows} <= {ReloadState.SAVED}
        return {row.device_id: row.reason for row in rows}

    return look


@pytest.fixture
def office(core, actor, settled, add_person, phone_of):
    """Four phones that have fetched: Ada's, Bob's and Cyd's, and one of nobody."""
    phones = {}
    for number, name in enumerate(("Ada", "Bob", "Cyd", ""), 1):
        mac = f"0015650000{number:02}"
        device = registering.add_device(core, actor, mac=mac, name=name or "Hall").device.id
        if name:
            assignments.assign_device(core, actor, device, [add_person(name, f"100{number}")])
        phones[name] = phone_of(device, f"{mac}.cfg")
        fetch(phones[name])
    assert settled() == {}
    return phones


def fetch(phone):
    """Load the file of a phone twice: with the first it may get our CA and be led elsewhere."""
    agent = f"Yealink SIP-T54W 96.86.0.45 {phone.name.removesuffix('.cfg')}"
    for _ in range(2):
        phone.fetch(user_agent=agent)


def user_of(core, actor, first_name):
    """The id of the user of that name."""
    (found,) = users.list_users(core, actor, Page(q=first_name))
    return found.id


def blf_of_all(core, actor, device):
    """Give a device keys for everybody but its own user."""
    key = Key(KeyAddress(Area.LINE, 0, 2), KeyType.COLLEAGUES)
    keys.replace_keys(core, actor, "device", device, [key])


def joined(core, actor, department, *people):
    """Put people into a department, which is made where there is none of that name."""
    with changing(core, actor) as session:
        category = session.scalars(
            select(Category).filter_by(organisation_id=actor.organisation, built_in=True)
        ).one()
        option = queries.named(session, CategoryOption, actor.organisation, department)
        if option is None:
            option = CategoryOption(
                organisation_id=actor.organisation, category_id=category.id, name=department
            )
            session.add(option)
            session.flush()
        for user in people:
            row = session.scalar(select(UserOption).where(UserOption.user_id == user))
            row = row or UserOption(
                organisation_id=actor.organisation, user_id=user, category_id=category.id
            )
            row.option_id = option.id
            session.add(row)


# --- SYNC


def test_b6_renaming_reloads_the_phones_that_show_the_name(core, actor, office, settled):
    """A rename reloads the person's own phone and those with a key for them, and no other."""
    blf_of_all(core, actor, office["Bob"].device)
    assert set(settled()) == {office["Bob"].device}
    fetch(office["Bob"])
    assert settled() == {}
    users.change_user(core, actor, user_of(core, actor, "Ada"), {"last_name": "King"})
    assert set(settled()) == {office["Ada"].device, office["Bob"].device}
    fetch(office["Ada"])
    assert set(settled()) == {office["Bob"].device}
    fetch(office["Bob"])
    assert settled() == {}


def test_a12_moving_to_another_department_reloads_both(core, actor, office, settled):
    """Who moves between departments vanishes from the keys of one and appears in the other."""
    people = {name: user_of(core, actor, name) for name in ("Ada", "Bob", "Cyd")}
    joined(core, actor, "Sales", people["Ada"], people["Bob"])
    joined(core, actor, "Stores", people["Cyd"])
    department = Key(KeyAddress(Area.LINE, 0, 2), KeyType.DEPARTMENT)
    for name in ("Bob", "Cyd"):
        keys.replace_keys(core, actor, "device", office[name].device, [department])
    settled()
    for phone in office.values():
        fetch(phone)
    assert settled() == {}
    joined(core, actor, "Stores", people["Ada"])
    assert set(settled()) == {office["Bob"].device, office["Cyd"].device}


def test_b15_deleting_reloads_the_phones_that_showed_them(core, actor, office, settled):
    """A deleted person's own phone and the phones with a key for them are reloaded."""
    blf_of_all(core, actor, office[""].device)
    blf_of_all(core, actor, office["Cyd"].device)
    settled()
    for phone in office.values():
        fetch(phone)
    assert settled() == {}
    users.delete_user(core, actor, user_of(core, actor, "Ada"))
    assert set(settled()) == {office[name].device for name in ("Ada", "Cyd", "")}


def test_what_only_the_directory_shows_reloads_nobody(core, actor, office, settled):
    """A phone book is fetched when it is looked at: a new entry of it reloads no phone."""
    users.add_user(core, actor, first_name="Dan", extension="1009")
    assert settled() == {}


def test_change_that_alters_no_byte_reloads_nobody(core, actor, office, settled):
    """A change taken back, or one no file shows, leaves no phone waiting."""
    user = user_of(core, actor, "Ada")
    users.change_user(core, actor, user, {"last_name": "King"})
    users.change_user(core, actor, user, {"last_name": "Lovelace"})
    users.change_user(core, actor, user, {"email": "ada@example.com"})
    assert settled() == {}


def test_rule_of_the_place_reloads_those_whose_key_it_changes(core, actor, settled, phone_of):
    """A PIN allowed in the open gives a login key to the phones that cannot hide one, no others."""
    agents = {
        "001565000011": "Yealink SIP-T54W 96.86.0.45 001565000011",
        "0c383e000011": "Fanvil X5U 2.12.16 0c383e000011",
    }
    pool = [registering.add_device(core, actor, mac=mac, pool=True).device.id for mac in agents]
    for device, (mac, agent) in zip(pool, agents.items(), strict=True):
        phone_of(device, f"{mac}.cfg").fetch(user_agent=agent, door=Door.HTTPS)
    assert settled() == {}
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.open-pin": True})
    assert set(settled()) == {pool[1]}


def test_phone_that_never_fetched_has_nothing_to_reload(core, actor, clock, settled):
    """A registered phone that never came is not told of changes."""
    device = registering.add_device(core, actor, mac="001565000077", name="Box").device.id
    devices.change_device(core, actor, device, {"name": "Shelf"})
    assert settled() == {}


def test_blocked_phone_reloads_until_it_is_blanked(core, actor, office, settled):
    """A blocked phone is to fetch its blanking file, and nothing any more once it has it."""
    device = office["Ada"].device
    devices.change_device(core, actor, device, {"state": "blocked"})
    assert set(settled()) == {device}
    fetch(office["Ada"])
    assert settled() == {}


# --- the rows


def test_reason_and_author_are_told(core, actor, office, settled):
    """A waiting phone says what was changed and by whom, and the audit log says so once."""
    users.change_user(core, actor, user_of(core, actor, "Ada"), {"last_name": "King"})
    settled()
    status = progress.read_reload(core, actor, office["Ada"].device)
    assert (status.reload.reason, status.reload.actor) == ("user Ada King", actor.name)
    settled()
    with core.database.read() as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.action == "reload")).all()
    assert [(item.object_id, item.actor) for item in told] == [(office["Ada"].device, actor.name)]
    assert told[0].after == {"reason": "user Ada King"}


def test_changes_gather_in_one_row(core, actor, office):
    """Changes that come close together leave one row for a phone, not looked at before its time."""
    user = user_of(core, actor, "Ada")
    for name in ("One", "Two", "Three"):
        users.change_user(core, actor, user, {"last_name": name})
    with core.database.read() as session:
        (row,) = session.scalars(
            select(Reload).where(Reload.device_id == office["Ada"].device)
        ).all()
    assert settle(core, at=row.due_at - timedelta(microseconds=1)) == 0
    assert (row.state, row.due_at) == (ReloadState.CHANGED, row.created_at + outbox.COALESCE)


def test_change_while_a_phone_is_looked_at_is_not_lost(core, actor, office, settled, monkeypatch):
    """A change that comes between claiming a phone and deciding is looked at in the next turn."""
    device, user = office["Ada"].device, user_of(core, actor, "Ada")
    settled()
    differs = usecases._differs
    devices.change_device(core, actor, device, {"name": "Desk"})

    def meanwhile(core, claimed):
        found = differs(core, claimed)
        if claimed == device:
            users.change_user(core, actor, user, {"last_name": "King"})
        return found

    monkeypatch.setattr(usecases, "_differs", meanwhile)
    assert settle(core, at=datetime.now(UTC) + LATER) == 1
    monkeypatch.setattr(usecases, "_differs", differs)
    assert set(settled()) == {device}


def test_claimed_phone_is_nobody_elses(core, actor, office):
    """Two who settle at once share the phones; those of one that died come back after a while."""
    organisations.change_organisation(core, actor, {"name": "Analytical Engines"})
    at = datetime.now(UTC) + LATER
    with core.database.write() as session:
        first = outbox.claim(session, at, 2)
    with core.database.write() as session:
        second = outbox.claim(session, at, 10)
    assert len(first) == 2
    assert len(second) == 2
    assert {row.device_id for row in first}.isdisjoint(row.device_id for row in second)
    with core.database.write() as session:
        assert len(outbox.claim(session, at + outbox.LEASE * 2, 10)) == 4


def test_changes_fetches_and_looks_at_once_agree_in_the_end(core, actor, office, settled):
    """Whatever comes at the same moment, at the end exactly those wait whose files differ."""
    user = user_of(core, actor, "Ada")

    def change():
        for number in range(6):
            organisations.change_organisation(core, actor, {"name": f"Engines {number}"})
            users.change_user(core, actor, user, {"last_name": f"King {number}"})

    def come():
        for _ in range(3):
            fetch(office["Bob"])
            core.log.flush()

    def look():
        for _ in range(8):
            settle(core, at=datetime.now(UTC) + LATER, limit=2)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work) for work in (change, come, look, look)]:
            done.result()
    settled()
    for phone in office.values():
        fetch(phone)
    assert settled() == {}
    users.change_user(core, actor, user, {"last_name": "Lovelace"})
    assert set(settled()) == {office["Ada"].device}


def test_broken_template_keeps_a_phone_waiting(core, actor, office, settled, monkeypatch):
    """A phone whose files cannot be made is looked at again later, and stops no other."""
    blf_of_all(core, actor, office["Bob"].device)
    users.change_user(core, actor, user_of(core, actor, "Ada"), {"last_name": "King"})
    broken = office["Ada"].device
    differs = usecases._differs

    def fail(core, device):
        if device == broken:
            raise RuntimeError
        return differs(core, device)

    monkeypatch.setattr(usecases, "_differs", fail)
    at = datetime.now(UTC) + LATER
    while settle(core, at=at):
        pass
    states = {row.device_id: row.state for row in progress.list_reloads(core, actor, PAGE)}
    assert states == {broken: ReloadState.CHANGED, office["Bob"].device: ReloadState.SAVED}
    monkeypatch.setattr(usecases, "_differs", differs)
    assert settle(core, at=at + outbox.LEASE * 2) == 1


def test_many_phones_are_marked_by_one_statement(core, actor, database):
    """A change of what a thousand phones show marks them all with a single statement."""
    with database.write() as session:
        site = organisations.list_sites(core, actor, PAGE)[0].id
        session.add_all(
            Device(
                organisation_id=actor.organisation,
                site_id=site,
                admin_password_encrypted=b"x",
                user_password_encrypted=b"x",
            )
            for _ in range(1_000)
        )
    with database.write() as session:
        session.query(Reload).delete()
    written = []

    def note(_connection, _cursor, statement, *_rest):
        if statement.lstrip().upper().startswith("INSERT INTO RELOAD"):
            written.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    organisations.change_organisation(core, actor, {"name": "Analytical Engines"})
    event.remove(database.engine, "before_cursor_execute", note)
    with database.read() as session:
        assert session.query(Reload).count() == 1_000
        assert session.get_one(Organisation, actor.organisation).name == "Analytical Engines"
    assert len(written) == 1


def test_served_files_are_kept_once_for_each_rule(core, actor, office):
    """What a phone was served last replaces what it was served before, older news does not."""
    device = office["Ada"].device
    fetch(office["Ada"])
    core.log.flush()
    with core.database.read() as session:
        rows = outbox.served_files(session, [device])
        (row,) = rows
    old = core.clock() - timedelta(days=1)
    with core.database.write() as session:
        copied = {name: getattr(row, name) for name in _COLUMNS} | {"at": old}
        outbox.write_served(session, [_Seen(**copied, content_hash="old", proof_rule=row.rule)])
    with core.database.read() as session:
        assert [item.content_hash for item in outbox.served_files(session, [device])] == [
            row.content_hash
        ]


_COLUMNS = ("at", "door", "address", "organisation_id", "device_id", "vendor", "model", "firmware")


class _Seen:
    """A sighting of these columns."""

    def __init__(self, **columns):
        self.__dict__ |= columns


def test_what_is_noted_of_devices_that_are_gone_goes(core, actor, office):
    """What was served to a device goes when the device is gone."""
    device = office["Ada"].device
    with core.database.write() as session:
        session.delete(session.get_one(Device, device))
    with core.database.write() as session:
        outbox.forget_served(session)
    with core.database.read() as session:
        assert device not in {row.device_id for row in session.query(ServedFile)}
        assert session.query(ServedFile).count() == 3
