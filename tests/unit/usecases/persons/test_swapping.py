"""A phone takes another's place; devices are registered with their people, moved and blocked."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import (
    CapacityExceeded,
    Conflict,
    DuplicateMac,
    InvalidInput,
    MobileOnly,
    NotFound,
    PoolPhone,
    TooManyUsers,
)
from provisioning.domain.settings import Level
from provisioning.store import queries
from provisioning.store.devices import Device
from provisioning.usecases import (
    assignments,
    dect,
    devices,
    handsets,
    hotdesk,
    inventory,
    keys,
    licences,
    organisations,
    previews,
    registering,
    sip,
    stations,
    users,
)
from provisioning.usecases.pages import Page
from provisioning.usecases.requests import Outcome
from provisioning.usecases.seats import end_session
from provisioning.usecases.settings import list_values, set_values
from provisioning.usecases.swapping import swap_device

SPARE = "00:15:65:AA:BB:DD"


def people_at(core, actor, device):
    """The first names of those a device is assigned to."""
    return [user.first_name for user in inventory.read_device(core, actor, device).people]


def text_of(core, actor, device):
    """All files of a device as one text."""
    files = previews.list_files(core, actor, device)
    texts = [previews.preview(core, actor, device, item.path)[0] for item in files]
    return b"\n".join(texts).decode("utf-8")


def test_h2_all_but_the_identity_moves(core, actor, desk):
    """The new phone has the people, keys, settings, profile, site and name; the old is retired."""
    profile = organisations.add_profile(core, actor, "counter").id
    site = organisations.add_site(core, actor, name="Annex").id
    devices.change_device(core, actor, desk.device, {"profile": profile, "site": site})
    key = keys.read_key({"position": 5, "type": "blf", "value": "1002"})
    keys.set_key(core, actor, Level.DEVICE, desk.device, key)
    set_values(core, actor, Level.DEVICE, desk.device, {"vlan.id": 7})
    (seat,) = stations.device_stations(core, actor, desk.device)

    swap = swap_device(core, actor, desk.device, mac=SPARE, vendor="yealink", model="T54W")

    new = inventory.read_device(core, actor, swap.device.id)
    assert (str(new.mac), new.device.name, new.device.model) == (SPARE, "Desk 1", "T54W")
    assert (new.device.profile_id, new.device.site_id) == (profile, site)
    assert [user.id for user in new.people] == [desk.user]
    assert list(keys.list_keys(core, actor, Level.DEVICE, new.id)) == [key]
    (value,) = list_values(core, actor, Level.DEVICE, new.id)
    assert (value.key, value.value) == ("vlan.id", 7)
    assert stations.device_stations(core, actor, new.id)[0].station.id == seat.station.id
    old = inventory.read_device(core, actor, desk.device).device
    assert old.state == "retired"
    assert people_at(core, actor, desk.device) == []
    text = text_of(core, actor, new.id)
    assert "1001" in text
    assert "vlan" in text


def test_h2_the_old_phone_is_blanked_and_the_new_one_served(core, actor, desk):
    """After a swap the old MAC gets a file without its lines, the new one a file with them."""
    assert b"account.1.user_name = 1001" in desk.fetch().content
    swap_device(core, actor, desk.device, mac=SPARE, vendor="yealink", model="T54W")
    blank = desk.fetch()
    assert blank.outcome is Outcome.SERVED
    assert b"1001" not in blank.content
    agent = "Yealink SIP-T54W 96.86.0.45 00:15:65:aa:bb:dd"
    served = desk.fetch("001565aabbdd.cfg", source="192.0.2.9", user_agent=agent)
    assert b"account.1.user_name = 1001" in served.content


def test_h2_a_dry_run_tells_the_losses_and_changes_nothing(core, actor, desk, add_person):
    """What the new model cannot do is told first: lines, keys of a dialect, modules."""
    devices.change_device(core, actor, desk.device, {"model": "T54W", "vendor": "yealink"})
    devices.change_device(core, actor, desk.device, {"expansion_modules": 2})
    grace = add_person("Grace", "1002")
    assignments.assign_device(core, actor, desk.device, [desk.user, grace])
    key = keys.read_key({"position": 5, "type": "private-hold"})
    keys.set_key(core, actor, Level.DEVICE, desk.device, key)
    before = text_of(core, actor, desk.device)

    told = swap_device(
        core, actor, desk.device, mac="00:04:13:00:00:01", vendor="snom", model="D120", dry_run=True
    )

    assert told.device is None
    assert any("private-hold" in sentence or "No place" in sentence for sentence in told.losses)
    assert "2 expansion modules are attached; it takes 0." in told.losses
    assert text_of(core, actor, desk.device) == before
    with pytest.raises(NotFound):
        inventory.read_device(core, actor, "00:04:13:00:00:01")
    done = swap_device(
        core, actor, desk.device, mac="00:04:13:00:00:01", vendor="snom", model="D120"
    )
    assert done.losses == told.losses
    assert done.device.expansion_modules == 0


def test_h2_a_phone_of_the_same_vendor_is_taken_for_the_same_model(core, actor, desk):
    """Without a model named the old one's is assumed until the phone says otherwise."""
    devices.change_device(core, actor, desk.device, {"vendor": "yealink", "model": "T46U"})
    new = swap_device(core, actor, desk.device, mac=SPARE).device
    assert (new.vendor, new.model, new.model_confirmed) == ("yealink", "T46U", False)


