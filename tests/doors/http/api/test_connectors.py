"""Connectors over the API, with PBXs that answer on loopback."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from provisioning.config.schema import Outbound
from provisioning.outbound.reaching import reaching

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

SECRET = "Canary-Of-Connector"


@pytest.fixture
async def asterisk():
    """An Asterisk on loopback that lets one user in; its port."""

    async def serve(reader, writer):
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            login = await reader.readuntil(b"\r\n\r\n")
            number = login.split(b"ActionID: ")[1].split(b"\r\n")[0]
            good = b"Username: roost\r\nSecret: Canary-Of-Connector\r\n" in login
            said = b"Success" if good else b"Error"
            words = b"Authentication accepted" if good else b"Authentication failed"
            writer.write(
                b"Response: " + said + b"\r\nActionID: " + number + b"\r\nMessage: " + words
                + b"\r\n\r\n"
            )  # fmt: skip
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def path(office):
    """Where the connector of the office's SIP server is."""
    return f"/sip-servers/{office['server']}/connector"


async def test_connector_is_set_read_tried_and_deleted(core, api, path, asterisk):
    """A connector is set, shown without its password, tried with it, and deleted."""
    core.reach = reaching(())
    assert (await api("GET", path)).status == 404
    wanted = {"kind": "asterisk", "host": "127.0.0.1", "port": asterisk, "username": "roost"}
    made = await api("PUT", path, wanted | {"password": SECRET})
    assert made.status == 200
    assert made.json == (await api("GET", path)).json
    assert made.json["host"] == "127.0.0.1"
    tried = await api("POST", f"{path}/test")
    assert tried.json == {
        "well": True,
        "words": "Asterisk Call Manager/9.0.0: Authentication accepted",
    }
    await api("PUT", path, wanted | {"password": "Wrong-One"})
    tried = await api("POST", f"{path}/test")
    assert tried.json == {"well": False, "words": "Asterisk says: Authentication failed."}
    assert (await api("DELETE", path)).status == 204
    assert (await api("POST", f"{path}/test")).status == 404
    assert SECRET.encode() not in b"".join(api.answers)


async def test_at8_tenant_cannot_look_around_the_server(core, api, path, asterisk):
    """AT8: with the default configuration no connector leads to the server's own machine."""
    core.reach = reaching(Outbound().refuse)
    for host in ("127.0.0.1", "localhost", "2130706433", "169.254.169.254"):
        wanted = {"kind": "asterisk", "host": host, "port": asterisk, "username": "roost"}
        assert (await api("PUT", path, wanted | {"password": SECRET})).status == 200, host
        told = (await api("POST", f"{path}/test")).json
        assert not told["well"]
        assert "outbound.refuse" in told["words"], host


async def test_changes_to_a_connector_need_the_revision_that_was_read(api, path):
    """A change based on an older reading is refused."""
    wanted = {"kind": "freeswitch", "host": "192.0.2.5", "password": SECRET}
    first = await api("PUT", path, wanted)
    second = await api("PUT", path, wanted | {"profile": "lan"}, headers={"If-Match": '"1"'})
    assert (first.status, second.status) == (200, 200)
    stale = await api("PUT", path, wanted, headers={"If-Match": '"1"'})
    assert (stale.status, stale.json["code"]) == (412, "stale-revision")
