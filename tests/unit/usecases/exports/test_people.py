"""What any PBX is told of people, whose secrets it is told, and how a PIN is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioning.domain.errors import Forbidden, NotFound, SecretsAreGiven
from provisioning.domain.settings import SETTINGS, Level, Scope
from provisioning.store import queries
from provisioning.store.devices import Assignment, DectMember, DectSlot, DectSystem, Station
from provisioning.usecases import assignments, organisations, registering, sip
from provisioning.usecases.actors import Actor
from provisioning.usecases.exports import people
from provisioning.usecases.exports.asterisk import asterisk
from provisioning.usecases.exports.freeswitch import domain_document, not_found, user_document
from provisioning.usecases.exports.kamailio import kamailio
from provisioning.usecases.pages import Page

REALM = "pbx.example.com"


# --- people, for any PBX


def test_a8_a9_b7_b9_b11_b13_b14_c1_c2_c3_c7_d1_d3_d6_e1_e2_e3_e4_e5_one_document_has_it_all(
    core, actor, office, shown
):
    """One document holds everything that is set for a person, by the settings table's names."""
    ada = shown(office.ada.id)
    of_people = {item.key for item in SETTINGS if item.scope in (Scope.PERSON, Scope.LINE)}
    assert set(ada["settings"]) == of_people | {"language", "time.zone"}
    assert ada["settings"]["call.recording"] == "on-demand"
    assert ada["settings"]["line.incoming"] == "disabled"
    assert ada["settings"]["sms.zones"] == ["eu"]
    assert ada["settings"]["right.record-calls"] == "own"
    assert (ada["incoming"], ada["department"]) == ("hotdesk", "Sales & <More>")
    assert ada["categories"] == {office.category.name: "Sales & <More>"}
    assert ada["cost_centre"] == {"name": "Travel", "code": "17"}
    assert ada["caller_id"] == {"number": "+49301001", "label": "Ada's"}
    assert ada["caller_ids"] == [{"number": "+49301000", "label": "Main"}]
    assert [account["username"] for account in ada["accounts"]] == ["1001"]
    assert ada["licences"] == [{"kind": "add-on", "add_on": "Fax"}]
    assert ada["voicemail"] == {"enabled": True, "has_pin": True, "mail_waits": False}
    assert ada["steps"][1] == {
        "seconds": 30,
        "targets": [
            {"kind": "ring-group", "number": "700", "name": "Support", "id": str(office.support)},
            {"kind": "number", "number": "+4930999", "name": "", "id": ""},
        ],
    }
    assert ada["fallback"]["number"] == "790"
    assert "argon2" not in json.dumps(ada)
    assert "Secret" not in json.dumps(ada)
    bob = shown(office.bob.id)
    assert bob["caller_id"] == {"number": "+49301000", "label": "Main"}
    assert (bob["fallback"], bob["steps"], bob["caller_ids"]) == (None, [], [])


def test_e3_a_step_follows_the_user_it_names(core, actor, office, change_user, shown):
    """A target that is a user has the extension they have now, in every export of one or all."""
    to_bob = {"kind": "user", "id": str(office.bob.id)}
    change_user(office.ada.id, fallback=to_bob)
    change_user(office.bob.id, extension="1099")
    assert shown(office.ada.id)["fallback"]["number"] == "1099"
    assert "ROOST_FALLBACK=user:1099" in asterisk(core, actor)
    alone = user_document(core, actor, user="1001", domain=REALM)
    assert b'"user:1099"' in alone


def test_a7_b9_b11_a_light_package_holds_in_exports(core, actor, office, shown):
    """What a package leaves out is left out for the PBX too."""
    with core.database.write() as session:
        session.get_one(organisations.Organisation, actor.organisation).package = "light"
    ada = shown(office.ada.id)
    assert ada["settings"]["call.recording"] == "never"
    assert ada["caller_ids"] == []
    assert "ROOST_RECORDING=never" in asterisk(core, actor)


def test_the_phones_of_an_account_decide_its_media(core, actor, office, hold, shown):
    """A phone's own codecs, tones and encryption reach the PBX; of differing phones all do."""

    def phone(mac: str, values: dict[str, Any]) -> None:
        device = registering.add_device(core, actor, mac=mac, name=mac).device.id
        hold(Level.DEVICE, device, values)
        assignments.assign_device(core, actor, device, [office.bob.id])

    def line() -> dict[str, Any]:
        return shown(office.bob.id)["settings"]

    first = {"line.codecs": ["g729"], "line.srtp": "required", "line.dtmf": "inband"}
    phone("001565000001", first)
    assert {key: line()[key] for key in first} == first
    phone("001565000002", {"line.codecs": ["pcma"], "line.srtp": "off"})
    assert line()["line.codecs"] == ["g729", "pcma"]
    assert (line()["line.srtp"], line()["line.dtmf"]) == ("optional", "mixed")
    bob = asterisk(core, actor).partition("[1002]")[2]
    assert "\nallow = g729,alaw\ndtmf_mode = auto_info\nmedia_encryption = sdes\n" in bob


def test_a_handset_has_what_is_set_for_its_base(core, actor, office, put, hold, shown):
    """The account of somebody with a DECT handset is on the bases of its system."""
    base = registering.add_device(core, actor, mac="001565000003", name="Tower").device
    system = put(DectSystem, name="tower", site_id=base.site_id, access_code_encrypted=b"")
    put(DectMember, system_id=system, device_id=base.id)
    handset = put(Station, name="Handset", kind="handset")
    put(DectSlot, system_id=system, number=1, station_id=handset)
    put(Assignment, station_id=handset, user_id=office.bob.id)
    hold(Level.DEVICE, base.id, {"line.codecs": ["g726-32"]})
    hold(Level.SITE, base.site_id, {"line.srtp": "required"})
    line = shown(office.bob.id)["settings"]
    assert (line["line.codecs"], line["line.srtp"]) == (["g726-32"], "required")


