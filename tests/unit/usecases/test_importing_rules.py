"""A sheet changes nothing that changing one thing at a time would refuse, or that has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.domain import rules
from provisioning.domain.kinds import ImportState, SessionEnd, SheetKind
from provisioning.domain.roles import OWNER, Permission
from provisioning.domain.settings import BY_KEY, Level
from provisioning.store import members
from provisioning.usecases import (
    assignments,
    categories,
    devices,
    hotdesk,
    memberships,
    registering,
    roles,
    seats,
    sip,
    stations,
    users,
)
from provisioning.usecases.importing import export_sheet, import_sheet
from provisioning.usecases.pages import Page
from provisioning.usecases.settings import delete_value, list_values, set_values
from provisioning.usecases.sheets import guards, people, phones

USERS, DEVICES = SheetKind.USERS, SheetKind.DEVICES


def load(core, actor, kind, text: str, **options):
    """Import a text."""
    return import_sheet(core, actor, kind, text.encode(), **options)


def errors(job) -> list[tuple[int, str]]:
    """Where the errors of an import are."""
    return [(error["line"], error["column"]) for error in job.errors]


def enabled(core, actor) -> dict[str, bool]:
    """Which users are enabled, by first name."""
    found = users.list_users(core, actor, Page(limit=500))
    return {person.user.first_name: person.user.enabled for person in found}


@pytest.fixture
def writer(actor):
    """Somebody who may read and write, and no more."""
    return replace(actor, permissions=frozenset({Permission.READ, Permission.WRITE}))


# --- users


@pytest.mark.parametrize("dry_run", [True, False])
def test_f7_whoever_has_more_rights_is_not_disabled(core, actor, writer, add_person, dry_run):
    """A row that disables an admin is refused to somebody with fewer rights, others are not."""
    ada, grace = add_person("Ada", "1001"), add_person("Grace", "1002")
    memberships.add_member(core, actor, email="ada@example.com", role="admin", user=ada)
    text = f"id,enabled\n{grace},no\n{ada},no\n"
    job = load(core, writer, USERS, text, dry_run=dry_run)
    assert (job.state, errors(job)) == (ImportState.REFUSED, [(3, "enabled")])
    assert "rights you have not" in job.errors[0]["what"]
    assert enabled(core, actor) == {"Ada": True, "Grace": True}
    assert load(core, actor, USERS, text).state == ImportState.DONE
    assert enabled(core, actor) == {"Ada": False, "Grace": False}


def test_f7_the_owner_is_not_disabled(core, actor, add_person):
    """No row disables the user who owns the organisation."""
    ada = add_person("Ada", "1001")
    memberships.add_member(core, actor, email="ada@example.com", role="admin", user=ada)
    memberships.set_owner(core, actor, "ada@example.com")
    job = load(core, actor, USERS, f"id,enabled\n{ada},no\n")
    assert errors(job) == [(2, "enabled")]
    assert "owner" in job.errors[0]["what"]


def test_f7_the_last_admin_is_not_disabled(core, actor, add_person):
    """One row of all that disable admins is refused, unless another admin is enabled with them."""
    admins = [add_person("Ada", "1001"), add_person("Grace", "1002")]
    for number, user in enumerate(admins):
        memberships.add_member(core, actor, email=f"a{number}@example.com", role="admin", user=user)
    with core.database.write() as session:
        for owner in members.members_with_roles(session, actor.organisation, [OWNER]):
            owner.login.disabled = True
    ada, grace = admins
    job = load(core, actor, USERS, f"id,enabled\n{ada},no\n{grace},no\n")
    assert errors(job) == [(3, "enabled")]
    assert "last admin" in job.errors[0]["what"]
    assert load(core, actor, USERS, f"id,enabled\n{ada},no\n").state == ImportState.DONE
    assert errors(load(core, actor, USERS, f"id,enabled\n{grace},no\n")) == [(2, "enabled")]
    text = f"id,enabled\n{ada},yes\n{grace},no\n"
    assert load(core, actor, USERS, text).state == ImportState.DONE
    assert enabled(core, actor) == {"Ada": True, "Grace": False}


def test_hd13_whoever_a_row_disables_is_logged_out(core, actor, add_person):
    """Whoever sits at a pool phone leaves it when a row disables them, others stay."""
    pins = {"1001": "482913", "1002": "917364"}
    for number, (extension, pin) in enumerate(pins.items()):
        user = add_person(f"Person {number}", extension)
        users.set_pin(core, actor, user, pin)
        phone = registering.add_device(core, actor, mac=f"00156500000{number}", pool=True).device
        hotdesk.log_in(core, actor, device=phone.id, extension=extension, pin=pin)
    assert load(core, actor, USERS, "extension,enabled\n1001,no\n1002,yes\n").changes == 1
    assert [seat.user.extension for seat in seats.list_sessions(core, actor, Page())] == ["1002"]
    ended = seats.list_sessions(core, actor, Page(), state="pending")
    assert [seat.session.ended_by for seat in ended] == [SessionEnd.DISABLED]


def test_f7_an_address_that_is_needed_is_not_taken_away(core, actor, add_person):
    """An empty e-mail is refused for whoever is told of messages, whichever level says so."""
    ada, grace = add_person("Ada", "1001"), add_person("Grace", "1002")
    for user, name in ((ada, "ada"), (grace, "grace")):
        users.change_user(core, actor, user, {"email": f"{name}@example.com"})
    set_values(core, actor, Level.USER, ada, {"voicemail.notify": True})
    text = f"id,email\n{ada},\n{grace},\n"
    job = load(core, actor, USERS, text, dry_run=True)
    assert (job.state, errors(job)) == (ImportState.REFUSED, [(2, "email")])
    assert "voicemail.notify" in job.errors[0]["what"]
    delete_value(core, actor, Level.USER, ada, "voicemail.notify")
    set_values(core, actor, Level.ORGANISATION, actor.organisation, {"voicemail.notify": True})
    job = load(core, actor, USERS, text)
    assert errors(job) == [(2, "email"), (3, "email")]
    assert errors(load(core, actor, USERS, "first_name,email\nBob,\n")) == [(2, "email")]
    assert load(core, actor, USERS, "first_name,email\nBob,b@example.com\n").makes == 1


def test_f7_what_is_locked_above_is_not_set(core, actor, add_person):
    """A language under the organisation's or the role's lock is refused, but may be left or taken."""
    ada = add_person("Ada", "1001")
    set_values(core, actor, Level.USER, ada, {"language": "de"})
    role = roles.add_role(core, actor, name="desk", permissions=["own"])
    users.change_user(core, actor, ada, {"role_id": role.id})
    locked = {"value": "en", "locked": True}
    for level, owner in ((Level.ORGANISATION, actor.organisation), (Level.ROLE, role.id)):
        set_values(core, actor, level, owner, {"language": locked})
        job = load(core, actor, USERS, f"id,language\n{ada},fr\n", dry_run=True)
        assert (job.state, errors(job)) == (ImportState.REFUSED, [(2, "language")])
        assert f"locked by the {level}" in job.errors[0]["what"]
        assert load(core, actor, USERS, export_sheet(core, actor, USERS)).leaves == 1
        set_values(core, actor, level, owner, {"language": {"locked": False}})
    set_values(core, actor, Level.ORGANISATION, actor.organisation, {"language": locked})
    assert errors(load(core, actor, USERS, "first_name,language\nBob,fr\n")) == [(2, "language")]
    assert load(core, actor, USERS, f"id,language\n{ada},\n").state == ImportState.DONE
    assert list_values(core, actor, Level.USER, ada) == []


def test_rules_that_a_sheet_may_break_look_at_what_it_knows():
    """The rules over a sheet's facts need no other fact, and no setting a sheet changes."""
    looked_at = {key for rule in rules.concerned(guards.FACTS.values()) for key in rule.keys}
    assert looked_at - set(guards.FACTS.values()) <= set(BY_KEY)
    assert not rules.concerned(guards.SETTINGS.values())


