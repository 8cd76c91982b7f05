"""The audit log by the API: filters, pages, one event, CSV, and that nothing changes it."""

from __future__ import annotations

import csv
import io
import re
from ipaddress import ip_address
from urllib.parse import quote

import pytest

from provisioning.doors.http.api.application import endpoints
from provisioning.usecases import audit as usecases
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import Door, FileRequest

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


async def items(api, query=""):
    """The events of a page."""
    reply = await api("GET", f"/audit{query}")
    assert reply.status == 200, reply.json
    return reply.json["items"]


async def test_a11_change_expands_to_before_and_after(api, office):
    """A change by the API is listed with who made it and expands to what stood there."""
    await api("PATCH", f"/users/{office['user']}", {"last_name": "King"})
    (event,) = await items(api, f"?object={office['user']}&action=update")
    assert (event["kind"], event["object_name"], event["actor"]) == (
        "user",
        "Ada1001 King",
        "admin",
    )
    assert event["changed"] == ["last_name"]
    assert "before" not in event
    whole = (await api("GET", f"/audit/{event['id']}")).json
    assert (whole["before"], whole["after"]) == ({"last_name": ""}, {"last_name": "King"})


async def test_a11_filters_pick_events(api, actor, caller, office):
    """Time, actor, kind, object and action each pick, alone and together."""
    moment = (await items(api))[0]["at"]
    other = caller(actor, "owner")
    await other("PATCH", f"/sites/{office['site']}", {"name": "Harbour"})
    since = quote(moment)
    picked = await items(api, f"?actor=owner&kind=site&action=update&since={since}")
    assert [event["object_id"] for event in picked] == [office["site"]]
    assert await items(api, f"?actor=owner&until={since}") == []
    assert {event["kind"] for event in await items(api, "?kind=user")} == {"user"}
    assert await items(api, "?action=delete") == []
    belonging = {event["kind"] for event in await items(api, f"?object={office['user']}")}
    assert belonging == {"user", "sip-account"}
    assert [event["object_name"] for event in await items(api, "?q=harb")] == ["Harbour"]


async def test_a11_pages_run_from_the_newest(api, office):
    """Pages follow each other from the newest event to the oldest, each event once."""
    whole = [event["id"] for event in await items(api, "?limit=500")]
    assert whole == sorted(whole, reverse=True)
    seen, cursor = [], ""
    while True:
        page = (await api("GET", f"/audit?limit=2{cursor}")).json
        seen += [event["id"] for event in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == whole


async def test_a11_fetches_stand_in_the_same_form(core, api, office):
    """What phones fetched is listed as events whose object is the device."""
    mac = office["mac"].lower()
    fetch_file(
        core,
        FileRequest(path=f"{mac}.cfg", peer=ip_address("192.0.2.1"), door=Door.HTTP),
    )
    (event,) = await items(api, f"?kind=fetch&object={office['device']}")
    assert (event["action"], event["actor"], event["source"]) == ("fetch", mac, "192.0.2.1")
    assert event["object_name"] == f"{mac}.cfg"
    whole = (await api("GET", f"/audit/{event['id']}")).json
    assert (whole["before"], whole["after"]["outcome"]) == ({}, "served")
    assert await items(api, "?kind=fetch&action=update") == []


@pytest.mark.parametrize("accept", [False, True])
async def test_a11_csv_holds_no_formula(api, office, accept):
    """The log comes as CSV on request, whole, and no cell of it begins as a formula does."""
    for name in ("=1+1", "+1", "-1", "@SUM(A1)"):
        await api.made("/profiles", {"name": name})
    headers = {"Accept": "text/csv"} if accept else {}
    query = "?kind=profile" if accept else "?kind=profile&format=csv"
    reply = await api("GET", f"/audit{query}", headers=headers)
    assert reply.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
    assert len(rows) == len(await items(api, "?kind=profile&limit=500"))
    names = {row["object_name"] for row in rows}
    assert {"'=1+1", "'+1", "'-1", "'@SUM(A1)"} <= names
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r")]


async def test_a11_csv_that_would_be_too_long_is_refused(api, office, monkeypatch):
    """A file is never cut short: too many events are refused with what to do."""
    monkeypatch.setattr(usecases, "MOST_EXPORTED", 3)
    reply = await api("GET", "/audit?format=csv")
    assert (reply.status, reply.json["code"]) == (413, "too-large")
    assert "since" in reply.json["remedy"]


async def test_a11_nothing_changes_the_log(api, office):
    """No route of the API writes to the log, and no other method is taken where it is read."""
    methods = {endpoint.method for endpoint in endpoints() if endpoint.subject == "audit"}
    assert methods == {"GET"}
    before = await items(api)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/audit", f"/audit/{before[0]['id']}"):
            assert (await api(method, path, {})).status == 405
    assert await items(api) == before


async def test_a11_no_secret_reaches_the_log(core, api, whole_office, canaries, database_kind):
    """Secrets set everywhere the API takes one are nowhere in the log, in no form of it."""
    pin = "482913"
    await api("PUT", f"/users/{whole_office['user']}/pin", {"pin": pin})
    await api("PATCH", f"/sip-accounts/{whole_office['account']}", {"password": "Canary-Second"})
    made = await api.made("/tokens", {"name": "x", "role": "admin"})
    await api("POST", f"/devices/{whole_office['device']}/window")
    link = await api.made("/devices", {"vendor": "linphone", "name": "Laptop"})
    ways = (await api("GET", f"/devices/{whole_office['device']}/provisioning-url")).json
    await api("DELETE", f"/users/{whole_office['user']}")
    await api("DELETE", f"/devices/{whole_office['device']}")
    secrets = {*canaries.values(), pin, "Canary-Second", made["token"], ways["password"]}
    secrets |= {ways["token_url"].split("/t/")[1].strip("/")}
    secrets |= {link["enrolment_url"].split("/t/")[1].split("/")[0]}
    with core.database.read() as session:
        stored = session.connection().exec_driver_sql("SELECT * FROM audit_event").fetchall()
    told = (await api("GET", "/audit?format=csv")).body.decode() + repr(stored)
    assert len(stored) > 20
    digits = {secret for secret in secrets if secret.isdigit()}
    assert not [secret for secret in secrets - digits if secret in told]
    # The digits of a short code stand in ids by chance; as a value they stand alone.
    assert not [code for code in digits if re.search(rf"(?<![0-9a-zA-Z-]){code}(?!\w)", told)]


async def test_a11_refused_change_leaves_no_event(api, office):
    """A change that is refused is not in the log."""
    before = await items(api)
    await api("PATCH", f"/users/{office['user']}", {"extension": "not one"})
    await api("DELETE", f"/sites/{office['site']}")
    assert await items(api) == before
