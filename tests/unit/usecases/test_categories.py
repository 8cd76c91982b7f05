"""Categories and options: who is in them, what goes with them, and the departments' keys."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import event

from provisioning.domain.errors import (
    Conflict,
    DuplicateName,
    InvalidInput,
    NotFound,
    StillInUse,
    Unconfirmed,
)
from provisioning.domain.settings import Level
from provisioning.render.syntax import FORMS
from provisioning.simulate.shown import shown
from provisioning.store.catalogue import UserOption
from provisioning.store.organisations import Organisation
from provisioning.store.people import User
from provisioning.usecases import categories, keys, phonebook, users
from provisioning.usecases.pages import Page
from provisioning.vendors.schema import Syntax


@pytest.fixture
def department(core, actor):
    """The id of the built-in category."""
    (row,) = categories.list_categories(core, actor, Page())
    return row.id


@pytest.fixture
def sales(core, actor, department):
    """The id of the department Sales."""
    return categories.add_option(core, actor, department, "Sales").row.id


@pytest.fixture
def support(core, actor, department):
    """The id of the department Support."""
    return categories.add_option(core, actor, department, "Support").row.id


def names(rows) -> list[str]:
    """What rows are called."""
    return [row.name for row in rows]


def put(core, actor, category, option, *people):
    """Put people into an option."""
    return categories.put_users(core, actor, category, option, people)


# --- categories and options


def test_a12_every_organisation_has_departments(core, actor, neighbour):
    """The built-in category is there from the start, can be renamed, and cannot be removed."""
    for who in (actor, neighbour):
        (row,) = categories.list_categories(core, who, Page())
        assert row.row.built_in
        changed = categories.change_category(core, who, row.id, {"name": "Abteilung"})
        assert changed.row.name == "Abteilung"
        with pytest.raises(Conflict, match="every organisation has"):
            categories.delete_category(core, who, row.id, confirm=True)


def test_a12_options_are_added_renamed_and_deleted(core, actor, department, sales, add_person):
    """An option is renamed with its people in it, and deleted they are in none."""
    ada = add_person()
    assert put(core, actor, department, sales, ada).users == 1
    categories.change_option(core, actor, department, sales, {"name": "Vertrieb"})
    assert names(categories.user_options(core, actor, ada)) == ["Vertrieb"]
    with pytest.raises(DuplicateName):
        categories.add_option(core, actor, department, "Vertrieb")
    categories.delete_option(core, actor, department, sales)
    assert categories.user_options(core, actor, ada) == []
    assert categories.read_category(core, actor, department).options == ()


def test_a12_a_category_goes_only_when_confirmed(core, actor, add_person):
    """Deleting a category tells first what goes with it, and does it when that is meant."""
    ada = add_person()
    office = categories.add_category(core, actor, "office").id
    berlin = categories.add_option(core, actor, office, "Berlin").row.id
    put(core, actor, office, berlin, ada)
    with pytest.raises(Unconfirmed, match=r"go 1 option \(Berlin\) with 1 user in them"):
        categories.delete_category(core, actor, office)
    assert names(categories.user_options(core, actor, ada)) == ["Berlin"]
    categories.delete_category(core, actor, office, confirm=True)
    assert categories.user_options(core, actor, ada) == []
    with pytest.raises(NotFound):
        categories.read_category(core, actor, office)


def test_a12_an_option_belongs_to_its_category(core, actor, department, sales):
    """An option is found under its own category only, and two may have one name there."""
    office = categories.add_category(core, actor, "office").id
    categories.add_option(core, actor, office, "Sales")
    with pytest.raises(NotFound):
        categories.read_option(core, actor, office, sales)
    with pytest.raises(DuplicateName):
        categories.add_category(core, actor, "office")
    with pytest.raises(InvalidInput):
        categories.add_option(core, actor, office, " ")


# --- who is in them


def test_a12_a_user_is_in_one_option_of_each_category(
    core, actor, department, sales, support, add_person
):
    """Whoever joins an option leaves the category's others, and keeps those of other categories."""
    ada = add_person()
    office = categories.add_category(core, actor, "office").id
    berlin = categories.add_option(core, actor, office, "Berlin").row.id
    for category, option in ((department, sales), (office, berlin), (department, support)):
        put(core, actor, category, option, ada)
    assert sorted(names(categories.user_options(core, actor, ada))) == ["Berlin", "Support"]
    found = users.list_users(core, actor, Page(), option=support)
    assert [user.id for user in found] == [ada]
    assert users.list_users(core, actor, Page(), option=sales) == []
    with pytest.raises(InvalidInput):
        categories.set_user_options(core, actor, ada, [sales, support])
    categories.set_user_options(core, actor, ada, [sales])
    assert names(categories.user_options(core, actor, ada)) == ["Sales"]
    categories.set_user_options(core, actor, ada, [])
    assert categories.user_options(core, actor, ada) == []