# --- what changes between the checks and the write


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something after a planner's checks and before its write."""

    def do(planner, work):
        write = planner._write

        def between(self, wanted):
            work()
            write(self, wanted)

        monkeypatch.setattr(planner, "_write", between)

    return do


def failed(job, said: str) -> None:
    """Look whether an import failed as a whole and says why."""
    assert job.state == ImportState.FAILED, job.errors
    assert said in job.errors[0]["what"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda core, actor, ada: users.change_user(core, actor, ada, {"extension": "1009"}), "changed meanwhile"),
        (users.delete_user, "was deleted meanwhile"),
        (lambda core, actor, ada: set_values(core, actor, "user", ada, {"language": "fr"}), "changed meanwhile"),
        (lambda core, actor, ada: delete_value(core, actor, "user", ada, "language"), "deleted meanwhile"),
        (
            lambda core, actor, _: set_values(
                core, actor, "organisation", actor.organisation,
                {"language": {"value": "en", "locked": True}},
            ),
            "locked",
        ),
    ],
)  # fmt: skip
def test_f7_a_user_changed_in_between_is_not_written_back(
    core, actor, add_person, meanwhile, change, said
):
    """Whoever changes or deletes a user between the checks and the write loses nothing."""
    ada = add_person("Ada", "1001")
    set_values(core, actor, Level.USER, ada, {"language": "de"})
    states = []

    def work() -> None:
        change(core, actor, ada)
        states.append(export_sheet(core, actor, USERS))

    meanwhile(people._Planner, work)
    text = f"id,first_name,extension,language\n{ada},Augusta,1001,es\n"
    failed(load(core, actor, USERS, text), said)
    assert export_sheet(core, actor, USERS) == states[0]


