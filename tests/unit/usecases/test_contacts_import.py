"""Contacts as CSV and vCard: all or none, an error for each, and out again as they are."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.domain.errors import BrokenRule, Forbidden, InvalidInput
from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.domain.roles import Permission
from provisioning.store.people import Contact
from provisioning.usecases import phonebook, users
from provisioning.usecases.actors import Actor
from provisioning.usecases.importing import (
    export_cards,
    export_sheet,
    import_cards,
    import_sheet,
    list_imports,
)
from provisioning.usecases.pages import Page
from provisioning.usecases.sheets import cards, contacts

ENDS = (ImportState.CHECKED, ImportState.REFUSED)


def load(core, actor, text: str, **options):
    """Import a CSV of contacts."""
    return import_sheet(core, actor, SheetKind.CONTACTS, text.encode(), **options)


def load_cards(core, actor, *lines: str, **options):
    """Import one card of these lines, or text that is whole cards already."""
    text = "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])
    return import_cards(core, actor, text.encode(), **options)


def export(core, actor) -> str:
    """The contacts as CSV."""
    return export_sheet(core, actor, SheetKind.CONTACTS)


def book(core, actor) -> dict[str, Contact]:
    """The contacts by first name."""
    return {row.first_name: row for row in phonebook.list_contacts(core, actor, Page(limit=500))}


def numbers(contact: Contact) -> list[tuple[str, str]]:
    """The numbers of a contact."""
    return [(item["kind"], item["number"]) for item in contact.numbers]


def errors(job) -> list[tuple[int, str]]:
    """Where the errors of an import are."""
    return [(error["line"], error["column"]) for error in job.errors]


# --- CSV


def test_h7_contacts_are_made_shared_and_of_people(core, actor, add_person):
    """Rows become shared contacts, or the own ones of whoever is named as owner."""
    ada, grace = add_person("Ada", "1001"), add_person("Grace", "1002")
    users.change_user(core, actor, grace, {"email": "grace@example.com"})
    job = load(
        core, actor,
        "first_name,last_name,department,owner,internal,work,mobile,home\n"
        "Taxi,,Travel,,77,+49 (30) 12-34; 030/55 66,,\n"
        "Mum,Lovelace,,1001,,,0171 5,+49301\n"
        f"Dad,,,Grace@example.com,,,,1\nAunt,,,{ada},,,,2\n",
    )  # fmt: skip
    assert (job.state, job.makes, job.checked) == (ImportState.DONE, 4, 4)
    made = book(core, actor)
    assert numbers(made["Taxi"]) == [
        ("internal", "77"), ("work", "+49301234"), ("work", "0305566"),
    ]  # fmt: skip
    assert made["Taxi"].department == "Travel"
    assert [made[name].user_id for name in ("Taxi", "Mum", "Dad", "Aunt")] == [
        None, ada, grace, ada,
    ]  # fmt: skip


def test_h7_contacts_tell_their_errors_by_row_and_nothing_is_half_done(core, actor, add_person):
    """One bad row keeps all others out, and each error names its line and column."""
    job = load(
        core, actor,
        "id,first_name,owner,work,home\n,Taxi,,1,\n,,9999,one two,\n"
        "00000000-0000-7000-8000-000000000000,Ada,,,\n,Many,,1;2;3;4;5,6;7;8;9\n",
    )  # fmt: skip
    assert job.state == ImportState.REFUSED
    assert errors(job) == [(3, "first_name"), (3, "owner"), (3, "work"), (4, "id"), (5, "")]
    assert "8 numbers" in job.errors[-1]["remedy"]
    assert book(core, actor) == {}


def test_h7_a_dry_run_of_contacts_writes_nothing(core, actor):
    """A dry run of a sheet or of cards tells what it would do and does none of it."""
    job = load(core, actor, "first_name\nTaxi\n", dry_run=True)
    assert (job.state, job.makes) == (ImportState.CHECKED, 1)
    job = load_cards(core, actor, "FN:Taxi", dry_run=True)
    assert (job.state, job.makes) == (ImportState.CHECKED, 1)
    assert book(core, actor) == {}


def test_h7_contacts_exported_and_imported_are_the_same(core, actor, add_person):
    """What comes out as CSV goes in again as it is, in the order its numbers stood."""
    ada = add_person("Ada", "1001")
    mixed = [
        {"kind": "home", "number": "3"}, {"kind": "work", "number": "+49301"},
        {"kind": "home", "number": "*2"}, {"kind": "internal", "number": "10"},
    ]  # fmt: skip
    phonebook.add_contact(
        core, actor, first_name="=1+1", last_name='@x, "y"; z', department="-Sales", numbers=mixed
    )
    phonebook.add_contact(core, actor, first_name="'Quote", last_name="李 🙂", user_id=ada)
    before = export(core, actor)
    job = load(core, actor, before)
    assert (job.state, job.leaves, job.makes, job.changes) == (ImportState.DONE, 2, 0, 0)
    assert export(core, actor) == before
    assert [item["kind"] for item in book(core, actor)["=1+1"].numbers] == [
        "home", "work", "home", "internal",
    ]  # fmt: skip
    shown = list(csv.DictReader(io.StringIO(before)))
    assert [row["owner"] for row in shown] == ["", "1001"]
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in shown for cell in row.values())


def test_h7_a_row_changes_its_contact_and_leaves_other_columns(core, actor, add_person):
    """A row with an id changes that contact; what has no column stays."""
    work = [{"kind": "work", "number": "1"}, {"kind": "home", "number": "2"}]
    row = phonebook.add_contact(core, actor, first_name="Taxi", department="T", numbers=work)
    ada = add_person("Ada", "1001")
    job = load(core, actor, f"id,work,owner\n{row.id},7; 8,1001\n")
    assert (job.state, job.changes) == (ImportState.DONE, 1)
    after = book(core, actor)["Taxi"]
    assert (after.department, after.user_id) == ("T", ada)
    assert numbers(after) == [("work", "7"), ("work", "8"), ("home", "2")]
    job = load(core, actor, f"id,department\n{row.id},A\n{row.id},B\n")
    assert errors(job) == [(3, "id")]


def test_h7_a_file_that_comes_twice_makes_its_contacts_once(core, actor):
    """A row without an id that says what a contact says already is no second contact."""
    text = "first_name,work\nTaxi,1\nTaxi,1\nTaxi,2\n"
    assert load(core, actor, text).makes == 2
    job = load(core, actor, text)
    assert (job.makes, job.leaves) == (0, 3)


def test_h7_a_row_may_say_what_another_contact_said_before(core, actor):
    """Whether a new row is there already is asked of the contacts as the file leaves them."""
    bob = [{"kind": "work", "number": "100"}]
    row = phonebook.add_contact(core, actor, first_name="Bob", numbers=bob)
    job = load(core, actor, f"id,first_name,work\n{row.id},Rob,100\n,Bob,100\n,Rob,100\n")
    assert (job.makes, job.changes, job.leaves) == (1, 1, 1)
    assert [item.id == row.id for item in book(core, actor).values()] == [True, False]
    assert set(book(core, actor)) == {"Rob", "Bob"}


def test_h7_contacts_of_another_organisation_are_not_known(core, actor, neighbour):
    """An id or a card's UID of another organisation changes nothing there."""
    row = phonebook.add_contact(core, neighbour, first_name="Theirs")
    assert errors(load(core, actor, f"id,first_name\n{row.id},Mine\n")) == [(2, "id")]
    assert load_cards(core, actor, f"UID:urn:uuid:{row.id}", "FN:Mine").makes == 1
    assert set(book(core, neighbour)) == {"Theirs"}


