"""Users and devices as CSV: all rows or none, an error for each row, and out again as they are."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from provisioning.domain.errors import BrokenRule, InvalidInput
from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.store import groups, queries
from provisioning.store.people import SipAccount, User
from provisioning.usecases import assignments, licences, organisations, registering, sip, users
from provisioning.usecases import settings as values
from provisioning.usecases.importing import (
    export_sheet,
    import_sheet,
    list_imports,
    read_import,
    start_import,
)
from provisioning.usecases.pages import Page
from provisioning.usecases.sheets import cells, people, staff

USERS, DEVICES = SheetKind.USERS, SheetKind.DEVICES


def table(text: str) -> list[dict[str, str]]:
    """The rows of an export, as a spreadsheet shows them."""
    return list(csv.DictReader(io.StringIO(text)))


def everybody(core, actor) -> dict[str, User]:
    """The users by first name."""
    found = users.list_users(core, actor, Page(limit=500))
    return {person.user.first_name: person.user for person in found}


def load(core, actor, kind, text: str, **options):
    """Import a text."""
    return import_sheet(core, actor, kind, text.encode(), **options)


def errors(job) -> list[tuple[int, str]]:
    """Where the errors of an import are."""
    return [(error["line"], error["column"]) for error in job.errors]


def test_f7_users_are_made_with_their_accounts(core, actor, server):
    """New rows become users with an account, a department and settings of their own."""
    job = load(
        core, actor, USERS,
        "first_name,last_name,email,extension,department,language\n"
        "Ada,Lovelace,ada@example.com,1001,Sales,de\nGrace,Hopper,,1002,Sales,\n",
    )  # fmt: skip
    assert (job.state, job.makes, job.checked) == (ImportState.DONE, 2, 2)
    made = everybody(core, actor)
    assert made["Ada"].extension == "1001"
    with core.database.read() as session:
        names = groups.department_names(session, actor.organisation)
        accounts = queries.accounts_of(session, users=[made["Ada"].id, made["Grace"].id])
    assert set(names.values()) == {"Sales"}
    assert sorted(row.username for row in accounts) == ["1001", "1002"]
    held = values.list_values(core, actor, "user", made["Ada"].id)
    assert [(row.key, row.value) for row in held] == [("language", "de")]


def test_f7_every_row_tells_its_errors_and_nothing_is_half_done(core, actor, server):
    """One bad row keeps all others out, and each error names its line and column."""
    job = load(
        core, actor, USERS,
        "first_name,email,extension,enabled,language,cost_centre\n"
        "Ada,ada@example.com,1001,yes,de,\n"
        ",x,1,perhaps,german,Mars\n"
        "Grace,ada@example.com,1001,no,,\n",
    )  # fmt: skip
    assert job.state == ImportState.REFUSED
    assert errors(job) == [
        (3, "first_name"), (3, "email"), (3, "extension"), (3, "enabled"), (3, "language"),
        (3, "cost_centre"), (4, "extension"), (4, "email"),
    ]  # fmt: skip
    assert everybody(core, actor) == {}


def test_f7_a_dry_run_writes_nothing(core, actor, server):
    """A dry run tells what would be done and does none of it."""
    text = "first_name,extension,department\nAda,1001,Sales\n"
    job = load(core, actor, USERS, text, dry_run=True)
    assert (job.state, job.makes) == (ImportState.CHECKED, 1)
    assert everybody(core, actor) == {}
    with core.database.read() as session:
        assert groups.department_names(session, actor.organisation) == {}


def test_f7_an_export_imported_again_changes_nothing(core, actor, server, add_person):
    """What comes out goes in again as it is, formulas and separators in names too."""
    load(
        core, actor, USERS,
        "first_name,last_name,extension,department,language,time_zone,enabled\n"
        '"=1+1","@x, ""y""; z",1001,"-Sales",de,Europe/Berlin,no\n'
        "'Quote,+49,1002,,,,yes\nÄda,李 🙂,1003,Müller,,,yes\n",
    )  # fmt: skip
    before = export_sheet(core, actor, USERS)
    job = load(core, actor, USERS, before)
    assert (job.state, job.leaves, job.makes, job.changes) == (ImportState.DONE, 3, 0, 0)
    assert export_sheet(core, actor, USERS) == before
    assert everybody(core, actor)["=1+1"].last_name == '@x, "y"; z'
    assert all(
        not cell.startswith(("=", "+", "-", "@")) for row in table(before) for cell in row.values()
    )


def test_f7_people_are_known_by_id_extension_or_email(core, actor, server, add_person):
    """A row changes the user it names, whichever way, and columns left out stay as they are."""
    ada, grace = add_person("Ada", "1001"), add_person("Grace", "1002")
    users.change_user(core, actor, grace, {"email": "grace@example.com"})
    job = load(core, actor, USERS, f"id,first_name\n{ada},Augusta\n")
    assert (job.changes, job.makes) == (1, 0)
    job = load(core, actor, USERS, "email,last_name\nGrace@Example.com,Hopper\n")
    assert job.changes == 1
    found = everybody(core, actor)
    assert found["Augusta"].extension == "1001"
    assert (found["Grace"].last_name, found["Grace"].extension) == ("Hopper", "1002")


def test_f7_two_people_may_swap_their_extensions(core, actor, server, add_person):
    """What would be a conflict half-way is none when both rows come together."""
    ada, grace = add_person("Ada", "1001"), add_person("Grace", "1002")
    job = load(core, actor, USERS, f"id,extension\n{ada},1002\n{grace},1001\n")
    assert job.state == ImportState.DONE
    found = everybody(core, actor)
    assert (found["Ada"].extension, found["Grace"].extension) == ("1002", "1001")


def test_f7_an_extension_of_somebody_not_in_the_sheet_is_refused(core, actor, server, add_person):
    """A row that takes another's extension says whose it is."""
    add_person("Ada", "1001")
    grace = add_person("Grace", "1002")
    job = load(core, actor, USERS, f"id,extension\n{grace},1001\n")
    assert job.state == ImportState.REFUSED
    assert "Ada" in job.errors[0]["what"]


