"""Numbers, cost centres and call targets: their forms, who uses them, and their keys on phones."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.domain.errors import DuplicateName, InvalidInput, NotFound, StillInUse
from provisioning.domain.fields import e164
from provisioning.domain.settings import Level
from provisioning.store.catalogue import UserNumber
from provisioning.store.people import User
from provisioning.usecases import catalogue, keys, sip, users
from provisioning.usecases.pages import Page


@pytest.fixture
def change(core):
    """Set columns of a user that other use cases set."""

    def set_columns(user, **columns):
        with core.database.write() as session:
            row = session.get_one(User, user)
            for name, value in columns.items():
                setattr(row, name, value)

    return set_columns


# --- numbers


@pytest.mark.parametrize(
    ("given_as", "stored"),
    [
        ("+4930123456", "+4930123456"),
        (" +49 (30) 123-456 ", "+4930123456"),
        ("+1 [212] 555.0100", "+12125550100"),
        ("+44/20/7946/0000", "+442079460000"),
    ],
)
def test_a15_a_number_is_stored_as_e164(core, actor, given_as, stored):
    """Blanks, dashes, dots and brackets are taken out of a number."""
    made = catalogue.add_number(core, actor, number=given_as, label="Reception")
    assert catalogue.read_number(core, actor, made.id).row.number == stored
    assert catalogue.list_numbers(core, actor, Page(q="recep"))[0].row.number == stored
    assert catalogue.list_numbers(core, actor, Page(q=stored[3:8]))[0].row.label == "Reception"


@pytest.mark.parametrize(
    "number",
    [
        "030123456", "004930123456", "+0930123456", "+49 (0) 30 1234", "+49", "+49301x", "", "+",
        "+1234567890123456",
    ],
)  # fmt: skip
def test_a15_other_forms_are_refused(core, actor, number):
    """A number without its plus sign, too short or long, or with a trunk prefix is refused."""
    with pytest.raises(InvalidInput) as refused:
        catalogue.add_number(core, actor, number=number)
    assert refused.value.field == "number"


@given(st.text(alphabet="+0123456789 ()-./[]x\x00٣", max_size=24))
def test_a15_whatever_is_accepted_can_be_dialled(text):
    """Any text is refused or becomes a plus sign and up to 15 digits."""
    try:
        number = e164("number", text)
    except InvalidInput:
        return
    assert number[0] == "+"
    assert 4 <= len(number[1:]) <= 15
    assert all(digit in "0123456789" for digit in number[1:])
    assert e164("number", number) == number


def test_a15_a_number_is_there_once_and_one_is_the_default(core, actor):
    """The same number in another spelling is refused, and a new default replaces the former."""
    first = catalogue.add_number(core, actor, number="+4930123450", is_default=True)
    with pytest.raises(DuplicateName):
        catalogue.add_number(core, actor, number="+49 30 123450")
    second = catalogue.add_number(core, actor, number="+4930123451")
    catalogue.change_number(core, actor, second.id, {"is_default": True})
    default = [
        n.row.number for n in catalogue.list_numbers(core, actor, Page()) if n.row.is_default
    ]
    assert default == ["+4930123451"]
    with pytest.raises(DuplicateName):
        catalogue.change_number(core, actor, second.id, {"number": first.row.number})


def test_a15_a_number_says_who_uses_it_and_stays_meanwhile(core, actor, add_person, change):
    """A used number names its users and cannot be deleted until the last of them has left it."""
    ada, bob = add_person(), add_person("Bob", "1002")
    number = catalogue.add_number(core, actor, number="+4930123450").id
    assert catalogue.read_number(core, actor, number).users == ()
    change(ada, caller_id_number_id=number)
    with core.database.write() as session:
        session.add(UserNumber(organisation_id=actor.organisation, user_id=bob, number_id=number))
    assert set(catalogue.read_number(core, actor, number).users) == {ada, bob}
    with pytest.raises(StillInUse, match="Ada Lovelace, Bob Lovelace"):
        catalogue.delete_number(core, actor, number)
    users.delete_user(core, actor, bob)
    with pytest.raises(StillInUse, match="used by Ada Lovelace"):
        catalogue.delete_number(core, actor, number)
    change(ada, caller_id_number_id=None)
    catalogue.delete_number(core, actor, number)
    with pytest.raises(NotFound):
        catalogue.read_number(core, actor, number)


# --- cost centres


def test_a10_a_cost_centre_is_a_key_on_its_users_phones(core, actor, phones, add_person, change):
    """The code of a user's cost centre is a prefix key, follows a change, and goes with it."""
    ada = add_person()
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    name = "001565000001.cfg"
    centre = catalogue.add_cost_centre(core, actor, name="Research", code="*88 1").id
    assert b"*881" not in phones.fetched(device, name)
    change(ada, cost_centre_id=centre)
    assert catalogue.read_cost_centre(core, actor, centre).users == 1
    assert b"*881" in phones.fetched(device, name)
    catalogue.change_cost_centre(core, actor, centre, {"code": "*77"})
    assert b"*77" in phones.fetched(device, name)
    assert b"*881" not in phones.fetched(device, name)
    with pytest.raises(StillInUse, match=r"has 1 user\."):
        catalogue.delete_cost_centre(core, actor, centre)
    catalogue.delete_cost_centre(core, actor, centre, confirm=True)
    assert b"*77" not in phones.fetched(device, name)
    assert users.read_user(core, actor, ada).user.cost_centre_id is None


