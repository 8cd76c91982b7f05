"""Licences: what is owned, who holds what, and which phones they let a user have."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from provisioning.domain.errors import (
    BrokenRule,
    DuplicateName,
    Forbidden,
    InvalidInput,
    LicencesExhausted,
    MobileOnly,
    NeedsProLicence,
    NotFound,
    StillInUse,
)
from provisioning.domain.roles import Permission
from provisioning.usecases import (
    assignments,
    dect,
    handsets,
    licences,
    organisations,
    registering,
    users,
)
from provisioning.usecases.pages import Page


@pytest.fixture
def admin(actor):
    """Somebody with every right but the operator's."""
    return replace(actor, permissions=actor.permissions - {Permission.OPERATE})


def own(core, actor, kind, quantity, add_on=""):
    """Say how many of a kind are owned."""
    return licences.add_licence(core, actor, kind=kind, quantity=quantity, add_on=add_on).id


def held(core, actor):
    """Who holds what, by kind or the name of the add-on."""
    rows = licences.list_licences(core, actor, Page())
    return {item.row.add_on or item.row.kind: set(item.users) for item in rows}


@pytest.fixture
def licensed(core, actor):
    """Licensing switched on, with two Pro licences and one Mobile."""
    organisations.change_organisation(core, actor, {"licensing": True})
    return {"pro": own(core, actor, "pro", 2), "mobile": own(core, actor, "mobile", 1)}


# --- what is owned


def test_a8_an_admin_sets_what_is_owned_until_licensing_is_on(core, actor, admin):
    """With licensing off an admin sets quantities; once it is on only the operator does."""
    pro = own(core, admin, "pro", 2)
    assert licences.change_licence(core, admin, pro, 3).row.quantity == 3
    with pytest.raises(Forbidden, match="operator"):
        organisations.change_organisation(core, admin, {"licensing": True})
    organisations.change_organisation(core, actor, {"licensing": True})
    for change in (
        lambda: own(core, admin, "mobile", 1),
        lambda: licences.change_licence(core, admin, pro, 9),
        lambda: licences.delete_licence(core, admin, pro),
        lambda: organisations.change_organisation(core, admin, {"licensing": False}),
    ):
        with pytest.raises(Forbidden):
            change()
    assert licences.change_licence(core, actor, pro, 9).row.quantity == 9


@pytest.mark.parametrize(
    ("kind", "quantity", "add_on"),
    [("gold", 1, ""), ("pro", -1, ""), ("pro", 10**9, ""), ("pro", 1, "Fax"), ("add-on", 1, "")],
)
def test_a8_bad_licences_are_refused(core, actor, kind, quantity, add_on):
    """A licence has a known kind, a sensible quantity, and a name only as an add-on."""
    with pytest.raises(InvalidInput):
        own(core, actor, kind, quantity, add_on)


def test_a8_each_kind_is_owned_once(core, actor):
    """A kind, and an add-on of one name, stands in the list once."""
    for add_on in ("Fax", "Recording"):
        own(core, actor, "add-on", 1, add_on)
    own(core, actor, "pro", 1)
    with pytest.raises(DuplicateName):
        own(core, actor, "pro", 2)
    with pytest.raises(DuplicateName):
        own(core, actor, "add-on", 2, "Fax")
    assert set(held(core, actor)) == {"Fax", "Recording", "pro"}


# --- who holds what


def test_a8_no_more_are_held_than_owned(core, actor, add_person):
    """The last licence is handed out once; it is free again when taken back or its user goes."""
    ada, bob = add_person(), add_person("Bob", "1002")
    pro, fax = own(core, actor, "pro", 1), own(core, actor, "add-on", 2, "Fax")
    licences.set_user_licences(core, actor, ada, [pro, fax])
    assert held(core, actor) == {"pro": {ada}, "Fax": {ada}}
    with pytest.raises(LicencesExhausted, match="1 owned, 1 held"):
        licences.set_user_licences(core, actor, bob, [fax, pro])
    assert held(core, actor) == {"pro": {ada}, "Fax": {ada}}
    licences.set_user_licences(core, actor, ada, [pro])
    assert [item.row.kind for item in licences.user_licences(core, actor, ada)] == ["pro"]
    with pytest.raises(LicencesExhausted, match="held by 1 user"):
        licences.change_licence(core, actor, pro, 0)
    with pytest.raises(StillInUse):
        licences.delete_licence(core, actor, pro)
    users.delete_user(core, actor, ada)
    licences.set_user_licences(core, actor, bob, [pro])
    licences.set_user_licences(core, actor, bob, [])
    licences.delete_licence(core, actor, pro)
    assert held(core, actor) == {"Fax": set()}