def test_f7_secrets_given_by_the_pbx_are_not_made_up(core, actor):
    """On a server whose secrets are given, imported users get no account."""
    sip.add_server(core, actor, name="main", registrar="pbx.example.com", secrets="given")
    load(core, actor, USERS, "first_name,extension\nAda,1001\n")
    with core.database.read() as session:
        assert queries.owned(session, SipAccount, actor.organisation) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no row"),
        ("first_name\n", "no row"),
        ("first_name,colour\nAda,red\n", "no column 'colour'"),
        ("first_name,first_name\nAda,Ada\n", "twice"),
        ("first_name,extension\nAda\n", "1 cells"),
        ('first_name\n"Ada\n', "no CSV"),
        ("first_name\n" + "x" * 2001 + "\n", "2000 characters"),
    ],
)
def test_f7_a_text_that_is_no_such_csv_is_refused(core, actor, text, said):
    """What cannot be read as rows of the right columns never becomes an import."""
    with pytest.raises(InvalidInput, match=said):
        load(core, actor, USERS, text)
    assert list_imports(core, actor, Page()) == []


def test_f7_bytes_that_are_no_utf8_are_refused(core, actor):
    """Another encoding is told by the byte where it shows."""
    with pytest.raises(InvalidInput, match="Byte 12"):
        import_sheet(core, actor, USERS, b"first_name\n\xc4da\n")


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(text=st.text(max_size=200) | st.lists(st.sampled_from(
    ["first_name", "id", ",", "\n", '"', ";", "1001", "=1", "'", "a@b.cd", "yes", "\0"]
), max_size=30).map("".join))  # fmt: skip
def test_any_text_is_refused_or_planned(core, actor, text):
    """Whatever is sent as a sheet ends in a state or in one of our own errors."""
    try:
        job = import_sheet(core, actor, USERS, text.encode("utf-8", "surrogatepass"), dry_run=True)
    except BrokenRule:
        return
    assert job.state in (ImportState.CHECKED, ImportState.REFUSED)


