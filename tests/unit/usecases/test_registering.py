"""Registering devices: what is guessed, what is refused, and that nothing is half stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.domain.errors import (
    DuplicateMac,
    InvalidInput,
    MalformedMac,
    TrustTooLow,
    UnknownModel,
    UnknownVendor,
)
from provisioning.store import queries
from provisioning.store.organisations import Site
from provisioning.usecases import devices, organisations, registering
from provisioning.vendors.registry import Registry


def rows(core) -> int:
    """How many devices there are."""
    with core.database.read() as session:
        return queries.rows_with(session, "device")


def test_vendor_is_guessed_from_the_mac(core, actor):
    """A MAC is enough: its prefix names the vendor, the model stays open."""
    row = registering.add_device(core, actor, mac="000413-aabbcc").device
    assert (row.vendor, row.model, row.state) == ("snom", None, "registered")


def test_unknown_prefix_stays_open(core, actor):
    """A MAC of nobody we know is registered all the same, without a vendor."""
    row = registering.add_device(core, actor, mac="02:00:00:00:00:01").device
    assert (row.vendor, row.model) == (None, None)


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"mac": "00:15:65:AA:BB"}, MalformedMac),
        ({"mac": "00:15:65:AA:BB:CC", "vendor": "acme"}, UnknownVendor),
        ({"mac": "00:15:65:AA:BB:CC", "model": "T999"}, UnknownModel),
        ({"mac": "02:00:00:00:00:01", "model": "T54W"}, InvalidInput),
        ({"vendor": "yealink"}, InvalidInput),
        ({}, InvalidInput),
        ({"mac": "00:15:65:AA:BB:CC", "model": "T54W", "expansion_modules": 4}, InvalidInput),
        ({"mac": "00:15:65:AA:BB:CC", "name": "a\nb"}, InvalidInput),
    ],
)
def test_bad_input_stores_nothing(core, actor, columns, error):
    """Each fault has its own class and a remedy, and leaves no row behind."""
    with pytest.raises(error) as raised:
        registering.add_device(core, actor, **columns)
    assert raised.value.remedy
    assert rows(core) == 0


def test_one_mac_is_one_device_on_the_whole_server(core, actor, neighbour):
    """A MAC that is registered cannot be registered again, not by another tenant either."""
    registering.add_device(core, actor, mac="00:15:65:AA:BB:CC")
    for other in (actor, neighbour):
        with pytest.raises(DuplicateMac):
            registering.add_device(core, other, mac="001565aabbcc")
    assert rows(core) == 1


@pytest.fixture
def weak(core) -> None:
    """Grandstream's phones as if they could prove no more than their network."""
    known = core.registry
    vendor = known.vendor("grandstream")
    data = replace(vendor.data, highest_trust="network")
    vendors = {**known.vendors, "grandstream": replace(vendor, data=data)}
    core.registry = Registry(vendors, known.disabled, known.roots)


def test_a_phone_that_cannot_prove_enough_is_refused(core, actor, weak):
    """A model that can never prove its site's minimum is refused with the line to change."""
    with pytest.raises(TrustTooLow, match="asks for 'token'") as raised:
        registering.add_device(core, actor, mac="00:0B:82:00:00:01")
    assert '"minimum_trust": "network"' in raised.value.remedy
    assert rows(core) == 0
    with core.database.read() as session:
        site = queries.listed(session, Site, Site.organisation_id == actor.organisation)[0]
    organisations.change_site(core, actor, site.id, {"minimum_trust": "network"})
    assert registering.add_device(core, actor, mac="00:0B:82:00:00:01").device.vendor


def test_a_phone_does_not_move_where_it_cannot_prove_enough(core, actor, weak):
    """Moving a device to a site with a higher minimum is refused like registering it there."""
    lax = organisations.add_site(core, actor, name="lax", minimum_trust="network")
    strict = organisations.add_site(core, actor, name="strict", minimum_trust="password")
    row = registering.add_device(core, actor, mac="00:0B:82:00:00:01", site="lax").device
    assert row.site_id == lax.id
    with pytest.raises(TrustTooLow):
        devices.change_device(core, actor, row.id, {"site": str(strict.id)})


def test_ports_of_an_adapter_are_stations(core, actor):
    """An adapter has one station for each of its ports."""
    row = registering.add_device(
        core, actor, mac="00:0B:82:00:00:02", vendor="grandstream", model="HT812"
    ).device
    with core.database.read() as session:
        found = queries.stations_of(session, row.id)
    assert [(station.position, station.kind) for station in found] == [
        (1, "ata-port"),
        (2, "ata-port"),
    ]
