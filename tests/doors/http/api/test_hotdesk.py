"""Hotdesking over the API: what a PBX, an admin's page and a member's page are answered."""

from __future__ import annotations

from http import HTTPStatus

from provisioning.usecases.pace import Pace


async def test_g4_sessions_are_listed_by_user_site_and_state(api, whole_office):
    """Who sits where has since when and until when, and the filters an admin's page needs."""
    ids = whole_office.ids
    (seat,) = (await api("GET", "/hotdesk/sessions")).json["items"]
    assert (seat["id"], seat["user_id"]) == (ids["hotdesk_session"], ids["user"])
    assert seat["started_at"] < seat["lease_until"]
    assert (seat["ended_at"], seat["release"]) == (None, None)
    for query, count in (
        (f"user={ids['user']}", 1), (f"site={seat['site_id']}", 1),
        (f"station={seat['station_id']}", 1), (f"station={ids['station']}", 0),
        ("state=still-registers", 0),
    ):  # fmt: skip
        found = await api("GET", f"/hotdesk/sessions?{query}")
        assert len(found.json["items"]) == count, query
    assert (await api("GET", "/hotdesk/sessions?state=gone")).status == 422
    station = (await api("GET", f"/stations/{seat['station_id']}")).json
    assert (station["seated"], station["users"]) == (ids["user"], [])


async def test_g3_a_wrong_pin_tells_how_many_tries_are_left(api, whole_office):
    """The problem document has what a screen shows: tries left, and then the seconds to wait."""
    body = {"device": whole_office.ids["pool"], "extension": "1999", "pin": "000001"}
    told = [await api("POST", "/hotdesk/login", body) for _ in range(6)]
    assert [reply.json.get("tries_left") for reply in told[:5]] == [4, 3, 2, 1, 0]
    assert told[5].status == HTTPStatus.TOO_MANY_REQUESTS
    assert 0 < told[5].json["seconds"] <= 900


async def test_hd12_a_storm_is_answered_with_retry_after(core, api, whole_office):
    """Too many logins in a second are worth another try, which the answer says."""
    core.logins = Pace(1, clock=lambda: 0.0)
    body = {"device": whole_office.ids["pool"], "extension": "1999", "pin": "000001"}
    assert (await api("POST", "/hotdesk/login", body)).status == HTTPStatus.FORBIDDEN
    reply = await api("POST", "/hotdesk/login", body)
    assert (reply.status, reply.json["code"]) == (503, "too-many-logins")
    assert int(reply.headers["Retry-After"]) >= 1
