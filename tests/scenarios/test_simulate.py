"""A virtual phone of every dialect, from its box to its own URL."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from functools import partial
from pathlib import Path

import pytest

from provisioning.domain.mac import Mac
from provisioning.render.cases import case_folders, load_case
from provisioning.simulate.listening import boot_when_told, listen
from provisioning.simulate.phone import VirtualPhone
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import ModelKind

ROOT = Path(__file__).resolve().parents[2] / "templates"
REGISTRY = load_registry([ROOT])
DIALECTS = [
    vendor.id for vendor in REGISTRY if vendor.data.readback and vendor.data.highest_trust != "none"
]
# Models whose file is another than that of the dialect's first golden case.
FORMS = [
    *DIALECTS,
    *("gigaset/N510 IP PRO", "gigaset/N720 DM PRO", "ale/8028s-GE", "ale/4028", "algo/8063"),
    *("poly-obi/OBi200", "poly-obi/OBi202", "poly-obi/VVX D230"),
]
# An adapter whose second port has the user: the first one has no line.
SECOND_PORT = "poly-obi/OBi302"
TRUSTING = {"networks": ["127.0.0.0/8"], "minimum_trust": "network"}
SERIAL = itertools.count(0xA00001)
HOSTS = (f"127.6.{x}.{y}" for x in range(1, 250) for y in range(1, 250))
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
TOLD = [
    name
    for name in DIALECTS
    if (data := REGISTRY.vendor(name).data.reload) and (data.notify or data.reboot)
]
PATIENCE = 60.0


def box(dialect):
    """A phone as it comes from its box: its vendor, the model named or of a case, its MAC."""
    vendor_id, _, model_id = dialect.partition("/")
    vendor = REGISTRY.vendor(vendor_id)
    folder = next(item for item in case_folders(vendor) if item.name == "minimal-user")
    phone = load_case(vendor, folder).phone
    mac = Mac.parse(f"{phone.mac.oui}{next(SERIAL):06x}") if phone.mac else None
    return vendor, vendor.model(model_id or phone.model), mac


@pytest.fixture(scope="module")
def site(server):
    """A site that sends phones which cannot learn our CA to their own URL by HTTP."""
    return server.api("POST", "sites", {"name": "simulated", "allow_http": True})


@pytest.fixture(scope="module")
def trusting(server):
    """A site for phones that can prove no more than where they are."""
    return server.api("POST", "sites", {"name": "simulated in a network", **TRUSTING})


def proves_token(vendor, model):
    """Whether a phone can ever come by a URL of its own."""
    return (model.highest_trust or vendor.data.highest_trust) != "network"


@pytest.fixture
def unbox(server, site, trusting):
    """Register a phone and assign it to Ada: the virtual phone, its device's id, Ada's extension."""
    return partial(_unbox, server, site, trusting)


def _unbox(server, site, trusting, dialect):
    vendor, model, mac = box(dialect)
    ada = server.make_user()
    given = {"mac": str(mac)} if mac else {"name": ada["extension"]}
    here = site if proves_token(vendor, model) else trusting
    columns = {"vendor": vendor.id, "model": model.id, "site": here["id"], **given}
    device = server.api("POST", "devices", columns)
    owner = f"devices/{device['id']}"
    if model.kind is ModelKind.ATA:
        ports = server.api("GET", f"devices/{device['id']}/stations")["items"]
        owner = f"stations/{ports[1 if dialect == SECOND_PORT else 0]['id']}"
    if model.kind is ModelKind.DECT_BASE:
        system = server.api("POST", "dect-systems", {"name": ada["extension"], "site": here["id"]})
        server.api("POST", f"dect-systems/{system['id']}/members", {"device": device["id"]})
        handset = server.api("POST", f"dect-systems/{system['id']}/slots", {"name": "Ada's"})
        owner = f"stations/{handset['id']}"
    server.api("PUT", f"{owner}/assignments", {"users": [ada["id"]]})
    url = server.http if mac else device["enrolment_url"]
    if proves_token(vendor, model) and not vendor.data.adopt.parameters:
        # No file moves it: DHCP tells it its own URL.
        url = server.api("GET", f"devices/{device['id']}/provisioning-url")["http_token_url"]
    ca = "" if mac else server.ca.read_text()
    phone = VirtualPhone(vendor, model.id, mac, url, ca=ca, source=address())
    return phone, device["id"], ada["extension"]


def address():
    """An address of loopback that no other phone of this machine has."""
    return next(HOSTS).replace("127.6.", f"127.{6 + WORKER}.")


@pytest.mark.parametrize("dialect", [*FORMS, SECOND_PORT])
async def test_a_phone_of_every_dialect_boots_and_is_adopted(server, unbox, dialect):
    """It shows its user in the window, goes where it is sent, and is adopted there."""
    phone, device, extension = unbox(dialect)
    report = await phone.boot()
    assert report.problems == ()
    assert [line.user for line in report.shown.lines] == [extension]
    assert all(line.can_register for line in report.shown.lines)

    # One more boot where the phone had to learn our CA first.
    reports = [await phone.reboot(), await phone.reboot()]
    assert [item.problems for item in reports] == [(), ()]
    assert ("/t/" in reports[-1].url) is proves_token(phone.vendor, phone.model)
    assert [line.user for line in reports[-1].shown.lines] == [extension]
    assert server.api("GET", f"devices/{device}")["state"] == "adopted"


def seat(server, device, person, kind):
    """Put another person at a phone: by a hotdesk login where it has one, else by assignment."""
    if kind in (ModelKind.ATA, ModelKind.DECT_BASE):
        places = server.api("GET", f"users/{person['before']}/stations")["items"]
        owner = f"stations/{places[0]['id']}"
        server.api("PUT", f"{owner}/assignments", {"users": [person["id"]]})
        return
    (station,) = server.api("GET", f"devices/{device}/stations")["items"]
    server.api("PATCH", f"stations/{station['id']}", {"hotdesking": "any"})
    server.api("PUT", f"users/{person['id']}/pin", {"pin": "482913"})
    body = {"device": device, "extension": person["extension"], "pin": "482913"}
    server.api("POST", "hotdesk/login", body)


async def settled(server, device):
    """Wait until a phone has all there is for it."""
    deadline = time.monotonic() + PATIENCE
    while (found := server.api("GET", f"devices/{device}/reload"))["state"] != "current":
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.2)


async def test_hd7_a_phone_of_every_dialect_is_told_and_shows_who_came(server, unbox):
    """Somebody sits down, the dialect's NOTIFY comes, the phone loads its files and shows them."""

    async def told(dialect):
        phone, device, extension = unbox(dialect)
        for _ in range(3):
            before = await phone.reboot()
        assert [line.user for line in before.shown.lines] == [extension]
        await settled(server, device)
        bob = server.make_user(first_name="Bob")
        ada = server.api("GET", f"users?q={extension}")["items"][0]["id"]
        sip = await listen(phone, phone.source)
        try:
            seat(server, device, {**bob, "before": ada}, phone.model.kind)
            async with asyncio.timeout(PATIENCE):
                report = await boot_when_told(phone, sip)
        finally:
            sip.close()
        assert report.problems == ()
        assert [line.user for line in report.shown.lines] == [bob["extension"]]
        await settled(server, device)

    # Side by side: most of it is waiting for the moment at which a change is looked at.
    found = await asyncio.gather(*map(told, TOLD), return_exceptions=True)
    assert {name: what for name, what in zip(TOLD, found, strict=True) if what} == {}


