"""Dry runs and changes of many: what goes along, how many phones differ, and nothing done."""

from __future__ import annotations

import pytest

from provisioning.doors.http.api.application import endpoints
from provisioning.usecases import trials

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


async def assigned(api, office, user=None):
    """Assign a user to the office's phone."""
    path = f"/devices/{office['device']}/assignments"
    assert (await api("PUT", path, {"users": [user or office["user"]]})).status == 200


async def test_b15_deleting_a_user_says_what_goes_along(api, office, rows):
    """The dry run names what goes with a user and the phones that lose them, and does nothing."""
    await assigned(api, office)
    await api("PUT", f"/settings/user/{office['user']}", {"language": "de"})
    before = rows()
    reply = await api("DELETE", f"/users/{office['user']}?dry_run=1")
    assert reply.status == 200
    assert reply.json == {
        "creates": {},
        "changes": {},
        "deletes": {"assignment": 1, "setting": 1, "sip-account": 1},
        "phones": 1,
        "devices": [office["device"]],
        "exact": True,
    }
    assert rows() == before
    assert (await api("DELETE", f"/users/{office['user']}")).status == 204
    assert (await api("GET", f"/users/{office['user']}")).status == 404


async def test_retiring_a_device_says_what_goes_along(api, office, rows):
    """The dry run of retiring names the assignments that end and the phone itself."""
    await assigned(api, office)
    before = rows()
    reply = (await api("DELETE", f"/devices/{office['device']}?dry_run=true")).json
    assert reply["deletes"] == {"assignment": 1}
    assert reply["changes"] == {"device-identity": 1}
    assert (reply["phones"], reply["devices"]) == (1, [office["device"]])
    assert rows() == before


async def test_deleting_a_site_says_what_goes_along(api, office, rows):
    """The dry run of a site names its values; one that may not go is refused as usual."""
    site = await api.made("/sites", {"name": "Harbour"})
    await api("PUT", f"/settings/site/{site['id']}", {"language": "de", "time.zone": "UTC"})
    before = rows()
    reply = (await api("DELETE", f"/sites/{site['id']}?dry_run=1")).json
    assert (reply["deletes"], reply["phones"]) == ({"setting": 2}, 0)
    refused = await api("DELETE", f"/sites/{office['site']}?dry_run=1")
    assert (refused.status, refused.json["code"]) == (409, "still-in-use")
    assert rows() == before


async def test_dry_run_is_for_endpoints_that_declare_it(api, office):
    """An endpoint that cannot be tried refuses the parameter instead of doing the change."""
    declared = {(item.method, item.path) for item in endpoints() if item.tried}
    assert ("DELETE", "/users/{user}") in declared
    assert ("PATCH", "/users/{user}") not in declared
    reply = await api("PATCH", f"/users/{office['user']}?dry_run=1", {"last_name": "King"})
    assert (reply.status, reply.json["field"]) == (422, "dry_run")
    off = await api("DELETE", f"/users/{office['user']}?dry_run=0")
    assert off.status == 204


async def test_too_many_phones_are_counted_without_comparing(api, office, monkeypatch):
    """Beyond a limit the phones that may differ are counted, and the answer says so."""
    await assigned(api, office)
    monkeypatch.setattr(trials, "MOST_RENDERED", 0)
    reply = (await api("DELETE", f"/users/{office['user']}?dry_run=1")).json
    assert (reply["phones"], reply["exact"]) == (1, False)


# --- many users at once


@pytest.fixture
async def crew(api, office):
    """Three users, of whom the first sits at the office's phone."""
    ids = [office["user"]]
    for extension in ("1002", "1003"):
        made = await api.made("/users", {"first_name": "Bob", "extension": extension})
        ids.append(made["id"])
    await assigned(api, office)
    return ids


async def test_b16_change_of_many_is_tried_and_done(api, office, crew, rows):
    """One change for several users says how many phones change, and is done for all of them."""
    change = {"users": crew, "change": {"last_name": "King"}, "settings": {"language": "de"}}
    before = rows()
    tried = (await api("PATCH", "/users?dry_run=1", change)).json
    assert (tried["changes"], tried["creates"]) == ({"user": 3}, {"setting": 3})
    assert (tried["phones"], tried["devices"]) == (1, [office["device"]])
    assert rows() == before
    reply = await api("PATCH", "/users", change)
    assert (reply.status, reply.json) == (200, {"users": 3})
    for user in crew:
        assert (await api("GET", f"/users/{user}")).json["last_name"] == "King"
        values = (await api("GET", f"/settings/user/{user}")).json["items"]
        assert [(item["key"], item["value"]) for item in values] == [("language", "de")]
    again = (await api("PATCH", "/users?dry_run=1", change)).json
    assert (again["changes"], again["phones"]) == ({}, 0)


REFUSED = [
    ({"change": {"extension": "1009"}}, 409, "duplicate-extension"),
    ({"change": {"last_name": "King"}, "settings": {"vlan.id": 5}}, 422, "invalid-setting"),
    ({"change": {"last_name": "King"}, "settings": {"language": 7}}, 422, "invalid-setting"),
    ({}, 422, "invalid-input"),
    ({"change": {"nonsense": 1}}, 422, "invalid-input"),
]


@pytest.mark.parametrize(("change", "status", "code"), REFUSED)
async def test_b16_change_of_many_is_whole_or_not_at_all(api, crew, rows, change, status, code):
    """What one of them cannot have changes nobody, and the problem says whom it was about."""
    before = rows()
    reply = await api("PATCH", "/users", {"users": crew} | change)
    assert (reply.status, reply.json["code"]) == (status, code), reply.json
    assert rows() == before


async def test_b16_problem_names_the_user(api, crew, neighbour, caller, rows):
    """A refusal of one of many says which user it was, and a stranger finds none of them."""
    change = {"users": crew, "change": {"extension": "1009"}}
    detail = (await api("PATCH", "/users", change)).json["detail"]
    assert any(user in detail for user in crew)
    stranger = caller(neighbour)
    reply = await stranger("PATCH", "/users", change)
    assert (reply.status, reply.json["code"]) == (404, "not-found")
