"""Pages, searches, revisions, and bodies nobody thought of."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


async def everything(api, path):
    """The items of every page, page by page."""
    cursor, pages = "", []
    while cursor is not None:
        reply = await api("GET", f"{path}{f'&cursor={cursor}' if cursor else ''}")
        assert reply.status == 200
        pages.append(reply.json["items"])
        cursor = reply.json["next"]
    return pages


async def test_pages_follow_each_other(api):
    """Walking by cursor shows each row once, in the order they were made."""
    made = [(await api.made("/profiles", {"name": f"p{n}"}))["id"] for n in range(5)]
    pages = await everything(api, "/profiles?limit=2")
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [item["id"] for page in pages for item in page] == made
    assert await everything(api, "/profiles?limit=5") == [
        [item for page in pages for item in page],
        [],
    ]


async def test_search_finds_names_and_numbers(api):
    """``q`` finds parts of names and extensions in any case, and takes % and _ as they are."""
    for name, extension in (("Ada", "1001"), ("Grace", "1002"), ("100%_er", "2001")):
        await api.made("/users", {"first_name": name, "extension": extension})
    for q, found in (
        ("GRA", ["Grace"]),
        ("100", ["Ada", "Grace", "100%_er"]),
        ("0%25", ["100%_er"]),
        ("_", ["100%_er"]),
        ("nobody", []),
        ("'; DROP TABLE user", []),
    ):
        items = (await api("GET", f"/users?q={q}")).json["items"]
        assert [item["first_name"] for item in items] == found, q


async def test_devices_are_found_by_mac(api, office):
    """A device is found by any part of its MAC in any spelling, and by its name."""
    await api("PATCH", f"/devices/{office['device']}", {"name": "Front desk"})
    await api.made("/devices", {"vendor": "linphone", "name": "Laptop"})
    assert len((await api("GET", "/devices")).json["items"]) == 2
    for q in ("aabb01", "AA:BB:01", "aa-bb", "desk", "0015.65"):
        found = (await api("GET", f"/devices?q={q}")).json["items"]
        assert [item["id"] for item in found] == [office["device"]], q


async def test_device_is_named_by_any_spelling(api, office):
    """A device's address takes every usual spelling of its MAC, and its id."""
    shown = (await api("GET", f"/devices/{office['device']}")).json
    assert shown["mac"] == "00:15:65:AA:BB:01"
    for spelling in ("001565aabb01", "00:15:65:AA:BB:01", "0015.65AA.BB01", "00-15-65-aa-bb-01"):
        assert (await api("GET", f"/devices/{spelling}")).json == shown, spelling


async def test_change_based_on_an_old_reading_is_refused(api, office):
    """A change, and a deletion, based on a revision that is gone is 412 and tells the current one."""
    path = f"/profiles/{office['profile']}"
    etag = (await api("GET", path)).headers["ETag"]
    changed = await api("PATCH", path, {"name": "new"}, headers={"If-Match": etag})
    assert changed.status == 200
    assert changed.headers["ETag"] != etag
    for method, body in (("PATCH", {"name": "newer"}), ("DELETE", None)):
        reply = await api(method, path, body, headers={"If-Match": etag})
        assert (reply.status, reply.json["code"]) == (412, "stale-revision")
        assert f"revision {changed.json['revision']};" in reply.json["detail"]
    assert (await api("GET", path)).json["name"] == "new"


async def test_tag_that_is_no_revision_never_matches(api, office):
    """An ``If-Match`` that names no revision is refused rather than left out of account."""
    path = f"/sites/{office['site']}"
    for tag in ('W/"1"', '"abc"', "1", '"1", "2"', '"99999999999"'):
        reply = await api("PATCH", path, {"name": "x"}, headers={"If-Match": tag})
        assert (reply.status, reply.json["code"]) == (412, "stale-revision"), tag


async def test_any_revision_will_do(api, office):
    """``If-Match: *`` and no header at all change whatever is there."""
    path = f"/sites/{office['site']}"
    assert (await api("PATCH", path, {"name": "x"}, headers={"If-Match": "*"})).status == 200
    assert (await api("PATCH", path, {"name": "y"})).status == 200


async def test_precondition_without_a_revision_is_refused(api, office):
    """Where there is no revision to compare, ``If-Match`` is refused, not ignored."""
    path = f"/devices/{office['device']}/assignments"
    reply = await api("PUT", path, {"users": []}, headers={"If-Match": '"1"'})
    assert (reply.status, reply.json["code"]) == (412, "stale-revision")