def test_h2_an_unknown_maker_is_told(core, actor, desk):
    """Where the MAC names no vendor, the answer says that nothing can be said."""
    (said,) = swap_device(core, actor, desk.device, mac="02:00:00:00:00:01", dry_run=True).losses
    assert "vendor" in said


def test_h2_what_cannot_be_swapped(core, actor, desk):
    """A taken MAC, a base in a phone's place and a retired device are refused; nothing moves."""
    registering.add_device(core, actor, mac=SPARE)
    with pytest.raises(DuplicateMac):
        swap_device(core, actor, desk.device, mac=SPARE)
    with pytest.raises(InvalidInput, match="base"):
        swap_device(
            core, actor, desk.device, mac="00:15:65:00:00:09", vendor="yealink-dect", model="W70B"
        )
    assert people_at(core, actor, desk.device) == ["Ada"]
    devices.retire_device(core, actor, desk.device)
    with pytest.raises(Conflict):
        swap_device(core, actor, desk.device, mac="00:15:65:00:00:0A")


def test_h2_a_blocked_phone_is_swapped_for_a_blocked_one(core, actor, desk):
    """What was blocked stays blocked in its new place."""
    devices.change_device(core, actor, desk.device, {"state": "blocked"})
    assert swap_device(core, actor, desk.device, mac=SPARE).device.state == "blocked"


def test_h2_a_manager_of_handsets_is_swapped(core, actor, desk):
    """Another base takes a manager's place in its DECT system; the handsets stay assigned."""
    system = dect.add_system(core, actor, name="tower", code="7391").id
    base = registering.add_device(
        core, actor, mac="00:15:65:00:00:01", vendor="yealink-dect", model="W70B"
    ).device
    dect.add_member(core, actor, system, base.id)
    handset = handsets.put_handset(core, actor, system, name="Porter")
    assignments.assign_station(core, actor, handset.station.id, [desk.user])
    new = swap_device(core, actor, base.id, mac="00:15:65:00:00:02").device
    ((member, device),) = dect.list_members(core, actor, system)
    assert (device.id, member.role) == (new.id, "manager")
    assert "1001" in text_of(core, actor, new.id)
    with pytest.raises(InvalidInput, match="base"):
        swap_device(core, actor, new.id, mac=SPARE, vendor="yealink", model="T54W")


def test_h2_no_port_in_use_is_lost(core, actor, desk):
    """An adapter with fewer ports is refused while somebody has a port it lacks."""
    adapter = registering.add_device(
        core, actor, mac="00:0B:82:00:00:01", vendor="grandstream", model="HT802"
    ).device
    seats = stations.device_stations(core, actor, adapter.id)
    port = seats[1].station.id
    stations.change_station(core, actor, port, {"hotdesking": "any"})
    smaller = {"mac": "00:0B:82:00:00:02", "vendor": "grandstream", "model": "HT801"}
    assignments.assign_station(core, actor, port, [desk.user])
    with pytest.raises(CapacityExceeded, match="port 2"):
        swap_device(core, actor, adapter.id, **smaller)
    assignments.assign_station(core, actor, port, [])
    seated = hotdesk.take(core, actor, desk.user, port)
    for dry_run in (True, False):
        with pytest.raises(CapacityExceeded, match="port 2"):
            swap_device(core, actor, adapter.id, **smaller, dry_run=dry_run)
    end_session(core, actor, seated.id)
    new = swap_device(core, actor, adapter.id, **smaller).device
    assert len(stations.device_stations(core, actor, new.id)) == 1


def test_h2_a_dry_run_refuses_a_mac_in_use(core, actor, desk):
    """What a swap would refuse is told before it is tried in earnest."""
    registering.add_device(core, actor, mac=SPARE)
    with pytest.raises(DuplicateMac):
        swap_device(core, actor, desk.device, mac=SPARE, dry_run=True)


