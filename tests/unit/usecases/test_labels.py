"""Labels: which phones of a site get one, what stands on it, and what becomes of old ones."""

from __future__ import annotations

import re

import pytest

from provisioning.domain.errors import Forbidden, NotFound
from provisioning.domain.ids import is_label_code
from provisioning.store import labels as store
from provisioning.store.devices import Device
from provisioning.usecases import dect, devices, handsets, registering, settings, stations
from provisioning.usecases.actors import Actor
from provisioning.usecases.labels import codes
from provisioning.usecases.labels.sheet import Label, drawn
from provisioning.usecases.reload import settle

_LINK = re.compile(rb"/URI \((.*?)\)")


def links(pdf: bytes) -> list[str]:
    """Where the labels of a sheet lead."""
    return [found.decode() for found in _LINK.findall(pdf)]


def phone(core, actor, number, **columns):
    """A phone; its first station."""
    mac = f"00:15:65:00:00:{number:02x}"
    row = registering.add_device(core, actor, mac=mac, model="T54W", **columns).device
    return stations.device_stations(core, actor, row.id)[0].station


def site_of(core, station):
    """The site of a station's phone."""
    with core.database.read() as session:
        return session.get_one(Device, station.device_id).site_id


def test_g2_a_site_has_a_label_for_each_phone_that_takes_logins(core, actor):
    """Pool phones and open ones get a label, in the order of their names; others do not."""
    second, first = (
        phone(core, actor, 1, name="Zoo", pool=True),
        phone(core, actor, 2, name="atrium"),
    )
    stations.change_station(core, actor, first.id, {"hotdesking": "any"})
    phone(core, actor, 3, name="Own")
    gone = phone(core, actor, 4, name="Gone", pool=True)
    devices.retire_device(core, actor, gone.device_id)
    sheet = codes.site_labels(core, actor, site_of(core, first))
    assert sheet.startswith(b"%PDF-")
    assert links(sheet) == [codes.address(core, first), codes.address(core, second)]
    assert all(link.startswith(f"{core.places.people}/take/") for link in links(sheet))


def test_label_is_the_same_until_it_is_renewed(core, actor):
    """Printing again gives the same address; renewing gives another and the old one is nobody's."""
    station = phone(core, actor, 1, pool=True)
    old = codes.address(core, station)
    assert links(codes.station_label(core, actor, station.id)) == [old]
    new = codes.renew_label(core, actor, station.id)
    assert new != old
    assert links(codes.station_label(core, actor, station.id)) == [new]
    with core.database.read() as session:
        assert codes.by_code(session, new.rpartition("/")[2]).station.id == station.id
        with pytest.raises(NotFound):
            codes.by_code(session, old.rpartition("/")[2])


def test_a_new_label_tells_no_phone(core, actor, clock):
    """No file shows the label, so no phone is marked for a reload."""
    station = phone(core, actor, 1, pool=True)
    clock.turn(minutes=1)
    settle(core)
    with core.database.read() as session:
        before = session.get_one(Device, station.device_id).version
    codes.renew_label(core, actor, station.id)
    with core.database.read() as session:
        assert session.get_one(Device, station.device_id).version == before


def test_labels_take_a_permission_and_stay_at_home(core, actor, neighbour):
    """Reading takes read, renewing takes write, and strangers find neither site nor station."""
    station = phone(core, actor, 1, pool=True)
    site = site_of(core, station)
    nobody = Actor("nobody", actor.organisation, frozenset())
    for call, what in (
        (codes.site_labels, site),
        (codes.station_label, station.id),
        (codes.renew_label, station.id),
    ):
        with pytest.raises(Forbidden):
            call(core, nobody, what)
        with pytest.raises(NotFound):
            call(core, neighbour, what)


def test_a_handset_has_no_label(core, actor):
    """A handset goes about with people, who log in there by dial code, so there is no label for one."""
    system = dect.add_system(core, actor, name="tower", capacity=20)
    slot = handsets.put_handset(core, actor, system.id, name="Porter")
    with pytest.raises(NotFound):
        codes.station_label(core, actor, slot.station.id)


def test_every_station_has_a_code_of_its_own(core, actor):
    """Codes are 16 letters and digits of base32, and the database keeps them apart."""
    made = [phone(core, actor, number).label_code for number in range(1, 20)]
    assert all(is_label_code(code) for code in made)
    assert len(set(made)) == len(made)
    with core.database.read() as session:
        assert store.station_by_code(session, made[3]).label_code == made[3]
        for code in ("", "x", "A" * 16, "a" * 17, "a" * 15 + "\n", "1" * 16):
            with pytest.raises(NotFound):
                codes.by_code(session, code)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_label_speaks_the_sites_language(core, actor):
    """The words on a label are of the site's language, or the organisation's."""
    station = phone(core, actor, 1, pool=True)
    site = site_of(core, station)
    settings.set_values(core, actor, "organisation", actor.organisation, {"language": "fr"})
    french = codes.site_labels(core, actor, site)
    settings.set_values(core, actor, "site", site, {"language": "de-AT"})
    german = codes.site_labels(core, actor, site)
    assert b"/Lang (fr)" in french
    assert b"/Lang (de)" in german


def test_names_of_any_kind_fit_a_label():
    """Long, hostile and foreign names make a sheet like any other, ten labels to a page."""
    names = ["", "x" * 500, "a b " * 200, "Łódź Ωmega Київ", "<b>**x**</b> \\ ( )", "日本", "%PDF"]
    sheet = drawn([Label(name, name, "https://x.example/take/a") for name in names * 3], "en")
    assert sheet.count(b"/Type /Page\n") == 3
    assert len(links(sheet)) == 21


def test_a_site_without_such_phones_has_a_page_that_says_so():
    """An empty sheet is a page with a sentence."""
    assert drawn([], "en").count(b"/Type /Page\n") == 1
