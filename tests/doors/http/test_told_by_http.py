"""Phones that this server asks over HTTPS to load their files, from the change to *current*.

The phone is a web server on loopback; what it fetches then comes through the phones' real door.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from provisioning.crypto.authority import Authority
from provisioning.doors.tls import server_context
from provisioning.outbound.http_action import HttpTeller
from provisioning.simulate.browsers import shown
from provisioning.store import outbox
from provisioning.usecases import (
    assignments,
    devices,
    previews,
    progress,
    registering,
    sip,
    users,
)
from provisioning.usecases import settings as values
from provisioning.usecases.purposes import PURPOSE_PHONE
from provisioning.usecases.reload import settle, to_tell, told

sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
BASIC = 'Basic realm="phone"'
DIGEST = 'Digest realm="phone", nonce="n1", qop="auth", algorithm=MD5'
MODELS = {"yealink": ("T54W", "001565aabbcc"), "snom": ("D735", "000413aabbcc")}


@dataclass
class WebServer:
    """A phone's web server: it asks for a login by these challenges, and then answers so."""

    password: str
    challenges: tuple[str, ...]
    status: int = 200
    port: int = 0
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Note what came and answer it."""
        sent = request.headers.get("Authorization", "")
        self.asked.append(f"{request.method} {request.raw_path}")
        self.sent.append(sent)
        if not self._is_right(request, sent):
            headers = [("WWW-Authenticate", challenge) for challenge in self.challenges]
            return web.Response(status=401, headers=headers)
        return web.Response(status=self.status)

    def _is_right(self, request: web.Request, sent: str) -> bool:
        if sent.startswith("Basic "):
            login = base64.b64decode(sent.removeprefix("Basic ")).decode()
            return BASIC in self.challenges and login == f"admin:{self.password}"
        given = dict(re.findall(r'(\w+)="?([^",]+)', sent))
        if not given or given["uri"] != request.raw_path:
            return False
        secret, what = f"admin:phone:{self.password}", f"{request.method}:{given['uri']}"
        used = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:auth"
        return given["response"] == _md5(f"{_md5(secret)}:{used}:{_md5(what)}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


Open = Callable[..., AbstractAsyncContextManager[WebServer]]


@pytest.fixture
def open_web_server(authority: Authority) -> Open:
    """Open a phone's web server, with a certificate nobody knows."""

    @asynccontextmanager
    async def start(password: str, *challenges: str, status: int = 200) -> AsyncIterator[WebServer]:
        phone = WebServer(password, challenges, status)
        runner = web.ServerRunner(web.Server(phone.answer))
        await runner.setup()
        tls = server_context(authority.ensure_chain(["localhost"], datetime.now(UTC)))
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        phone.port = runner.addresses[0][1]
        yield phone
        await runner.cleanup()

    return start


@dataclass
class Desk:
    """Ada's phone, which has its files and is to be told over HTTP alone."""

    core: object
    actor: object
    door: object
    vendor: str
    device: object = None
    user: object = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def register(self) -> None:
        """Make Ada and her phone."""
        model, mac = MODELS[self.vendor]
        sip.add_server(self.core, self.actor, name="main", registrar="pbx.example.com")
        self.user = users.add_user(
            self.core, self.actor, first_name="Ada", last_name="Lovelace", extension="1001"
        ).user.id
        self.device = registering.add_device(
            self.core, self.actor, mac=mac, vendor=self.vendor, model=model, name="Desk 1"
        ).device
        assignments.assign_device(self.core, self.actor, self.device.id, [self.user])
        site = self.device.site_id
        given = {"reload.ways": ["http"], "reload.http-from": ["198.51.100.5"]}
        values.set_values(self.core, self.actor, "site", site, given)

    def password(self) -> str:
        """That of its administrator, which was made for this one phone."""
        return self.core.cipher.decrypt(self.device.admin_password_encrypted, PURPOSE_PHONE)

    async def get(self, url: str) -> str:
        """What a URL of this server gives it."""
        reply = await self.door.get(urlsplit(url).path, self.door.https[0])
        assert reply.status == 200, (url, reply)
        return reply.body.decode()

    async def fetch(self) -> str:
        """All its files, as it fetches them at its own URL."""
        url = devices.provisioning_urls(self.core, self.actor, self.device.id).token_url
        named = previews.list_files(self.core, self.actor, self.device.id)
        return "\n".join([await self.get(url + item.path) for item in named])

    def look(self) -> None:
        """Turn the clock until changes have gathered, and look at them."""
        self.now = max(self.now, datetime.now(UTC)) + outbox.COALESCE * 2
        while settle(self.core):
            pass

    def change(self) -> None:
        """Change what its files say."""
        self.look()
        users.change_user(self.core, self.actor, self.user, {"last_name": "King"})
        self.look()

    async def tell(self, phone: WebServer):
        """Have it told at the port its web server has here, and write what came of it."""
        (item,) = to_tell(self.core, self.now, 10)
        told_here = replace(item, http=replace(item.http, port=phone.port))
        told(self.core, item, await HttpTeller().tell(told_here), self.now)
        return item

    def status(self) -> str:
        """The line about it."""
        return progress.read_reload(self.core, self.actor, self.device.id).status


