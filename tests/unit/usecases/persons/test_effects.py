"""What an admin sets about a person, seen on phones of several dialects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.domain.phone import Provisioning
from provisioning.domain.settings import Level
from provisioning.render.cases import cases
from provisioning.store.catalogue import CallTarget, Category, CategoryOption, CostCentre, Number
from provisioning.store.catalogue import UserOption as Belonging
from provisioning.store.devices import Device
from provisioning.store.organisations import Role
from provisioning.store.people import User
from provisioning.store.snapshots import snapshot
from provisioning.usecases import (
    assignments,
    dect,
    devices,
    handsets,
    keys,
    organisations,
    previews,
    registering,
    sip,
    users,
)
from provisioning.usecases.pages import Page
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.settings import effective_for_user, set_values

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
TEMPLATES = Path(__file__).parents[4] / "templates"
MWI_NUMBER = "*97"


@pytest.fixture
def ada(core, actor, office, phone):
    """Ada, who has the phone."""
    made = users.add_user(
        core, actor, first_name="Ada", last_name="Lovelace", extension="1001",
        email="ada@example.com",
    )  # fmt: skip
    assignments.assign_device(core, actor, phone.device, [made.user.id])
    return made.user.id


@pytest.fixture
def grace(core, actor, office, ada):
    """Grace, of the same department as Ada."""
    user = users.add_user(core, actor, first_name="Grace", extension="1002").user.id
    with core.database.write() as session:
        department = session.query(Category).filter_by(organisation_id=actor.organisation).one()
        option = CategoryOption(
            organisation_id=actor.organisation, category_id=department.id, name="Sales"
        )
        session.add(option)
        session.flush()
        for person in (ada, user):
            session.add(
                Belonging(
                    organisation_id=actor.organisation, user_id=person,
                    category_id=department.id, option_id=option.id,
                )
            )  # fmt: skip
    return user


def built(phone):
    """The phone as its templates are given it."""
    with phone.core.database.read() as session:
        rows = snapshot(session, session.get_one(Device, phone.device))
    return build_phone(
        rows, phone.core.cipher, facts=Facts(), provisioning=Provisioning(), now=phone.core.clock()
    )


def values(phone, key):
    """What is dialled by the keys that hold this value, whatever their type."""
    return [shown for shown in phone.shown().keys if key in shown.value]


# --- who it is


def test_b2_b6_name_and_extension_reach_the_line(core, actor, phone, ada):
    """The label and the account are the user's, and follow a rename at once."""
    (line,) = phone.shown().lines
    assert line.user == "1001"
    assert "Ada Lovelace" in (line.label, line.display)
    users.change_user(core, actor, ada, {"first_name": "Augusta"})
    assert "Augusta Lovelace" in phone.text()
    assert "Ada Lovelace" not in phone.text()


def test_b6_a_rename_reaches_everybodys_blf(core, actor, phone, ada, grace, give_keys):
    """A colleague's key shows the new extension."""
    give_keys(Level.DEVICE, phone.device, (2, "colleagues", ""))
    assert [key.value for key in phone.keys("blf")] == ["1002"]
    users.change_user(core, actor, grace, {"extension": "1022"})
    assert [key.value for key in phone.keys("blf")] == ["1022"]


def test_b7_the_number_called_out_with_is_told_to_templates(core, actor, phone, ada, add_row):
    """A line has the user's caller id, else the organisation's default."""
    assert built(phone).lines[0].caller_id == ""
    add_row(Number, number="+49301000", is_default=True)
    assert built(phone).lines[0].caller_id == "+49301000"
    own = add_row(Number, number="+49301001")
    users.change_user(core, actor, ada, {"caller_id": own})
    assert built(phone).lines[0].caller_id == "+49301001"