def test_h2_a_softphone_becomes_no_desk_phone_of_whoever_may_not_have_one(
    core, actor, server, add_person
):
    """Somebody with a Mobile licence keeps their softphone; without it the station is a desk's."""
    ada = add_person()
    soft = registering.add_device(core, actor, vendor="linphone", users=[ada]).device.id
    mobile = licences.add_licence(core, actor, kind="mobile", quantity=1)
    licences.set_user_licences(core, actor, ada, [mobile.id])
    for dry_run in (True, False):
        with pytest.raises(MobileOnly):
            swap_device(core, actor, soft, mac=SPARE, dry_run=dry_run)
    licences.set_user_licences(core, actor, ada, [])
    new = swap_device(core, actor, soft, mac=SPARE).device
    (seat,) = stations.device_stations(core, actor, new.id)
    assert (seat.station.kind, seat.station.nomadic) == ("desk-phone", False)
    assert not new.nomadic


# --- registering with people, several of them, none of them


def test_f2_b10_a_phone_is_registered_and_assigned_in_one_step(core, actor, server, add_person):
    """The MAC tells the vendor, and the user has the phone at once."""
    ada = add_person()
    row = registering.add_device(core, actor, mac=SPARE, users=[ada]).device
    assert (row.vendor, row.model_confirmed) == ("yealink", False)
    assert people_at(core, actor, row.id) == ["Ada"]
    assert "1001" in text_of(core, actor, row.id)


def test_f2_nothing_is_registered_where_the_assignment_fails(core, actor, server, add_person):
    """An unknown user, a pool phone or too many lines leave no device behind."""
    people = [add_person(f"User{n}", f"100{n}") for n in range(1, 4)]
    cases = (
        ({"users": [actor.organisation]}, NotFound),
        ({"users": people[:1], "pool": True}, PoolPhone),
        ({"users": people, "vendor": "yealink", "model": "T31G"}, TooManyUsers),
        ({"users": people[:1], "vendor": "yealink-dect", "model": "W70B"}, NotFound),
    )
    for columns, error in cases:
        with pytest.raises(error):
            registering.add_device(core, actor, mac=SPARE, **columns)
    assert inventory.list_devices(core, actor, Page()) == []


def test_b10_a_softphone_and_a_handset_are_assigned(core, actor, server, add_person):
    """A user has a softphone by its link and a handset by its slot, and sees both."""
    ada = add_person()
    made = registering.add_device(core, actor, vendor="linphone", name="Laptop", users=[ada])
    assert "/t/" in made.enrolment_url
    system = dect.add_system(core, actor, name="tower").id
    handset = handsets.put_handset(core, actor, system, name="Porter")
    assignments.assign_station(core, actor, handset.station.id, [ada])
    places = stations.user_stations(core, actor, ada)
    assert [(place.seat.station.kind, place.mac) for place in places] == [
        ("softphone", None), ("handset", None),
    ]  # fmt: skip
    assert places[0].part_of.device.name == "Laptop"
    assert (places[1].part_of.system.name, places[1].part_of.slot.number) == ("tower", 1)


def test_f1_a_users_phones_are_shown_with_their_state(core, actor, desk):
    """State, model and when it was last seen stand beside each station."""
    desk.fetch()
    core.log.flush()
    (place,) = stations.user_stations(core, actor, desk.user)
    assert place.part_of.device.state == "registered"
    assert place.part_of.device.last_seen_at is not None


def test_f3_devices_show_whose_they_are(core, actor, desk, add_person):
    """The list of devices names the people of each in order."""
    grace = add_person("Grace", "1002")
    registering.add_device(core, actor, mac=SPARE, name="Spare")
    assignments.assign_device(core, actor, desk.device, [grace, desk.user])
    found = {item.device.name: item.people for item in inventory.list_devices(core, actor, Page())}
    assert [user.first_name for user in found["Desk 1"]] == ["Grace", "Ada"]
    assert found["Spare"] == ()


def test_f4_a_new_user_takes_the_phone_from_the_former(core, actor, desk, add_person):
    """One user given: the former one's line goes, the new one's comes, and it is stale at once."""
    grace = add_person("Grace", "1002")
    with core.database.read() as session:
        version = session.get_one(Device, desk.device).version
    assignments.assign_device(core, actor, desk.device, [grace])
    assert people_at(core, actor, desk.device) == ["Grace"]
    text = text_of(core, actor, desk.device)
    assert "1002" in text
    assert "account.1.user_name = 1001" not in text
    with core.database.read() as session:
        assert session.get_one(Device, desk.device).version > version


