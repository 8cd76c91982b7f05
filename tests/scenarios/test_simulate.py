"""A virtual phone of every dialect, from its box to its own URL."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from provisioning.domain.mac import Mac
from provisioning.render.cases import case_folders, load_case
from provisioning.simulate.phone import VirtualPhone
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import ModelKind

ROOT = Path(__file__).resolve().parents[2] / "templates"
REGISTRY = load_registry([ROOT])
DIALECTS = [
    vendor.id for vendor in REGISTRY if vendor.data.readback and vendor.data.highest_trust != "none"
]
SERIAL = itertools.count(0xA00001)


def box(vendor_id):
    """A phone as it comes from its box: its vendor, a model there is a golden case of, its MAC."""
    vendor = REGISTRY.vendor(vendor_id)
    folder = next(item for item in case_folders(vendor) if item.name == "minimal-user")
    phone = load_case(vendor, folder).phone
    mac = Mac.parse(f"{phone.mac.oui}{next(SERIAL):06x}") if phone.mac else None
    return vendor, vendor.model(phone.model), mac


@pytest.fixture(scope="module")
def site(server):
    """A site that sends phones which cannot learn our CA to their own URL by HTTP."""
    return server.api("POST", "sites", {"name": "simulated", "allow_http": True})


@pytest.fixture
def unboxed(server, site, request):
    """A registered phone assigned to Ada: the virtual phone, its device's id, Ada's extension."""
    vendor, model, mac = box(request.param)
    ada = server.make_user()
    given = {"mac": str(mac)} if mac else {"name": ada["extension"]}
    columns = {"vendor": vendor.id, "model": model.id, "site": site["id"], **given}
    device = server.api("POST", "devices", columns)
    owner = f"devices/{device['id']}"
    if model.kind is ModelKind.DECT_BASE:
        system = server.api("POST", "dect-systems", {"name": ada["extension"], "site": site["id"]})
        server.api("POST", f"dect-systems/{system['id']}/members", {"device": device["id"]})
        handset = server.api("POST", f"dect-systems/{system['id']}/slots", {"name": "Ada's"})
        owner = f"stations/{handset['id']}"
    server.api("PUT", f"{owner}/assignments", {"users": [ada["id"]]})
    url = server.http if mac else device["enrolment_url"]
    ca = "" if mac else server.ca.read_text()
    return VirtualPhone(vendor, model.id, mac, url, ca=ca), device["id"], ada["extension"]


@pytest.mark.parametrize("unboxed", DIALECTS, indirect=True)
async def test_a_phone_of_every_dialect_boots_and_is_adopted(server, unboxed):
    """It shows its user in the window, goes where it is sent, and is adopted there."""
    phone, device, extension = unboxed
    report = await phone.boot()
    assert report.problems == ()
    assert [line.user for line in report.shown.lines] == [extension]
    assert all(line.can_register for line in report.shown.lines)

    # One more boot where the phone had to learn our CA first.
    reports = [await phone.reboot(), await phone.reboot()]
    assert [item.problems for item in reports] == [(), ()]
    assert "/t/" in reports[-1].url
    assert [line.user for line in reports[-1].shown.lines] == [extension]
    assert server.api("GET", f"devices/{device}")["state"] == "adopted"


@pytest.mark.parametrize("vendor_id", DIALECTS)
async def test_a_phone_nobody_registered_shows_nothing(server, vendor_id):
    """A stranger gets no line and no word of where it might be sent."""
    vendor, model, mac = box(vendor_id)
    phone = VirtualPhone(vendor, model.id, mac, server.http)
    report = await phone.boot()
    assert report.shown.lines == ()
    assert report.next_url == report.url
    assert {item.status for item in report.requests} <= {200, 404}
    assert report.requests


async def test_a_phone_boots_by_tftp(server):
    """Where the site trusts its network, TFTP brings what a phone shows."""
    trust = {"networks": ["127.0.0.0/8"], "minimum_trust": "network"}
    site = server.api("POST", "sites", {"name": "simulated by tftp", **trust})
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
