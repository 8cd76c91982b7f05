"""The habits of a booting phone, against a server that serves what a test puts there."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from provisioning.domain.errors import InvalidInput
from provisioning.domain.mac import Mac
from provisioning.simulate.phone import VirtualPhone
from provisioning.vendors.registry import load_registry

REGISTRY = load_registry([Path(__file__).resolve().parents[3] / "templates"])
FIRST = "#!version:1.0.0.1\n"
MINE = f"{FIRST}account.1.enable = 1\naccount.1.user_name = 1001\n"


class Shelf:
    """What a server has: texts or statuses by name, and the User-Agents that asked."""

    def __init__(self):
        self.files = {}
        self.asked = []
        self.agents = set()

    async def answer(self, request):
        """The file of that name, its status if it is a number, else 404."""
        name = request.path.lstrip("/")
        self.asked.append(name)
        self.agents.add(request.headers["User-Agent"])
        found = self.files.get(name, 404)
        return web.Response(status=found) if isinstance(found, int) else web.Response(text=found)


@pytest.fixture
def shelf():
    """An empty server."""
    return Shelf()


@pytest.fixture
async def phone(shelf, aiohttp_server):
    """Make a phone that knows that server."""
    app = web.Application()
    app.router.add_get("/{name:.*}", shelf.answer)
    server = await aiohttp_server(app)
    macs = {"yealink": "001565000001", "poly-ucs": "0004f2000001"}

    def make(vendor, model, url=""):
        address = url or str(server.make_url("/"))
        return VirtualPhone(REGISTRY.vendor(vendor), model, Mac.parse(macs[vendor]), address)

    return make


async def test_without_a_boot_file_a_yealink_asks_for_its_files_by_name(shelf, phone):
    """Each name is asked for although those before it were not found."""
    shelf.files["001565000001.cfg"] = MINE
    report = await phone("yealink", "T54W").boot()
    assert [(item.name, item.status) for item in report.requests] == [
        ("001565000001.boot", 404),
        ("y000000000000.boot", 404),
        ("y000000000096.cfg", 404),
        ("001565000001.cfg", 200),
    ]
    assert [line.user for line in report.shown.lines] == ["1001"]
    assert not report.shown.lines[0].can_register
    assert shelf.agents == {"Yealink SIP-T54W 96.86.0.45 00:15:65:00:00:01"}


async def test_a_boot_file_says_what_is_asked_for(shelf, phone):
    """The included files are fetched once each, also if they stand there twice, and no others."""
    shelf.files = {
        "001565000001.boot": FIRST + "include:config <x.cfg>\ninclude:config <x.cfg>\n"
        "include:config <001565000001.cfg>\n",
        "001565000001.cfg": MINE,
    }
    report = await phone("yealink", "T54W").boot()
    assert shelf.asked == ["001565000001.boot", "x.cfg", "001565000001.cfg"]
    assert report.served == ("001565000001.boot", "001565000001.cfg")


async def test_without_its_master_a_poly_asks_for_everybodys(shelf, phone):
    """Files below the master are not asked for when it is missing."""
    await phone("poly-ucs", "VVX 450").boot()
    assert shelf.asked[:2] == ["0004f2000001.cfg", "000000000000.cfg"]
    assert not [name for name in shelf.asked if "user" in name]


async def test_a_failing_server_ends_the_boot_and_is_told(shelf, phone):
    """After a 503 the phone waits for later instead of asking for more."""
    shelf.files["001565000001.boot"] = 503
    report = await phone("yealink", "T54W").boot()
    assert shelf.asked == ["001565000001.boot"]
    assert "503" in report.problems[0]


async def test_an_unreadable_file_is_told_and_sets_nothing(shelf, phone):
    """A file that is not of its form is a problem, and what was held stays."""
    shelf.files["001565000001.cfg"] = MINE
    desk = phone("yealink", "T54W")
    await desk.boot()
    shelf.files["001565000001.cfg"] = "<html>login</html>"
    report = await desk.boot()
    assert "cannot read" in report.problems[0]
    assert [line.user for line in report.shown.lines] == ["1001"]


async def test_what_a_file_omits_stays_as_it_was(shelf, phone):
    """A phone keeps a setting that a new file merely leaves out, and drops one sent empty."""
    shelf.files["001565000001.cfg"] = MINE + "account.1.label = Ada\nlang.gui = German\n"
    desk = phone("yealink", "T54W")
    await desk.boot()
    shelf.files["001565000001.cfg"] = MINE + "account.1.label = %NULL%\n"
    report = await desk.boot()
    assert (report.shown.lines[0].label, report.shown.language) == ("", "de")


async def test_a_reboot_goes_where_the_file_said(shelf, phone):
    """The next boot asks at the new place, and the one before is forgotten."""
    desk = phone("yealink", "T54W")
    shelf.files["001565000001.cfg"] = (
        f"{MINE}static.auto_provision.server.url = {desk.place.url}t/token/\n"
    )
    first = await desk.boot()
    assert first.next_url == f"{first.url}t/token/"
    shelf.asked.clear()
    second = await desk.reboot()
    assert second.url == first.next_url
    assert {name.rpartition("/")[0] for name in shelf.asked} == {"t/token"}


@pytest.mark.parametrize(
    "url", ["ftp://pbx.example.com/", "pbx.example.com", "http://", "http://x:y/"]
)
async def test_a_url_no_phone_takes_is_refused(phone, url):
    """Only http, https and tftp with a host are places to ask."""
    with pytest.raises(InvalidInput):
        phone("yealink", "T54W", url)


async def test_nobody_there_is_a_problem_and_no_crash(phone):
    """A refused connection is told once; the phone does not go on asking."""
    report = await phone("yealink", "T54W", "http://127.0.0.1:9/").boot()
    assert [item.status for item in report.requests] == [0]
    assert len(report.problems) == 1
