"""The phone's own log-in over HTTP: a challenge, the person's file, what is sent back, and no trace."""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from provisioning.crypto.challenges import answer
from provisioning.domain.mac import Mac
from provisioning.logs import configure_logs
from provisioning.render.syntax import lines
from provisioning.simulate.phone import VirtualPhone
from provisioning.store.base import Base
from provisioning.usecases import devices, organisations, pins, registering, seats, sip, users
from provisioning.usecases.native import LARGEST
from provisioning.usecases.pace import Pace
from provisioning.usecases.pages import Page
from provisioning.usecases.settings import set_values
from provisioning.usecases.stations import first_station

# What it does to the database is tested with the use cases, on both.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

CANARY = "739164"
MAC = "1400E9000001"
CHALLENGED = re.compile('Digest realm="Provisioning", qop="auth", nonce="[^"]+", algorithm=MD5')


@dataclass
class Phone:
    """A phone with a log-in of its own, at the plain listener."""

    door: object
    file: dict[str, str]

    def path(self, name: str = "1001.cfg") -> str:
        """Where a person's file is, without the server's name."""
        return urlsplit(self.file["user config url"]).path + name

    async def ask(self, who: str, pin: str = "", name: str = "1001.cfg", method: str = "GET"):
        """Ask for a file with a name and a PIN, by answering the challenge, or without."""
        path = self.path(name)
        asked = await self.door.get(path, method=method)
        if not who or asked.status != 401:
            return asked
        challenges = [asked["www-authenticate"]]
        proof = answer(challenges, method=method, uri=path, user=who, password=pin)
        return await self.door.get(path, headers={"Authorization": proof}, method=method)

    async def put(self, body: bytes, *, length: int | None = None, name: str = "1001_local.cfg"):
        """Send a file."""
        head = f"PUT {self.path(name)} HTTP/1.1\r\nHost: x\r\n"
        head += f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
        return await self.door.send(head.encode() + body)