def test_a_station_has_an_account_of_its_own(core, actor, office, hold):
    """A phone's own account is exported by the phone's name, with what is set for the phone."""
    device = registering.add_device(core, actor, mac="001565000004", name="Lobby").device.id
    with core.database.read() as session:
        (station,) = queries.stations_of(session, device)
    hold(Level.DEVICE, device, {"line.outgoing": "disabled", "line.codecs": ["pcmu"]})
    sip.add_account(core, actor, station_id=station.id, username="lobby", password="Place-1")
    text = asterisk(core, actor).partition("[lobby]")[2]
    assert '\ncallerid = "Lobby" <lobby>\n' in text
    assert "\nallow = ulaw\n" in text
    assert "ROOST_OUTGOING=disabled" in text
    assert "mailboxes" not in text
    assert "ROOST_USER" not in text
    alone = user_document(core, actor, user="lobby", domain="pbx.example.com").decode()
    assert '<group name="default">' in alone
    assert 'name="roost_outgoing" value="disabled"' in alone
    assert 'name="vm-enabled" value="false"' in alone


# --- whose secrets


def test_given_secrets_are_neither_changed_nor_told(core, actor, server, office, shown):
    """A server with secrets ``given`` never has a password made here, and none is exported."""
    given = sip.add_server(core, actor, name="theirs", registrar="their.example", secrets="given")
    account = {"sip_server_id": given.id, "username": "2001"}
    with pytest.raises(SecretsAreGiven):
        sip.add_account(core, actor, user_id=office.ada.id, **account)
    made = sip.add_account(core, actor, user_id=office.ada.id, password="Theirs-1", **account)
    for export in (asterisk, kamailio, domain_document):
        with pytest.raises(SecretsAreGiven):
            export(core, actor, server="theirs")
    assert user_document(core, actor, user="2001", domain="their.example") == not_found()
    assert user_document(core, actor, user="2001", domain="x.y", server="theirs") == not_found()
    assert "2001" not in asterisk(core, actor)
    told = shown(office.ada.id)["accounts"]
    assert [(row["server"], row["username"]) for row in told] == [
        ("main", "1001"),
        ("theirs", "2001"),
    ]
    with core.database.read() as session:
        row = queries.get(session, type(made), actor.organisation, made.id)
    assert sip.account_password(core, actor, row) == "Theirs-1"


def test_exports_need_the_permission_and_a_server(core, actor):
    """Without the permission nothing is told, and without a SIP server there is nothing."""
    stranger = Actor("stranger", actor.organisation, frozenset())
    for export in (asterisk, kamailio, domain_document):
        with pytest.raises(Forbidden):
            export(core, stranger)
        with pytest.raises(NotFound):
            export(core, actor)
    with pytest.raises(Forbidden):
        people.read_catalogue(core, stranger)
    with pytest.raises(Forbidden):
        people.changes(core, stranger)


def test_a_neighbour_is_told_nothing(core, actor, neighbour, office):
    """No export shows another organisation's people, nor finds its server."""
    for server in ("main", str(sip.list_servers(core, actor, Page())[0].id)):
        with pytest.raises(NotFound):
            asterisk(core, neighbour, server=server)
    assert user_document(core, neighbour, user="1001", domain=REALM) == not_found()
    assert people.list_people(core, neighbour, Page())[0] == []
    assert people.check_voicemail_pin(
        core, neighbour, extension="1001", pin="4711"
    ) == people.Verdict(valid=False)


# --- the PIN


def test_e1_a_voicemail_pin_can_be_asked_for(core, actor, office, change_user):
    """The right PIN opens the mailbox; a wrong one, no PIN, no mailbox and nobody do not."""

    def valid(extension: str, pin: str) -> bool:
        return people.check_voicemail_pin(core, actor, extension=extension, pin=pin).valid

    assert valid("1001", "4711")
    assert not valid("1001", "4712")
    assert not valid("1001", "")
    assert not valid("1002", "4711")
    assert not valid("1009", "4711")
    change_user(office.ada.id, enabled=False)
    assert not valid("1001", "4711")


def test_e1_b14_without_voicemail_no_pin_is_right(core, actor, office, hold):
    """Who has the feature switched off has no mailbox to open."""
    hold(Level.USER, office.ada.id, {"feature.voicemail": False})
    verdict = people.check_voicemail_pin(core, actor, extension="1001", pin="4711")
    assert not verdict.valid
    assert "1001@default" not in asterisk(core, actor)


def test_e1_wrong_voicemail_pins_make_the_next_wait(core, actor, office, clock):
    """After three wrong ones even the right PIN waits, each time longer, at most a while."""

    def tried(pin: str) -> people.Verdict:
        return people.check_voicemail_pin(core, actor, extension="1001", pin=pin)

    assert [tried("0000").retry_after for _ in range(3)] == [0, 0, 0]
    assert tried("4711") == people.Verdict(valid=False, retry_after=5)
    clock.turn(seconds=5)
    assert tried("0000") == people.Verdict(valid=False)
    assert tried("4711").retry_after == 10
    for _ in range(20):
        clock.turn(hours=1)
        tried("0000")
    assert tried("4711").retry_after == 900
    clock.turn(minutes=15)
    assert tried("4711") == people.Verdict(valid=True)
    assert [tried("0000").retry_after for _ in range(3)] == [0, 0, 0]