@given(cell=st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(str.strip))
def test_a_guarded_cell_is_no_formula_and_reads_as_it_was(cell):
    """Any text survives the way out and in, and never begins as a formula."""
    written = cells.write(("first_name",), [(cell,)])
    if cell:
        assert not cells.guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
        (row,) = cells.read(written, staff.COLUMNS)
        assert row.cells["first_name"] == cell.strip()


def test_f7_devices_are_registered_and_assigned(core, actor, server, add_person):
    """New devices get a window, credentials, stations and their users, by extension."""
    ada = add_person("Ada", "1001")
    job = load(
        core, actor, DEVICES,
        "mac;vendor;model;name;site;pool;users\n"
        "00:15:65:00:00:01;;T54W;Desk;main;no;1001\n001565000002;yealink;;Lobby;;yes;\n",
    )  # fmt: skip
    assert (job.state, job.makes) == (ImportState.DONE, 2)
    rows = sorted(table(export_sheet(core, actor, DEVICES)), key=lambda row: row["mac"])
    assert [(row["mac"], row["vendor"], row["users"], row["pool"]) for row in rows] == [
        ("00:15:65:00:00:01", "yealink", "1001", "no"),
        ("00:15:65:00:00:02", "yealink", "", "yes"),
    ]
    with core.database.read() as session:
        places = queries.assignments_of(session, ada)
        device = queries.device_by_mac(session, registering.Mac("001565000001"))
        trust = queries.trust_of(session, device.id)
    assert len(places) == 1
    assert trust.window_until is not None


def test_f7_devices_exported_and_imported_are_the_same(core, actor, server, add_person):
    """A sheet of devices that came out changes nothing when it goes in."""
    person = add_person("Ada", "1001")
    made = registering.add_device(core, actor, mac="00:15:65:00:00:01", model="T54W").device
    assignments.assign_device(core, actor, made.id, [person])
    registering.add_device(core, actor, mac="00:04:13:00:00:02", name="=Lobby", pool=True)
    text = export_sheet(core, actor, DEVICES)
    job = load(core, actor, DEVICES, text)
    assert (job.state, job.leaves) == (ImportState.DONE, 2)
    assert export_sheet(core, actor, DEVICES) == text


def test_f7_devices_change_hands_and_places(core, actor, server, add_person):
    """A changed row moves a device to another site and to other people."""
    ada, grace = add_person("Ada", "1001"), add_person("Grace", "1002")
    made = registering.add_device(core, actor, mac="00:15:65:00:00:01", model="T54W").device
    assignments.assign_device(core, actor, made.id, [ada])
    organisations.add_site(core, actor, name="Berlin")
    load(core, actor, DEVICES, "mac,site,users\n001565000001,Berlin,1002 1001\n")
    (row,) = table(export_sheet(core, actor, DEVICES))
    assert (row["site"], row["users"]) == ("Berlin", "1002 1001")
    load(core, actor, DEVICES, f"mac,users\n001565000001,{grace}\n")
    (row,) = table(export_sheet(core, actor, DEVICES))
    assert row["users"] == "1002"


def test_f7_devices_tell_their_errors_by_row(core, actor, server, add_person):
    """A bad MAC, an unknown model, site or user, a pool phone with people: each has its line."""
    add_person("Ada", "1001")
    job = load(
        core, actor, DEVICES,
        "mac,model,site,pool,users,expansion_modules\n"
        "nonsense,,,,,\n001565000001,T99X,,,,\n001565000002,,Mars,,,\n"
        "001565000003,,,yes,1001,\n001565000004,,,,9999,\n001565000005,T54W,,,,99\n"
        "001565000006,,,,,\n00-15-65-00-00-06,,,,,\n",
    )  # fmt: skip
    assert job.state == ImportState.REFUSED
    assert [line for line, _ in errors(job)] == [2, 3, 4, 5, 6, 7, 9]
    assert {column for _, column in errors(job)} >= {"mac", "site", "users", "expansion_modules"}
    assert export_sheet(core, actor, DEVICES).count("\n") == 1