def test_h7_a_contact_changed_in_between_makes_the_import_fail_whole(core, actor, monkeypatch):
    """Whoever changes a contact between the checks and the write loses nothing."""
    row = phonebook.add_contact(core, actor, first_name="Taxi")
    plan = contacts._Planner._write

    def meanwhile(self, wanted):
        phonebook.change_contact(core, actor, row.id, {"department": "Theirs"})
        plan(self, wanted)

    monkeypatch.setattr(contacts._Planner, "_write", meanwhile)
    job = load(core, actor, f"id,first_name,department\n,New,\n{row.id},Taxi,Ours\n")
    assert job.state == ImportState.FAILED
    assert [(name, item.department) for name, item in book(core, actor).items()] == [
        ("Taxi", "Theirs")
    ]


# --- vCard


def test_h7_cards_of_every_version_become_contacts(core, actor):
    """Names, types, URIs, folded lines, groups and quoted-printable of 2.1 to 4.0 are read."""
    text = (
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Lovelace;Ada;King;;\r\nFN:Ada King\r\n"
        "item1.TEL;type=CELL;type=VOICE;type=pref:+49 171\r\n  55\r\nTEL;TYPE=FAX,WORK:030 99\r\n"
        "TEL;TYPE=WORK,FAX,VOICE:030 98\r\nORG:Acme\\, Inc.;Research\\; Lab\r\n"
        "PHOTO;ENCODING=b:" + "A" * 5000 + "\r\nEND:VCARD\r\n\r\n"
        "begin:vcard\nversion:4.0\nFN:Taxi\\nBerlin\n"
        'TEL;VALUE=uri;TYPE="home,voice":tel:+49-30-1;ext=5\n'
        "TEL;TYPE=main:1\nTEL;TYPE=x-internal:77\nTEL:1\nCATEGORIES:Travel,Other\nend:vcard\n"
        "BEGIN:VCARD\r\nVERSION:2.1\r\n"
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCl=\r\nler;J=C3=B6rg;;;\r\n"
        "TEL;HOME;VOICE:030123\r\nORG;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:;B=FCro\r\nEND:VCARD\r\n"
    )
    job = import_cards(core, actor, text.encode())
    assert (job.state, job.makes) == (ImportState.DONE, 3), job.errors
    made = book(core, actor)
    ada, taxi, joerg = made["Ada"], made["Taxi Berlin"], made["Jörg"]
    assert (ada.last_name, ada.department) == ("Lovelace", "Research; Lab")
    assert numbers(ada) == [("work", "03098"), ("mobile", "+4917155")]
    assert (taxi.last_name, taxi.department) == ("", "Travel")
    assert numbers(taxi) == [("internal", "77"), ("work", "1"), ("home", "+49301")]
    assert (joerg.last_name, joerg.department) == ("Müller", "Büro")
    assert numbers(joerg) == [("home", "030123")]


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["N:Lovelace;;;;"], ("Lovelace", "")),
        (["N:;;;;", "FN:Acme"], ("Acme", "")),
        (["ORG:Acme;Sales"], ("Acme", "")),
        (["FN:Plain", "N:Lovelace;Ada"], ("Ada", "Lovelace")),
    ],
)
def test_h7_a_card_with_one_name_has_it_as_first(core, actor, lines, name):
    """Companies and people with one name get a first name, which every contact has."""
    assert load_cards(core, actor, *lines).state == ImportState.DONE
    [made] = book(core, actor).values()
    assert (made.first_name, made.last_name) == name


