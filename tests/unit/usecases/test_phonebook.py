"""The phone book: whom it shows, how it is searched and paged, and that it reaches the phone."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.domain.errors import InvalidInput, NotFound
from provisioning.usecases import devices, phonebook, previews, users
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import Door, FileRequest, Outcome, TokenCredential


def book(core, actor, query="", *, user=None, size=None):
    """The page of the phone book that a query asks for."""
    with core.database.read() as session:
        return phonebook.directory(session, actor.organisation, user, query=query, page_size=size)


def names(directory) -> list[str]:
    """Who stands on a page."""
    return [entry.name for entry in directory.contacts]


@pytest.fixture
def people(core, actor, desk, add_person):
    """Ada, Bänke and Zoë with extensions, and Émile without one."""
    ids = {
        "ada": desk.user,
        "baenke": add_person("Bänke", "1002"),
        "zoe": add_person("Zoë", "1003"),
    }
    users.add_user(core, actor, first_name="Émile")
    return ids


def test_users_with_an_extension_stand_in_it(core, actor, people):
    """Enabled users with an extension are listed by name, others are not."""
    users.change_user(core, actor, people["zoe"], {"enabled": False})
    assert names(book(core, actor)) == ["Ada Lovelace", "Bänke Lovelace"]


def test_shared_and_own_contacts(core, actor, people):
    """Everybody sees the organisation's contacts, and their own besides."""
    taxi = [{"kind": "work", "number": "+49 (30) 12-34"}]
    phonebook.add_contact(core, actor, first_name="Taxi", numbers=taxi)
    phonebook.add_contact(core, actor, first_name="Mum", numbers=taxi, user_id=people["ada"])
    assert "Mum" not in names(book(core, actor))
    mine = book(core, actor, user=people["ada"])
    assert {"Mum", "Taxi", "Ada Lovelace"} <= set(names(mine))
    numbers = {entry.name: entry.numbers for entry in mine.contacts}
    assert numbers["Taxi"] == (("work", "+49301234"),)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=ADA", ["Ada Lovelace"]),
        ("q=zoe", ["Zoë Lovelace"]),
        ("name=B%C3%A4", ["Bänke Lovelace"]),
        ("search=1002", ["Bänke Lovelace"]),
        ("command=get_list&type=pb&ln=lov*&fn=*&hm=*&first=1&count=1", ["Ada Lovelace"]),
        ("command=get_list&type=pb&hm=*&first=2&count=16", ["Bänke Lovelace", "Zoë Lovelace"]),
        ("command=get_list&type=pb&hm=1003*&first=1&count=16", ["Zoë Lovelace"]),
        ("first=99&count=0", ["Zoë Lovelace"]),
        ("search=nobody", []),
        ("search=", ["Ada Lovelace", "Bänke Lovelace", "Zoë Lovelace"]),
    ],
)
def test_search(core, actor, people, query, found):
    """Names are found without regard to case and accents, numbers by their beginning."""
    assert names(book(core, actor, query)) == found


@pytest.mark.parametrize(
    ("query", "page", "found"),
    [
        ("", 1, ["Ada Lovelace", "Bänke Lovelace"]),
        ("page=2", 2, ["Zoë Lovelace"]),
        ("page=9", 2, ["Zoë Lovelace"]),
        ("page=0", 1, ["Ada Lovelace", "Bänke Lovelace"]),
        ("page=-1", 1, ["Ada Lovelace", "Bänke Lovelace"]),
        ("page=two", 1, ["Ada Lovelace", "Bänke Lovelace"]),
    ],
)
def test_pages(core, actor, people, query, page, found):
    """A page beyond the book is the nearest there is."""
    shown = book(core, actor, query, size=2)
    assert (shown.page, shown.pages, names(shown)) == (page, 2, found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(query=st.text(max_size=80))
def test_no_query_breaks_the_book(core, actor, query):
    """Whatever a phone sends as query, it gets a page."""
    assert book(core, actor, query, size=2).page >= 1


def test_the_phone_gets_its_page(core, actor, desk, people):
    """The phone book is fetched like any file of the phone, searched by its query."""
    name = "001565aabbcc-phonebook.xml"
    ways = devices.provisioning_urls(core, actor, desk.device)
    token = TokenCredential(ways.token_url.rstrip("/").rpartition("/")[2])

    def fetch(query: str = "", credential=token):
        request = FileRequest(
            name, ip_address("192.0.2.1"), Door.HTTPS, query=query, credential=credential
        )
        return fetch_file(core, request)

    everybody = fetch().content.decode()
    assert all(who in everybody for who in ("Ada", "Bänke", "Zoë"))
    assert "Ada" not in fetch("search=zo").content.decode()
    phonebook.add_contact(core, actor, first_name="Taxi")
    assert "Taxi" in fetch().content.decode()
    assert previews.preview(core, actor, desk.device, name)[0] == fetch().content
    assert fetch(credential=TokenCredential("a" * 26)).outcome is Outcome.NOT_FOUND


def test_a_neighbours_book_is_empty(core, actor, people, neighbour):
    """Nobody of one organisation stands in another's phone book."""
    row = phonebook.add_contact(core, actor, first_name="Taxi")
    assert book(core, neighbour).contacts == ()
    with pytest.raises(NotFound):
        phonebook.change_contact(core, neighbour, row.id, {"first_name": "Cab"})
    with pytest.raises(NotFound):
        phonebook.add_contact(core, neighbour, first_name="X", user_id=people["ada"])


@pytest.mark.parametrize(
    "columns",
    [
        {"first_name": ""},
        {"first_name": "A\nB"},
        {"first_name": "A", "numbers": [{"kind": "fax", "number": "1"}]},
        {"first_name": "A", "numbers": [{"kind": "work", "number": "call me"}]},
        {"first_name": "A", "numbers": [{"kind": "work", "number": "1"}] * 9},
    ],
)
def test_bad_contacts_are_refused(core, actor, columns):
    """A contact has a name on one line and numbers that can be dialled."""
    with pytest.raises(InvalidInput):
        phonebook.add_contact(core, actor, **columns)
