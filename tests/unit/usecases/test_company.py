"""An organisation's profile and package: who may change what, and what phones show of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from provisioning.domain.errors import DowngradeRefused, DuplicateName, Forbidden, InvalidInput
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Level
from provisioning.render.syntax import FORMS
from provisioning.simulate.shown import shown
from provisioning.usecases import devices, organisations, registering, sip
from provisioning.usecases.effective import device_values
from provisioning.usecases.settings import effective_for_user
from provisioning.vendors.schema import Syntax

TODAY = date(2026, 3, 1)
"""What the tests' clock shows."""


@pytest.fixture
def admin(actor):
    """Somebody with every right but the operator's."""
    return replace(actor, permissions=actor.permissions - {Permission.OPERATE})


def change(core, actor, **columns):
    """Change the organisation acted in."""
    return organisations.change_organisation(core, actor, columns)


# --- the profile


def test_a1_an_admin_changes_display_name_and_address(core, admin):
    """Names and address are an admin's; a name another organisation has is refused."""
    row = change(core, admin, display_name=" Lovelace GmbH ", address="Hauptstr. 1, Berlin")
    assert (row.display_name, row.address) == ("Lovelace GmbH", "Hauptstr. 1, Berlin")
    organisations.add_organisation(core, replace(admin, permissions=frozenset(Permission)), "there")
    with pytest.raises(DuplicateName):
        change(core, admin, name="there")
    with pytest.raises(InvalidInput):
        change(core, admin, display_name="two\nlines")


@pytest.mark.parametrize(
    "columns",
    [
        {"legal_name": "Lovelace Holding"}, {"number": "HRB 1"}, {"licensing": True},
        {"contract_until": date(2027, 1, 1)}, {"curing_until": date(2027, 1, 1)},
    ],
)  # fmt: skip
def test_a1_what_is_the_operators_is_not_an_admins(core, actor, admin, columns):
    """Legal name, number and dates are shown to an admin but changed by an operator only."""
    with pytest.raises(Forbidden) as refused:
        change(core, admin, display_name="New", **columns)
    assert refused.value.field == next(iter(columns))
    assert organisations.current_organisation(core, admin).display_name == ""
    changed = change(core, actor, **columns)
    assert [getattr(changed, name) for name in columns] == list(columns.values())
    assert change(core, admin, display_name="New", **columns).display_name == "New"


GUESTS = {
    "snom": ("00:04:13:00:00:01", "D735", '<user_idle_text idx="1" perm="R">{}<'),
    "digium": ("00:0F:D3:00:00:01", "D65", 'id="idle_company_text" value="{}"'),
    "fanvil": ("0C:38:3E:00:00:01", "X4U", "<LCDTitle>{}</LCDTitle>"),
    "cisco-mpp": ("00:56:2B:00:00:01", "8841-3PCC", '<Station_Name ua="na">{}</Station_Name>'),
}


@pytest.mark.parametrize("vendor", GUESTS)
def test_a1_a_guest_phone_shows_the_organisations_name(core, actor, phones, add_person, vendor):
    """A phone nobody has shows the display name, until an idle text is set or somebody has it."""
    mac, model, form = GUESTS[vendor]
    device = phones.add(mac, model, vendor=vendor)
    assert form.format("Ada &amp; Co") not in phones.text(device)
    change(core, actor, display_name="Ada & Co")
    assert form.format("Ada &amp; Co") in phones.text(device)
    phones.set(Level.ORGANISATION, actor.organisation, **{"idle.text": "Welcome"})
    assert form.format("Welcome") in phones.text(device)
    phones.set(Level.ORGANISATION, actor.organisation, **{"idle.text": ""})
    assert "Ada &amp; Co" not in phones.text(device)


def test_a1_the_guests_text_says_where_it_comes_from(core, actor, phones, add_person):
    """The display name as idle text is told as the organisation's, and is on no user's phone."""
    change(core, actor, display_name="Lovelace GmbH")
    guest = phones.add("00:04:13:00:00:01", "D735")
    taken = phones.add("00:04:13:00:00:02", "D735", add_person())
    values = {}
    for device in (guest, taken):
        items = device_values(core, actor, device).device
        values[device] = next(item for item in items if item.key == "idle.text")
    assert values[guest].value == "Lovelace GmbH"
    assert (values[guest].origin.level, values[guest].origin.owner) == (Level.ORGANISATION, "main")
    assert (values[taken].value, values[taken].origin.level) == ("", Level.BUILT_IN)
    assert "idle.text" not in phones.losses(taken)