@pytest.fixture
async def phone(core, actor, door):
    """A pool phone with an account of its own, that has its file."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.native": True})
    device = registering.add_device(core, actor, mac=MAC, model="6930", pool=True).device
    organisations.change_site(core, actor, device.site_id, {"allow_http": True})
    sip.add_server(core, actor, name="main", registrar="pbx.example.com")
    station = first_station(core, actor, device.id).station.id
    sip.add_account(core, actor, username="place-1", station_id=station)
    made = users.add_user(core, actor, first_name="Ada", last_name="Lovelace", extension="1001")
    users.set_pin(core, actor, made.user.id, CANARY)
    url = urlsplit(devices.provisioning_urls(core, actor, device.id).token_url)
    reply = await door.get(f"{url.path}{MAC}.cfg")
    return Phone(door, dict(lines.mitel(reply.body.decode())))


def sitting(core, actor) -> int:
    """How many sit anywhere."""
    return len(seats.list_sessions(core, actor, Page()))


async def test_g2_curl_logs_in_as_the_phone_does(core, actor, phone, client_program, tmp_path):
    """A client that waits for the challenge gets both files, sends one, and has it the next time."""
    host, port = phone.door.http[0][:2]
    url = f"http://{host}:{port}{phone.path('')}"
    sent = tmp_path / "sent"
    sent.write_text("ring tone: 3\n")

    async def curl(*arguments: str) -> str:
        ran = await asyncio.create_subprocess_exec(
            client_program("curl"), "--silent", "--fail", "--max-time", "20", *arguments,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await ran.communicate()
        assert ran.returncode == 0, arguments
        return out.decode()

    login = ("--digest", "--user", f"1001:{CANARY}")
    assert "sip line1 user name: 1001\n" in await curl(*login, f"{url}1001.cfg")
    assert await curl(*login, f"{url}1001_local.cfg") == ""
    assert await curl("--upload-file", str(sent), f"{url}1001_local.cfg") == "OK\n"
    assert await curl(f"{url}1001_local.cfg") == "ring tone: 3\n"
    assert sitting(core, actor) == 1


async def test_hd8_a_virtual_phone_shows_one_after_the_other(core, actor, phone):
    """Ada, log-out, Bob: each is shown with a line of their own, and nothing of who was there before."""
    host, port = phone.door.http[0][:2]
    core.places = replace(core.places, http=f"http://{host}:{port}")
    made = users.add_user(core, actor, first_name="Bob", last_name="Babbage", extension="1002")
    users.set_pin(core, actor, made.user.id, "917364")
    mac = Mac.parse(MAC)
    url = devices.provisioning_urls(core, actor, str(mac)).token_url.replace(
        urlsplit(core.places.https).netloc, f"{host}:{port}"
    )
    virtual = VirtualPhone(core.registry.vendor("mitel"), "6930", mac, url.replace("https", "http"))
    guest = (await virtual.boot()).shown
    assert await virtual.log_in("1001", "000001") is None
    ada = await virtual.log_in("1001", CANARY)
    assert [line.user for line in ada.lines] == ["1001"]
    assert all(line.can_register for line in ada.lines)
    assert (await virtual.boot()).shown == guest
    assert [line.user for line in guest.lines] == ["place-1"]
    await phone.door.get(phone.path("").replace("users/", "event/registered?user=place-1"))
    bob = await virtual.log_in("1002", "917364")
    assert [line.user for line in bob.lines] == ["1002"]
    assert not re.search("1001|Ada|Lovelace|place-1", repr(bob))
    assert sitting(core, actor) == 1


async def test_hd9_what_the_phone_is_answered(core, actor, phone):
    """Digest is asked for, also of a wrong PIN; who may not is 403; who has to wait is told how long."""
    for asked in (phone.ask(""), phone.ask("1001", "1"), phone.ask("1002", CANARY)):
        reply = await asked
        assert reply.status == 401
        assert CHALLENGED.fullmatch(reply["www-authenticate"])
        assert reply["cache-control"] == "no-store"
    clear = base64.b64encode(f"1001:{CANARY}".encode()).decode()
    for given in (
        f"Basic {clear}",
        "Basic",
        "Basic ====",
        "Digest a=b",
        "Basic " + "A" * 3000,
        "\xff",
    ):
        reply = await phone.door.get(phone.path(), headers={"Authorization": given})
        assert reply.status == 401, given
    set_values(core, actor, "organisation", actor.organisation, {"feature.hotdesking": False})
    assert (await phone.ask("1001", CANARY)).status == 403
    core.logins = Pace(0)
    busy = await phone.ask("1001", CANARY)
    assert (busy.status, busy["retry-after"]) == (503, "30")
    core.logins = Pace(200)
    for _ in range(5):
        await phone.ask("1001", "1")
    waits = await phone.ask("1001", CANARY)
    assert (waits.status, waits["retry-after"]) == (503, "900")
    assert sitting(core, actor) == 0


async def test_only_the_folder_takes_what_is_sent_and_not_much(core, actor, phone):
    """Elsewhere nothing is sent; 64 KiB are taken where the phone holds the person, and no more."""
    assert (await phone.put(b"a: 1\n")).status == 404
    login = await phone.ask("1001", CANARY)
    assert login.status == 200
    assert login["cache-control"] == "private, no-store"
    assert (await phone.put(b"#" * LARGEST)).status == 200
    assert (await phone.put(b"#" * (LARGEST + 1))).status == 413
    assert (await phone.put(b"", length=10**12)).status == 413
    chunk = b"%x\r\n" % (LARGEST + 1) + b"#" * (LARGEST + 1) + b"\r\n0\r\n\r\n"
    head = f"PUT {phone.path('1001_local.cfg')} HTTP/1.1\r\nHost: x\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk
    assert (await phone.door.send(chunked)).status == 413
    assert (await phone.put(b"a: 1\n", name="1001.cfg")).status == 404
    for path in (
        phone.path("").replace("users/", "hotdesk"),
        f"/{MAC}.cfg",
        "/users/1001_local.cfg",
    ):
        reply = await phone.door.get(path, method="PUT")
        assert (reply.status, reply["allow"]) == (405, "GET, HEAD"), path
    for method in ("POST", "DELETE"):
        assert (await phone.door.get(phone.path(), method=method)).status == 405
    assert (await phone.ask("1001", CANARY, method="HEAD")).status == 404


async def test_g3_no_log_holds_what_was_typed_or_sent(core, actor, phone, capfd, monkeypatch):
    """Neither logs nor any table hold the PIN, what was typed for a name, the token or the upload."""
    configure_logs("debug")
    token = phone.path("").split("/")[2]
    for who, pin, name in (
        ("1001", f"{CANARY}1", "1001.cfg"),
        (CANARY, CANARY, f"{CANARY}.cfg"),
        ("", "", f"{CANARY}_local.cfg"),
        ("1001", CANARY, "1001.cfg"),
    ):
        await phone.ask(who, pin, name)
    await phone.put(f"pin: {CANARY}\n".encode())
    with monkeypatch.context() as broken:
        broken.setattr(pins, "verify_digest", lambda *_, **__: 1 / 0)
        assert (await phone.ask("1001", CANARY)).status == 503
    core.log.flush()
    captured = capfd.readouterr()
    assert "ZeroDivisionError" in captured.err
    kept = [captured.err, captured.out]
    with core.database.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = session.execute(text(f'SELECT * FROM "{table.name}"')).mappings()
            kept += [f"{table.name}: {dict(row)}" for row in rows]
    assert any(line.startswith("fetch") and "users/***" in line for line in kept)
    assert [line[:400] for line in kept for secret in (CANARY, token) if secret in line] == []