def test_b8_calling_anonymously_is_the_lines(core, phone, ada, have):
    """The line knows it, and a key toggles it as long as outgoing calls are theirs to configure."""
    have(ada, line__anonymous=True)
    assert built(phone).lines[0].settings["line.anonymous"].value is True
    assert values(phone, "*67")
    have(ada, right__outgoing=False)
    assert not values(phone, "*67")


def test_b9_several_caller_ids_have_a_key_each(core, actor, phone, ada, have, add_row):
    """Each further number is a key that dials the code before the number, if the feature is on."""
    number = add_row(Number, number="+49301002", label="Support")
    have(ada, feature__several_caller_ids=True)
    users.change_user(core, actor, ada, {"caller_ids": [number]})
    assert values(phone, "*3149301002")
    users.change_user(core, actor, ada, {"caller_ids": []})
    have(ada, feature__several_caller_ids=False)
    assert not values(phone, "*31")
    assert "prefix" not in phone.losses()


def test_a10_a_cost_centre_with_a_code_has_a_key(core, actor, phone, ada, add_row):
    """The account code is dialled by a key; a centre without a code is the PBX's alone."""
    centre = add_row(CostCentre, name="Sales", code="*9042")
    users.change_user(core, actor, ada, {"cost_centre": centre})
    assert values(phone, "*9042")
    prefixes = "prefix" in {key.type for key in phone.shown().keys}
    assert ("dialled after it" in phone.losses()) is not prefixes
    plain = add_row(CostCentre, name="Plain")
    users.change_user(core, actor, ada, {"cost_centre": plain})
    assert not values(phone, "*9042")
    assert "prefix" not in phone.losses()


def test_b10_f4_taking_the_phone_away_takes_the_line(core, actor, phone, ada, grace):
    """The new person's line replaces the former's."""
    assert [line.user for line in phone.shown().lines] == ["1001"]
    assignments.assign_device(core, actor, phone.device, [grace])
    assert [line.user for line in phone.shown().lines] == ["1002"]
    assert "Lovelace" not in phone.text()


def test_f5_several_people_have_a_line_each(core, actor, phone, ada, grace):
    """The lines stand in the order of the people."""
    assignments.assign_device(core, actor, phone.device, [grace, ada])
    assert [line.user for line in phone.shown().lines] == ["1002", "1001"]


def test_b13_following_the_hotdesk_leaves_the_assigned_phone(core, actor, phone, ada):
    """No line, key or name of theirs stands on the phone they are assigned to."""
    users.change_user(core, actor, ada, {"incoming": "hotdesk"})
    assert phone.shown().lines == ()
    assert "Lovelace" not in phone.text()
    users.change_user(core, actor, ada, {"incoming": "fixed"})
    assert [line.user for line in phone.shown().lines] == ["1001"]


@pytest.mark.parametrize(
    ("recording", "there"),
    [("never", False), ("external", False), ("always", False), ("on-demand", True)],
)
def test_b11_d6_only_recording_on_demand_has_a_key(phone, ada, have, recording, there):
    """The record key is there for recording on demand, and for nobody without the right."""
    have(ada, call__recording=recording)
    told = "no key of type record" in phone.losses()
    assert (bool(phone.keys("record")) or told) is there
    have(ada, right__record=False)
    assert not phone.keys("record")
    assert "record" not in phone.losses()


def test_a_key_of_a_function_is_explained_by_the_persons_settings(core, actor, phone, ada, have):
    """Each line of a key that nobody set names the setting of the person that made it, and whose."""
    have(ada, call__recording="on-demand")
    if not phone.keys("record"):
        pytest.skip("this model has no such key")
    found = [
        held
        for path in phone.files()
        for line in previews.explain(core, actor, phone.device, path)
        for held in line.origins
        if held.key == "call.recording"
    ]
    assert found
    assert {(held.origin.level, held.origin.owner) for held in found} == {
        (Level.USER, "Ada Lovelace")
    }


