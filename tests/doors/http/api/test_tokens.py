"""Tokens of the API, and what they never let out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.doors.http.api.application import endpoints
from provisioning.store.organisations import Role

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def clerk(core, actor, caller):
    """Somebody who may read and change everything but see no secret."""
    with core.database.write() as session:
        session.add(
            Role(
                organisation_id=actor.organisation,
                name="clerk",
                permissions=["read", "write"],
            )
        )
    return caller(actor, "clerk")


async def test_other_credentials_are_none(client):
    """Whatever is not a known bearer token is answered 401."""
    for header in ("", "Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "Bearer " + "x" * 26):
        headers = {"Authorization": header} if header else {}
        async with client.get("/api/v1/users", headers=headers) as reply:
            assert reply.status == 401, header
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")


async def test_token_is_told_once(api):
    """A new token works, is told once, and is listed without itself."""
    made = await api.made("/tokens", {"name": "script", "role": "admin"})
    script = replace(api, token=made["token"])
    assert (await script("GET", "/users")).status == 200
    listed = await api("GET", "/tokens")
    assert made["id"] in {item["id"] for item in listed.json["items"]}
    assert made["token"] not in listed.body.decode()


async def test_revoked_token_ends(api):
    """A revoked token is refused from then on."""
    made = await api.made("/tokens", {"name": "script", "role": "admin"})
    script = replace(api, token=made["token"])
    assert (await api("DELETE", f"/tokens/{made['id']}")).status == 204
    reply = await script("GET", "/users")
    assert (reply.status, reply.json["detail"]) == (401, "The token was revoked.")


async def test_expired_token_ends(core, api):
    """A token is refused after its time."""
    later = datetime.now(UTC) + timedelta(days=1)
    body = {"name": "script", "role": "admin", "expires_at": later.isoformat()}
    script = replace(api, token=(await api.made("/tokens", body))["token"])
    assert (await script("GET", "/users")).status == 200
    core.clock = lambda: later + timedelta(seconds=1)
    reply = await script("GET", "/users")
    assert (reply.status, reply.json["detail"]) == (401, "The token has expired.")


async def test_token_keeps_to_its_organisation(api, neighbour):
    """An admin's token cannot name another organisation, nor a text that is no id."""
    other = {"X-Organisation": str(neighbour.organisation)}
    assert (await api("GET", "/users", headers=other)).status == 403
    reply = await api("GET", "/users", headers={"X-Organisation": "main"})
    assert (reply.status, reply.json["field"]) == (422, "X-Organisation")


async def test_passwords_are_shown_to_who_may_and_asks(api, whole_office, canaries):
    """A SIP password is in an answer only where it was asked for."""
    path = f"/sip-accounts/{whole_office['account']}"
    assert "password" not in (await api("GET", path)).json
    assert (await api("GET", f"{path}?secrets=1")).json["password"] == canaries["sip"]
    listed = (await api("GET", "/sip-accounts?secrets=true")).json["items"]
    assert [item["password"] for item in listed] == [canaries["sip"]]
    system = f"/dect-systems/{whole_office['system']}"
    assert (await api("GET", f"{system}?secrets=1")).json["access_code"] == canaries["dect"]


async def test_secrets_stay_inside(core, api, clerk, whole_office, canaries):
    """Whatever a clerk reads or changes, no password, token or code is in any answer."""
    ways = (await api("GET", f"/devices/{whole_office['device']}/provisioning-url")).json
    hidden = [canaries["sip"], canaries["phone"], ways["password"]]
    hidden.append(ways["token_url"].rstrip("/").rpartition("/")[2])
    ids = whole_office.ids
    files = (await api("GET", f"/devices/{ids['device']}/files")).json["items"]
    for endpoint in endpoints():
        if endpoint.method != "GET" or endpoint.permission is None:
            continue
        path = endpoint.path.replace("{level}/{owner}", f"device/{ids['device']}")
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", value)
        for query in ("", "?secrets=1", "?explain=1"):
            for item in files:
                await clerk("GET", path.replace("{path:.+}", item["path"]) + query)
                if "{path" not in path:
                    break
    await clerk("PATCH", f"/sip-accounts/{ids['account']}", {"auth_name": "other"})
    await clerk("PUT", f"/settings/device/{ids['device']}", {"language": "fr"})
    await clerk("PATCH", f"/dect-systems/{ids['system']}", {"name": "mast"})
    told = b"\n".join(clerk.answers).decode(errors="replace")
    assert "********" in told
    assert not [text for text in hidden if text in told]
    assert f'"{canaries["dect"]}"' not in told


async def test_clerk_is_refused_what_shows_secrets(clerk, whole_office):
    """Asking for secrets without the permission is refused, not answered with less."""
    for path in (
        f"/sip-accounts/{whole_office['account']}?secrets=1",
        "/sip-accounts?secrets=1",
        f"/dect-systems/{whole_office['system']}?secrets=1",
        f"/handsets/{whole_office['handset']}?secrets=1",
        f"/devices/{whole_office['device']}/provisioning-url",
    ):
        assert (await clerk("GET", path)).status == 403, path


async def test_problems_repeat_no_secret(api, whole_office):
    """A refused password or PIN does not come back in the problem that refuses it."""
    user = whole_office["user"]
    for method, path, body in (
        ("PATCH", f"/sip-accounts/{whole_office['account']}", {"password": "Canary with blank"}),
        ("PATCH", f"/sip-accounts/{whole_office['account']}", {"password": ["Canary"]}),
        ("POST", "/users", {"first_name": "B", "sip_account": {"password": "Canary\n"}}),
        ("PUT", f"/users/{user}/pin", {"pin": "Canary"}),
        ("PUT", f"/settings/device/{whole_office['device']}", {"admin.password": "Canary" * 9}),
    ):
        reply = await api(method, path, body)
        assert reply.status == 422, (path, reply.json)
        assert "Canary" not in reply.body.decode()


async def test_answers_are_kept_by_nobody(api, whole_office):
    """No proxy keeps an answer, and a previewed file can run nothing in a browser."""
    path = f"/devices/{whole_office['device']}/files/001565aabb01.cfg"
    for reply in (await api("GET", path), await api("GET", "/users"), await api("GET", "/none")):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in reply.headers["Content-Security-Policy"]
