"""Users, devices and contacts as CSV and vCard over the API."""

from __future__ import annotations

import asyncio
import io

import pytest

from provisioning.doors.http.api.imports import LARGEST_SHEET

CSV = {"Content-Type": "text/csv"}
PATIENCE = 30.0
"""Seconds until an answer that should be there at once is given up."""
VCARD = {"Content-Type": "text/vcard; charset=utf-8"}


async def ended(api, job):
    """An import when it has come to its end."""
    while job["state"] in ("checking", "writing"):
        await asyncio.sleep(0.01)
        job = (await api("GET", f"/imports/{job['id']}")).json
    return job


async def test_f7_a_sheet_goes_in_and_comes_out(api, office):
    """An import answers at once, tells its end by its id, and the export holds what it made."""
    text = b"first_name,extension\nGrace,1002\n=Ada,1003\n"
    reply = await api("POST", "/imports/users", data=text, headers=CSV)
    assert (reply.status, reply.json["rows"]) == (202, 2)
    job = await ended(api, reply.json)
    assert (job["state"], job["makes"], job["error_count"]) == ("done", 2, 0)
    reply = await api("GET", "/exports/csv/users")
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert b",Grace," in reply.body
    assert b",'=Ada," in reply.body


async def test_f7_errors_are_told_by_row(api, office):
    """A refused import says line, column and what to do."""
    reply = await api("POST", "/imports/devices", data=b"mac\nnonsense\n", headers=CSV)
    job = await ended(api, reply.json)
    assert job["state"] == "refused"
    assert (job["errors"][0]["line"], job["errors"][0]["column"]) == (2, "mac")
    assert job["errors"][0]["remedy"]


async def test_a_sheet_in_another_form_is_refused(api):
    """A body that is no CSV, none at all, or too large is told what is taken."""
    assert (await api("POST", "/imports/users", {"a": 1})).status == 415
    large = io.BytesIO(b"x" * (LARGEST_SHEET + 1))
    assert (await api("POST", "/imports/users", data=large, headers=CSV)).status == 413
    assert (await api("POST", "/imports/users", data=b"colour\n", headers=CSV)).status == 422
    assert (await api("POST", "/imports/cats", data=b"a\n", headers=CSV)).status == 422


@pytest.mark.parametrize("size", [15 * 1024 * 1024, 17 * 1024 * 1024])
async def test_a_body_is_read_of_those_only_who_may_send_it(client, size):
    """Whoever has no token is told so by the headers alone, however much they mean to send."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /api/v1/imports/users HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: text/csv\r\nContent-Length: %d\r\n\r\n" % size
    )
    await writer.drain()
    status = await asyncio.wait_for(reader.readline(), PATIENCE)
    writer.close()
    assert status.startswith(b"HTTP/1.1 401 ")


async def test_h7_contacts_go_in_and_come_out_as_csv_and_cards(api, office):
    """Both forms make contacts, shared or a user's own, and both exports show the shared ones."""
    reply = await api(
        "POST", "/imports/contacts", data=b"first_name,work\nTaxi,+49 30\n", headers=CSV
    )
    assert (await ended(api, reply.json))["makes"] == 1
    card = b"BEGIN:VCARD\r\nFN:Mum\r\nTEL;TYPE=home:1\r\nEND:VCARD\r\n"
    path = "/phonebook/vcard?owner=1001"
    reply = await api("POST", f"{path}&dry_run=1", data=card, headers=VCARD)
    assert reply.status == 202
    assert (await ended(api, reply.json))["state"] == "checked"
    reply = await api("POST", path, data=card, headers=VCARD)
    assert (await ended(api, reply.json))["state"] == "done"
    book = {item["first_name"]: item for item in (await api("GET", "/phonebook")).json["items"]}
    assert book["Mum"]["user_id"] == office["user"]
    assert b",1001,,,,1\r\n" in (await api("GET", "/exports/csv/contacts")).body
    reply = await api("GET", "/phonebook/vcard")
    assert reply.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert b"\r\nFN:Taxi\r\nTEL;TYPE=WORK,VOICE:+4930\r\n" in reply.body
    assert b"Mum" not in reply.body


async def test_h7_what_is_no_card_is_refused(api):
    """A body of another type or without cards is told what is taken."""
    assert (await api("POST", "/phonebook/vcard", data=b"a", headers=CSV)).status == 415
    assert (await api("POST", "/phonebook/vcard", data=b"a", headers=VCARD)).status == 422
    assert (await api("POST", "/phonebook/vcard", data=b"\xff", headers=VCARD)).status == 422