def test_a_code_is_explained_by_the_right_it_takes(core, actor, phone, ada, have):
    """A line with a feature code names the rights and features that let it stand there."""
    have(ada, feature__voicemail=True)
    lines = [
        line
        for path in phone.files()
        for line in previews.explain(core, actor, phone.device, path)
        if "*97" in line.text
    ]
    assert lines
    for line in lines:
        held = {item.key: item.origin.level for item in line.origins}
        assert held.get("feature.voicemail") == Level.USER


def test_keys_name_what_an_admin_gave_the_person(core, actor, phone, ada, add_row):
    """A key for a cost centre or a shared mailbox is explained by that, not by its function alone."""
    centre = add_row(CostCentre, name="Sales", code="*9042")
    box = add_row(CallTarget, kind="shared-voicemail", name="Sales", number="690")
    fallback = {"kind": "shared-voicemail", "id": str(box)}
    users.change_user(core, actor, ada, {"cost_centre": centre, "fallback": fallback})
    lines = [
        line for path in phone.files() for line in previews.explain(core, actor, phone.device, path)
    ]
    for number, because in (("*9042", "cost-centre"), ("690", "fallback")):
        found = [line for line in lines if number in line.text]
        assert found
        for line in found:
            assert because in {held.key for held in line.origins}


def test_b12_language_and_zone_are_the_users(core, actor, phone, ada, have):
    """The user's language and zone reach their own phone, not one they share."""
    before = phone.parameters()
    have(ada, language="de")
    german = phone.parameters()
    assert phone.shown().language == "de"
    have(ada, time__zone="Australia/Sydney")
    assert before != german != phone.parameters()


def test_b14_voicemail_off_takes_its_number_and_key(phone, ada, have, give_keys):
    """With the feature the lamp's number and the key are there; without it nothing of them is."""
    give_keys(Level.DEVICE, phone.device, (3, "voicemail", ""))
    assert MWI_NUMBER in phone.text()
    assert phone.keys("voicemail")
    have(ada, feature__voicemail=False)
    assert MWI_NUMBER not in phone.text()
    assert not [key for key in phone.shown().keys if key.position == 3 and key.value]
    assert built(phone).lines[0].voicemail == ""


def test_b14_c7_busy_reject_switches_call_waiting_off(phone, ada, have):
    """Busy on busy: the line has no call waiting, whatever else is set."""
    have(ada, line__call_waiting=True)
    with_waiting = phone.parameters()
    have(ada, feature__busy_reject=True)
    held = built(phone).lines[0].settings["line.call-waiting"]
    assert held.value is False
    assert phone.parameters() != with_waiting or "call-waiting" in phone.losses()


def test_b14_g1_without_hotdesking_there_is_no_login_key(phone, ada, have, give_keys):
    """The login key of a layout is left out for somebody who may not hotdesk."""
    url = "https://prov.example.com/login"
    give_keys(Level.DEVICE, phone.device, (4, "login", url))
    told = "no key of type login" in phone.losses()
    assert bool(values(phone, url)) is not told
    have(ada, feature__hotdesking=False)
    assert not values(phone, url)


def test_b14_an_operators_layout_fills_the_modules(core, actor, phone, ada, give_keys):
    """A role's keys stand on the expansion modules of whoever has the role, and leave with it."""
    with core.database.write() as session:
        role = Role(organisation_id=actor.organisation, name="reception")
        session.add(role)
        session.flush()
        session.get_one(User, ada).role_id = role.id
    takes = core.registry.vendor(phone.vendor).model(phone.model).expansion is not None
    devices.change_device(core, actor, phone.device, {"expansion_modules": int(takes)})
    own = [{"module": 1, "position": n, "type": "blf", "value": f"20{n:02}"} for n in (1, 2)]
    keys.replace_keys(core, actor, Level.ROLE, role.id, [keys.read_key(key) for key in own])
    for number in ("2001", "2002"):
        assert bool(values(phone, number)) is takes
        assert (f"No place is left for the key '{number}'." in phone.losses()) is not takes
    with core.database.write() as session:
        session.get_one(User, ada).role_id = None
    assert not values(phone, "2001")


