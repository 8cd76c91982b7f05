"""Connectors: how PBXs are reached, whose passwords stay where they were set for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from provisioning.domain.errors import Forbidden, InvalidInput, NotFound, StaleRevision
from provisioning.domain.kinds import Way
from provisioning.domain.roles import Permission
from provisioning.store.audit import MASK, AuditEvent
from provisioning.store.connectors import Connector
from provisioning.usecases import connectors, ports, sip
from provisioning.usecases.connectors import connector_of

SECRET = "Canary-Of-Connector"
ASTERISK = {"kind": "asterisk", "host": "pbx.example.com", "username": "roost"}


@pytest.fixture
def server(core, actor):
    """A SIP server without a connector."""
    return sip.add_server(core, actor, name="main", registrar="pbx.example.com")


@pytest.fixture
def put(core, actor, server):
    """Set the server's connector."""

    def put(**given):
        return connectors.set_connector(core, actor, server.id, **(ASTERISK | given))

    return put


def test_connector_is_found_by_whoever_tells_phones(core, server, put):
    """A connector is read with its password and its way by those who tell phones."""
    with core.database.read() as session:
        assert connector_of(session, core.cipher, server.id) is None
    put(password=SECRET)
    with core.database.read() as session:
        found = connector_of(session, core.cipher, server.id)
    assert found == ports.Connector("pbx.example.com", 5038, "roost", SECRET, way=Way.ASTERISK)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("given", "port", "profile"),
    [
        ({}, 5038, ""),
        ({"tls": True}, 5039, ""),
        ({"kind": "freeswitch", "username": ""}, 8021, "internal"),
        ({"kind": "freeswitch", "username": "", "port": 8022, "profile": "lan"}, 8022, "lan"),
    ],
)
def test_what_is_left_out_is_as_the_pbx_has_it(put, given, port, profile):
    """Port and profile are those of the PBX's own configuration unless told."""
    row = put(password=SECRET, **given)
    assert (row.port, row.profile) == (port, profile)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "kamailio"}, "kind"),
        ({"host": "http://x/"}, "host"),
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"username": ""}, "username"),
        ({"username": "a\r\nAction: x"}, "username"),
        ({"profile": "internal"}, "profile"),
        ({"kind": "freeswitch"}, "username"),
        ({"kind": "freeswitch", "username": "", "profile": "a b"}, "profile"),
        ({"kind": "freeswitch", "username": "", "tls": True}, "tls"),
        ({"ca_pem": "x"}, "ca_pem"),
        ({"tls": True, "ca_pem": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END"}, "ca_pem"),
        ({"password": ""}, "password"),
        ({"password": "two words"}, "password"),
        ({"password": "a\r\nb"}, "password"),
    ],
)
def test_odd_connectors_are_refused(core, actor, server, put, given, field):
    """A value no conversation could carry is refused by its name, and nothing is kept."""
    with pytest.raises(InvalidInput) as refused:
        put(**({"password": SECRET} | given))
    assert refused.value.field == field
    with pytest.raises(NotFound):
        connectors.read_connector(core, actor, server.id)


@pytest.mark.parametrize(
    "change",
    [
        {"host": "evil.example"},
        {"port": 5040},
        {"username": "other"},
        {"tls": True},
        {"kind": "freeswitch", "username": ""},
    ],
)
def test_password_goes_nowhere_else(core, server, put, change):
    """A stored password is not sent to another place: there it has to be given again."""
    put(password=SECRET)
    with pytest.raises(InvalidInput) as refused:
        put(**change)
    assert refused.value.field == "password"
    put(password="Another-One", **change)
    with core.database.read() as session:
        assert connector_of(session, core.cipher, server.id).password == "Another-One"


def test_password_stays_with_its_place(core, actor, server, put):
    """What a password does not belong to changes without it."""
    put(password=SECRET, kind="freeswitch", username="")
    row = put(kind="freeswitch", username="", profile="lan")
    assert row.profile == "lan"
    with core.database.read() as session:
        assert connector_of(session, core.cipher, server.id).password == SECRET
    with pytest.raises(StaleRevision):
        put(kind="freeswitch", username="", revision=row.revision - 1)
    with pytest.raises(StaleRevision):
        connectors.delete_connector(core, actor, server.id, row.revision - 1)


def test_password_stands_nowhere_in_clear(core, put):
    """Neither the row nor the audit log holds the password."""
    put(password=SECRET)
    with core.database.read() as session:
        row = session.scalars(select(Connector)).one()
        told = session.scalars(select(AuditEvent).where(AuditEvent.kind == "connector")).one()
        assert SECRET.encode() not in row.password_encrypted
        assert SECRET not in f"{told.before}{told.after}"
        assert told.after["password_encrypted"] == MASK


def test_connector_goes_with_its_server(core, actor, server, put):
    """Deleting a connector, or its SIP server, leaves nothing to be asked."""
    put(password=SECRET)
    connectors.delete_connector(core, actor, server.id)
    with pytest.raises(NotFound):
        connectors.delete_connector(core, actor, server.id)
    put(password=SECRET)
    sip.delete_server(core, actor, server.id)
    with core.database.read() as session:
        assert connector_of(session, core.cipher, server.id) is None


def test_neighbours_have_no_connector_of_ours(core, neighbour, server, put):
    """Another organisation reads, sets, tries and deletes no connector of ours."""
    put(password=SECRET)
    for call in (
        connectors.read_connector,
        connectors.delete_connector,
        connectors.test_connector,
        lambda *at: connectors.set_connector(*at, password="Their-Own", **ASTERISK),
    ):
        with pytest.raises(NotFound):
            call(core, neighbour, server.id)


def test_reading_alone_sets_and_tries_nothing(core, actor, server, put):
    """Who may only read sees a connector, and neither changes it nor makes us connect."""
    put(password=SECRET)
    reader = replace(actor, permissions=frozenset({Permission.READ}))
    assert connectors.read_connector(core, reader, server.id).host == "pbx.example.com"
    for call in (
        connectors.delete_connector,
        connectors.test_connector,
        lambda *at: connectors.set_connector(*at, password=SECRET, **ASTERISK),
    ):
        with pytest.raises(Forbidden):
            call(core, reader, server.id)


def test_trying_reaches_the_pbx_with_everything_it_needs(core, actor, server, put):
    """What is tried is what was set, its password included; what came of it is answered."""
    asked = []

    def reach(connector):
        asked.append(connector)
        return ports.Heard(well=True, words="Hello")

    put(password=SECRET)
    core.reach = reach
    assert connectors.test_connector(core, actor, server.id) == ports.Heard(True, "Hello")
    assert (asked[0].host, asked[0].password) == ("pbx.example.com", SECRET)


def test_process_without_connections_says_so(core, actor, server, put):
    """A core nobody gave connections answers that it has none."""
    put(password=SECRET)
    assert not connectors.test_connector(core, actor, server.id).well