def test_a10_without_a_code_there_is_no_key(core, actor, phones, add_person, change):
    """A cost centre without a code is for the PBX alone."""
    ada = add_person()
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    before = phones.text(device)
    change(ada, cost_centre_id=catalogue.add_cost_centre(core, actor, name="Research").id)
    assert phones.text(device) == before


@pytest.mark.parametrize("columns", [{"code": "12a"}, {"code": "1" * 33}, {"name": " "}])
def test_a10_bad_cost_centres_are_refused(core, actor, columns):
    """A code is what a phone can dial, and a name is not empty."""
    with pytest.raises(InvalidInput):
        catalogue.add_cost_centre(core, actor, **({"name": "Research"} | columns))
    catalogue.add_cost_centre(core, actor, name="Research")
    with pytest.raises(DuplicateName):
        catalogue.add_cost_centre(core, actor, name="Research")


# --- call targets


def set_key(core, actor, owner, value, type_="speed-dial"):
    """Set the second key of an organisation's phones."""
    key = keys.read_key({"position": 2, "type": type_, "value": value})
    keys.set_key(core, actor, Level.ORGANISATION, owner, key)


def test_e4_a_key_dials_the_target_it_points_to(core, actor, phones, add_person):
    """A key that points to a call target has its number and name, now and after a change."""
    device = phones.add("00:15:65:00:00:01", "T54W", add_person())
    name = "001565000001.cfg"
    target = catalogue.add_target(core, actor, kind="ring-group", name="Sales", number="700 1")
    set_key(core, actor, actor.organisation, f"target:{target.id}")
    assert b"linekey.2.value = 7001" in phones.fetched(device, name)
    assert b"Sales" in phones.fetched(device, name)
    catalogue.change_target(core, actor, target.id, {"number": "7002"})
    assert b"linekey.2.value = 7002" in phones.fetched(device, name)
    catalogue.change_target(core, actor, target.id, {"number": ""})
    assert b"7002" not in phones.fetched(device, name)


@pytest.mark.parametrize("type_", ["speed-dial", "blf", "transfer"])
def test_e4_a_target_is_reached_by_every_kind_of_key(core, actor, phones, add_person, type_):
    """Speed dial, transfer and BLF keys may point to a target, on several dialects."""
    target = catalogue.add_target(core, actor, kind="voice-app", name="Menu", number="7003")
    set_key(core, actor, actor.organisation, f"target:{target.id}", type_)
    ada = add_person()
    for mac, model in (("00:15:65:00:00:01", "T54W"), ("00:04:13:00:00:01", "D735")):
        assert "7003" in phones.text(phones.add(mac, model, ada)), model


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("speed-dial", "target:01970000-0000-7000-8000-000000000000"),
        ("blf", "target:sales"),
        ("department", "01970000-0000-7000-8000-000000000000"),
    ],
)
def test_e4_a_key_to_what_is_not_there_is_refused(core, actor, type_, value):
    """A key to an unknown target or department is refused, alone and among others."""
    key = keys.read_key({"position": 2, "type": type_, "value": value})
    at = (Level.ORGANISATION, actor.organisation)
    for put, given_keys in ((keys.set_key, key), (keys.replace_keys, [key])):
        with pytest.raises(InvalidInput) as refused:
            put(core, actor, *at, given_keys)
        assert refused.value.field == "value"
    assert keys.list_keys(core, actor, *at) == []


def test_e4_a_neighbours_target_is_not_there(core, actor, neighbour):
    """A key of one organisation cannot point to a target of another."""
    target = catalogue.add_target(core, neighbour, kind="schedule", name="Night", number="7004")
    with pytest.raises(InvalidInput):
        set_key(core, actor, actor.organisation, f"target:{target.id}")


