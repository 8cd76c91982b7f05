"""The organisation's catalogue, groups, licences and profile by the API."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

ABSENT = "0197a7b4-0000-7000-8000-000000000000"


def refused(reply, status, code, *, field=""):
    """Assert a problem document that says what to do; the detail and remedy in one text."""
    told = reply.json
    assert (reply.status, told["code"]) == (status, code), told
    assert told.get("field", "") == field, told
    assert told["remedy"], told
    return told["detail"] + " " + told["remedy"]


@pytest.fixture
async def department(api):
    """The address of the built-in category."""
    (row,) = (await api("GET", "/categories")).json["items"]
    assert (row["built_in"], row["options"]) == (True, [])
    return f"/categories/{row['id']}"


# --- catalogue


async def test_a15_numbers_are_free_or_used(api, office, core):
    """A number is stored as E.164, shows whether it is free, and is deleted at its revision."""
    made = await api.made("/numbers", {"number": "+49 (30) 123-450", "label": "Reception"})
    assert (made["number"], made["free"], made["users"]) == ("+4930123450", True, [])
    path = f"/numbers/{made['id']}"
    changed = await api("PATCH", path, {"is_default": True})
    assert changed.json["is_default"] is True
    reply = await api("DELETE", path, headers={"If-Match": f'"{made["revision"]}"'})
    refused(reply, 412, "stale-revision")
    assert (await api("DELETE", path)).status == 204
    refused(
        await api("POST", "/numbers", {"number": "030 1"}), 422, "invalid-input", field="number"
    )
    await api.made("/numbers", {"number": "+4930123450"})
    again = await api("POST", "/numbers", {"number": "+49 30 12 34 50"})
    refused(again, 409, "duplicate-name", field="number")


async def test_a10_cost_centres_are_kept(api):
    """Cost centres are made, changed, searched by their code and deleted."""
    made = await api.made("/cost-centres", {"name": "Research", "code": "*88"})
    assert made["users"] == 0
    path = f"/cost-centres/{made['id']}"
    assert (await api("PATCH", path, {"code": "*77"})).json["code"] == "*77"
    assert len((await api("GET", "/cost-centres?q=*77")).json["items"]) == 1
    refused(await api("PATCH", path, {"code": "x"}), 422, "invalid-input", field="code")
    assert (await api("DELETE", path)).status == 204


async def test_e4_call_targets_are_kept(api, office):
    """Targets are listed by kind, keep their kind, and stay while a key points to them."""
    made = await api.made("/call-targets", {"kind": "ring-group", "name": "Sales", "number": "700"})
    path = f"/call-targets/{made['id']}"
    assert (await api("GET", "/call-targets?kind=schedule")).json["items"] == []
    refused(await api("GET", "/call-targets?kind=x"), 422, "invalid-input", field="kind")
    refused(await api("PATCH", path, {"kind": "schedule"}), 422, "invalid-input", field="kind")
    key = {"position": 1, "type": "speed-dial", "value": f"target:{made['id']}"}
    keys = f"/keys/device/{office['device']}"
    assert (await api("PUT", keys, {"items": [key]})).status == 200
    text = refused(await api("DELETE", path), 409, "still-in-use")
    assert "the device" in text
    gone = key | {"value": f"target:{ABSENT}"}
    refused(await api("PUT", keys, {"items": [gone]}), 422, "invalid-input", field="value")
    await api("PUT", keys, {"items": []})
    assert (await api("DELETE", path)).status == 204


# --- groups


async def test_a12_groups_by_the_api(api, office, department):
    """Options are made and joined, users are listed by option, and a category asks before it goes."""
    refused(await api("DELETE", f"{department}?confirm=1"), 409, "conflict")
    renamed = await api("PATCH", department, {"name": "Abteilung"})
    assert renamed.json["name"] == "Abteilung"
    category = await api.made("/categories", {"name": "office"})
    options = f"/categories/{category['id']}/options"
    berlin = await api.made(options, {"name": "Berlin"})
    path = f"{options}/{berlin['id']}"
    joined = await api("PUT", f"{path}/users", {"users": [office["user"]]})
    assert (joined.status, joined.json["users"]) == (200, 1)
    (item,) = (await api("GET", f"/users?option={berlin['id']}")).json["items"]
    assert item["id"] == office["user"]
    (option,) = (await api("GET", f"/users/{office['user']}/options")).json["items"]
    assert (option["name"], option["category_id"]) == ("Berlin", category["id"])
    unknown = await api("PUT", f"{path}/users", {"users": [ABSENT]})
    refused(unknown, 404, "not-found", field="users")
    refused(await api("GET", f"/users?option={ABSENT}"), 404, "not-found")
    text = refused(await api("DELETE", f"/categories/{category['id']}"), 409, "unconfirmed")
    assert "Berlin" in text
    assert "confirm=1" in text
    assert (await api("DELETE", f"/categories/{category['id']}?confirm=1")).status == 204
    assert (await api("GET", f"/users/{office['user']}/options")).json["items"] == []


async def test_a12_options_are_set_for_one_user(api, office, department):
    """The options of one user are replaced whole, at most one of each category."""
    ids = [(await api.made(f"{department}/options", {"name": name}))["id"] for name in ("A", "B")]
    path = f"/users/{office['user']}/options"
    both = await api("PUT", path, {"options": ids})
    refused(both, 422, "invalid-input", field="options")
    for chosen in (ids[:1], ids[1:], []):
        reply = await api("PUT", path, {"options": chosen})
        assert [item["id"] for item in reply.json["items"]] == chosen
        assert (await api("GET", path)).json == reply.json
    assert (await api("DELETE", f"{department}/options/{ids[0]}")).status == 204


# --- licences


async def test_a8_licences_by_the_api(api, actor, caller, office):
    """Licences are owned, held and refused with clear codes; with licensing on by the operator."""
    pro = await api.made("/licences", {"kind": "pro", "quantity": 0})
    mine = f"/users/{office['user']}/licences"
    body = {"licences": [pro["id"]]}
    text = refused(await api("PUT", mine, body), 409, "licences-exhausted", field="licences")
    assert "0 owned, 0 held" in text
    operator = caller(actor, "operator")
    operator.headers["X-Organisation"] = str(actor.organisation)
    assert (await operator("PATCH", "/organisation", {"licensing": True})).json["licensing"]
    device = f"/devices/{office['device']}/assignments"
    seat = {"users": [office["user"]]}
    refused(await api("PUT", device, seat), 409, "needs-pro-licence", field="users")
    path = f"/licences/{pro['id']}"
    refused(await api("PATCH", path, {"quantity": 3}), 403, "forbidden")
    assert (await operator("PATCH", path, {"quantity": 3})).json["free"] == 3
    held = (await api("PUT", mine, body)).json["items"]
    assert [(item["kind"], item["free"]) for item in held] == [("pro", 2)]
    assert (await api("GET", path)).json["users"] == [office["user"]]
    assert (await api("PUT", device, seat)).status == 200
    refused(await api("PUT", mine, {"licences": []}), 409, "needs-pro-licence", field="users")
    refused(await operator("DELETE", path), 409, "still-in-use")


async def test_a8_a_mobile_licence_by_the_api(api, office):
    """Assigning a desk phone to somebody with a Mobile licence is refused under its own code."""
    mobile = await api.made("/licences", {"kind": "mobile", "quantity": 1})
    await api("PUT", f"/users/{office['user']}/licences", {"licences": [mobile["id"]]})
    seat = {"users": [office["user"]]}
    reply = await api("PUT", f"/devices/{office['device']}/assignments", seat)
    refused(reply, 409, "mobile-only", field="users")


# --- the organisation


async def test_a1_the_profile_by_the_api(api, office):
    """Display name and address are changed; legal name and number are shown and not an admin's."""
    body = {"display_name": "Lovelace GmbH", "address": "Hauptstr. 1, Berlin"}
    changed = (await api("PATCH", "/organisation", body)).json
    assert changed.items() >= body.items()
    assert (changed["legal_name"], changed["number"], changed["licensing"]) == ("", "", False)
    reply = await api("PATCH", "/organisation", {"legal_name": "X"})
    refused(reply, 403, "forbidden", field="legal_name")
    assert (await api("GET", "/organisation")).json["display_name"] == "Lovelace GmbH"


