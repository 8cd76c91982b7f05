"""What the API refuses: its status, its code, a sentence that helps, and nothing half-written."""

from __future__ import annotations

import json
import re
from io import BytesIO

import pytest
from structlog.testing import capture_logs

from provisioning.domain.errors import RenderFailed
from provisioning.doors.http.api.application import LARGEST_BODY
from provisioning.vendors.registry import load_registry

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def helps(reply, status, code, *, field=""):
    """Assert a problem document of that status and code with a sentence and a remedy."""
    assert reply.headers["Content-Type"] == "application/problem+json"
    told = reply.json
    assert (reply.status, told["status"], told["code"]) == (status, status, code), told
    assert told["type"].endswith(code)
    assert re.fullmatch(r".{10,}\.", told["detail"]), told
    assert re.fullmatch(r".{4,}[.}]", told["remedy"]), told
    assert told.get("field", "") == field, told
    return told


BODIES = {
    "malformed MAC": (
        "POST", "/devices", {"mac": "00:15:65:AA:BB"}, 422, "malformed-mac", "mac",
    ),
    "all-zero MAC": ("POST", "/devices", {"mac": "0" * 12}, 422, "malformed-mac", "mac"),
    "malformed MAC in the path": ("GET", "/devices/nonsense", None, 422, "malformed-mac", "mac"),
    "unknown MAC": ("GET", "/devices/001565000001", None, 404, "not-found", ""),
    "duplicate MAC": (
        "POST", "/devices", {"mac": "00-15-65-AA-BB-01"}, 409, "duplicate-mac", "mac",
    ),
    "neither MAC nor vendor": ("POST", "/devices", {}, 422, "invalid-input", "mac"),
    "unknown vendor": (
        "POST", "/devices", {"mac": "001565000001", "vendor": "acme"}, 422, "unknown-vendor",
        "vendor",
    ),
    "unknown model": (
        "POST", "/devices", {"mac": "001565000001", "vendor": "yealink", "model": "T999"}, 422,
        "unknown-model", "model",
    ),
    "unknown site": (
        "POST", "/devices", {"mac": "001565000001", "site": "moon"}, 404, "not-found", "",
    ),
    "misspelt field": (
        "POST", "/devices", {"mac": "001565000001", "modell": "T31G"}, 422, "invalid-input",
        "modell",
    ),
    "missing field": ("POST", "/users", {"extension": "1002"}, 422, "invalid-input", "first_name"),
    "wrong type": (
        "POST", "/users", {"first_name": "B", "enabled": "yes"}, 422, "invalid-input", "enabled",
    ),
    "deep field": (
        "POST", "/users", {"first_name": "B", "sip_account": {"password": 1}}, 422,
        "invalid-input", "sip_account.password",
    ),
    "null": ("PATCH", "/users/{user}", {"first_name": None}, 422, "invalid-input", "first_name"),
    "control characters": (
        "POST", "/users", {"first_name": "B\nad"}, 422, "invalid-input", "first_name",
    ),
    "an array": ("POST", "/users", [], 422, "invalid-input", ""),
    "duplicate extension": (
        "POST", "/users", {"first_name": "B", "extension": "1001"}, 409, "duplicate-extension",
        "extension",
    ),
    "account that fails": (
        "POST", "/users",
        {"first_name": "B", "extension": "1002", "sip_account": {"username": "1001"}},
        409, "duplicate-name", "username",
    ),
    "password with a blank": (
        "POST", "/users", {"first_name": "B", "extension": "1002", "sip_account": {"password": "a b"}},
        422, "invalid-input", "password",
    ),
    "short PIN": ("PUT", "/users/{user}/pin", {"pin": "12"}, 422, "invalid-input", "pin"),
    "PIN both ways": (
        "PUT", "/users/{user}/pin", {"pin": "482913", "generate": True}, 422, "invalid-input", "pin",
    ),
    "a user named twice": (
        "PUT", "/devices/{device}/assignments", {"users": ["{user}", "{user}"]}, 422,
        "invalid-input", "users",
    ),
    "an unknown user": (
        "PUT", "/devices/{device}/assignments",
        {"users": ["0197a7b4-0000-7000-8000-000000000000"]}, 404, "not-found", "",
    ),
    "no id": ("GET", "/users/somebody", None, 422, "invalid-input", "user"),
    "unknown file": ("GET", "/devices/{device}/files/none.cfg", None, 404, "not-found", ""),
    "walking up": (
        "GET", "/devices/{device}/files/..%2f..%2fetc%2fpasswd", None, 404, "not-found", "",
    ),
    "unknown path": ("GET", "/nothing", None, 404, "not-found", ""),
    "unknown parameter": ("GET", "/users?page=2", None, 422, "invalid-input", "page"),
    "limit too high": ("GET", "/users?limit=100000", None, 422, "invalid-input", "limit"),
    "malformed cursor": ("GET", "/users?cursor=7", None, 422, "invalid-input", "cursor"),
    "the last site": ("DELETE", "/sites/{site}", None, 409, "still-in-use", ""),
    "a server in use": ("DELETE", "/sip-servers/{server}", None, 409, "still-in-use", ""),
    "unknown grade": (
        "PATCH", "/sites/{site}", {"minimum_trust": "much"}, 422, "invalid-input", "minimum_trust",
    ),
    "unknown transport": (
        "POST", "/sip-servers", {"name": "x", "registrar": "x.example", "transport": "smoke"}, 422,
        "invalid-input", "transport",
    ),
    "unknown role": ("POST", "/tokens", {"name": "x", "role": "king"}, 422, "invalid-input", "role"),
    "more rights": ("POST", "/tokens", {"name": "x", "role": "operator"}, 403, "forbidden", ""),
    "naive time": (
        "POST", "/tokens", {"name": "x", "role": "admin", "expires_at": "2040-01-01T00:00:00"},
        422, "invalid-input", "expires_at",
    ),
    "time without a year": (
        "POST", "/tokens", {"name": "x", "role": "admin", "expires_at": "9999-12-31T23:59:59-23:59"},
        422, "invalid-input", "expires_at",
    ),
    "time of the last year": (
        "POST", "/tokens", {"name": "x", "role": "admin", "expires_at": "9999-12-31T12:00:00Z"},
        422, "invalid-input", "expires_at",
    ),
    "search before all years": (
        "GET", "/audit?since=0001-01-01T00:00:00%2B23:59", None, 422, "invalid-input", "since",
    ),
    "unknown vendor's page": ("GET", "/vendors/acme", None, 404, "not-found", ""),
}  # fmt: skip