def test_a12_users_of_an_option_are_listed_in_pages(core, actor, department, sales, add_person):
    """The list of an option's users is searched and goes on after a cursor like any other."""
    people = [add_person(f"U{n}", f"10{n:02}") for n in range(4)]
    put(core, actor, department, sales, *people[:3])
    first = users.list_users(core, actor, Page(limit=2), option=sales)
    assert [user.id for user in first] == people[:2]
    rest = users.list_users(core, actor, Page(cursor=people[1]), option=sales)
    assert [user.id for user in rest] == [people[2]]
    assert [u.id for u in users.list_users(core, actor, Page(q="u1"), option=sales)] == [people[1]]


@contextlib.contextmanager
def counting(core):
    """Count the statements sent to the database."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    event.listen(core.database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(core.database.engine, "before_cursor_execute", note)


def test_a12_many_users_join_at_once(core, actor, department, sales, support):
    """The statements that put users into an option do not grow with the users."""
    with core.database.write() as session:
        rows = [User(organisation_id=actor.organisation, first_name=f"U{n}") for n in range(200)]
        session.add_all(rows)
    ids = [row.id for row in rows]
    keys.set_key(
        core, actor, Level.ORGANISATION, actor.organisation,
        keys.read_key({"position": 2, "type": "department"}),
    )  # fmt: skip
    counts = []
    for people in (ids[:3], ids[3:]):
        for option in (sales, support):
            with counting(core) as sent:
                put(core, actor, department, option, *people)
            counts.append(len(sent))
    assert counts[0] == counts[2]
    assert counts[1] == counts[3]
    assert categories.read_option(core, actor, department, support).users == 200


def test_a12_all_join_or_none(core, actor, neighbour, department, sales, add_person):
    """One unknown user among many, or another organisation's, leaves everybody where they were."""
    stranger = users.add_user(core, neighbour, first_name="Eve").user.id
    ada = add_person()
    with pytest.raises(NotFound, match=str(stranger)):
        put(core, actor, department, sales, ada, stranger)
    assert categories.user_options(core, actor, ada) == []
    with pytest.raises(NotFound):
        put(core, neighbour, department, sales, stranger)
    with pytest.raises(NotFound):
        users.list_users(core, neighbour, Page(), option=sales)


def test_a12_a_deleted_user_is_in_nothing(core, actor, department, sales, add_person):
    """A user who is deleted leaves their options, which stay."""
    ada = add_person()
    put(core, actor, department, sales, ada)
    users.delete_user(core, actor, ada)
    assert categories.read_option(core, actor, department, sales).users == 0
    with core.database.read() as session:
        assert session.query(UserOption).count() == 0


# --- in the phone book


def found(core, actor, search, user=None):
    """Whom the phone's phone book finds, with their departments."""
    with core.database.read() as session:
        page = phonebook.directory(
            session, actor.organisation, user, query=f"search={search}", page_size=None
        )
    return {entry.first_name: entry.department for entry in page.contacts}


def test_a12_a_contact_is_found_by_option(core, actor, department, sales, add_person):
    """The phone book shows departments and finds people by the name of any option they are in."""
    ada, bob = add_person(), add_person("Bob", "1002")
    office = categories.add_category(core, actor, "office").id
    zurich = categories.add_option(core, actor, office, "Zürich").row.id
    put(core, actor, department, sales, ada)
    put(core, actor, office, zurich, ada, bob)
    taxi = [{"kind": "work", "number": "123"}]
    phonebook.add_contact(core, actor, first_name="Taxi", department="Salesroom", numbers=taxi)
    assert found(core, actor, "sales") == {"Ada": "Sales", "Taxi": "Salesroom"}
    assert found(core, actor, "zurich") == {"Ada": "Sales", "Bob": ""}
    assert [c.first_name for c in phonebook.list_contacts(core, actor, Page(q="salesr"))] == [
        "Taxi"
    ]
    categories.change_option(core, actor, department, sales, {"name": "Vertrieb"})
    assert found(core, actor, "vertrieb") == {"Ada": "Vertrieb"}


def test_a12_departments_reach_the_phones_phone_book(
    core, actor, department, sales, add_person, phones
):
    """The file of a dialect whose phone book has departments shows them."""
    ada = add_person()
    put(core, actor, department, sales, ada)
    device = phones.add("00:0B:82:00:00:01", "GXP2170", ada)
    assert b"<Department>Sales</Department>" in phones.fetched(device, "phonebook.xml")


# --- in the keys


@pytest.fixture
def floor(core, actor, phones, department, sales, support, add_person):
    """Ada and Bob of Sales, Cyd of Support, each with a phone whose keys show the department."""
    people = {
        "Ada": add_person("Ada", "1001"),
        "Bob": add_person("Bob", "1002"),
        "Cyd": add_person("Cyd", "1003"),
    }
    put(core, actor, department, sales, people["Ada"], people["Bob"])
    put(core, actor, department, support, people["Cyd"])
    keys.set_key(
        core, actor, Level.ORGANISATION, actor.organisation,
        keys.read_key({"position": 2, "type": "department"}),
    )  # fmt: skip
    devices = {
        name: phones.add(f"00:15:65:00:00:0{n}", "T54W", user)
        for n, (name, user) in enumerate(people.items(), 1)
    }
    return people, devices