def test_f5_several_users_keep_their_order(core, actor, desk, add_person):
    """Through the API a phone is several people's: a line each, in order; too many is refused."""
    people = [desk.user, *(add_person(f"User{n}", f"200{n}") for n in range(1, 3))]
    devices.change_device(core, actor, desk.device, {"vendor": "yealink", "model": "T31G"})
    with pytest.raises(TooManyUsers, match="has 2"):
        assignments.assign_device(core, actor, desk.device, people)
    assignments.assign_device(core, actor, desk.device, people[:0:-1])
    assert people_at(core, actor, desk.device) == ["User2", "User1"]
    text = text_of(core, actor, desk.device)
    assert "account.1.user_name = 2002" in text
    assert "account.2.user_name = 2001" in text


def test_f6_a_pool_phone_is_nobodys(core, actor, desk, add_person):
    """A phone marked shared takes no users and shows the guest's text and no line."""
    set_values(core, actor, Level.ORGANISATION, actor.organisation, {"idle.text": "Log in"})
    with pytest.raises(PoolPhone):
        devices.change_device(core, actor, desk.device, {"pool": True})
    assignments.assign_device(core, actor, desk.device, [])
    devices.change_device(core, actor, desk.device, {"pool": True})
    with pytest.raises(PoolPhone):
        assignments.assign_device(core, actor, desk.device, [desk.user])
    assert "account.1.enable = 0" in text_of(core, actor, desk.device)


def test_f6_a_pool_phone_has_its_own_account(core, actor, desk):
    """The station's own account is its only line while nobody is there."""
    assignments.assign_device(core, actor, desk.device, [])
    devices.change_device(core, actor, desk.device, {"pool": True})
    (seat,) = stations.device_stations(core, actor, desk.device)
    sip.add_account(core, actor, station_id=seat.station.id, username="guest-1")
    assert "account.1.user_name = guest-1" in text_of(core, actor, desk.device)


# --- blocking, retiring, moving


def test_h5_a_blocked_phone_loses_its_lines_until_it_is_unblocked(core, actor, desk):
    """One blanking file is served, then nothing; unblocked it has its lines again."""
    desk.fetch()
    devices.change_device(core, actor, desk.device, {"state": "blocked"})
    assert b"1001" not in desk.fetch().content
    assert desk.fetch().outcome is Outcome.NOT_FOUND
    devices.change_device(core, actor, desk.device, {"state": "registered"})
    assert b"account.1.user_name = 1001" in desk.fetch().content


def test_h5_a_retired_phone_is_blanked_once_and_its_mac_is_free(core, actor, desk):
    """It comes back by being registered anew and by no change."""
    desk.fetch()
    devices.retire_device(core, actor, desk.device)
    assert b"1001" not in desk.fetch().content
    assert desk.fetch().outcome is Outcome.NOT_FOUND
    with pytest.raises(Conflict):
        devices.change_device(core, actor, desk.device, {"state": "registered"})
    assert registering.add_device(core, actor, mac=desk.name[:12]).device.id != desk.device


def test_h6_another_site_changes_what_belongs_to_the_place(core, actor, desk):
    """A moved phone has its new site's network; its people stay."""
    site = organisations.add_site(core, actor, name="Annex").id
    set_values(core, actor, Level.SITE, site, {"ntp.server-1": "annex.example.com"})
    assert "annex.example.com" not in text_of(core, actor, desk.device)
    devices.change_device(core, actor, desk.device, {"site": "Annex"})
    assert "annex.example.com" in text_of(core, actor, desk.device)
    assert people_at(core, actor, desk.device) == ["Ada"]


def test_h6_another_organisation_has_the_phone_after_it_is_retired(core, actor, neighbour, desk):
    """A MAC belongs to one organisation at a time, and brings nothing along."""
    with pytest.raises(DuplicateMac):
        registering.add_device(core, neighbour, mac=desk.name[:12])
    devices.retire_device(core, actor, desk.device)
    row = registering.add_device(core, neighbour, mac=desk.name[:12]).device
    assert row.name == ""
    assert people_at(core, neighbour, row.id) == []
    with core.database.read() as session:
        assert queries.get(session, Device, neighbour.organisation, row.id).state == "registered"


def test_b13_who_follows_the_hotdesk_has_no_line_where_they_are_assigned(
    core, actor, desk, add_person
):
    """Their station shows nobody, or the others only, and shows them again once they are fixed."""
    users.change_user(core, actor, desk.user, {"incoming": "hotdesk"})
    assert "account.1.enable = 0" in text_of(core, actor, desk.device)
    assignments.assign_device(core, actor, desk.device, [desk.user, add_person("Grace", "1002")])
    assert "account.1.user_name = 1002" in text_of(core, actor, desk.device)
    users.change_user(core, actor, desk.user, {"incoming": "fixed"})
    assert "account.1.user_name = 1001" in text_of(core, actor, desk.device)
