"""Users: what is theirs of the organisation's, where their calls go, how they are found."""

from __future__ import annotations

from contextlib import nullcontext
from uuid import uuid4

import pytest

from provisioning.domain.errors import (
    DuplicateExtension,
    DuplicateName,
    InvalidInput,
    NotFound,
    SettingsDisagree,
)
from provisioning.domain.settings import Level
from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    CostCentre,
    Number,
    UserOption,
)
from provisioning.store.organisations import Role
from provisioning.store.people import User
from provisioning.usecases.pages import Page
from provisioning.usecases.settings import set_values
from provisioning.usecases.users import (
    add_user,
    change_user,
    delete_user,
    list_users,
    read_user,
    set_voicemail_pin,
)


def names(found):
    """The first names of a list of people."""
    return [item.user.first_name for item in found]


@pytest.fixture
def people(core, actor):
    """Three users, in this order."""
    rows = [("Ada", "Lovelace", "1001"), ("Grace", "Hopper", "1002"), ("Edsger", "Dijkstra", None)]
    return [
        add_user(
            core, actor, first_name=first, last_name=last, extension=extension,
            email=f"{first}@example.com",
        ).user.id
        for first, last, extension in rows
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("", ["Ada", "Grace", "Edsger"]), ("ada lov", ["Ada"]), ("hopper, g", ["Grace"]),
        ("EDSGER@EX", ["Edsger"]), ("100", ["Ada", "Grace"]), ("%", []), ("nobody", []),
    ],
)  # fmt: skip
def test_b1_users_are_found_by_name_e_mail_and_extension(core, actor, people, q, found):
    """A search finds parts of names, whole names, e-mails and extensions, without regard to case."""
    assert names(list_users(core, actor, Page(q=q))) == found


def test_b1_users_are_listed_from_either_end_page_by_page(core, actor, people):
    """The list goes by when users were made, from the oldest or the newest, in pages."""
    first = list_users(core, actor, Page(limit=2), newest_first=True)
    assert names(first) == ["Edsger", "Grace"]
    rest = list_users(core, actor, Page(limit=2, cursor=first[-1].id), newest_first=True)
    assert names(rest) == ["Ada"]
    assert first[0].user.created_at >= rest[0].user.created_at


def test_b2_a_user_needs_no_extension_and_no_e_mail(core, actor):
    """A first name is enough; what is missing is shown as none."""
    made = add_user(core, actor, first_name="Ada").person
    assert (made.user.extension, made.user.email, made.user.last_name) == (None, None, "")
    assert (made.caller_ids, made.options) == ((), ())


@pytest.mark.parametrize("extension", ["1", "12345678901", "10a", "\uff11\uff10\uff10"])
def test_b2_an_extension_has_2_to_10_digits(core, actor, extension):
    """Other extensions are refused and nothing is stored."""
    with pytest.raises(InvalidInput):
        add_user(core, actor, first_name="Ada", extension=extension)
    assert list_users(core, actor, Page()) == []


def test_b6_conflicts_name_whose_it_is(core, actor, people):
    """A taken extension or e-mail is refused with the name of the user who has it."""
    with pytest.raises(DuplicateExtension, match="Ada Lovelace"):
        change_user(core, actor, people[1], {"extension": "1001"})
    with pytest.raises(DuplicateName, match="Ada Lovelace"):
        change_user(core, actor, people[1], {"email": "ADA@example.com"})
    change_user(core, actor, people[0], {"extension": "1001", "email": "ada@example.com"})


def test_b7_caller_id_is_a_number_of_the_organisation(core, actor, neighbour, people, add_row):
    """A user calls out with a number of the organisation or its default, and with no other."""
    own = add_row(Number, number="+49301001")
    foreign = add_row(Number, number="+49302002", of=neighbour.organisation)
    changed = change_user(core, actor, people[0], {"caller_id": str(own)})
    assert changed.user.caller_id_number_id == own
    for unknown in (foreign, uuid4()):
        with pytest.raises(NotFound):
            change_user(core, actor, people[0], {"caller_id": unknown})
    assert read_user(core, actor, people[0]).user.caller_id_number_id == own
    assert change_user(core, actor, people[0], {"caller_id": None}).user.caller_id_number_id is None