def test_f7_progress_is_visible_while_it_runs(core, actor, server):
    """An import started in the background is found by its id, counted and ended."""
    text = "first_name\n" + "".join(f"User {n}\n" for n in range(450))
    seen: list[int] = []
    job = import_sheet(core, actor, USERS, text.encode(), progress=seen.append)
    assert seen == [200, 400, 450]
    with ThreadPoolExecutor(1) as pool:
        started = start_import(core, actor, USERS, text.encode(), dry_run=True, on=pool)
        assert started.state == ImportState.CHECKING
    ended = read_import(core, actor, started.id)
    assert (ended.state, ended.rows, ended.checked) == (ImportState.CHECKED, 450, 450)
    assert {row.id for row in list_imports(core, actor, Page())} == {job.id, started.id}


def test_f7_changing_many_asks_no_more_than_changing_few(core, actor, server):
    """Users are changed, moved and set in as many statements that read however many they are."""
    text = "first_name,extension,department,language\n"
    people = [f"User,{1000 + n},Sales,de\n" for n in range(20)]
    load(core, actor, USERS, text + "".join(people))
    asked = []

    def note(*call) -> None:
        asked.append(call[2].startswith("SELECT"))

    event.listen(core.database.engine, "before_cursor_execute", note)
    counts = []
    for part in (people[:2], people[2:]):
        changed = "".join(part).replace("Sales,de", "Support,fr")
        assert load(core, actor, USERS, text + changed).changes == len(part)
        counts.append(sum(asked))
        asked.clear()
    event.remove(core.database.engine, "before_cursor_execute", note)
    assert counts[1] <= counts[0]


def test_f7_a_change_in_between_makes_the_import_fail_whole(core, actor, server, monkeypatch):
    """Somebody who takes an extension between the checks and the write loses nothing."""
    plan = people._Planner._write

    def meanwhile(self, wanted):
        users.add_user(core, actor, first_name="Grace", extension="1002")
        plan(self, wanted)

    monkeypatch.setattr(people._Planner, "_write", meanwhile)
    job = load(core, actor, USERS, "first_name,extension\nAda,1001\nBob,1002\n")
    assert job.state == ImportState.FAILED
    assert set(everybody(core, actor)) == {"Grace"}


def test_a8_an_import_gives_desk_phones_only_with_licences(core, actor, server, add_person):
    """Where licences are switched on, a row that gives an unlicensed person a phone is refused."""
    ada = add_person("Ada", "1001")
    text = "mac,users\n001565000001,1001\n"
    organisations.change_organisation(core, actor, {"licensing": True})
    job = load(core, actor, DEVICES, text)
    assert (job.state, errors(job)) == (ImportState.REFUSED, [(2, "users")])
    pro = licences.add_licence(core, actor, kind="pro", quantity=1)
    licences.set_user_licences(core, actor, ada, [pro.id])
    assert load(core, actor, DEVICES, text).state == ImportState.DONE


def test_a8_an_import_looks_at_what_stands_there_not_at_what_a_row_calls_it(
    core, actor, add_person
):
    """Whoever has a Mobile licence gets no desk phone by a row that names a softphone's model."""
    mobile = licences.add_licence(core, actor, kind="mobile", quantity=1)
    licences.set_user_licences(core, actor, add_person("Ada", "1001"), [mobile.id])
    registering.add_device(core, actor, mac="00:15:65:00:00:01", model="T54W")
    row = "001565000001,linphone,Linphone,1001\n"
    job = load(core, actor, DEVICES, "mac,vendor,model,users\n" + row)
    assert (job.state, errors(job)) == (ImportState.REFUSED, [(2, "users")])
    assert "Mobile licence" in job.errors[0]["what"]
