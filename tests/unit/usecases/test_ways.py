"""Which ways there are to tell a phone, by what is known of it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from provisioning.domain.kinds import Way
from provisioning.usecases.ports import Connector, Contact
from provisioning.usecases.ways import Reach, ways
from provisioning.vendors.behaviour import HttpReload
from provisioning.vendors.schema import Reload as ReloadData


def test_ways_follow_the_order_of_the_place():
    """Each way that can be is there once, in the place's order."""
    data = ReloadData(notify="check-sync", http=HttpReload(path="/sync"))
    pbx = Connector("pbx", 5038)
    reach = Reach("192.0.2.1", contact=Contact("7", "192.0.2.1"), pbx=pbx)
    found = ways(uuid4(), data, ("http", "asterisk", "freeswitch", "sip"), reach)
    assert [item.way for item in found] == [Way.HTTP, Way.ASTERISK, Way.SIP]
    assert ways(uuid4(), ReloadData(none="it cannot"), tuple(Way), reach) == []
    restart = ways(uuid4(), ReloadData(reboot="resync", restarts=True), tuple(Way), reach)
    assert {item.event for item in restart} == {"resync"}


@pytest.mark.parametrize(
    ("pbx", "alone", "found"),
    [
        (Way.ASTERISK, True, [Way.ASTERISK]),
        (Way.ASTERISK, False, []),
        (Way.FREESWITCH, False, [Way.FREESWITCH]),
    ],
)
def test_phone_away_is_told_by_a_pbx_that_needs_no_address(pbx, alone, found):
    """Behind a NAT Asterisk is asked only for a whole account, never to send to the NAT itself."""
    contact = Contact("7", "8.8.8.8", alone=alone)
    away = Reach("", "it is behind a NAT", contact, Connector("pbx", 5038, way=pbx))
    data = ReloadData(notify="check-sync", http=HttpReload(path="/sync"))
    assert [item.way for item in ways(uuid4(), data, tuple(Way), away)] == found