@pytest.fixture
def lamps(core, phones, floor):
    """Read the BLF keys of every phone, as (number, label), by whose phone it is."""
    _, devices = floor
    vendor = core.registry.vendor("yealink")

    def read():
        shown_now = {}
        for n, (name, device) in enumerate(devices.items(), 1):
            content = phones.fetched(device, f"00156500000{n}.cfg").decode()
            held = {key.lower(): value for key, value in FORMS[Syntax.YEALINK].parse(content)}
            rows = shown(held, vendor, vendor.model("T54W")).keys
            shown_now[name] = [(row.value, row.label) for row in rows if row.type == "blf"]
        return shown_now

    return read


def test_a12_a_department_drives_the_lamps(core, actor, floor, lamps, department, support):
    """Renaming, moving, disabling and deleting a person changes exactly the lamps concerned."""
    people, _ = floor
    ada, bob, cyd = (("1001", "Ada Lovelace"), ("1002", "Bob Lovelace"), ("1003", "Cyd Lovelace"))
    assert lamps() == {"Ada": [bob], "Bob": [ada], "Cyd": []}
    users.change_user(core, actor, people["Bob"], {"first_name": "Rob", "extension": "1012"})
    rob = ("1012", "Rob Lovelace")
    assert lamps() == {"Ada": [rob], "Bob": [ada], "Cyd": []}
    put(core, actor, department, support, people["Bob"])
    assert lamps() == {"Ada": [], "Bob": [cyd], "Cyd": [rob]}
    users.change_user(core, actor, people["Bob"], {"enabled": False})
    assert lamps() == {"Ada": [], "Bob": [], "Cyd": []}
    users.change_user(core, actor, people["Bob"], {"enabled": True})
    assert lamps() == {"Ada": [], "Bob": [cyd], "Cyd": [rob]}
    users.delete_user(core, actor, people["Bob"])
    assert lamps() == {"Ada": [], "Bob": [], "Cyd": []}


def test_a12_only_the_files_concerned_change(core, actor, floor, phones, department, support):
    """A move within one department and another leaves every byte of a third phone as it was."""
    people, devices = floor
    third = categories.add_option(core, actor, department, "Board").row.id
    put(core, actor, department, third, people["Ada"])

    def bytes_of(name):
        n = list(devices).index(name) + 1
        return phones.fetched(devices[name], f"00156500000{n}.cfg")

    before = {name: bytes_of(name) for name in devices}
    put(core, actor, department, support, people["Bob"])
    after = {name: bytes_of(name) for name in devices}
    assert {name for name in devices if before[name] != after[name]} == {"Bob", "Cyd"}


def test_a12_a_deleted_department_leaves_no_lamp(core, actor, floor, lamps, department, sales):
    """With the option go the lamps of its people, at once and also from cached files."""
    assert lamps()["Ada"] == [("1002", "Bob Lovelace")]
    categories.delete_option(core, actor, department, sales)
    assert lamps() == {"Ada": [], "Bob": [], "Cyd": []}


def test_a12_a_key_for_one_department_holds_it(core, actor, floor, lamps, department, sales):
    """A named department shows on everybody's phone, and goes only with its keys."""
    key = keys.read_key({"position": 2, "type": "department", "value": str(sales)})
    keys.set_key(core, actor, Level.ORGANISATION, actor.organisation, key)
    assert [number for number, _ in lamps()["Cyd"]] == ["1001", "1002"]
    with pytest.raises(StillInUse, match="the organisation main"):
        categories.delete_option(core, actor, department, sales)
    categories.delete_option(core, actor, department, sales, confirm=True)
    assert keys.list_keys(core, actor, Level.ORGANISATION, actor.organisation) == []
    assert lamps()["Cyd"] == []


def test_a12_only_departments_make_phones_stale(core, actor, floor, department, sales):
    """Versions count up for the department, and for no other category or its name."""
    people, _ = floor

    def version():
        with core.database.read() as session:
            return session.get_one(Organisation, actor.organisation).version

    office = categories.add_category(core, actor, "office").id
    berlin = categories.add_option(core, actor, office, "Berlin").row.id
    before = version()
    put(core, actor, office, berlin, *people.values())
    categories.change_option(core, actor, department, sales, {"name": "Vertrieb"})
    categories.delete_category(core, actor, office, confirm=True)
    assert version() == before
    put(core, actor, department, sales, people["Cyd"])
    after = version()
    assert after > before
    put(core, actor, department, sales, people["Cyd"])
    assert version() == after
