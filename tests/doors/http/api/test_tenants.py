"""Nobody sees or changes what is another organisation's, by any route."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.application import endpoints
from provisioning.doors.http.api.registry import PREFIX, Entry, Where
from provisioning.store.security import Pending

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

GLOBAL = {"vendor", "kind"}
"""Path parameters that name nobody's property."""

UNSET = {"/organisation/avatar", "/organisation/cover"}
"""What an organisation has not by itself."""

ABSENT = "0197a7b4-0000-7000-8000-000000000000"

BODIES = {
    "NewAssignments": {"users": []},
    "NewMember": {"device": "{device}"},
    "NewManager": {"device": "{device}"},
    "NewConnector": {"kind": "freeswitch", "host": "192.0.2.5", "password": "Secret-Enough"},
    "Pin": {"generate": True},
    "FirstPin": {"generate": True},
    "HotdeskExtension": {"until": (datetime.now(UTC) + timedelta(hours=2)).isoformat()},
    "NewKeys": {"items": []},
    "Swap": {"handset": ABSENT},
    "NewValues": {"language": "de"},
    "NewSystem": {"name": "x"},
    "NewOption": {"name": "x"},
    "NewMembers": {"users": []},
    "NewUserOptions": {"options": []},
    "LicenceChange": {"quantity": 1},
    "NewUserLicences": {"licences": []},
    "NewPhone": {"mac": "00:15:65:00:00:09"},
    "VoicemailPin": {"pin": "4711"},
}
"""Bodies whose rules their schema does not say; the others are the smallest by their schema."""