async def test_a1_the_address_is_the_place_of_a_site_without_one(api, office):
    """A site tells its own emergency location, or the organisation's address while it has none."""
    await api("PATCH", "/organisation", {"address": "Hauptstr. 1, Berlin"})
    path, key = f"/sites/{office['site']}", "effective_emergency_location"
    site = (await api("GET", path)).json
    assert (site["emergency_location"], site[key]) == ("", "Hauptstr. 1, Berlin")
    own = (await api("PATCH", path, {"emergency_location": "Annex, 2nd floor"})).json
    assert own[key] == "Annex, 2nd floor"
    (listed,) = (await api("GET", "/sites")).json["items"]
    assert listed[key] == "Annex, 2nd floor"
    made = await api.made("/sites", {"name": "new"})
    assert made[key] == "Hauptstr. 1, Berlin"


async def test_a7_the_package_by_the_api(api, actor, caller):
    """A downgrade is refused with its dates until an operator sets a contract, then taken."""
    reply = await api("PATCH", "/organisation", {"package": "light"})
    refused(reply, 409, "downgrade-refused", field="package")
    operator = caller(actor, "operator")
    operator.headers["X-Organisation"] = str(actor.organisation)
    dates = {"contract_until": "2999-12-31", "curing_until": "2999-06-30"}
    assert (await operator("PATCH", "/organisation", dates)).json.items() >= dates.items()
    reply = await api("PATCH", "/organisation", {"package": "light"})
    text = refused(reply, 409, "downgrade-refused", field="package")
    assert "2999-06-30" in text
    assert "2999-12-31" in text
    await operator("PATCH", "/organisation", {"curing_until": None})
    for package in ("light", "unlimited"):
        reply = await api("PATCH", "/organisation", {"package": package})
        assert reply.json["package"] == package


