"""Every kind of change counts up the versions of what shows it, and no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.keys import Area, KeyType
from provisioning.domain.kinds import DectRole, IdentityKind, StationKind
from provisioning.domain.settings import Level
from provisioning.store import queries
from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    CostCentre,
    Number,
    UserOption,
)
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    DectSystem,
    Device,
    DeviceIdentity,
    Station,
)
from provisioning.store.organisations import Organisation, Profile, Role, Site
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.security import DeviceTrust
from provisioning.store.values import KeyValue, SettingValue

MOMENT = datetime(2030, 1, 1, tzinfo=UTC)
ADAS = {"desk 1", "base 1", "base 2"}
BASES = {"base 1", "base 2"}
VERSIONED = (Device, Site, Profile, Organisation)


@pytest.fixture
def world(rows) -> SimpleNamespace:
    """Ids of an office: Ada at desk 1 and at a handset, Bob at desk 2, nobody at desk 3."""
    w = SimpleNamespace()
    with rows.together():
        _plant_office(rows, w)
    return w


def _plant_office(rows, w):
    w.here = here = rows.organisation("here")
    w.site = rows.plant(Site, here, name="site")
    w.elsewhere = rows.plant(Site, here, name="elsewhere")
    w.profile = rows.plant(Profile, here, name="profile")
    w.role = rows.plant(Role, here, name="role", organisation_id=here)
    w.research = rows.plant(CostCentre, here, code="*88")
    w.number = rows.plant(Number, here)
    w.target = rows.plant(CallTarget, here)
    w.department = rows.plant(Category, here, built_in=True)
    w.office = rows.plant(Category, here)
    w.sales = rows.plant(CategoryOption, here, category_id=w.department)
    w.berlin = rows.plant(CategoryOption, here, category_id=w.office)
    w.ada = rows.plant(User, here, first_name="Ada", role_id=w.role, cost_centre_id=w.research)
    w.bob = rows.plant(User, here, first_name="Bob")
    w.server = rows.plant(SipServer, here)
    w.ada_account = rows.plant(SipAccount, here, sip_server_id=w.server, user_id=w.ada)
    rows.plant(SipAccount, here, sip_server_id=w.server, user_id=w.bob)
    for number in (1, 2, 3):
        profile = w.profile if number == 1 else None
        desk = rows.plant(Device, here, name=f"desk {number}", site_id=w.site, profile_id=profile)
        setattr(w, f"desk_{number}", desk)
        setattr(w, f"station_{number}", rows.plant(Station, here, device_id=desk))
    w.place = rows.plant(SipAccount, here, sip_server_id=w.server, station_id=w.station_3)
    w.identity = rows.plant(DeviceIdentity, here, device_id=w.desk_1, kind=IdentityKind.MAC)
    w.trust = rows.plant(DeviceTrust, here, device_id=w.desk_1)
    w.system = rows.plant(DectSystem, here, site_id=w.site)
    for number, role in ((1, DectRole.MANAGER), (2, DectRole.BASE)):
        base = rows.plant(Device, here, name=f"base {number}", site_id=w.site)
        member = rows.plant(
            DectMember, here, system_id=w.system, device_id=base, role=role, position=number
        )
        setattr(w, f"member_{number}", member)
    w.handset = rows.plant(Station, here, kind=StationKind.HANDSET)
    w.slot = rows.plant(DectSlot, here, system_id=w.system, number=1, station_id=w.handset)
    for user, station in ((w.ada, w.station_1), (w.ada, w.handset), (w.bob, w.station_2)):
        w.last = rows.plant(Assignment, here, user_id=user, station_id=station)
    there = rows.organisation("there")
    rows.plant(Device, there, name="far desk", site_id=rows.plant(Site, there, name="far site"))


@pytest.fixture
def counted(database, world) -> Callable[..., set[str]]:
    """Make a change and tell the names of what counts up a version by it."""

    def versions() -> dict[tuple[str, str], int]:
        with database.read() as session:
            return {
                (str(row.id), row.name): row.version
                for table in VERSIONED
                for row in session.scalars(select(table))
            }

    def make(change: Callable[[Session, SimpleNamespace], object]) -> set[str]:
        before = versions()
        with database.write() as session:
            change(session, world)
        after = {row_id: (name, version) for (row_id, name), version in versions().items()}
        return {
            after[row_id][0]
            for (row_id, _), version in before.items()
            if row_id in after and after[row_id][1] > version
        }

    return make


def setter(table: type, row: str, **columns: object) -> Callable[[Session, SimpleNamespace], None]:
    """A change of one row's columns."""

    def change(session: Session, world: SimpleNamespace) -> None:
        found = session.get_one(table, getattr(world, row))
        for column, value in columns.items():
            setattr(found, column, value)

    return change