def test_f7_an_admin_made_in_between_is_not_disabled(core, actor, writer, add_person, meanwhile):
    """The guards are asked again when it is written."""
    ada = add_person("Ada", "1001")
    meanwhile(
        people._Planner,
        lambda: memberships.add_member(
            core, actor, email="ada@example.com", role="admin", user=ada
        ),
    )
    failed(load(core, writer, USERS, f"id,enabled\n{ada},no\n"), "rights you have not")


def test_f7_a_department_changed_in_between_is_kept(core, actor, add_person, meanwhile):
    """A user moved between the checks and the write stays where they were moved."""
    ada = add_person("Ada", "1001")
    load(core, actor, USERS, f"id,department\n{ada},Sales\n")
    (category,) = categories.list_categories(core, actor, Page())
    support = categories.add_option(core, actor, category.row.id, "Support").row.id
    meanwhile(
        people._Planner,
        lambda: categories.put_users(core, actor, category.row.id, support, [ada]),
    )
    failed(load(core, actor, USERS, f"id,department\n{ada},Research\n"), "moved meanwhile")
    assert ",Support," in export_sheet(core, actor, USERS)


# --- devices


def seated(core, actor, device) -> list[tuple[bool, list[str]]]:
    """Whether each station of a device is a pool phone's, and who is assigned to it."""
    found = users.list_users(core, actor, Page(limit=500))
    names = {person.id: person.user.first_name for person in found}
    return [
        (seat.station.pool, [names[user] for user in seat.users])
        for seat in stations.device_stations(core, actor, device)
    ]