def test_e4_a_target_in_use_stays_and_says_by_what(core, actor, add_person, change):
    """A target that keys, steps or fallbacks point to is not deleted, and all are named."""
    ada, bob = add_person(), add_person("Bob", "1002")
    target = catalogue.add_target(
        core, actor, kind="shared-voicemail", name="Box", number="7005"
    ).id
    other = catalogue.add_target(core, actor, kind="schedule", name="Night").id
    set_key(core, actor, actor.organisation, f"target:{target}")
    change(ada, fallback={"kind": "shared-voicemail", "id": str(target)})
    steps = [{"targets": [{"kind": "target", "id": str(target)}], "seconds": 20}]
    change(bob, steps=steps)
    with pytest.raises(StillInUse) as refused:
        catalogue.delete_target(core, actor, target)
    assert "the organisation main" in refused.value.what
    assert "Ada Lovelace, Bob Lovelace" in refused.value.what
    catalogue.delete_target(core, actor, other)
    keys.replace_keys(core, actor, Level.ORGANISATION, actor.organisation, [])
    change(ada, fallback={})
    with pytest.raises(StillInUse, match="routing of Bob Lovelace"):
        catalogue.delete_target(core, actor, target)
    change(bob, steps=[])
    catalogue.delete_target(core, actor, target)


def test_e4_targets_are_told_apart_by_kind(core, actor):
    """Two kinds may share a name, one kind may not, and a list can be of one kind."""
    for kind in ("ring-group", "voice-app"):
        catalogue.add_target(core, actor, kind=kind, name="Sales")
    with pytest.raises(DuplicateName):
        catalogue.add_target(core, actor, kind="voice-app", name="Sales")
    with pytest.raises(InvalidInput):
        catalogue.add_target(core, actor, kind="coffee", name="Sales")
    found = catalogue.list_targets(core, actor, Page(), kind="voice-app")
    assert [row.kind for row in found] == ["voice-app"]


def test_e4_a_long_list_of_users_is_cut_in_the_refusal(core, actor, change, server):
    """Of many that are in the way the first few are named and the others counted."""
    target = catalogue.add_target(core, actor, kind="schedule", name="Night").id
    for n in range(7):
        made = users.add_user(core, actor, first_name=f"U{n}", extension=f"10{n:02}")
        change(made.user.id, fallback={"kind": "schedule", "id": str(target)})
    with pytest.raises(StillInUse, match="U0, U1, U2, U3, U4 and 2 more"):
        catalogue.delete_target(core, actor, target)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(name=st.text(max_size=120), number=st.text(max_size=40))
def test_e4_no_target_breaks_anything(core, actor, name, number):
    """Any text as name or number is stored in a form that can be dialled, or refused."""
    try:
        row = catalogue.add_target(core, actor, kind="schedule", name=name, number=number)
    except (InvalidInput, DuplicateName):
        return
    assert catalogue.read_target(core, actor, row.id).number == row.number
    assert set(row.number) <= set("+0123456789*#")


def test_a15_neighbours_do_not_see_each_others_catalogue(core, actor, neighbour):
    """Numbers, cost centres and targets of one organisation are not found by another."""
    made = (
        (catalogue.add_number(core, actor, number="+4930123450").id, catalogue.delete_number),
        (catalogue.add_cost_centre(core, actor, name="R").id, catalogue.delete_cost_centre),
        (catalogue.add_target(core, actor, kind="schedule", name="N").id, catalogue.delete_target),
    )
    for row, delete in made:
        with pytest.raises(NotFound):
            delete(core, neighbour, row)
    assert catalogue.list_numbers(core, neighbour, Page()) == []


def test_a15_one_number_of_several_is_a_key_of_its_own(core, actor, phones, add_person, server):
    """A label of a number changed by an admin stands on the keys that dial with it."""
    sip.change_server(core, actor, server.id, {"codes": {"caller-id": "*31"}})
    ada = add_person()
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    phones.set(Level.USER, ada, **{"feature.several-caller-ids": True})
    number = catalogue.add_number(core, actor, number="+4930123450", label="Hotline").id
    with core.database.write() as session:
        session.add(UserNumber(organisation_id=actor.organisation, user_id=ada, number_id=number))
    assert b"*314930123450" in phones.fetched(device, "001565000001.cfg")
    catalogue.change_number(core, actor, number, {"label": "Helpline"})
    assert b"Helpline" in phones.fetched(device, "001565000001.cfg")