async def test_a9_a_device_tells_its_persons_values(api, whole_office):
    """The effective values of a device hold those of its one user, each with its origin."""
    user = whole_office["user"]
    await api("PUT", f"/settings/user/{user}", {"sms.zones": ["eu"]})
    told = (await api("GET", f"/devices/{whole_office['device']}/effective")).json
    zones = next(item for item in told["person"] if item["key"] == "sms.zones")
    assert (zones["value"], zones["level"], zones["owner"]) == (["eu"], "user", "Ada1001")
    assert zones["who"]
    assert zones["when"]


# --- bodies nobody thought of

ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.lists(st.text(max_size=5) | st.none(), max_size=3)
    | st.sampled_from(["+49301234567", "pro", "add-on", "light", "2030-01-01", ABSENT, "\x00"])
)  # fmt: skip
PATHS = {
    "/numbers": ("number", "label", "is_default"),
    "/cost-centres": ("name", "code"),
    "/call-targets": ("kind", "name", "number"),
    "/categories": ("name",),
    "/categories/{category}/options": ("name",),
    "/categories/{category}/options/{option}/users": ("users",),
    "/users/{user}/options": ("options",),
    "/users/{user}/licences": ("licences",),
    "/licences": ("kind", "quantity", "add_on"),
    "/organisation": ("name", "display_name", "address", "package", "curing_until", "licensing"),
}
METHODS = {"/organisation": "PATCH"}


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_a12_no_body_makes_the_server_fail(data, api, whole_office):
    """Whatever JSON comes for the catalogue, groups, licences and profile is taken or refused."""
    path = data.draw(st.sampled_from(sorted(PATHS)))
    names = st.sampled_from(PATHS[path])
    body = data.draw(st.dictionaries(names, ODD, max_size=4) | ODD)
    ending = path.rpartition("/")[2]
    method = METHODS.get(path, "PUT" if ending in ("users", "options", "licences") else "POST")
    if path.endswith("{category}/options") or path == "/licences":
        method = "POST"
    reply = await api(method, path.format(**whole_office.ids), body if body is not None else {})
    assert reply.status in (200, 201, 400, 403, 404, 409, 422), (path, body, reply.json)
