"""The phone's own account, emergency numbers and the guest profile, in every state and dialect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.domain.phone import Provisioning
from provisioning.render.cases import cases
from provisioning.render.files import named_rules, render_file
from provisioning.render.losses import losses, used
from provisioning.store.devices import Device
from provisioning.store.snapshots import snapshot
from provisioning.usecases import (
    dect,
    handsets,
    hotdesk,
    keys,
    organisations,
    registering,
    sip,
)
from provisioning.usecases.pages import Page
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.settings import delete_value, set_values
from provisioning.usecases.stations import change_station
from provisioning.vendors.schema import ModelKind

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
TEMPLATES = Path(__file__).parents[4] / "templates"
DIALECTS = sorted(folder.name for folder in TEMPLATES.iterdir() if folder.name[0] != "_")
HELP = ("112", "117")
GUESTS = "4004"
PERSONAL = ("Ada", "Lovelace", "1001", "5555")
PLACE = "place-1"


def built(core, device, model="", firmware=""):
    """The phone as its templates are given it."""
    with core.database.read() as session:
        rows = snapshot(session, session.get_one(Device, device.id))
    facts = Facts(model, firmware)
    return build_phone(
        rows, core.cipher, facts=facts, provisioning=Provisioning(), now=core.clock()
    )


def text_of(phone, vendor) -> str:
    """Every file of a phone but its phone books."""
    found = (item for item in named_rules(phone, vendor) if not item.rule.phonebook)
    return "\n".join(render_file(phone, vendor, item.rule).decode() for item in found)


@pytest.fixture
def site(core, actor):
    """The first site, with numbers for help and for guests, and what guests are shown."""
    (row,) = organisations.list_sites(core, actor, Page())
    values = {
        "emergency.numbers": list(HELP), "guest.numbers": [GUESTS], "idle.text": "Free desk",
        "vlan.id": 77,
    }  # fmt: skip
    set_values(core, actor, "site", row.id, values)
    organisations.change_site(core, actor, row.id, {"minimum_trust": "network"})
    return row


@pytest.fixture
def account(core, actor, pool, desks, server):
    """The pool phone's own account."""
    station = desks.station(pool).id
    return sip.add_account(core, actor, username=PLACE, station_id=station)


@pytest.fixture
def of_dialect(core, actor, server, ada, site, desks, clock):
    """A pool phone, or a handset that takes anybody, of a dialect's model, and its station."""

    def make(vendor, model):
        columns = {"vendor": vendor.id, "model": model.id}
        if model.kind is not ModelKind.SOFTPHONE:
            columns["mac"] = "02:00:00:00:00:01"
        if model.kind is not ModelKind.DECT_BASE:
            device = registering.add_device(core, actor, pool=True, **columns).device
            station = desks.station(device)
        else:
            device = registering.add_device(core, actor, **columns).device
            system = dect.add_system(core, actor, name="tower", capacity=5).id
            dect.add_member(core, actor, system, device.id)
            station = handsets.put_handset(core, actor, system, name="Porter").station
            change_station(core, actor, station.id, {"hotdesking": "any"})
        sip.add_account(core, actor, username=PLACE, station_id=station.id)
        return device, station

    return make


@pytest.mark.parametrize("dialect", DIALECTS)
def test_hd1_hd2_help_can_be_called_in_every_state(core, actor, ada, of_dialect, desks, dialect):
    """In every state the phone can call for help, and as far as it can be barred nothing else."""
    vendor = core.registry.vendor(dialect)
    case = next(item for item in cases(vendor) if item.phone.lines and not item.phone.blank)
    model = vendor.model(case.phone.model)
    device, station = of_dialect(vendor, model)
    keys.replace_keys(
        core, actor, "user", ada, [keys.read_key({"position": 2, "type": "blf", "value": "5555"})]
    )
    guest = built(core, device)
    before = text_of(guest, vendor)
    assert [line.user_name for line in guest.lines] == [PLACE]
    assert PLACE in before
    assert not [word for word in PERSONAL if word in before]
    bars = "line.outgoing" in used(guest, vendor)
    if station.pool and bars and not vendor.trait(model, "door"):
        assert all(number in before for number in (*HELP, GUESTS))
    elif station.pool and not bars:
        assert any("cannot be barred" in sentence for sentence in losses(guest, vendor))
    hotdesk.log_in(core, actor, sip_username=PLACE, extension="1001", pin="482913")
    seated = built(core, device)
    during = text_of(seated, vendor)
    own = seated.lines[0]
    assert (own.user_name, own.settings["line.outgoing"].value) == ("1001", "per-client")
    assert "1001" in during
    hotdesk.log_out(core, actor, sip_username=PLACE)
    assert text_of(built(core, device), vendor) == before