def test_a8_two_admins_do_not_hand_out_one_licence_twice(core, actor, add_person):
    """Of two requests for the last licence at the same moment one is refused."""
    people = [add_person(f"U{n}", f"10{n:02}") for n in range(4)]
    pro = own(core, actor, "pro", 1)
    refused = []

    def take(user):
        try:
            licences.set_user_licences(core, actor, user, [pro])
        except BrokenRule as error:
            refused.append(type(error))

    threads = [threading.Thread(target=take, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [LicencesExhausted] * 3
    assert len(held(core, actor)["pro"]) == 1


def test_a8_a_neighbours_licence_is_not_there(core, actor, neighbour, add_person):
    """Licences of one organisation are neither seen nor held in another."""
    pro = own(core, neighbour, "pro", 5)
    with pytest.raises(NotFound):
        licences.set_user_licences(core, actor, add_person(), [pro])
    assert held(core, actor) == {}


# --- what they let a user have


def test_a8_a_mobile_licence_has_no_desk_phone(core, actor, phones, add_person):
    """With or without licensing, a user with a Mobile licence gets no desk phone, before or after."""
    ada, bob = add_person(), add_person("Bob", "1002")
    mobile = own(core, actor, "mobile", 5)
    licences.set_user_licences(core, actor, ada, [mobile])
    device = phones.add("00:15:65:00:00:01", "T54W", bob)
    with pytest.raises(MobileOnly, match="Ada Lovelace has a Mobile licence"):
        assignments.assign_device(core, actor, device, [bob, ada])
    with pytest.raises(MobileOnly, match="Bob Lovelace"):
        licences.set_user_licences(core, actor, bob, [mobile])
    softphone = registering.add_device(core, actor, vendor="linphone", name="Laptop").device.id
    assignments.assign_device(core, actor, softphone, [ada])
    licences.set_user_licences(core, actor, bob, [])
    assignments.assign_device(core, actor, device, [])
    licences.set_user_licences(core, actor, bob, [mobile])


def test_a8_a_desk_phone_needs_a_pro_licence_where_licensing_is_on(
    core, actor, phones, add_person, licensed
):
    """With licensing on a user without a Pro licence gets no desk phone, and cannot lose it then."""
    ada = add_person()
    device = phones.add("00:15:65:00:00:01", "T54W")
    with pytest.raises(NeedsProLicence, match="Ada Lovelace has no Pro licence"):
        assignments.assign_device(core, actor, device, [ada])
    licences.set_user_licences(core, actor, ada, [licensed["pro"]])
    assignments.assign_device(core, actor, device, [ada])
    with pytest.raises(NeedsProLicence):
        licences.set_user_licences(core, actor, ada, [])
    with pytest.raises(MobileOnly):
        licences.set_user_licences(core, actor, ada, [licensed["mobile"]])
    assignments.assign_device(core, actor, device, [])
    licences.set_user_licences(core, actor, ada, [licensed["mobile"]])


def test_a8_a_handset_needs_a_pro_licence_too(core, actor, add_person, licensed):
    """A DECT handset is as much a phone on a desk as any."""
    system = dect.add_system(core, actor, name="tower", capacity=10)
    handset = handsets.put_handset(core, actor, system.id, name="Porter").station.id
    ada = add_person()
    with pytest.raises(NeedsProLicence):
        assignments.assign_station(core, actor, handset, [ada])
    licences.set_user_licences(core, actor, ada, [licensed["pro"]])
    assert [user.id for user in assignments.assign_station(core, actor, handset, [ada])] == [ada]


def test_a8_whoever_has_a_phone_keeps_it_when_licensing_begins(core, actor, phones, add_person):
    """Switching licensing on takes nobody off a phone; only who comes new needs a licence."""
    ada, bob = add_person(), add_person("Bob", "1002")
    device = phones.add("00:15:65:00:00:01", "T54W", ada)
    organisations.change_organisation(core, actor, {"licensing": True})
    with pytest.raises(NeedsProLicence, match="Bob"):
        assignments.assign_device(core, actor, device, [ada, bob])
    assert [user.id for user in assignments.assign_device(core, actor, device, [ada])] == [ada]
