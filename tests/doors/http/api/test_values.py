"""Settings, keys, DECT systems and unknown phones by the API."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.domain.settings import SETTINGS
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import Door, FileRequest

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


async def test_value_holds_until_it_is_taken_away(api, whole_office):
    """A value set for the organisation shows in the effective values until it is deleted."""
    owner = f"/settings/organisation/{whole_office['organisation']}"
    given = {"time.zone": {"value": "Europe/Berlin", "locked": True}, "tone.country": "DE"}
    reply = await api("PUT", owner, given)
    stood = {item["key"]: (item["value"], item["locked"]) for item in reply.json["items"]}
    assert stood == {"time.zone": ("Europe/Berlin", True), "tone.country": ("DE", False)}
    assert (await api("GET", owner)).json == reply.json

    for path in (f"/devices/{whole_office['device']}", f"/users/{whole_office['user']}"):
        held = {item["key"]: item for item in (await api("GET", f"{path}/effective")).json["items"]}
        zone = held["time.zone"]
        assert (zone["value"], zone["level"], zone["locked"]) == (
            "Europe/Berlin",
            "organisation",
            True,
        )
        assert zone["owner"] == "main"

    assert (await api("DELETE", f"{owner}/tone.country")).status == 204
    assert (await api("DELETE", f"{owner}/tone.country")).status == 404


BAD_VALUES = [
    ({"no.such": 1}, 422, "invalid-setting", "no.such"),
    ({"time.24h": "yes"}, 422, "invalid-setting", "time.24h"),
    ({"language": "fr", "vlan.id": 5000}, 422, "invalid-setting", "vlan.id"),
    ({"time.zone": "Europe/Paris"}, 409, "locked-above", "time.zone"),
    ([], 422, "invalid-input", ""),
]


async def test_bad_values_are_all_refused(api, whole_office, rows):
    """One bad value among good ones, or one locked above, sets none of them."""
    lock = {"time.zone": {"value": "Europe/Berlin", "locked": True}}
    await api("PUT", f"/settings/organisation/{whole_office['organisation']}", lock)
    before = rows()
    for values, status, code, field in BAD_VALUES:
        reply = await api("PUT", f"/settings/device/{whole_office['device']}", values)
        assert (reply.status, reply.json["code"]) == (status, code), reply.json
        assert reply.json.get("field", "") == field
    assert rows() == before


async def test_unknown_level_is_refused(api, whole_office):
    """A level at which nothing stands is refused with those that exist."""
    reply = await api("GET", f"/settings/planet/{whole_office['device']}")
    assert (reply.status, reply.json["field"]) == (422, "level")
    assert "profile" in reply.json["remedy"]


async def test_explained_lines_name_their_origin(api, whole_office):
    """The explained file says at which level the VLAN in one of its lines was set."""
    path = f"/devices/{whole_office['device']}/files/001565aabb01.cfg"
    await api("PUT", f"/settings/site/{whole_office['site']}", {"vlan.id": 7})
    lines = (await api("GET", f"{path}?explain=1")).json["items"]
    plain = (await api("GET", path)).body.decode()
    assert "\n".join(line["text"] for line in lines) == plain
    origins = [origin for line in lines for origin in line["origins"]]
    assert ("vlan.id", 7, "site") in [(o["key"], o["value"], o["level"]) for o in origins]


async def test_losses_are_told(api, whole_office):
    """What a model cannot show is told in sentences."""
    path = f"/keys/device/{whole_office['device']}"
    await api("PUT", path, {"items": [{"position": 99, "type": "blf", "value": "1002"}]})
    losses = (await api("GET", f"/devices/{whole_office['device']}/losses")).json["items"]
    assert "No place is left for the key '1002'." in [loss["text"] for loss in losses]


async def test_keys_are_replaced_whole(api, whole_office):
    """PUT makes the keys those it names; a bad one among them changes none."""
    path = f"/keys/device/{whole_office['device']}"
    first = (await api("GET", path)).json["items"]
    assert [(key["position"], key["type"], key["label"]) for key in first] == [(1, "blf", "Porter")]
    good = {"position": 2, "type": "speed-dial", "value": "4711"}
    for bad in (
        {"position": 3, "type": "dance"},
        {"position": 0, "type": "line"},
        {"position": 3, "type": "blf"},
        {"position": 2, "type": "line"},
        {"position": 3, "type": "url", "value": "javascript:alert(1)"},
        {"position": 3, "type": "line", "colour": "red"},
    ):
        reply = await api("PUT", path, {"items": [good, bad]})
        assert (reply.status, reply.json["code"]) == (422, "invalid-input"), bad
        assert (await api("GET", path)).json["items"] == first
    changed = await api("PUT", path, {"items": [good]})
    assert [key["value"] for key in changed.json["items"]] == ["4711"]


async def test_handsets_move_with_their_people(api, whole_office):
    """A handset keeps its station, and so its users, when it moves to another slot or system."""
    handset, system = whole_office["handset"], whole_office["system"]
    user = {"users": [whole_office["user"]]}
    await api("PUT", f"/stations/{whole_office['station']}/assignments", {"users": []})
    assert (await api("PUT", f"/stations/{handset}/assignments", user)).status == 200
    moved = await api("POST", f"/handsets/{handset}/move", {"number": 7})
    assert (moved.status, moved.json["number"], moved.json["id"]) == (200, 7, handset)
    other = await api.made(f"/dect-systems/{system}/slots", {"name": "Guard"})
    swapped = await api("POST", f"/handsets/{handset}/swap", {"handset": other["id"]})
    assert [item["number"] for item in swapped.json["items"]] == [1, 7]
    slots = (await api("GET", f"/dect-systems/{system}/slots")).json["items"]
    assert [(slot["number"], slot["handset"]["name"]) for slot in slots] == [
        (1, "Porter"),
        (7, "Guard"),
    ]
    assert (await api("GET", f"/stations/{handset}/assignments")).json == user
    renamed = await api("PATCH", f"/handsets/{handset}", {"name": "Night porter"})
    assert renamed.json["name"] == "Night porter"
    assert (await api("DELETE", f"/handsets/{other['id']}")).status == 204
    assert (await api("GET", f"/handsets/{other['id']}")).status == 404
    full = await api("POST", f"/dect-systems/{system}/slots", {"number": 21})
    assert (full.status, full.json["code"]) == (409, "capacity-exceeded")


async def test_dect_system_has_members(api, whole_office):
    """A device without a known model can be a system's manager, and leaves it again."""
    system = f"/dect-systems/{whole_office['system']}"
    base = await api.made("/devices", {"mac": "001565AABB44"})
    desk_phone = await api("POST", f"{system}/members", {"device": whole_office["mac"]})
    assert (desk_phone.status, desk_phone.json["field"]) == (422, "device")
    member = await api("POST", f"{system}/members", {"device": base["mac"]})
    assert (member.status, member.json["role"]) == (201, "manager")
    path = f"{system}/members/{base['id']}"
    assert (await api("PATCH", path, {"sync_level": 2})).json["sync_level"] == 2
    listed = (await api("GET", f"{system}/members")).json["items"]
    assert [item["device"] for item in listed] == [base["id"]]
    spare = await api.made("/devices", {"mac": "001565AABB45"})
    replaced = await api("PUT", f"{system}/manager", {"device": spare["mac"]})
    assert replaced.json["device"] == spare["id"]
    handsets = await api("DELETE", f"{system}/members/{spare['id']}")
    assert (handsets.status, handsets.json["code"]) == (409, "still-in-use")
    assert (await api("DELETE", system)).json["code"] == "still-in-use"