# --- calls


def test_c1_incoming_calls_are_the_persons_or_the_phones(core, actor, phone, ada, have):
    """Enabled and disabled reach every phone of the person; per client leaves it to each phone."""
    set_values(core, actor, Level.DEVICE, phone.device, {"line.incoming": "disabled"})

    def incoming():
        return built(phone).lines[0].settings["line.incoming"].value

    assert incoming() == "disabled"
    have(ada, line__incoming="enabled")
    assert incoming() == "enabled"
    have(ada, line__incoming="per-client")
    assert incoming() == "disabled"


def test_c2_barred_calls_stand_on_the_idle_screen(core, actor, phone, ada, have):
    """Whose outgoing calls are disabled is told so on the screen; emergency numbers stay."""
    set_values(core, actor, Level.ORGANISATION, actor.organisation, {"emergency.numbers": ["112"]})
    emergency = built(phone).settings["emergency.numbers"].value
    have(ada, line__outgoing="disabled", idle__barred_text="No calls out")
    barred = built(phone)
    assert barred.settings["idle.text"].value == "No calls out"
    assert barred.lines[0].settings["line.outgoing"].value == "disabled"
    assert barred.settings["emergency.numbers"].value == emergency == ("112",)
    assert "No calls out" in phone.text() or "idle.text" in phone.losses()
    have(ada, line__outgoing="enabled")
    assert "No calls out" not in phone.text()


def test_c3_calls_are_made_by_another_account(core, actor, phone, ada, have):
    """The account chosen is the phone's first line."""
    sip.add_account(core, actor, user_id=ada, username="1001-2")
    assert [line.user for line in phone.shown().lines] == ["1001", "1001-2"]
    have(ada, call__method="other-account", call__account=2)
    assert [line.user for line in phone.shown().lines] == ["1001-2", "1001"]


def test_c3_a_callback_has_a_key(phone, ada, have):
    """The number that calls back is a key as long as calls are made that way."""
    have(ada, call__method="callback", call__callback_number="+4930555")
    assert values(phone, "4930555")
    have(ada, call__method="own-line")
    assert not values(phone, "4930555")


@pytest.mark.parametrize("type_", ["dnd", "forward"])
def test_c4_without_the_right_dnd_and_forward_keys_are_gone(phone, ada, have, give_keys, type_):
    """Keys by which incoming calls are configured need the right; the templates see it too."""
    give_keys(Level.DEVICE, phone.device, (5, type_, ""))
    told = f"no key of type {type_}" in phone.losses()
    assert bool(phone.keys(type_)) is not told
    have(ada, right__incoming=False)
    assert not phone.keys(type_)
    assert built(phone).settings["right.incoming"].value is False


def test_c5_the_right_to_outgoing_calls_reaches_the_templates(phone, ada, have):
    """Menus and the choice of a line go by the right, which is the device's while it is one's."""
    have(ada, right__outgoing=False)
    held = built(phone).settings["right.outgoing"]
    assert (held.value, held.origin.level) == (False, Level.USER)


def test_c6_per_client_stays_on_that_phone(core, actor, phone, ada, have):
    """A value set for one phone holds there and on no other phone of the person."""
    other = registering.add_device(core, actor, mac="001565ffff01", users=[ada]).device
    second = replace(phone, device=other.id)
    have(ada, line__incoming="per-client")
    set_values(core, actor, Level.DEVICE, phone.device, {"line.incoming": "disabled"})
    assert built(phone).lines[0].settings["line.incoming"].value == "disabled"
    assert built(second).lines[0].settings["line.incoming"].value == "per-client"
    have(ada, line__incoming="enabled")
    for one in (phone, second):
        assert built(one).lines[0].settings["line.incoming"].value == "enabled"


# --- what others see, what a user may do