def test_b9_several_caller_ids_need_the_feature(core, actor, people, add_row):
    """Further numbers keep their order, and are refused without the feature."""
    numbers = [add_row(Number, number=f"+4930100{n}") for n in range(3)]
    with pytest.raises(SettingsDisagree, match=r"feature\.several-caller-ids"):
        change_user(core, actor, people[0], {"caller_ids": numbers})
    assert read_user(core, actor, people[0]).caller_ids == ()
    set_values(core, actor, Level.USER, people[0], {"feature.several-caller-ids": True})
    changed = change_user(core, actor, people[0], {"caller_ids": numbers})
    assert changed.caller_ids == tuple(numbers)
    turned = [numbers[2], numbers[0]]
    assert change_user(core, actor, people[0], {"caller_ids": turned}).caller_ids == tuple(turned)
    with pytest.raises(InvalidInput):
        change_user(core, actor, people[0], {"caller_ids": [numbers[0], numbers[0]]})
    with pytest.raises(SettingsDisagree, match="caller_ids"):
        set_values(core, actor, Level.USER, people[0], {"feature.several-caller-ids": False})


def test_b9_numbers_of_a_neighbour_are_refused(core, actor, neighbour, people, add_row):
    """A further number has to be the organisation's."""
    foreign = add_row(Number, number="+49302002", of=neighbour.organisation)
    set_values(core, actor, Level.USER, people[0], {"feature.several-caller-ids": True})
    with pytest.raises(NotFound):
        change_user(core, actor, people[0], {"caller_ids": [foreign]})


def test_a10_a_user_belongs_to_one_cost_centre(core, actor, neighbour, people, add_row):
    """The cost centre is the organisation's own, and can be taken away."""
    own = add_row(CostCentre, name="Sales", code="*9")
    foreign = add_row(CostCentre, name="Sales", of=neighbour.organisation)
    changed = change_user(core, actor, people[0], {"cost_centre": own})
    assert changed.user.cost_centre_id == own
    with pytest.raises(NotFound):
        change_user(core, actor, people[0], {"cost_centre": foreign})
    assert change_user(core, actor, people[0], {"cost_centre": None}).user.cost_centre_id is None


def test_a12_a_user_shows_the_options_they_belong_to(core, actor, people):
    """Each option is shown with its category."""
    with core.database.write() as session:
        office = Category(organisation_id=actor.organisation, name="office")
        session.add(office)
        session.flush()
        option = CategoryOption(
            organisation_id=actor.organisation, category_id=office.id, name="Berlin"
        )
        session.add(option)
        session.flush()
        session.add(
            UserOption(
                organisation_id=actor.organisation, user_id=people[0],
                category_id=office.id, option_id=option.id,
            )
        )  # fmt: skip
    (shown,) = read_user(core, actor, people[0]).options
    assert (shown.category, shown.name) == ("office", "Berlin")
    assert read_user(core, actor, people[1]).options == ()


def test_b13_following_the_hotdesk_needs_hotdesking(core, actor, people):
    """Whose calls ring where they log in must be able to, and stays so."""
    change_user(core, actor, people[0], {"incoming": "hotdesk"})
    with pytest.raises(SettingsDisagree, match="incoming"):
        set_values(core, actor, Level.USER, people[0], {"feature.hotdesking": False})
    set_values(core, actor, Level.USER, people[1], {"feature.hotdesking": False})
    with pytest.raises(SettingsDisagree, match=r"feature\.hotdesking"):
        change_user(core, actor, people[1], {"incoming": "hotdesk"})
    with pytest.raises(InvalidInput):
        change_user(core, actor, people[0], {"incoming": "elsewhere"})


# --- voicemail


