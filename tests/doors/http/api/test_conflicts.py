"""Two who edit at once: the later one is told both versions, and nothing anybody wrote is lost."""

from __future__ import annotations

import asyncio

import pytest

from provisioning.doors.http.api import conflicts
from provisioning.doors.http.api.models import Shown
from provisioning.usecases import keys, settings


@pytest.fixture
async def site(api, actor):
    """A site with its path and ETag."""
    made = await api.made("/sites", {"name": "Harbour"})
    path = f"/sites/{made['id']}"
    return path, (await api("GET", path)).headers["ETag"]


async def test_conflict_tells_both_versions(api, site):
    """A change based on an older reading is refused with that thing as it is now and as wished."""
    path, etag = site
    first = await api("PATCH", path, {"name": "Haven"}, headers={"If-Match": etag})
    second = await api("PATCH", path, {"emergency_location": "Pier 1"}, headers={"If-Match": etag})
    assert (first.status, second.status) == (200, 412)
    told = second.json
    assert told["code"] == "stale-revision"
    assert (told["based_on"], told["revision"]) == (1, 2)
    assert told["current"] == (await api("GET", path)).json
    assert told["sent"] == {"emergency_location": "Pier 1"}
    retry = {"If-Match": f'"{told["revision"]}"'}
    assert (await api("PATCH", path, told["sent"], headers=retry)).status == 200
    now = (await api("GET", path)).json
    assert (now["name"], now["emergency_location"]) == ("Haven", "Pier 1")


async def test_conflict_repeats_no_secret(api, office):
    """What was sent is told without its secrets."""
    path = f"/sip-accounts/{office['account']}"
    reply = await api(
        "PATCH",
        path,
        {"password": "Canary-Third", "position": 2},
        headers={"If-Match": '"99"'},
    )
    assert (reply.status, reply.json["sent"]) == (412, {"position": 2})
    assert "password" not in reply.json["current"]
    assert "Canary" not in reply.body.decode()


async def test_conflict_of_a_deletion_tells_what_holds(api, site):
    """A deletion based on an older reading tells the thing it would have taken."""
    path, etag = site
    await api("PATCH", path, {"name": "Haven"})
    reply = await api("DELETE", path, headers={"If-Match": etag})
    assert (reply.status, reply.json["current"]["name"]) == (412, "Haven")
    assert "sent" not in reply.json
    tried = await api("DELETE", f"{path}?dry_run=1", headers={"If-Match": etag})
    assert tried.status == 412


async def test_two_who_edit_at_once_lose_nothing(api, caller, actor, site):
    """Of many changes at the same moment from one reading one is made; the others, told, retry."""
    path, etag = site
    admins = [caller(actor) for _ in range(6)]
    fields = ("name", "emergency_location", "emergency_caller_id")
    wishes = [{field: f"+4930{number}{number}{number}"} for number, field in enumerate(fields * 2)]

    async def edit(admin, wish):
        based_on, conflicts = etag, 0
        while True:
            reply = await admin("PATCH", path, wish, headers={"If-Match": based_on})
            if reply.status == 200:
                return conflicts
            assert reply.status == 412, reply.json
            assert reply.json["sent"] == wish
            conflicts += 1
            based_on = f'"{reply.json["revision"]}"'

    conflicts = await asyncio.gather(*(map(edit, admins, wishes)))
    assert min(conflicts) == 0
    assert sum(conflicts) >= len(admins) - 1
    now = (await api("GET", path)).json
    assert now["revision"] == 1 + len(admins)
    for field in fields:
        assert now[field] in [wish[field] for wish in wishes if field in wish]


async def test_changes_at_once_without_a_reading_lose_nothing(api, caller, actor, site):
    """Changes of different fields at once stand all, or are refused as conflicts, on any database."""
    path, _ = site
    wishes = [
        {"name": "Haven"},
        {"emergency_location": "Pier 1"},
        {"emergency_caller_id": "+4930111"},
        {"allow_http": True},
    ]
    replies = await asyncio.gather(*(caller(actor)("PATCH", path, wish) for wish in wishes))
    now = (await api("GET", path)).json
    for wish, reply in zip(wishes, replies, strict=True):
        assert reply.status in (200, 412), reply.json
        ((field, value),) = wish.items()
        assert (now[field] == value) is (reply.status == 200)
    assert any(reply.status == 200 for reply in replies)