def test_f7_a_base_takes_nobody(core, actor, add_person):
    """A DECT base has no station of its own: a row that assigns users to it or pools it is told."""
    add_person("Ada", "1001")
    base = "001565000001,yealink-dect,W70B"
    job = load(core, actor, DEVICES, f"mac,vendor,model,users,pool\n{base},1001,no\n")
    assert errors(job) == [(2, "users")]
    assert "handsets of its DECT system" in job.errors[0]["remedy"]
    job = load(core, actor, DEVICES, f"mac,vendor,model,pool\n{base},yes\n")
    assert errors(job) == [(2, "pool")]
    assert load(core, actor, DEVICES, f"mac,vendor,model\n{base}\n").makes == 1
    for column, cell in (("users", "1001"), ("pool", "yes")):
        job = load(core, actor, DEVICES, f"mac,{column}\n001565000001,{cell}\n")
        assert errors(job) == [(2, column)]
    assert load(core, actor, DEVICES, export_sheet(core, actor, DEVICES)).leaves == 1


@pytest.fixture
def adapter(core, actor, add_person):
    """An adapter of two ports, the second of which is Ada's."""
    made = registering.add_device(
        core, actor, mac="00:0B:82:00:00:01", vendor="grandstream", model="HT802"
    ).device.id
    second = stations.device_stations(core, actor, made)[1].station.id
    assignments.assign_station(core, actor, second, [add_person("Ada", "1001")])
    return made


def test_f7_all_ports_of_an_adapter_are_a_pool_phones_or_none(core, actor, adapter):
    """An adapter with somebody at its second port is no pool phone; one without is, wholly."""
    job = load(core, actor, DEVICES, "mac,pool\n000B82000001,yes\n")
    assert (job.state, errors(job)) == (ImportState.REFUSED, [(2, "pool")])
    second = stations.device_stations(core, actor, adapter)[1].station.id
    assignments.assign_station(core, actor, second, [])
    for word, pool in (("yes", True), ("no", False)):
        assert load(core, actor, DEVICES, f"mac,pool\n000B82000001,{word}\n").changes == 1
        assert seated(core, actor, adapter) == [(pool, []), (pool, [])]


def test_f7_lines_of_every_port_are_counted(core, actor, adapter, add_person):
    """Whoever is at another port of an adapter takes one of its lines too."""
    grace = add_person("Grace", "1002")
    sip.add_account(core, actor, user_id=grace, username="1002-2")
    job = load(core, actor, DEVICES, "mac,users\n000B82000001,1002\n")
    assert (job.state, errors(job)) == (ImportState.REFUSED, [(2, "users")])
    assert "3 lines are asked of a HT802" in job.errors[0]["what"]
    add_person("Bob", "1003")
    assert load(core, actor, DEVICES, "mac,users\n000B82000001,1003\n").changes == 1
    assert seated(core, actor, adapter) == [(False, ["Bob"]), (False, ["Ada"])]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda core, actor, d, _: devices.retire_device(core, actor, d), "changed meanwhile"),
        (
            lambda core, actor, d, _: devices.change_device(core, actor, d, {"name": "Theirs"}),
            "changed meanwhile",
        ),
        (
            lambda core, actor, d, _: devices.change_device(core, actor, d, {"pool": True}),
            "changed meanwhile",
        ),
        (
            lambda core, actor, d, grace: assignments.assign_device(core, actor, d, [grace]),
            "assigned to 00:15:65:00:00:01 meanwhile",
        ),
    ],
)
def test_f7_a_device_changed_in_between_is_not_written_back(
    core, actor, add_person, meanwhile, change, said
):
    """Whoever retires, changes or assigns a device before the write loses nothing."""
    add_person("Ada", "1001")
    grace = add_person("Grace", "1002")
    device = registering.add_device(core, actor, mac="00:15:65:00:00:01", model="T54W").device.id
    states = []

    def work() -> None:
        change(core, actor, device, grace)
        states.append((export_sheet(core, actor, DEVICES), seated(core, actor, device)))

    meanwhile(phones._Planner, work)
    text = "mac,name,pool,users\n001565000001,Ours,no,1001\n"
    failed(load(core, actor, DEVICES, text), said)
    assert (export_sheet(core, actor, DEVICES), seated(core, actor, device)) == states[0]