@pytest.fixture
async def make_desk(core, actor, door):
    """Register a phone that fetches its files over HTTPS."""

    async def make(vendor: str) -> Desk:
        made = Desk(core, actor, door, vendor)
        core.clock = lambda: made.now
        core.database.moment = lambda _session: made.now
        made.register()
        await made.fetch()
        made.change()
        assert made.status() == "saved"
        return made

    return make


@sqlite
@pytest.mark.parametrize("challenges", [(BASIC,), (DIGEST,), (BASIC, DIGEST)])
async def test_yealink_is_asked_by_its_action_uri_until_it_is_current(
    make_desk, open_web_server, challenges
):
    """It is asked to provision itself, with its own password when it asks for it, and comes."""
    desk = await make_desk("yealink")
    async with open_web_server(desk.password(), *challenges) as phone:
        await desk.tell(phone)
    assert phone.asked == ["GET /servlet?key=AutoP"] * 2
    assert phone.sent[0] == ""
    assert phone.sent[1].split()[0] == ("Digest" if DIGEST in challenges else "Basic")
    assert desk.status() == "told by HTTP, The phone answered 200."
    desk.now += timedelta(seconds=2)
    files = await desk.fetch()
    assert "features.action_uri_limit_ip = 198.51.100.5\n" in files
    assert "Ada King" in files
    desk.look()
    assert desk.status().startswith("current since ")


@sqlite
async def test_yealink_that_does_not_take_our_address_is_told_so(make_desk, open_web_server):
    """What a phone refuses is said with the setting that it comes from."""
    desk = await make_desk("yealink")
    async with open_web_server(desk.password(), BASIC, status=403) as phone:
        await desk.tell(phone)
    assert "reload.http-from" in desk.status()
    assert desk.status().startswith("saved; not reached by HTTP: The phone refused (403)")


@sqlite
@pytest.mark.parametrize("challenges", [(DIGEST,), (BASIC,)])
async def test_snom_opens_the_screen_that_reloads_and_is_current_once_it_has_come(
    make_desk, open_web_server, challenges
):
    """It opens our screen and then loads its settings: the screen alone is no proof of that."""
    desk = await make_desk("snom")
    async with open_web_server(desk.password(), *challenges) as phone:
        item = await desk.tell(phone)
    named = re.fullmatch(r"GET /minibrowser\.htm\?url=([A-Za-z0-9%._-]+)", phone.asked[1])
    url = named[1].replace("%3A", ":").replace("%2F", "/")
    assert re.fullmatch(r"https://prov\.example\.com:8443/s/[a-z0-9]{16,}/reload", url)
    assert phone.asked[0] == phone.asked[1]
    assert url not in repr(item)
    desk.now += timedelta(seconds=2)
    screen = await desk.get(url)
    assert shown("snom", screen.encode()).loads
    assert '<fetch mil="2000">snom://mb_exit#reloadset</fetch>' in screen
    assert desk.status() == "told by HTTP, The phone answered 200."
    files = await desk.fetch()
    assert '<mb_trusted_hosts perm="R">prov.example.com</mb_trusted_hosts>' in files
    assert '<use_hidden_tags perm="R">off</use_hidden_tags>' in files
    desk.look()
    assert desk.status().startswith("current since ")


@sqlite
async def test_phone_whose_screens_reload_nothing_has_no_such_screen(make_desk):
    """A screen that would do nothing is not there."""
    desk = await make_desk("yealink")
    files = await desk.fetch()
    token = re.search(r"/s/([a-z0-9]+)/", files)[1]
    reply = await desk.door.get(f"/s/{token}/reload", desk.door.https[0])
    assert reply.status == 404
