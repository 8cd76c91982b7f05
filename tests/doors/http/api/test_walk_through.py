"""From an empty server to a phone with a line, as the README walks."""

from __future__ import annotations

from ipaddress import ip_address

from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import Door, FileRequest, Outcome

MAC = "00:15:65:AA:BB:CC"


async def test_readme_walk_through(api, core):
    """Five requests lead from an empty organisation to a file with the user's line in it."""
    server = {"name": "main", "registrar": "pbx.example.com", "port": 5060, "transport": "udp"}
    made = await api.made("/sip-servers", server)
    assert made["is_default"] is True

    ada = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.com",
        "extension": "1001",
        "sip_account": {"username": "1001", "password": "Secret-Of-Ada"},
    }
    user = await api.made("/users", ada)
    assert user["sip_account"]["username"] == "1001"
    assert user["notes"] == []
    assert "password" not in user["sip_account"]

    pin = await api("PUT", f"/users/{user['id']}/pin", {"pin": "482913"})
    assert pin.json == {"has_pin": True}

    device = await api.made("/devices", {"mac": "0015.65aa.bbcc", "model": "T31G"})
    assert (device["mac"], device["vendor"], device["state"]) == (MAC, "yealink", "registered")
    assert "enrolment_url" not in device

    assigned = await api("PUT", f"/devices/{MAC}/assignments", {"users": [user["id"]]})
    assert assigned.json == {"users": [user["id"]]}
    assert (await api("GET", f"/devices/{MAC}/assignments")).json == {"users": [user["id"]]}

    files = (await api("GET", f"/devices/{MAC}/files")).json["items"]
    assert {"001565aabbcc.cfg"} <= {item["path"] for item in files if item["secret"]}
    content = await api("GET", f"/devices/{MAC}/files/001565aabbcc.cfg")
    assert content.headers["Content-Type"].startswith("text/plain")
    assert b"Secret-Of-Ada" in content.body

    request = FileRequest("001565aabbcc.cfg", ip_address("192.0.2.7"), Door.HTTPS)
    assert fetch_file(core, request).outcome is Outcome.SERVED
    fetched = (await api("GET", f"/devices/{MAC}/fetches")).json["items"]
    assert [(item["path"], item["outcome"]) for item in fetched] == [("001565aabbcc.cfg", "served")]
    window = (await api("GET", f"/devices/{MAC}/window")).json
    assert (window["stage"], window["bound_source"]) == ("waiting for its return", "192.0.2.7")


async def test_h4_softphone_is_enrolled_by_link(api):
    """A device without a MAC gets a link, and another one when asked; the answers hold nothing else."""
    device = await api.made("/devices", {"vendor": "linphone", "name": "Ada's laptop"})
    assert device["mac"] is None
    assert device["enrolment_url"].endswith("/linphone.xml")
    again = await api("POST", f"/devices/{device['id']}/enrolment")
    assert again.status == 201
    assert again.json["enrolment_url"] != device["enrolment_url"]
    assert "enrolment_url" not in (await api("GET", f"/devices/{device['id']}")).json


async def test_phone_with_a_mac_has_no_link(api, office):
    """Asking for a link for a desk phone is refused with what to do instead."""
    reply = await api("POST", f"/devices/{office['device']}/enrolment")
    assert (reply.status, reply.json["code"]) == (409, "conflict")
    assert "window" in reply.json["remedy"]


async def test_user_without_a_server_gets_a_note(api):
    """A user made before any SIP server has no account, and the answer says why."""
    user = await api.made("/users", {"first_name": "Ada", "extension": "1001"})
    assert user["sip_account"] is None
    assert "no SIP server yet" in user["notes"][0]


async def test_given_secrets_are_never_made_up(api):
    """Where the PBX side gives passwords, a user without one gets no account but a note."""
    server = {"name": "pbx", "registrar": "pbx.example.com", "secrets": "given"}
    await api.made("/sip-servers", server)
    user = await api.made("/users", {"first_name": "Ada", "extension": "1001"})
    assert user["sip_account"] is None
    assert "given by the PBX" in user["notes"][0]
    refused = await api("POST", "/sip-accounts", {"username": "1001", "user_id": user["id"]})
    assert (refused.status, refused.json["code"]) == (409, "secrets-are-given")


async def test_generated_pin_is_shown_once(api, office):
    """A generated PIN comes with the answer that made it; afterwards only that there is one."""
    made = await api("PUT", f"/users/{office['user']}/pin", {"generate": True})
    assert len(made.json["pin"]) >= 6
    user = await api("GET", f"/users/{office['user']}")
    assert user.json["has_pin"] is True
    assert made.json["pin"] not in user.body.decode()
    assert (await api("DELETE", f"/users/{office['user']}/pin")).status == 204
    assert (await api("GET", f"/users/{office['user']}")).json["has_pin"] is False


async def test_stations_show_who_sits_there(api, office):
    """A user's stations and a device's are the same station with the user in it."""
    path = f"/stations/{office['station']}"
    await api("PUT", f"{path}/assignments", {"users": [office["user"]]})
    of_user = (await api("GET", f"/users/{office['user']}/stations")).json["items"]
    of_device = (await api("GET", f"/devices/{office['device']}/stations")).json["items"]
    assert of_user[0]["mac"] == "00:15:65:AA:BB:01"
    assert of_user[0] | of_device[0] == of_user[0]
    assert of_user[0]["users"] == [office["user"]]
    changed = await api("PATCH", path, {"hotdesking": "off", "name": "Desk 7"})
    assert (changed.json["hotdesking"], changed.json["name"]) == ("off", "Desk 7")


async def test_retired_device_is_listed_apart(api, office):
    """DELETE retires a device: it leaves the list for that of the retired, and its MAC is free."""
    assert (await api("DELETE", f"/devices/{office['device']}")).status == 204
    assert (await api("GET", "/devices")).json["items"] == []
    retired = (await api("GET", "/devices?retired=1")).json["items"]
    assert [item["state"] for item in retired] == ["retired"]
    await api.made("/devices", {"mac": office["mac"]})


async def test_reopened_window_replaces_the_url(api, office):
    """Reopening a device's window gives it another URL of its own."""
    path = f"/devices/{office['device']}"
    before = (await api("GET", f"{path}/provisioning-url")).json
    assert (await api("POST", f"{path}/window")).json["stage"] == "open"
    after = (await api("GET", f"{path}/provisioning-url")).json
    assert before["token_url"] != after["token_url"]
    assert before["password_url"] == after["password_url"]


async def test_operator_acts_where_told(actor, neighbour, caller):
    """An operator's token acts in the organisation its header names, and in none without."""
    operator = caller(actor, "operator")
    assert (await operator("GET", "/sites")).status == 403
    operator.headers["X-Organisation"] = str(neighbour.organisation)
    assert (await operator("GET", "/organisation")).json["name"] == "neighbour"
    made = await operator.made("/organisations", {"name": "third"})
    names = [item["name"] for item in (await operator("GET", "/organisations")).json["items"]]
    assert names == ["main", "neighbour", "third"]
    operator.headers["X-Organisation"] = made["id"]
    assert len((await operator("GET", "/sites")).json["items"]) == 1


async def test_vendors_show_their_models(api):
    """The vendors' list and one vendor's page say what vendor.toml says."""
    listed = (await api("GET", "/vendors")).json["items"]
    assert all(item["enabled"] for item in listed)
    yealink = (await api("GET", "/vendors/yealink")).json
    assert {"T31G"} <= {model["id"] for model in yealink["models"]}
    assert any("{mac}" in rule["pattern"] for rule in yealink["files"])