def test_d1_showing_calls_is_the_users_choice(core, actor, phone, ada, have):
    """Whether others see whom one speaks with is stored with the user and told as it holds."""
    have(ada, privacy__show_calls=False)
    (held,) = [
        value for value in effective_values(core, actor, ada) if value.key == "privacy.show-calls"
    ]
    assert (held.value, held.origin.level) == (False, Level.USER)


def effective_values(core, actor, user):
    """What holds for a user."""
    return effective_for_user(core, actor, user)


def test_d2_without_presence_there_is_no_department(phone, ada, grace, have, give_keys):
    """The department's keys are generated for those who may see its members' state."""
    give_keys(Level.DEVICE, phone.device, (2, "department", ""))
    assert [key.value for key in phone.keys("blf")] == ["1002"]
    have(ada, right__presence=False)
    assert not phone.keys("blf")


def test_d3_without_calls_a_lamp_is_only_a_lamp(phone, ada, have, give_keys):
    """The code to pick up others' calls is there for those who may, on BLF and on keys."""
    give_keys(Level.DEVICE, phone.device, (2, "blf", "1002"), (3, "pickup", ""))
    code = "*8"
    assert built(phone).lines[0].server.codes["pickup"] == code
    before = phone.parameters()
    have(ada, right__calls=False)
    assert "pickup" not in built(phone).lines[0].server.codes
    assert [key.value.removeprefix("<sip:")[:4] for key in phone.keys("blf")] == ["1002"]
    assert code not in list(phone.parameters().values())
    assert before != phone.parameters()


@pytest.mark.parametrize(
    ("right", "type_", "value"),
    [
        ("park", "park", "700"), ("park", "retrieve", "701"), ("pickup", "pickup", ""),
        ("pickup", "group-pickup", "*88"),
    ],
)  # fmt: skip
def test_d4_operations_are_there_or_not(phone, ada, have, give_keys, right, type_, value):
    """Park, retrieve and pickup keys each follow their own switch."""
    give_keys(Level.DEVICE, phone.device, (6, type_, value))

    def there():
        return [key for key in phone.shown().keys if key.position == 6 and key.module == 0]

    assert there()
    have(ada, **{f"right__{right}": False})
    assert not [key for key in there() if key.type not in ("line", "none")]
    assert type_ not in {str(key.type) for key in built(phone).keys}


def test_d4_calls_go_to_voice_applications_with_the_right(phone, ada, have, give_keys, add_row):
    """A key that sends calls to a voice application is there for those who may; others stay."""
    menu = add_row(CallTarget, kind="voice-app", name="Menu", number="650")
    group = add_row(CallTarget, kind="ring-group", name="Sales", number="600")
    give_keys(
        Level.DEVICE, phone.device,
        (4, "speed-dial", f"target:{menu}"), (5, "speed-dial", f"target:{group}"),
    )  # fmt: skip
    assert values(phone, "650")
    have(ada, right__ivr=False)
    assert not values(phone, "650")
    assert values(phone, "600")


@pytest.mark.parametrize(
    ("action", "code"), [("barge", "*33"), ("listen", "*34"), ("whisper", "*35")]
)
def test_d5_operators_have_keys_for_others_calls(phone, ada, have, action, code):
    """Barge-in, listening and whispering take the operator's feature and the right of each."""
    have(ada, feature__operator_console=True)
    assert not values(phone, code)
    have(ada, **{f"right__{action}": True})
    assert values(phone, code)
    have(ada, **{f"right__{action}": False}, feature__operator_console=False)
    assert not values(phone, code)
    assert "prefix" not in phone.losses()


# --- routing


