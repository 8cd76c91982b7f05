"""Several people on one phone: what each may and has, where the phone can say it of each."""

from __future__ import annotations

import pytest

from provisioning.domain.settings import Level
from provisioning.store.organisations import Site
from provisioning.usecases import assignments, registering, sip, users
from provisioning.usecases.settings import set_values

from .conftest import Screen

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def people(core, actor, office):
    """Ada and Bob, who have one phone together."""
    made = [
        users.add_user(core, actor, first_name=name, extension=number).user.id
        for name, number in (("Ada", "1001"), ("Bob", "1002"))
    ]
    return dict(zip(("ada", "bob"), made, strict=True))


@pytest.fixture
def together(core, actor, people):
    """Their phone of a dialect."""

    def make(vendor: str, model: str, mac: str) -> Screen:
        device = registering.add_device(core, actor, mac=mac, vendor=vendor, model=model).device
        assignments.assign_device(core, actor, device.id, list(people.values()))
        return Screen(core, actor, device.id, vendor, model)

    return make


SNOM = ("snom", "D785", "000413000001")
YEALINK = ("yealink", "T54W", "001565000001")


def lines_of(screen: Screen, name: str) -> list[str]:
    """The lines of its files with a parameter."""
    return [line.strip() for line in screen.text().splitlines() if f"<{name} " in line]


def test_c2_one_of_two_who_may_not_call_out_is_told_so(together, people, have):
    """The barred one's text stands on their line, the other's name on theirs, and no lock is on."""
    phone = together(*SNOM)
    have(people["ada"], line__outgoing="disabled", idle__barred_text="No calls out")
    texts = lines_of(phone, "user_idle_text")
    assert texts[0].endswith(">No calls out</user_idle_text>")
    assert texts[1].endswith(">Bob</user_idle_text>")
    assert lines_of(phone, "keyboard_lock")[0].endswith(">off</keyboard_lock>")
    assert "'line.outgoing' of Ada has no effect" in phone.losses()
    have(people["bob"], line__outgoing="disabled")
    assert lines_of(phone, "keyboard_lock")[0].endswith(">on</keyboard_lock>")
    assert "'line.outgoing' of" not in phone.losses()


def test_c2_a_line_with_its_own_dial_plan_is_barred_alone(together, people, have):
    """Where each line has a digit map the barred one's refuses numbers, and nothing is lost."""
    phone = together(*YEALINK)
    have(people["ada"], line__outgoing="disabled")
    parameters = phone.parameters()
    assert parameters["account.1.dialplan.digitmap.enable"] == "1"
    assert parameters["account.2.dialplan.digitmap.enable"] == "0"
    assert "'line.outgoing' of" not in phone.losses()


def test_c4_c5_each_line_has_its_persons_rights(together, people, have):
    """Who may not, finds their line closed; the other's stays open."""
    phone = together(*SNOM)
    have(people["ada"], right__incoming=False, right__outgoing=False)
    for name in ("dnd_mode", "hide_identity", "fwd_all_target"):
        one, two, *_ = lines_of(phone, name)
        assert 'perm="R"' in one
        assert 'perm="RW"' in two


def test_c4_what_a_phone_has_once_goes_by_the_strictest(together, people, have):
    """Menus are closed for all where one may not, and the report names who loses by whom."""
    phone = together(*YEALINK)
    assert phone.parameters()["features.fwd.allow"] == "1"
    have(people["ada"], right__incoming=False)
    parameters = phone.parameters()
    assert (parameters["features.fwd.allow"], parameters["features.dnd.allow"]) == ("0", "0")
    assert "Bob have it not, because Ada" in phone.losses()
    have(people["bob"], right__incoming=False)
    assert "because Ada" not in phone.losses()


def test_c4_keys_of_a_phone_of_several_need_everybodys_right(together, people, have, give_keys):
    """A key one of them may not have is left out, and the report says because of whom."""
    phone = together(*YEALINK)
    give_keys(Level.DEVICE, phone.device, (5, "dnd", ""))
    assert phone.keys("dnd")
    have(people["bob"], right__incoming=False)
    assert not phone.keys("dnd")
    assert "Key 5: Bob may not have the key dnd" in phone.losses()


def test_e3_the_steps_of_one_switch_off_the_forwards_of_all(core, actor, together, people):
    """A phone that has forwards once has none as soon as one of its people has steps."""
    phone = together(*YEALINK)
    steps = [{"targets": [{"kind": "extension", "number": "1003"}], "seconds": 20}]
    users.change_user(core, actor, people["bob"], {"steps": steps})
    assert phone.parameters()["features.fwd.allow"] == "0"


def test_d1_calls_not_to_be_shown_are_told_of_phones_that_show_them(
    core, actor, together, people, have, give_keys
):
    """A key that watches somebody who shows no calls is a loss, until they show them again."""
    phone = together(*YEALINK)
    grace = users.add_user(core, actor, first_name="Grace", extension="1009").user.id
    give_keys(Level.DEVICE, phone.device, (4, "blf", "1009"))
    assert "Grace" not in phone.losses()
    have(grace, privacy__show_calls=False)
    assert "Whom Grace speaks with can be seen" in phone.losses()


def test_a1_where_emergency_calls_come_from_is_in_no_file(core, actor, together):
    """The site's location is told to be the PBX's to know."""
    phone = together(*YEALINK)
    assert "emergency location" not in phone.losses()
    with core.database.write() as session:
        session.query(Site).one().emergency_location = "Unter den Linden 1"
    assert "The emergency location of the site is not in the files" in phone.losses()


def test_b11_a_record_key_dials_the_servers_code(core, actor, together, people, have, office):
    """A phone that can only dial starts recording by the server's code; without one it is a loss."""
    phone = together("cisco-spa", "SPA504G", "000e08000504")
    assignments.assign_device(core, actor, phone.device, [people["ada"]])
    have(people["ada"], call__recording="on-demand")
    assert "no key of type record: it has no value and no code" in phone.losses()
    sip.change_server(core, actor, office.id, {"codes": {"record": "*1"}})
    assert "ext=*1@$PROXY" in phone.text()
    assert "type record" not in phone.losses()
    set_values(core, actor, Level.USER, people["ada"], {"right.record": False})
    assert "*1@" not in phone.text()