def test_a1_a_dialect_without_an_idle_text_says_so(core, actor, phones):
    """Where a guest phone cannot show the name, its loss report tells it."""
    change(core, actor, display_name="Lovelace GmbH")
    assert "'idle.text'" in phones.losses(phones.add("00:15:65:00:00:01", "T54W"))


# --- the package

GAP = {"contract_until": date(2026, 12, 31), "curing_until": date(2026, 2, 28)}


@pytest.mark.parametrize(
    ("contract_until", "curing_until", "said"),
    [
        (None, None, "has no date"),
        (date(2026, 2, 28), None, "ended on 2026-02-28"),
        (date(2026, 12, 31), date(2026, 6, 30), "runs until 2026-06-30"),
        (date(2026, 12, 31), TODAY, "runs until 2026-03-01"),
    ],
)
def test_a7_a_downgrade_is_refused_with_its_dates(
    core, actor, admin, clock, contract_until, curing_until, said
):
    """Without a running contract, or in a curing period, the package stays and the reason is told."""
    change(core, actor, contract_until=contract_until, curing_until=curing_until)
    with pytest.raises(DowngradeRefused, match=said) as refused:
        change(core, admin, package="light")
    assert refused.value.remedy
    assert organisations.current_organisation(core, admin).package == "unlimited"


def test_a7_a_downgrade_needs_a_contract_and_an_upgrade_nothing(core, actor, admin, clock):
    """The smaller package is taken while a contract runs, until its last day, the larger one ever."""
    change(core, actor, contract_until=TODAY, curing_until=date(2026, 2, 28))
    assert change(core, admin, package="light").package == "light"
    change(core, actor, contract_until=None, curing_until=date(2027, 1, 1))
    assert change(core, admin, package="light").package == "light"
    assert change(core, admin, package="unlimited").package == "unlimited"
    with pytest.raises(InvalidInput):
        change(core, admin, package="huge")


def test_a7_dates_of_the_same_request_count(core, actor, clock):
    """An operator ends a curing period and takes the smaller package in one request."""
    change(core, actor, contract_until=date(2026, 12, 31), curing_until=date(2026, 6, 30))
    assert change(core, actor, curing_until=None, package="light").package == "light"


def keys_of(core, phones, device):
    """Labels and values of the keys a Yealink shows."""
    vendor = core.registry.vendor("yealink")
    content = phones.fetched(device, "001565000001.cfg").decode()
    held = {name.lower(): value for name, value in FORMS[Syntax.YEALINK].parse(content)}
    return {key.label or key.value for key in shown(held, vendor, vendor.model("T54W")).keys}


def test_a7_the_package_gates_feature_keys(core, actor, phones, add_person, server):
    """Keys of features the smaller package lacks vanish from the phone and come back with it."""
    sip.change_server(
        core, actor, server.id, {"codes": {"barge": "*1", "listen": "*2", "whisper": "*3"}}
    )
    ada = add_person()
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    operator = {"feature.operator-console": True, "call.recording": "on-demand"}
    rights = {f"right.{name}": True for name in ("barge", "listen", "whisper")}
    phones.set(Level.USER, ada, **operator, **rights)
    gated = {"Barge in", "Listen", "Whisper"}
    assert gated <= keys_of(core, phones, device)
    full = phones.text(device)
    change(core, actor, **GAP)
    change(core, actor, package="light")
    assert not gated & keys_of(core, phones, device)
    held = {item.key: item for item in effective_for_user(core, actor, ada)}
    assert held["call.recording"].value == "never"
    assert held["right.barge"].origin.owner == "package light"
    assert held["right.barge"].locked
    change(core, actor, package="unlimited")
    assert phones.text(device) == full


def test_a7_a_setting_of_the_smaller_package_cannot_be_overridden(
    core, actor, phones, add_person, server
):
    """With the smaller package no level brings a feature back that it lacks."""
    ada = add_person()
    change(core, actor, **GAP)
    change(core, actor, package="light")
    phones.set(Level.ORGANISATION, actor.organisation, **{"feature.several-caller-ids": True})
    phones.set(Level.USER, ada, **{"feature.several-caller-ids": True})
    held = {item.key: item for item in effective_for_user(core, actor, ada)}
    assert held["feature.several-caller-ids"].value is False


def test_a1_a_blocked_phone_shows_no_name(core, actor, phones):
    """A blocked phone is blank: the organisation's name is not on it."""
    change(core, actor, display_name="Lovelace GmbH")
    device = registering.add_device(core, actor, mac="00:04:13:00:00:01", model="D735").device.id
    assert "Lovelace GmbH" in phones.text(device)
    devices.change_device(core, actor, device, {"state": "blocked"})
    assert "Lovelace GmbH" not in phones.text(device)