def test_h7_cards_of_an_owner_are_their_own(core, actor, add_person):
    """Cards imported for a user are theirs; an owner nobody is refused."""
    ada = add_person("Ada", "1001")
    assert load_cards(core, actor, "FN:Mum", owner="1001").state == ImportState.DONE
    assert book(core, actor)["Mum"].user_id == ada
    assert errors(load_cards(core, actor, "FN:Dad", owner="9")) == [(1, "owner")]
    assert "Mum" not in export_cards(core, actor)


def test_h7_cards_tell_their_errors_by_where_they_begin(core, actor):
    """A card without a name or with a number that is none is told by its first line."""
    text = "BEGIN:VCARD\nFN:Ada\nEND:VCARD\nBEGIN:VCARD\nTEL;TYPE=CELL:sip:a@b\nEND:VCARD\n"
    job = import_cards(core, actor, text.encode())
    assert job.state == ImportState.REFUSED
    assert errors(job) == [(4, "first_name"), (4, "mobile")]
    assert book(core, actor) == {}


def test_h7_shared_contacts_exported_as_cards_change_nothing(core, actor):
    """What comes out as cards goes in again as it is, and a changed card changes its contact."""
    many = [
        {"kind": "mobile", "number": "+49171"}, {"kind": "internal", "number": "10"},
        {"kind": "work", "number": "*1#"}, {"kind": "home", "number": "2"},
    ]  # fmt: skip
    odd = r"a,b;c\n\N:\\ " + "ü" * 80
    phonebook.add_contact(
        core, actor, first_name=odd, last_name="; x ,", department="\\;", numbers=many
    )
    phonebook.add_contact(core, actor, first_name="Taxi")
    before, text = export(core, actor), export_cards(core, actor)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    job = import_cards(core, actor, text.encode())
    assert (job.state, job.leaves) == (ImportState.DONE, 2)
    assert export(core, actor) == before
    job = import_cards(core, actor, text.replace("Taxi", "Cab").encode())
    assert (job.changes, job.leaves, job.makes) == (1, 1, 0)
    assert "Cab" in book(core, actor)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no card"),
        ("FN:Ada\n", "Line 1 does not belong"),
        ("BEGIN:VCARD\nFN:Ada\n", "no end"),
        ("BEGIN:VCARD\nBEGIN:VCARD\nEND:VCARD\n", "Line 2"),
        ("BEGIN:VCARD\nFN\nEND:VCARD\n", "Line 2 is no line"),
        ("BEGIN:VCARD\n:Ada\nEND:VCARD\n", "Line 2 is no line"),
        ("BEGIN:VCARD\nFN:" + "x" * 2000 + "\nEND:VCARD\n", "2000 characters"),
    ],
)
def test_h7_a_text_that_is_no_cards_is_refused(core, actor, text, said):
    """What cannot be read as cards never becomes an import."""
    with pytest.raises(InvalidInput, match=said):
        import_cards(core, actor, text.encode())
    assert list_imports(core, actor, Page()) == []