def smallest(schema, definitions):
    """The smallest value of a JSON schema."""
    if "$ref" in schema:
        return smallest(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return smallest(schema["anyOf"][0], definitions)
    kinds = {
        "object": {
            name: smallest(schema["properties"][name], definitions)
            for name in schema.get("required", ())
        },
        "string": ABSENT if schema.get("format") == "uuid" else schema.get("enum", ["x"])[0],
        "integer": schema.get("minimum", 1),
        "number": schema.get("minimum", 1),
        "boolean": True,
        "array": [],
    }
    return kinds[schema["type"]]


def body_of(endpoint):
    """A body that an endpoint takes."""
    if endpoint.body is None:
        return None
    schema = endpoint.body.model_json_schema()
    return BODIES.get(endpoint.body.__name__, smallest(schema, schema.get("$defs", {})))


def upload_of(endpoint):
    """The bytes an endpoint takes instead of a body, as a request sends them."""
    if endpoint.takes is None:
        return {}
    return {"data": b"x", "headers": {"Content-Type": endpoint.takes.media_types[0]}}


def filled(value, ids):
    """Put ids into a body or path."""
    if isinstance(value, dict):
        return {key: filled(each, ids) for key, each in value.items()}
    if isinstance(value, str):
        return re.sub(r"{(\w+)(:[^}]*)?}", lambda found: ids.get(found[1], found[0]), value)
    return value


def of_a_tenant():
    """Every endpoint whose path names something of an organisation."""
    for endpoint in endpoints():
        names = {item.name for item in endpoint.parameters if item.where is Where.PATH}
        if names - GLOBAL and endpoint.subject != "me":
            yield endpoint


def paths(endpoint, office):
    """The endpoint's paths with the ids of an office, for every level that it has."""
    ids = office.ids | {"path": "001565aabb01.cfg", "key": "language", "vendor": "yealink"}
    ids |= {"kind": "users"}
    if "{level}" not in endpoint.path:
        made = [filled(endpoint.path, ids)]
    else:
        made = [
            filled(endpoint.path, ids | {"level": level, "owner": office[level]})
            for level in ("organisation", "site", "profile", "role", "device", "user")
        ]
    # Else the route would not be met, and what is not there is 404 by itself.
    assert not [path for path in made if "{" in path], "furnish() has to make one of these"
    return made


@pytest.fixture
def pending_mac(core, actor):
    """An unknown phone that asked under the first organisation's name."""
    with core.database.write() as session:
        session.add(
            Pending(mac="001565aabbee", organisation_id=actor.organisation, address="192.0.2.9")
        )
    return "001565aabbee"


@pytest.fixture
async def stranger(neighbour, caller, furnished):
    """An admin of the neighbouring organisation, which has one of everything too."""
    stranger = caller(neighbour)
    await furnished(stranger, extension="2002", mac="001565AABB02")
    return stranger


async def test_every_route_is_closed_to_strangers(whole_office, pending_mac, stranger, rows):
    """A foreign token gets 404 for each thing of a tenant, by every route, and changes nothing."""
    before = rows()
    tried = 0
    for endpoint in of_a_tenant():
        office = whole_office
        if endpoint.subject == "pending":
            office.ids["mac"] = pending_mac
        body = filled(body_of(endpoint), office.ids)
        for path in paths(endpoint, office):
            reply = await stranger(endpoint.method, path, body, **upload_of(endpoint))
            assert (reply.status, reply.json["code"]) == (404, "not-found"), (
                endpoint.method,
                path,
                reply.json,
            )
            tried += 1
    assert tried > 50
    assert rows() == before


async def test_own_things_are_found(api, whole_office):
    """By the same walk the owner reads each of their own things, so the walk tries real paths."""
    for endpoint in of_a_tenant():
        if endpoint.method == "GET":
            for path in paths(endpoint, whole_office):
                reply = await api("GET", path)
                assert reply.status == 200, (path, reply.json)


async def test_lists_hold_only_ones_own(whole_office, pending_mac, stranger):
    """No list shows a stranger an id or a name of the first organisation."""
    foreign = {text for name, text in whole_office.ids.items() if len(text) == 36}
    for endpoint in endpoints():
        if endpoint.method == "GET" and "{" not in endpoint.path and endpoint.permission:
            reply = await stranger("GET", endpoint.path)
            # This token is of no user, and no session.
            closed = (Permission.OPERATE, Permission.OWN, Entry.SESSION)
            allowed = (403,) if endpoint.permission in closed else (200,)
            allowed = (404,) if endpoint.path in UNSET else allowed
            assert reply.status in allowed, endpoint.path
    told = b"".join(stranger.answers).decode()
    assert not [text for text in foreign if text in told]
    assert "Ada1001" not in told
    assert "AA:BB:EE" not in told


async def test_references_stay_at_home(whole_office, stranger, rows):
    """Nothing of one's own can be tied to what is another organisation's."""
    own = (await stranger("GET", "/devices")).json["items"][0]["id"]
    me = (await stranger("GET", "/users")).json["items"][0]["id"]
    options = f"/categories/{(await stranger('GET', '/categories')).json['items'][0]['id']}/options"
    department = f"{options}/{(await stranger.made(options, {'name': 'Sales'}))['id']}"
    before = rows()
    target = {"kind": "target", "id": whole_office["target"]}
    account = {"username": "x", "sip_server_id": whole_office["server"]}
    tried = [
        ("POST", "/devices", {"mac": "001565000009", "site": whole_office["site"]}),
        ("POST", "/devices", {"mac": "001565000009", "profile": whole_office["profile"]}),
        ("PATCH", f"/devices/{own}", {"site": whole_office["site"]}),
        ("PATCH", f"/devices/{own}", {"profile": whole_office["profile"]}),
        ("PUT", f"/devices/{own}/assignments", {"users": [whole_office["user"]]}),
        ("POST", "/users", {"first_name": "B", "sip_account": account}),
        ("POST", "/sip-accounts", {"username": "x", "user_id": whole_office["user"]}),
        ("POST", "/sip-accounts", {"username": "x", "station_id": whole_office["station"]}),
        ("POST", "/sip-accounts", account | {"user_id": me}),
        ("POST", "/sites", {"name": "x", "sip_server_id": whole_office["server"]}),
        ("POST", "/dect-systems", {"name": "x", "site": whole_office["site"]}),
        ("POST", "/users", {"first_name": "B", "role": whole_office["role"]}),
        ("PATCH", f"/users/{me}", {"role": whole_office["role"]}),
        ("POST", "/tokens", {"name": "x", "role": "member", "user": whole_office["user"]}),
        (
            "POST",
            "/memberships",
            {"email": "x@example.com", "role": "member", "user": whole_office["user"]},
        ),
        ("PUT", f"/users/{me}/options", {"options": [whole_office["option"]]}),
        ("PUT", f"/users/{me}/licences", {"licences": [whole_office["licence"]]}),
        ("PUT", f"{department}/users", {"users": [whole_office["user"]]}),
        ("PATCH", f"/users/{me}", {"caller_id": whole_office["number"]}),
        ("PATCH", f"/users/{me}", {"caller_ids": [whole_office["number"]]}),
        ("PATCH", f"/users/{me}", {"cost_centre": whole_office["cost_centre"]}),
        ("PATCH", f"/users/{me}", {"steps": [{"seconds": 20, "targets": [target]}]}),
        ("PATCH", f"/users/{me}", {"fallback": {"kind": "user", "id": whole_office["user"]}}),
        ("POST", "/devices", {"mac": "001565000009", "users": [whole_office["user"]]}),
        ("POST", "/hotdesk/login", {"device": whole_office["pool"], "extension": "1", "pin": "1"}),
    ]
    for method, path, body in tried:
        reply = await stranger(method, path, body)
        assert reply.status == 404, (path, body, reply.json)
    assert rows() == before


async def test_every_route_asks_for_a_token(client, whole_office):
    """Without a token every route but the document answers 401 and says how to get in."""
    for endpoint in endpoints():
        path = paths(endpoint, whole_office)[0] if "{" in endpoint.path else endpoint.path
        async with client.request(endpoint.method, PREFIX + path) as reply:
            if endpoint.permission is None:
                # The document is for everybody; what logs in takes JSON only.
                assert reply.status == (200 if endpoint.method == "GET" else 415)
                continue
            assert reply.status == 401, path
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
            assert (await reply.json())["code"] == "unauthenticated"


async def test_every_route_asks_for_its_permission(actor, caller, whole_office, rows):
    """A token of a role without a route's permission is refused there, and nothing changes."""
    pbx, member = caller(actor, "pbx"), caller(actor, "member")
    before = rows()
    for endpoint in endpoints():
        if endpoint.permission is not None:
            path = paths(endpoint, whole_office)[0] if "{" in endpoint.path else endpoint.path
            someone = member if endpoint.permission is Permission.PBX else pbx
            reply = await someone(endpoint.method, path, {} if endpoint.body else None)
            assert (reply.status, reply.json["code"]) == (403, "forbidden"), path
    assert rows() == before