async def test_every_deletion_of_a_thing_takes_a_revision(api, office):
    """Users, accounts, devices and servers are deleted only at the revision that was read."""
    for path in (
        f"/sip-accounts/{office['account']}",
        f"/users/{office['user']}",
        f"/devices/{office['device']}",
        f"/sip-servers/{office['server']}",
        f"/profiles/{office['profile']}",
    ):
        stale = await api("DELETE", path, headers={"If-Match": '"999"'})
        assert stale.status == 412, path
        etag = (await api("GET", path)).headers["ETag"]
        reply = await api("DELETE", path, headers={"If-Match": etag})
        assert reply.status == 204, (path, reply.json)


async def test_retired_devices_hold_nothing_back(api, office):
    """A site and a profile that only retired devices had can be deleted."""
    other = await api.made("/sites", {"name": "annex"})
    await api("PATCH", f"/devices/{office['device']}", {"site": other["id"]})
    site, profile = f"/sites/{other['id']}", f"/profiles/{office['profile']}"
    for path in (site, profile):
        assert (await api("DELETE", path)).json["code"] == "still-in-use"
    await api("DELETE", f"/devices/{office['device']}")
    for path in (site, profile):
        assert (await api("DELETE", path)).status == 204
    (device,) = (await api("GET", "/devices?retired=1")).json["items"]
    assert (device["site"], device["profile"]) == (office["site"], None)


async def test_head_is_get_without_a_body(api, office):
    """HEAD answers as GET does, without the body."""
    path = f"/users/{office['user']}"
    head, get = await api("HEAD", path), await api("GET", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["ETag"] == get.headers["ETag"]


async def test_made_things_say_where_they_are(api):
    """A 201 names the address of what was made."""
    reply = await api("POST", "/profiles", {"name": "p"})
    assert reply.headers["Location"] == f"/api/v1/profiles/{reply.json['id']}"


async def test_many_at_once(api, office):
    """Requests at the same moment are all answered, and of equal extensions one is taken."""
    bodies = [{"first_name": f"U{n}", "extension": f"30{n % 5:02}"} for n in range(20)]
    replies = await asyncio.gather(*(api("POST", "/users", body) for body in bodies))
    assert sorted(reply.status for reply in replies) == [201] * 5 + [409] * 15
    assert {r.json["code"] for r in replies if r.status == 409} == {"duplicate-extension"}


# --- bodies nobody thought of

TEXTS = st.text(max_size=30) | st.sampled_from(
    ["1001", "yealink", "T31G", "main", "0015.65aa.bbcc", "\x00", "\u2028", "a@b.cd", "%n"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def bodies(*fields, required):
    """JSON objects that mostly have the fields of a body, with values of any kind."""
    known = st.dictionaries(st.sampled_from(fields), TEXTS | VALUES, max_size=5)
    return st.builds(lambda base, rest: base | rest, st.just(required), known) | VALUES


NEVER_FAILS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@NEVER_FAILS
@given(
    body=bodies(
        "first_name", "last_name", "email", "extension", "enabled", "sip_account",
        required={"first_name": "Ada"},
    )
)  # fmt: skip
async def test_no_user_body_makes_the_server_fail(body, api):
    """Whatever JSON comes as a user, it is made or refused, never a failure of ours."""
    reply = await api("POST", "/users", body if body is not None else {})
    assert reply.status in (201, 400, 409, 422), (body, reply.json)


@NEVER_FAILS
@given(
    body=bodies(
        "mac", "vendor", "model", "name", "site", "profile", "pool", "expansion_modules",
        required={"mac": "00:15:65:AA:BB:CC"},
    )
)  # fmt: skip
async def test_no_device_body_makes_the_server_fail(body, api):
    """Whatever JSON comes as a device, it is registered or refused, never a failure of ours."""
    reply = await api("POST", "/devices", body if body is not None else {})
    assert reply.status in (201, 400, 404, 409, 422), (body, reply.json)


@NEVER_FAILS
@given(account=bodies("username", "auth_name", "password", "sip_server_id", required={}))
async def test_no_account_body_makes_the_server_fail(account, api, office):
    """Whatever comes as a user's first SIP account, it is made or refused."""
    body = {"first_name": "Ada", "extension": None, "sip_account": account}
    reply = await api("POST", "/users", body)
    assert reply.status in (201, 400, 404, 409, 422), (body, reply.json)