def test_h7_who_may_only_read_imports_no_contacts(core, actor):
    """Importing needs the right to write, exporting that to read."""
    reader = Actor("reader", actor.organisation_id, frozenset({Permission.READ}))
    with pytest.raises(Forbidden):
        load_cards(core, reader, "FN:Ada")
    assert export_cards(core, reader) == ""
    with pytest.raises(Forbidden):
        export_cards(core, Actor("nobody", actor.organisation_id, frozenset()))


@pytest.mark.parametrize("line", ["TEL;a" + "," * 50_000, 'TEL;"' + ";" * 50_000, "TEL;a=" * 9000])
def test_h7_a_crafted_line_is_refused(line):
    """Lines on which a backtracking expression would never end are refused."""
    with pytest.raises(InvalidInput):
        cards.read(f"BEGIN:VCARD\n{line}\nEND:VCARD\n")


PIECES = [
    "BEGIN:VCARD\n", "END:VCARD\n", "N:", "FN", "TEL", ";TYPE=", "ORG:", "UID:", "CELL", ":", ";",
    ",", "\\", '"', "=", "\n", "\r", " ", "1001", "tel:%00", "=C3", ";QUOTED-PRINTABLE", "\0",
    ";CHARSET=hex", "CATEGORIES:", "item1.", "a\x85b",
]  # fmt: skip


@settings(
    max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(text=st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_h7_any_cards_are_refused_or_planned(core, actor, text):
    """Whatever is sent as cards, bare or in a card, ends in a state or in one of our own errors."""
    for sent in (text, f"BEGIN:VCARD\nFN:Ada\n{text}\nEND:VCARD\n"):
        try:
            job = import_cards(
                core, actor, sent.encode("utf-8", "surrogatepass"), owner=text[:9], dry_run=True
            )
        except BrokenRule:
            continue
        assert job.state in ENDS


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(text=st.text(max_size=200) | st.lists(st.sampled_from(
    [*contacts.COLUMNS, ",", "\n", '"', ";", "1001", "=1", "'", "a@b.cd", "\0", "+49 30"]
), max_size=30).map("".join))  # fmt: skip
def test_h7_any_sheet_of_contacts_is_refused_or_planned(core, actor, text):
    """Whatever is sent as a sheet ends in a state or in one of our own errors."""
    for sent in (text, f"first_name,owner,work\n{text}"):
        try:
            job = load(core, actor, sent.encode("utf-8", "replace").decode(), dry_run=True)
        except BrokenRule:
            continue
        assert job.state in ENDS


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=100)


@given(first=NAMES.filter(str.strip), last=NAMES, department=NAMES)
def test_h7_any_name_survives_a_card(first, last, department):
    """Any name that a contact may have comes out of the card that it was written to."""
    names = {
        "first_name": first.strip(), "last_name": last.strip(), "department": department.strip(),
    }  # fmt: skip
    [row] = cards.read(cards.write([Contact(**names, numbers=[])]))
    assert {name: row.cells[name] for name in names} == names