async def test_unknown_phone_is_approved(api, core):
    """A phone that asked just now is pending, is registered by one request, and then is not."""
    agent = "Yealink SIP-T31G 124.86.0.40 00:15:65:aa:bb:99"
    request = FileRequest("001565aabb99.cfg", ip_address("192.0.2.9"), Door.HTTP, user_agent=agent)
    fetch_file(core, request)
    (seen,) = (await api("GET", "/pending")).json["items"]
    assert (seen["mac"], seen["address"], seen["times"]) == ("00:15:65:AA:BB:99", "192.0.2.9", 1)
    made = await api("POST", f"/pending/{seen['mac']}/approve", {"name": "Lobby"})
    assert (made.status, made.json["name"], made.json["vendor"]) == (201, "Lobby", "yealink")
    assert made.json["model"] == "T31G"
    assert (await api("GET", "/pending")).json["items"] == []
    again = await api("POST", f"/pending/{seen['mac']}/approve", {})
    assert (again.status, again.json["code"]) == (404, "not-found")


async def test_h1_several_unknown_phones_are_approved_at_once(api, core):
    """Several pending phones are registered by one request; one that is not there stops them all."""
    macs = ["001565aabb91", "001565aabb92"]
    for mac in macs:
        fetch_file(core, FileRequest(f"{mac}.cfg", ip_address("192.0.2.9"), Door.HTTP))
    await api("GET", "/pending")
    none = await api("POST", "/pending/approve", {"macs": [*macs, "001565aabb93"]})
    assert (none.status, none.json["code"]) == (404, "not-found")
    assert "001565aabb93" in none.json["detail"]
    made = await api("POST", "/pending/approve", {"macs": macs, "pool": True})
    assert [item["pool"] for item in made.json["items"]] == [True, True]
    assert (await api("GET", "/pending")).json["items"] == []


async def test_unknown_phone_is_forgotten(api, core):
    """A pending phone can be forgotten; one that is not pending is not found."""
    fetch_file(core, FileRequest("001565aabb98.cfg", ip_address("192.0.2.9"), Door.HTTP))
    assert len((await api("GET", "/pending")).json["items"]) == 1
    assert (await api("DELETE", "/pending/001565aabb98")).status == 204
    assert (await api("DELETE", "/pending/001565aabb98")).status == 404


KEYS = st.sampled_from([setting.key for setting in SETTINGS])
ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.lists(st.text(max_size=5) | st.integers(), max_size=3)
    | st.dictionaries(st.sampled_from(["value", "locked", "x"]), st.text(max_size=5), max_size=2)
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.dictionaries(KEYS, ODD, max_size=3))
async def test_no_values_make_the_server_fail(values, api, office):
    """Whatever is sent as settings, it is set or refused, and the files render afterwards."""
    path = f"/devices/{office['device']}"
    reply = await api("PUT", f"/settings/device/{office['device']}", values)
    assert reply.status in (200, 400, 409, 422), (values, reply.json)
    assert (await api("GET", f"{path}/files/001565aabb01.cfg")).status == 200, values
    assert (await api("GET", f"{path}/effective")).status == 200