@pytest.mark.parametrize(
    ("pin", "fits"),
    [("4711", True), ("1234567890", True), ("", True), ("123", False), ("12345678901", False),
     ("12a4", False), ("\uff11\uff12\uff13\uff14", False)],
)  # fmt: skip
def test_e1_voicemail_pin_has_4_to_10_digits_or_is_empty(core, actor, people, pin, fits):
    """A PIN of the right form is stored hashed, an empty one takes it away, others are refused."""
    set_voicemail_pin(core, actor, people[0], "080899")
    before = read_user(core, actor, people[0]).user.voicemail_pin_hash
    with nullcontext() if fits else pytest.raises(InvalidInput) as refused:
        assert set_voicemail_pin(core, actor, people[0], pin) is bool(pin)
    stored = read_user(core, actor, people[0]).user.voicemail_pin_hash
    if not fits:
        assert pin not in str(refused.value)
        assert stored == before
    elif pin:
        assert pin not in stored
        assert "$argon2id$" in stored
        assert core.pins.verify(stored, pin)
    else:
        assert stored is None


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"voicemail.notify": True}, "email"),
        ({"voicemail.summary": True}, "voicemail.notify"),
        ({"voicemail.transcript": True}, "voicemail.notify"),
        ({"voicemail.attach": True, "voicemail.notify": False}, "voicemail.notify"),
        ({"voicemail.delete-after": True}, "voicemail.notify"),
        ({"call.method": "callback"}, "call.callback-number"),
        ({"call.method": "other-account", "call.account": 2}, "call.account"),
        ({"right.barge": True}, "feature.operator-console"),
    ],
)
def test_e2_a_value_that_needs_another_is_refused_with_its_name(core, actor, values, named):
    """At a user what would hold is checked; the refusal names what is missing; nothing is set."""
    user = add_user(core, actor, first_name="Ada").user.id
    with pytest.raises(SettingsDisagree, match=named.replace(".", r"\.")):
        set_values(core, actor, Level.USER, user, values)
    assert set_values(core, actor, Level.USER, user, {}) == []


def test_e2_notification_with_all_it_needs_is_accepted(core, actor, people):
    """With an address everything about the e-mail goes together, and what it needs stays."""
    parts = ("notify", "attach", "delete-after", "summary", "transcript")
    wanted = {f"voicemail.{part}": True for part in parts}
    set_values(core, actor, Level.USER, people[0], wanted)
    with pytest.raises(SettingsDisagree, match=r"voicemail\.delete-after"):
        set_values(core, actor, Level.USER, people[0], {"voicemail.attach": False})
    with pytest.raises(SettingsDisagree, match="e-mail"):
        change_user(core, actor, people[0], {"email": None})
    change_user(core, actor, people[0], {"first_name": "Augusta"})


def test_e2_a_role_is_checked_by_what_stands_there(core, actor):
    """A role's values are checked among themselves; what people may have besides is not known."""
    with core.database.write() as session:
        role = Role(organisation_id=actor.organisation, name="reception")
        session.add(role)
    set_values(core, actor, Level.ROLE, role.id, {"voicemail.notify": True})
    set_values(core, actor, Level.ROLE, role.id, {"voicemail.delete-after": True})
    with pytest.raises(SettingsDisagree, match=r"voicemail\.attach"):
        set_values(core, actor, Level.ROLE, role.id, {"voicemail.attach": False})


# --- routing


STEP = {"targets": [{"kind": "extension", "number": "1002"}], "seconds": 20}


def step(*targets, seconds=20):
    """A step of follow me."""
    return {"targets": list(targets), "seconds": seconds}


def test_e3_steps_keep_their_order_and_targets(core, actor, people, add_row):
    """Extensions, external numbers and call targets ring together, step after step."""
    group = str(add_row(CallTarget, kind="ring-group", name="Sales", number="600"))
    wanted = [
        step({"kind": "extension", "number": "1002"}, {"kind": "number", "number": "+49 30-12"}),
        step({"kind": "target", "id": group}, seconds=5),
    ]
    stored = change_user(core, actor, people[0], {"steps": wanted}).user.steps
    assert stored[0]["targets"][1] == {"kind": "number", "number": "+493012"}
    assert stored[1] == {"targets": [{"kind": "target", "id": group}], "seconds": 5}
    assert change_user(core, actor, people[0], {"steps": []}).user.steps == []