@pytest.mark.parametrize("dialect", DIALECTS)
def test_hd1_no_shared_phone_has_personal_data(core, dialect):
    """Of every model of the dialect a guest's files hold the place's account and no name or key."""
    vendor = core.registry.vendor(dialect)
    case = next(item for item in cases(vendor) if item.phone.lines and not item.phone.blank)
    person = case.phone.lines[0]
    barred = replace(person.settings["line.outgoing"], value="disabled")
    line = replace(
        person, user_name=PLACE, auth_name=PLACE, label="Lobby", display_name="Lobby",
        extension=PLACE, settings={**person.settings, barred.key: barred}, of_place=True,
    )  # fmt: skip
    for model in vendor.data.models:
        phone = replace(
            case.phone, model=model.id, name="Lobby", lines=(line,), keys=(), poured=(), pool=True,
            stations=tuple(replace(item, name="", lines=()) for item in case.phone.stations),
        )  # fmt: skip
        assert phone.guest
        text = text_of(phone, vendor)
        assert person.display_name not in text, model.id


def test_hd2_a_login_changes_nothing_of_the_place(core, actor, ada, pool, account, site, desks):
    """Where help goes, the network and the site are the phone's, whoever sits at it."""
    for key in ("vlan.id", "emergency.numbers"):
        with pytest.raises(Exception, match="cannot stand at the level"):
            set_values(core, actor, "user", ada, {key: [] if "numbers" in key else 5})

    def place():
        phone = built(core, pool)
        held = {
            key: phone.settings[key] for key in ("vlan.id", "emergency.numbers", "ntp.server-1")
        }
        (row,) = organisations.list_sites(core, actor, Page())
        return phone.site, held, row.emergency_location, row.emergency_caller_id, pool.site_id

    before = place()
    desks.log_in(pool)
    assert place() == before
    hotdesk.log_out(core, desks.actor, device=pool.id)
    assert place() == before


def test_g6_the_place_account_is_a_spare_line_during_a_session(
    core, actor, ada, pool, account, site, desks
):
    """It comes last, takes no key, stays barred, and where a model has one line the loss is told."""
    vendor = core.registry.vendor("yealink")
    desks.log_in(pool)
    phone = built(core, pool, "T54W", "96.86.0.45")
    assert [line.user_name for line in phone.lines] == ["1001", PLACE]
    text = text_of(phone, vendor)
    assert "account.2.user_name = place-1" in text
    assert f"account.2.dialplan.digitmap.string = {'|'.join((*HELP, GUESTS))}" in text
    assert "account.1.dialplan.digitmap.enable = 0" in text
    assert "linekey.2.type = 15" not in text
    assert "Free desk" not in text
    small = replace(phone, model="T19P")
    assert vendor.model("T19P").lines == 1
    assert any("without one: Lobby" in sentence for sentence in losses(small, vendor))


def test_g6_the_lock_of_a_whole_phone_is_not_the_persons(
    core, actor, ada, desks, site, server, clock
):
    """A Snom is locked while nobody is there, and opened for whoever logs in."""
    device = registering.add_device(
        core, actor, mac="00:04:13:A3:00:01", model="D785", pool=True
    ).device
    sip.add_account(core, actor, username=PLACE, station_id=desks.station(device).id)
    vendor = core.registry.vendor("snom")
    locked = text_of(built(core, device), vendor)
    assert '<keyboard_lock perm="R">on<' in locked
    assert f'<keyboard_lock_emergency perm="R">{" ".join((*HELP, GUESTS))}<' in locked
    desks.log_in(device)
    opened = text_of(built(core, device), vendor)
    assert '<keyboard_lock perm="RW">off<' in opened
    assert f'<keyboard_lock_emergency perm="R">{" ".join(HELP)}<' in opened