CHANGES = {
    "a user's name": (setter(User, "ada", last_name="Lovelace"), ADAS),
    "another user's name": (setter(User, "bob", first_name="Rob"), {"desk 2"}),
    "a user disabled": (setter(User, "bob", enabled=False), {"desk 2"}),
    "a cost centre": (setter(CostCentre, "research", code="*77"), ADAS),
    "a number": (setter(Number, "number", label="Hotline"), {"here"}),
    "a call target": (setter(CallTarget, "target", number="700"), {"here"}),
    "an organisation's display name": (setter(Organisation, "here", display_name="We"), {"here"}),
    "an organisation's package": (setter(Organisation, "here", package="light"), {"here"}),
    "a user's role": (setter(User, "ada", role_id=None), ADAS),
    "a role": (setter(Role, "role", presets={"language": "de"}), ADAS),
    "an account": (setter(SipAccount, "ada_account", password_encrypted=b"x"), ADAS),
    "a place's account": (setter(SipAccount, "place", username="3003"), {"desk 3"}),
    "a server": (
        setter(SipServer, "server", registrar="new.example.com"),
        ADAS | {"desk 2", "desk 3"},
    ),
    "a device's name": (setter(Device, "desk_1", name="desk one"), {"desk one"}),
    "a device's state": (setter(Device, "desk_1", state="blocked"), {"desk 1"}),
    "a site's name": (setter(Site, "site", name="new site"), {"new site"}),
    "a profile's name": (setter(Profile, "profile", name="new profile"), {"new profile"}),
    "an organisation's name": (setter(Organisation, "here", name="we"), {"we"}),
    "a station": (setter(Station, "station_2", pool=True), {"desk 2"}),
    "a handset": (setter(Station, "handset", name="Ada's"), BASES),
    "a slot": (setter(DectSlot, "slot", ipui="0123456789"), BASES),
    "a system": (setter(DectSystem, "system", access_code_encrypted=b"x"), BASES),
    "a member": (setter(DectMember, "member_2", sync_level=2), BASES),
    "an identity": (setter(DeviceIdentity, "identity", active=False), {"desk 1"}),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_change_counts_up_what_shows_it(counted, change, expected):
    """A changed row makes stale exactly the things whose files show it."""
    assert counted(change) == expected


LEVELS = {
    Level.ORGANISATION: ("here", {"here"}),
    Level.SITE: ("site", {"site"}),
    Level.PROFILE: ("profile", {"profile"}),
    Level.DEVICE: ("desk_2", {"desk 2"}),
    Level.ROLE: ("role", ADAS),
    Level.USER: ("ada", ADAS),
}


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_setting_counts_up_its_level(counted, level):
    """A setting made, changed or deleted makes stale what stands at or below its level."""
    owner, expected = LEVELS[level]

    def make(session, world):
        session.add(
            SettingValue(
                organisation_id=world.here,
                level=level,
                owner_id=getattr(world, owner),
                key="language",
                value="de",
            )
        )

    def change(session, _world):
        session.scalars(select(SettingValue)).one().value = "fr"

    def delete(session, _world):
        session.delete(session.scalars(select(SettingValue)).one())

    assert [counted(step) for step in (make, change, delete)] == [expected] * 3


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_key_counts_up_its_level(counted, level):
    """A key made, changed or deleted makes stale what stands at or below its level."""
    owner, expected = LEVELS[level]

    def make(session, world):
        session.add(
            KeyValue(
                organisation_id=world.here,
                level=level,
                owner_id=getattr(world, owner),
                area=Area.LINE,
                position=2,
                type=KeyType.BLF,
                value="1002",
            )
        )

    def change(session, _world):
        session.scalars(select(KeyValue)).one().label = "Bob"

    def delete(session, _world):
        session.delete(session.scalars(select(KeyValue)).one())

    assert [counted(step) for step in (make, change, delete)] == [expected] * 3


# --- moves concern both ends


MOVES = {
    "an assignment to another station": (
        lambda s, w: setattr(s.get_one(Assignment, w.last), "station_id", w.station_3),
        {"desk 2", "desk 3"},
    ),
    "an assignment to another user": (
        lambda s, w: setattr(s.get_one(Assignment, w.last), "user_id", w.ada),
        {"desk 2"},
    ),
    "an account to another user": (
        lambda s, w: setattr(s.get_one(SipAccount, w.ada_account), "user_id", w.bob),
        ADAS | {"desk 2"},
    ),
    "a member to another device": (
        lambda s, w: setattr(s.get_one(DectMember, w.member_2), "device_id", w.desk_3),
        BASES | {"desk 3"},
    ),
    "a station to another device": (
        lambda s, w: (
            setattr(s.get_one(Station, w.station_2), "position", 2),
            setattr(s.get_one(Station, w.station_2), "device_id", w.desk_3),
        ),
        {"desk 2", "desk 3"},
    ),
}


@pytest.mark.parametrize(("change", "expected"), MOVES.values(), ids=MOVES.keys())
def test_move_counts_up_both_ends(counted, change, expected):
    """What moves makes stale the place it comes from and the one it goes to."""
    assert counted(change) == expected


def test_device_that_changes_its_site_leaves_both_sites_alone(counted):
    """A device at another site is itself stale, the sites and their other devices are not."""
    assert counted(lambda s, w: setattr(s.get_one(Device, w.desk_2), "site_id", w.elsewhere)) == {
        "desk 2"
    }


# --- what comes and goes


def _remove_handset(session: Session, world: SimpleNamespace) -> None:
    session.get_one(DectSlot, world.slot).station_id = None
    session.flush()
    session.delete(session.get_one(Station, world.handset))


COMINGS = {
    "an assignment": (
        lambda s, w: s.add(
            Assignment(organisation_id=w.here, user_id=w.bob, station_id=w.station_3)
        ),
        {"desk 3"},
    ),
    "a member": (
        lambda s, w: s.add(
            DectMember(organisation_id=w.here, system_id=w.system, device_id=w.desk_3, position=3)
        ),
        BASES | {"desk 3"},
    ),
    "an account": (
        lambda s, w: s.add(
            SipAccount(
                organisation_id=w.here,
                sip_server_id=w.server,
                user_id=w.bob,
                username="another",
                password_encrypted=b"",
            )
        ),
        {"desk 2"},
    ),
    "a user nobody shows": (
        lambda s, w: s.add(User(organisation_id=w.here, first_name="Cyd")),
        set(),
    ),
}
GOINGS = {
    "an assignment": (lambda s, w: s.delete(s.get_one(Assignment, w.last)), {"desk 2"}),
    "a user": (lambda s, w: s.delete(s.get_one(User, w.ada)), ADAS),
    "an account": (lambda s, w: s.delete(s.get_one(SipAccount, w.ada_account)), ADAS),
    "a member": (lambda s, w: s.delete(s.get_one(DectMember, w.member_2)), BASES),
    "a handset": (_remove_handset, BASES),
    "a device": (lambda s, w: s.delete(s.get_one(Device, w.desk_2)), set()),
    "what a user has set": (lambda s, w: queries.forget_values(s, w.ada), set()),
}


@pytest.mark.parametrize(("change", "expected"), COMINGS.values(), ids=COMINGS.keys())
def test_new_row_counts_up_what_shows_it(counted, change, expected):
    """What is added makes stale exactly the things whose files will show it."""
    assert counted(change) == expected


@pytest.mark.parametrize(("change", "expected"), GOINGS.values(), ids=GOINGS.keys())
def test_deletion_counts_up_what_showed_it(counted, change, expected):
    """What is deleted makes stale exactly the things whose files showed it."""
    assert counted(change) == expected


# --- groups


@pytest.mark.parametrize(("shown", "expected"), [(True, {"here"}), (False, set())])
def test_a12_a_department_counts_up_where_keys_show_people(counted, shown, expected):
    """Joining and deleting a department makes phones stale where keys show it, an office never."""
    if shown:
        counted(
            lambda s, w: s.add(
                KeyValue(
                    organisation_id=w.here,
                    level=Level.DEVICE,
                    owner_id=w.desk_3,
                    area=Area.LINE,
                    position=2,
                    type=KeyType.DEPARTMENT,
                )
            )
        )

    def join(category, option):
        return lambda s, w: s.add(
            UserOption(
                organisation_id=w.here,
                user_id=w.ada,
                category_id=getattr(w, category),
                option_id=getattr(w, option),
            )
        )

    assert counted(join("office", "berlin")) == set()
    assert counted(join("department", "sales")) == expected
    assert counted(lambda s, w: s.delete(s.get_one(CategoryOption, w.berlin))) == set()
    assert counted(lambda s, w: s.delete(s.get_one(CategoryOption, w.sales))) == expected


# --- what no file shows


QUIET = {
    "when a device was seen": setter(Device, "desk_1", last_seen_at=MOMENT),
    "when it was blanked": setter(Device, "desk_1", blanked_at=MOMENT),
    "a PIN": setter(User, "ada", pin_hash="$argon2id$", pin_must_change=True),
    "an organisation's address": setter(Organisation, "here", address="Hauptstr. 1"),
    "an organisation's dates": setter(Organisation, "here", contract_until=MOMENT.date()),
    "a department's name": setter(CategoryOption, "sales", name="Vertrieb"),
    "security state": setter(DeviceTrust, "trust", window_served=3, bound_source="192.0.2.1"),
    "a value written as it was": setter(User, "ada", first_name="Ada"),
}


@pytest.mark.parametrize("change", QUIET.values(), ids=QUIET.keys())
def test_quiet_change_counts_nothing_up(counted, change):
    """What no file shows leaves every version as it is."""
    assert counted(change) == set()


def test_quiet_column_does_not_hide_another(counted):
    """A change of a quiet column together with one that shows counts up as usual."""
    assert counted(setter(User, "bob", pin_hash="x", last_name="B")) == {"desk 2"}


def test_versions_count_up_with_the_change_itself(database, world, counted):
    """A change that is rolled back counts nothing up."""

    def fail() -> None:
        with database.write() as session:
            session.get_one(User, world.ada).first_name = "Lost"
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with database.read() as session:
        before = session.get_one(Device, world.desk_1).version
    assert counted(setter(User, "ada", first_name="Augusta")) == ADAS
    with database.read() as session:
        assert session.get_one(Device, world.desk_1).version == before + 1