async def test_refused_with_a_helpful_problem(api, office, rows):
    """A request that cannot be done is refused under its own code and changes no row."""
    before = rows()
    for name, (method, address, body, status, code, field) in BODIES.items():
        path, filled = address, json.dumps(body)
        for key, value in office.ids.items():
            path, filled = path.replace(f"{{{key}}}", value), filled.replace(f"{{{key}}}", value)
        reply = await api(method, path, json.loads(filled))
        assert reply.status == status, (name, reply.json)
        helps(reply, status, code, field=field)
        assert rows() == before, name


MALFORMED = (b"{", b"nope", b'{"first_name": "\\ud800"}', b"\xff", b"[" * 5000, b'{"a":1}{"b":2}')


async def test_bad_json_is_malformed(api, rows):
    """A body that is no JSON is refused as such, an empty one for what is missing in it."""
    before = rows()
    for data in MALFORMED:
        helps(await api("POST", "/users", data=data), 400, "malformed-json")
    helps(await api("POST", "/users", data=b""), 422, "invalid-input", field="first_name")
    assert rows() == before


async def test_other_media_types_are_refused(api):
    """A form is not read as JSON; the problem says what to send."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = await api("POST", "/users", data=b"first_name=Ada", headers=form)
    assert "application/json" in helps(reply, 415, "unsupported-media-type")["remedy"]


async def test_too_large_body_is_refused(api):
    """A body above the limit is refused before anything reads it."""
    reply = await api("POST", "/users", data=BytesIO(b" " * LARGEST_BODY + b"{}"))
    assert str(LARGEST_BODY) in helps(reply, 413, "too-large")["detail"]


async def test_wrong_method_names_the_right_ones(api):
    """A method an address does not take is refused with those it takes."""
    reply = await api("DELETE", "/users")
    helps(reply, 405, "wrong-method")
    assert set(reply.headers["Allow"].split(",")) == {"GET", "HEAD", "PATCH", "POST"}


async def test_pool_phone_takes_no_users(api, office):
    """Users cannot be assigned to a pool phone, nor a phone with users be made one."""
    device, users = f"/devices/{office['device']}", {"users": [office["user"]]}
    assert (await api("PATCH", device, {"pool": True})).json["pool"] is True
    helps(await api("PUT", f"{device}/assignments", users), 409, "pool-phone", field="users")
    assert (await api("PATCH", device, {"pool": False})).status == 200
    assert (await api("PUT", f"{device}/assignments", users)).status == 200
    helps(await api("PATCH", device, {"pool": True}), 409, "pool-phone", field="pool")


async def test_phone_takes_no_more_users_than_lines(api, office):
    """A phone of two lines takes two users; a third is refused and the two stay."""
    people = [office["user"]]
    for extension in ("1002", "1003"):
        user = await api.made("/users", {"first_name": "B", "extension": extension})
        people.append(user["id"])
    path = f"/devices/{office['device']}/assignments"
    assert (await api("PUT", path, {"users": people[:2]})).status == 200
    helps(await api("PUT", path, {"users": people}), 409, "too-many-users", field="users")
    assert (await api("GET", path)).json == {"users": people[:2]}


async def test_device_changes_are_whole_or_not_at_all(api, office, rows):
    """A change with one bad field changes none of the good ones."""
    before = rows()
    change = {"name": "New", "model": "T999"}
    reply = await api("PATCH", f"/devices/{office['device']}", change)
    helps(reply, 422, "unknown-model", field="model")
    assert rows() == before


async def test_template_that_fails_is_our_fault(core, api, office, tmp_path):
    """A preview whose template fails is a 500 that names the template and shows no half file."""
    vendor = core.registry.vendors["yealink"]
    (tmp_path / "yealink").mkdir()
    for rule in vendor.data.files:
        (tmp_path / "yealink" / rule.template).write_text("a first line\n{{ nothing.there }}\n")
    core.registry = load_registry([tmp_path, *core.registry.roots])
    files = (await api("GET", f"/devices/{office['device']}/files")).json["items"]
    assert files
    reply = await api("GET", f"/devices/{office['device']}/files/{files[-1]['path']}")
    told = reply.json
    assert (reply.status, told["code"]) == (500, RenderFailed.code()), told
    assert ".j2" in told["detail"]
    assert "a first line" not in reply.body.decode()


async def test_disabled_vendor_is_listed_with_its_reason(core, api, tmp_path):
    """A vendor folder that breaks the schema stays visible, with what is wrong in it."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "vendor.toml").write_text("id = 7\n")
    core.registry = load_registry([*core.registry.roots, tmp_path])
    acme = (await api("GET", "/vendors/acme")).json
    assert acme["enabled"] is False
    assert "vendor.toml" in acme["reason"]


async def test_unexpected_failure_tells_nothing(core, api):
    """A bug of ours is a 500 that tells no more than that; the server goes on."""
    core.places = None
    with capture_logs() as logged:
        reply = await api("GET", "/organisation")
    assert [(line["event"], line["log_level"]) for line in logged] == [("api-failed", "error")]
    assert (reply.status, reply.json["code"]) == (500, "internal-error")
    assert "NoneType" not in reply.body.decode()
    assert (await api("GET", "/sites")).status == 200


async def test_database_that_is_away_is_503(core, api):
    """Without its database the API says to come back, never that something is not there."""
    with core.database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE api_token RENAME TO gone")
    reply = await api("GET", "/users")
    assert (reply.status, reply.json["code"]) == (503, "store-unavailable")
    assert reply.headers["Retry-After"]