@pytest.mark.parametrize("dialect", FORMS)
async def test_a_phone_nobody_registered_shows_nothing(server, dialect):
    """A stranger gets no line and no word of where it might be sent."""
    vendor, model, mac = box(dialect)
    phone = VirtualPhone(vendor, model.id, mac, server.http)
    report = await phone.boot()
    assert report.shown.lines == ()
    assert report.next_url == report.url
    assert {item.status for item in report.requests} <= {200, 404}
    assert report.requests


async def test_a_phone_boots_by_tftp(server):
    """Where the site trusts its network, TFTP brings what a phone shows."""
    site = server.api("POST", "sites", {"name": "simulated by tftp", **TRUSTING})
    vendor, model, mac = box("yealink")
    ada = server.make_user()
    server.make_phone(ada, mac=mac.digits, model=model.id, site=site["id"])
    url = f"tftp://127.0.0.1:{server.tftp_port}/"
    report = await VirtualPhone(vendor, model.id, mac, url).boot()
    assert (report.problems, report.served[0]) == ((), f"{mac.digits}.boot")
    assert [line.user for line in report.shown.lines] == [ada["extension"]]


def test_the_command_tells_what_a_phone_shows(server):
    """`provisioning simulate` boots a registered phone and shows no password."""
    vendor, model, mac = box("yealink")
    ada = server.make_user()
    server.make_phone(ada, mac=mac.digits, model=model.id)
    words = ["simulate", vendor.id, model.id, str(mac), "--url", server.http]
    first, _, last = json.loads(server.command(*words, "--reboots", "2", "--json"))["items"]
    assert (first["url"], last["url"] != first["url"]) == (f"{server.http}/", True)
    assert [line["user"] for line in last["shown"]["lines"]] == [ada["extension"]]
    assert "password" not in json.dumps(last)