async def test_list_has_an_etag_of_what_it_holds(api, office):
    """The ETag of a list stays while the list does and names no other list."""
    path = f"/keys/device/{office['device']}"
    keys = {"items": [{"position": 2, "type": "blf", "value": "1002"}]}
    empty = (await api("GET", path)).headers["ETag"]
    full = (await api("PUT", path, keys, headers={"If-Match": empty})).headers["ETag"]
    assert full != empty
    assert (await api("GET", path)).headers["ETag"] == full
    reply = await api("PUT", path, {"items": []}, headers={"If-Match": empty})
    assert (reply.status, reply.json["code"]) == (412, "stale-revision")
    assert reply.json["current"]["items"] == (await api("GET", path)).json["items"]
    assert reply.json["sent"] == {"items": []}
    assert (await api("PUT", path, {"items": []}, headers={"If-Match": full})).status == 200
    assert (await api("GET", path)).headers["ETag"] == empty
    nobody = "/keys/device/0197a7b4-0000-7000-8000-000000000000"
    assert (await api("PUT", nobody, keys, headers={"If-Match": full})).status == 404


@pytest.mark.parametrize("subject", ["keys", "settings"])
async def test_lists_set_at_once_lose_nothing(api, caller, actor, office, subject):
    """Of several lists set at the same moment from one reading only one is."""
    path = f"/{subject}/user/{office['user']}"
    etag = (await api("GET", path)).headers["ETag"]
    numbers = [str(number) for number in range(1002, 1008)]
    wishes = {
        "keys": [{"items": [{"position": 2, "type": "blf", "value": n}]} for n in numbers],
        "settings": [{"language": tag} for tag in ("de", "fr", "it", "es", "pl", "nl")],
    }[subject]
    replies = await asyncio.gather(
        *(caller(actor)("PUT", path, wish, headers={"If-Match": etag}) for wish in wishes)
    )
    assert sorted(reply.status for reply in replies) == [200, 412, 412, 412, 412, 412]
    (won,) = [reply for reply in replies if reply.status == 200]
    assert (await api("GET", path)).json == won.json
    lost = [reply for reply in replies if reply is not won]
    assert all(reply.json["current"]["items"] == won.json["items"] for reply in lost)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("position", "sent", "status"),
    [(2, "1003", 412), (3, "1003", 412), (3, "1002", 412)],
    ids=["a key that is changed", "a key that is new", "a key that stays"],
)
async def test_list_changed_between_comparison_and_change_is_stale(
    api, core, actor, office, monkeypatch, position, sent, status
):
    """What another endpoint writes while a list is being compared is not overwritten."""
    path = f"/keys/user/{office['user']}"
    key = {"position": 2, "type": "blf", "value": "1002"}
    etag = (await api("PUT", path, {"items": [key]})).headers["ETag"]
    tag_of, theirs = conflicts.etag_of, keys.read_key(key | {"position": position, "value": "1009"})

    def meanwhile(answer: Shown) -> str:
        tag = tag_of(answer)
        if tag == etag:
            keys.set_key(core, actor, "user", office["user"], theirs)
        return tag

    monkeypatch.setattr(conflicts, "etag_of", meanwhile)
    wish = {"items": [key | {"value": sent}, key | {"position": 3, "value": sent}]}
    reply = await api("PUT", path, wish, headers={"If-Match": etag})
    assert reply.status == status, reply.json
    assert {"1009"} <= {item["value"] for item in reply.json["current"]["items"]}
    assert reply.json["current"]["items"] == (await api("GET", path)).json["items"]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_list_is_set_though_something_else_changed_meanwhile(
    api, core, actor, office, monkeypatch
):
    """A change of another thing at the same moment does not make a list stale."""
    path = f"/keys/device/{office['device']}"
    etag = (await api("GET", path)).headers["ETag"]
    tag_of, seen = conflicts.etag_of, []

    def meanwhile(answer: Shown) -> str:
        seen.append(tag_of(answer))
        if len(seen) == 1:  # it makes the same phone stale
            settings.set_values(core, actor, "device", office["device"], {"language": "de"})
        return seen[-1]

    monkeypatch.setattr(conflicts, "etag_of", meanwhile)
    wish = {"items": [{"position": 2, "type": "blf", "value": "1002"}]}
    reply = await api("PUT", path, wish, headers={"If-Match": etag})
    assert (reply.status, seen) == (200, [etag, etag]), reply.json
    assert (await api("GET", path)).json == reply.json


async def test_secret_value_is_not_repeated(api, office):
    """A secret among the values sent is not in the answer that refuses them."""
    path = f"/settings/device/{office['device']}"
    values = {"admin.password": "Canary-Fourth", "language": "de"}
    reply = await api("PUT", path, values, headers={"If-Match": '"old"'})
    assert (reply.status, reply.json["sent"]) == (412, {"language": "de"})
    assert "Canary" not in reply.body.decode()