def test_e3_with_steps_the_phone_forwards_nothing_itself(core, actor, phone, ada, give_keys):
    """Follow me is the PBX's: the phone's own forward key is left out."""
    give_keys(Level.DEVICE, phone.device, (5, "forward", ""))
    told = "no key of type forward" in phone.losses()
    assert bool(phone.keys("forward")) is not told
    steps = [{"targets": [{"kind": "extension", "number": "1002"}], "seconds": 20}]
    users.change_user(core, actor, ada, {"steps": steps})
    assert not phone.keys("forward")
    lost = "own forwards cannot be switched off" in phone.losses()
    assert lost is (phone.vendor == "grandstream")
    if phone.vendor == "yealink":
        assert phone.parameters()["features.fwd.allow"] == "0"


def test_e5_a_shared_mailbox_has_its_own_key(core, actor, phone, ada, add_row):
    """The mailbox calls fall back to has a key with its number."""
    box = add_row(CallTarget, kind="shared-voicemail", name="Sales", number="690")
    assert "690" not in [key.value for key in phone.shown().keys]
    fallback = {"kind": "shared-voicemail", "id": str(box)}
    users.change_user(core, actor, ada, {"fallback": fallback})
    told = "no key of type voicemail" in phone.losses()
    assert bool(values(phone, "690")) is not told
    users.change_user(core, actor, ada, {"fallback": None})
    assert not values(phone, "690")


def test_e4_a_renumbered_call_target_is_followed(core, phone, ada, give_keys, add_row):
    """Keys point to the call target, not to the number it once had."""
    group = add_row(CallTarget, kind="ring-group", name="Sales", number="600")
    give_keys(Level.DEVICE, phone.device, (5, "blf", f"target:{group}"))
    assert values(phone, "600")
    with core.database.write() as session:
        session.get_one(CallTarget, group).number = "610"
    assert values(phone, "610")
    assert not values(phone, "600")


def test_a_function_set_by_hand_is_not_doubled(phone, ada, have, give_keys):
    """A key that an admin put there already is not made a second time."""
    assert len(values(phone, "*67")) == 1
    give_keys(Level.DEVICE, phone.device, (4, "speed-dial", "*67"))
    assert [key.position for key in values(phone, "*67")] == [4]


# --- in any dialect


EVERY_DIALECT = sorted(folder.name for folder in TEMPLATES.iterdir() if folder.name[0] != "_")


def give_phone(core, actor, vendor, user):
    """Assign a user to a phone of a dialect, or to a handset of a base of it."""
    folder = core.registry.vendor(vendor)
    case = next(case for case in cases(folder) if case.phone.lines and not case.phone.blank)
    model = folder.model(case.phone.model)
    if model.kind == "softphone":
        return registering.add_device(core, actor, vendor=vendor, users=[user]).device
    columns = {"mac": "02:00:00:00:00:01", "vendor": vendor, "model": model.id}
    if model.kind != "dect-base":
        return registering.add_device(core, actor, **columns, users=[user]).device
    base = registering.add_device(core, actor, **columns).device
    system = dect.add_system(core, actor, name="tower", capacity=5).id
    dect.add_member(core, actor, system, base.id)
    handset = handsets.put_handset(core, actor, system, name="Porter")
    assignments.assign_station(core, actor, handset.station.id, [user])
    return base


@pytest.mark.parametrize("vendor", EVERY_DIALECT)
def test_e1_g3_pins_stand_in_no_file(core, actor, office, vendor):
    """Neither a voicemail PIN nor a hotdesk PIN nor a hash of one is in any file of any dialect."""
    user = users.add_user(core, actor, first_name="Ada", extension="1001").user.id
    users.set_voicemail_pin(core, actor, user, "80913746")
    users.set_pin(core, actor, user, "73910482")
    (site,) = organisations.list_sites(core, actor, Page())
    organisations.change_site(core, actor, site.id, {"minimum_trust": "network"})
    device = give_phone(core, actor, vendor, user).id
    files = previews.list_files(core, actor, device)
    texts = [previews.preview(core, actor, device, item.path)[0].decode() for item in files]
    text = "\n".join(texts)
    assert "1001" in text
    for secret in ("80913746", "73910482", "argon2"):
        assert secret not in text