def test_g6_a_pool_phone_without_an_account_says_so(core, actor, pool, site):
    """Whoever makes a phone everybody's is told that nobody can call for help with it."""
    told = losses(built(core, pool, "T54W"), core.registry.vendor("yealink"))
    assert any("not even for help" in sentence for sentence in told)


def test_g6_a_phone_with_an_account_that_is_no_pool_phone_calls_everybody(
    core, actor, site, server, desks, clock
):
    """The telephone of a meeting room has its own line and is nobody's guest phone."""
    device = registering.add_device(core, actor, mac="00:15:65:00:00:07", name="Room 7").device
    sip.add_account(core, actor, username="room-7", station_id=desks.station(device).id)
    phone = built(core, device)
    assert phone.lines[0].settings["line.outgoing"].value == "per-client"
    assert not phone.guest


def test_hd3_after_a_move_one_phone_has_the_secret(core, actor, ada, pool, second, desks):
    """Login elsewhere moves: of two phones exactly one renders the person's password."""
    vendor = core.registry.vendor("yealink")
    for device in (pool, second, pool):
        desks.log_in(device)
        found = [built(core, item).lines for item in (pool, second)]
        assert [bool(lines) for lines in found] == [device is pool, device is second]
        texts = [text_of(built(core, item, "T54W"), vendor) for item in (pool, second)]
        assert ["account.1.user_name = 1001" in text for text in texts] == [
            device is pool, device is second,
        ]  # fmt: skip


def test_hd14_a_handset_keeps_its_subscription(core, actor, ada, of_dialect, desks):
    """A login at a handset moves the SIP binding of its slot, and nothing else of it."""
    vendor = core.registry.vendor("yealink-dect")
    model = next(item for item in vendor.data.models if item.kind is ModelKind.DECT_BASE)
    device, station = of_dialect(vendor, model)
    before = built(core, device)
    seat = hotdesk.log_in(core, actor, sip_username=PLACE, extension="1001", pin="482913")
    assert (seat.station.id, seat.place, seat.site) == (station.id, "Porter", device.site_id)
    after = built(core, device)
    bare = [replace(item, lines=()) for item in before.stations]
    assert [replace(item, lines=()) for item in after.stations] == bare
    assert after.dect == before.dect
    assert [line.user_name for line in after.stations[0].lines] == ["1001"]
    hotdesk.log_out(core, actor, sip_username=PLACE)
    assert built(core, device).stations == before.stations


OF_A_PERSON = {
    "language": "de", "line.call-waiting": False, "line.anonymous": True,
    "line.incoming": "disabled", "line.outgoing": "disabled",
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_g2_what_is_a_persons_comes_with_them(core, actor, ada, of_dialect, dialect):
    """Language and call settings change the files of the phone where they sit, if any dialect's do."""
    vendor = core.registry.vendor(dialect)
    case = next(item for item in cases(vendor) if item.phone.lines and not item.phone.blank)
    device, _ = of_dialect(vendor, vendor.model(case.phone.model))
    guest = text_of(built(core, device), vendor)
    hotdesk.log_in(core, actor, sip_username=PLACE, extension="1001", pin="482913")
    before = text_of(built(core, device), vendor)
    for key, value in OF_A_PERSON.items():
        with core.database.read() as session:
            version = session.get_one(Device, device.id).version
        set_values(core, actor, "user", ada, {key: value})
        theirs = built(core, device)
        held = theirs.settings[key] if key in theirs.settings else theirs.lines[0].settings[key]
        assert held.value == value
        with core.database.read() as session:
            assert session.get_one(Device, device.id).version > version
        if text_of(theirs, vendor) == before:
            unknown = key == "language" and value not in vendor.data.languages
            # A door phone calls by its key alone, and has none here.
            silent = (dialect, key) == ("algo", "line.outgoing")
            assert key not in used(theirs, vendor) or unknown or silent
        delete_value(core, actor, "user", ada, key)
    hotdesk.log_out(core, actor, sip_username=PLACE)
    assert text_of(built(core, device), vendor) == guest