@pytest.mark.parametrize(
    "steps",
    [
        [STEP] * 11,
        [step(seconds=20)],
        [step({"kind": "extension", "number": "1002"}, seconds=4)],
        [step({"kind": "extension", "number": "1002"}, seconds=121)],
        [step(*({"kind": "number", "number": f"100{n}"} for n in range(21)))],
        [step({"kind": "extension", "number": "1"})],
        [step({"kind": "extension", "number": ""})],
        [step({"kind": "number", "number": "mum"})],
        [step({"kind": "fax", "number": "1002"})],
        [step({"kind": "target", "number": "600"})],
        [step({"kind": "target", "id": "600"})],
        [step({"kind": "extension", "number": "1002", "id": str(uuid4())})],
        [step({"kind": "extension", "number": "1002"}, {"kind": "extension", "number": "1002"})],
    ],
)
def test_e3_steps_have_bounds(core, actor, people, steps):
    """1 to 10 steps of 5 to 120 seconds with 1 to 20 different targets; all else is refused."""
    with pytest.raises(InvalidInput):
        change_user(core, actor, people[0], {"steps": steps})
    assert read_user(core, actor, people[0]).user.steps == []


def test_e3_steps_name_call_targets_of_the_organisation(core, actor, neighbour, people, add_row):
    """An unknown or foreign call target is refused."""
    foreign = add_row(
        CallTarget, kind="ring-group", name="Sales", number="600", of=neighbour.organisation
    )
    for unknown in (foreign, uuid4()):
        steps = [step({"kind": "target", "id": str(unknown)})]
        with pytest.raises(NotFound):
            change_user(core, actor, people[0], {"steps": steps})


def test_e5_fallback_goes_to_people_and_call_targets(core, actor, people, add_row):
    """Voicemail and hanging up name nothing; a user or call target is named by its id."""
    box = str(add_row(CallTarget, kind="shared-voicemail", name="Sales", number="690"))
    for wanted in (
        {"kind": "voicemail"}, {"kind": "hang-up"}, {"kind": "user", "id": str(people[1])},
        {"kind": "shared-voicemail", "id": box},
    ):  # fmt: skip
        assert change_user(core, actor, people[0], {"fallback": wanted}).user.fallback == wanted
    assert change_user(core, actor, people[0], {"fallback": None}).user.fallback == {}


def test_e5_fallback_that_leads_nowhere_is_refused(core, actor, neighbour, people, add_row):
    """Unknown ids, another kind of call target, oneself and a missing id are refused."""
    box = str(add_row(CallTarget, kind="shared-voicemail", name="Sales", number="690"))
    stranger = add_user(core, neighbour, first_name="Eve").user.id
    for wanted, error in (
        ({"kind": "ring-group", "id": box}, InvalidInput),
        ({"kind": "ring-group", "id": str(uuid4())}, NotFound),
        ({"kind": "user", "id": str(people[0])}, InvalidInput),
        ({"kind": "user", "id": str(stranger)}, NotFound),
        ({"kind": "user"}, InvalidInput),
        ({"kind": "voicemail", "id": box}, InvalidInput),
        ({"kind": "pigeon"}, InvalidInput),
    ):
        with pytest.raises(error):
            change_user(core, actor, people[0], {"fallback": wanted})
    assert read_user(core, actor, people[0]).user.fallback == {}


def test_e5_fallback_to_voicemail_needs_voicemail(core, actor, people):
    """Who has no voicemail cannot fall back to it, and who falls back to it keeps it."""
    change_user(core, actor, people[0], {"fallback": {"kind": "voicemail"}})
    with pytest.raises(SettingsDisagree, match="fallback"):
        set_values(core, actor, Level.USER, people[0], {"feature.voicemail": False})


def test_b15_a_deleted_user_is_nobodys_fallback(core, actor, people):
    """When a user goes, calls that fell back to them are the PBX's to route."""
    wanted = {"kind": "user", "id": str(people[1])}
    change_user(core, actor, people[0], {"fallback": wanted})
    delete_user(core, actor, people[2])
    assert read_user(core, actor, people[0]).user.fallback == wanted
    delete_user(core, actor, people[1])
    with core.database.read() as session:
        assert session.get_one(User, people[0]).fallback == {}
