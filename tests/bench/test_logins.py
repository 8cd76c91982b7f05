"""How long it takes from a login to the first byte of the person's file; `make bench` prints it."""

from __future__ import annotations

import asyncio
import statistics
import time

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.doors.http.api.application import api_application
from provisioning.doors.http.listeners import HttpListeners
from provisioning.doors.http.phones import phones_server
from provisioning.usecases import devices, registering, sip, users
from provisioning.usecases.actors import create_token
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.importing import import_sheet

pytestmark = pytest.mark.bench
DEVICES, LOGINS = 10_000, 100
AGENT = {"User-Agent": "Yealink SIP-T54W 96.86.0.45 00:15:65:ff:ff:01"}


@pytest.fixture
def organisation(core, actor):
    """So many devices, one of them a pool phone, and two people with PINs."""
    sip.add_server(core, actor, name="main", registrar="pbx.example.com")
    rows = "".join(f"001565{n:06x},T54W,Desk {n}\n" for n in range(DEVICES))
    job = import_sheet(core, actor, SheetKind.DEVICES, b"mac,model,name\n" + rows.encode())
    assert job.state == ImportState.DONE, job.errors[:3]
    pool = registering.add_device(core, actor, mac="001565ffff01", model="T54W", pool=True).device
    for extension, pin in (("1001", "482913"), ("1002", "917364")):
        user = users.add_user(core, actor, first_name="Ada", extension=extension).user
        users.set_pin(core, actor, user.id, pin)
    return pool


async def test_from_login_to_the_first_new_byte(core, actor, organisation, capsys):
    """Over HTTP in one process: the login by API, then the file that the phone asks for."""
    pool = organisation
    token = {"Authorization": f"Bearer {create_token(core, actor, name='pbx', role='admin')}"}
    path = devices.provisioning_urls(core, actor, pool.id).token_url.partition("/t/")[2]

    async def answer(request):
        return await asyncio.to_thread(fetch_file, core, request)

    listeners = HttpListeners(phones_server(answer), "phones")
    await listeners.start("127.0.0.1", 0)
    host, port = listeners.addresses[0][:2]
    file = f"http://{host}:{port}/t/{path}001565ffff01.cfg"
    took = []
    async with TestServer(api_application(core)) as server, aiohttp.ClientSession() as client:

        async def log_in(extension: str, pin: str) -> None:
            body = {"device": str(pool.id), "extension": extension, "pin": pin}
            begun = time.perf_counter()
            login = await client.post(
                server.make_url("/api/v1/hotdesk/login"), json=body, headers=token
            )
            assert login.status == 200, await login.text()
            fetched = await client.get(file, headers=AGENT)
            first = await fetched.content.read(1)
            took.append(time.perf_counter() - begun)
            assert f"user_name = {extension}" in (first + await fetched.read()).decode()

        for _ in range(LOGINS // 2):
            for who in (("1001", "482913"), ("1002", "917364")):
                await log_in(*who)
                reply = await client.post(
                    server.make_url("/api/v1/hotdesk/logout"),
                    json={"device": str(pool.id)},
                    headers=token,
                )
                assert reply.status == 204
    await listeners.stop(0.1)
    p50, p95 = (statistics.quantiles(took, n=100)[n] * 1000 for n in (49, 94))
    with capsys.disabled():
        print(  # noqa: T201 - what a benchmark is for
            f"\n{core.database.engine.dialect.name}: login to first new byte with {DEVICES} "
            f"devices: p50 {p50:.0f} ms, p95 {p95:.0f} ms"
        )
