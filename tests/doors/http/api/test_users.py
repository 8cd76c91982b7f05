"""Users, members' own things and swapped phones over HTTP."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from provisioning.domain.errors import NobodysOwn, RightMissing, SettingsDisagree
from provisioning.domain.roles import Permission
from provisioning.doors.http.api import me
from provisioning.doors.http.api.registry import Call
from provisioning.doors.http.errors import problem, status_of

UNKNOWN = "01900000-0000-7000-8000-000000000000"


async def test_b1_the_list_takes_a_search_and_an_order(api, office):
    """Names are found whole, and the newest comes first where it is asked for."""
    await api.made("/users", {"first_name": "Grace", "last_name": "Hopper"})
    found = await api("GET", "/users?q=grace%20hop")
    assert [item["first_name"] for item in found.json["items"]] == ["Grace"]
    newest = await api("GET", "/users?sort=-created")
    assert [item["first_name"] for item in newest.json["items"]] == ["Grace", "Ada1001"]
    assert newest.json["items"][0]["created_at"] >= newest.json["items"][1]["created_at"]
    assert (await api("GET", "/users?sort=height")).status == 422


async def test_e3_e5_steps_and_fallback_are_stored_as_sent(api, office):
    """What was sent comes back; a step out of bounds and an unknown id are refused."""
    steps = [{"targets": [{"kind": "extension", "number": "1002"}], "seconds": 20}]
    fallback = {"kind": "voicemail"}
    path = f"/users/{office['user']}"
    changed = await api("PATCH", path, {"steps": steps, "fallback": fallback})
    assert (changed.json["steps"], changed.json["fallback"]) == (steps, fallback)
    for wrong, status in (
        ({"steps": [steps[0] | {"seconds": 121}]}, 422),
        ({"steps": [steps[0] | {"targets": []}]}, 422),
        ({"steps": steps * 11}, 422),
        ({"steps": [{"targets": [{"kind": "target", "id": UNKNOWN}], "seconds": 20}]}, 404),
        ({"fallback": {"kind": "user", "id": UNKNOWN}}, 404),
        ({"caller_id": UNKNOWN}, 404),
        ({"cost_centre": UNKNOWN}, 404),
        ({"incoming": "elsewhere"}, 422),
    ):
        assert (await api("PATCH", path, wrong)).status == status
    assert (await api("PATCH", path, {"fallback": None})).json["fallback"] == {}


async def test_e2_a_refused_combination_names_the_other_setting(api, office):
    """The problem has its own code and says what is missing."""
    reply = await api("PUT", f"/settings/user/{office['user']}", {"voicemail.notify": True})
    assert (reply.status, reply.json["code"]) == (422, SettingsDisagree.code())
    assert "e-mail" in reply.json["detail"]


async def test_e1_a_voicemail_pin_is_set_and_never_told(api, office):
    """The answer says that there is one; no later answer holds it."""
    path = f"/users/{office['user']}"
    assert (await api("PUT", f"{path}/voicemail-pin", {"pin": "80913746"})).json == {
        "has_voicemail_pin": True
    }
    assert (await api("GET", path)).json["has_voicemail_pin"]
    assert (await api("PUT", f"{path}/voicemail-pin", {"pin": "abc"})).status == 422
    assert not (await api("PUT", f"{path}/voicemail-pin", {"pin": ""})).json["has_voicemail_pin"]
    assert not [answer for answer in api.answers if b"80913746" in answer]


async def test_f1_f2_f3_a_phone_comes_with_its_people(api, office):
    """Registered and assigned in one call, it shows its user, and the user shows it."""
    made = await api.made("/devices", {"mac": "001565AABB09", "users": [office["user"]]})
    assert [user["name"] for user in made["users"]] == ["Ada1001"]
    assert made["shared"] is False
    (station,) = (await api("GET", f"/users/{office['user']}/stations")).json["items"]
    assert (station["mac"], station["state"]) == ("00:15:65:AA:BB:09", "registered")
    second = await api.made("/users", {"first_name": "Grace"})
    users = {"users": [second["id"], office["user"]]}
    assert (await api("PUT", f"/devices/{made['id']}/assignments", users)).status == 200
    shown = (await api("GET", f"/devices/{made['id']}")).json
    assert ([user["name"] for user in shown["users"]], shown["shared"]) == (
        ["Grace", "Ada1001"], True,
    )  # fmt: skip


async def test_h2_a_swap_is_asked_then_done(api, office):
    """A dry run tells the losses and makes nothing; the swap answers with the new device."""
    new = {"mac": "00:04:13:00:00:01", "vendor": "snom", "model": "D785"}
    path = f"/devices/{office['device']}/swap"
    told = await api("POST", f"{path}?dry_run=true", new)
    assert (told.status, told.json["device"]) == (200, None)
    assert (await api("GET", "/devices/000413000001")).status == 404
    done = await api("POST", path, new)
    assert done.json["device"]["mac"] == "00:04:13:00:00:01"
    assert done.json["losses"] == told.json["losses"]
    assert (await api("GET", f"/devices/{office['device']}")).json["state"] == "retired"
    assert (await api("POST", path, new)).status == 409


async def test_me_is_nobodys_with_a_token_that_is_no_user(api, office):
    """An organisation's token has nothing of its own and is told so."""
    for path in ("/me", "/me/settings", "/me/keys", "/me/stations", "/me/contacts"):
        reply = await api("GET", path)
        assert (reply.status, reply.json["code"]) == (403, NobodysOwn.code())


async def test_c4_the_answer_greys_out_what_a_member_may_not_change(core, actor, api, office):
    """The list says what is editable and why not; a refused change is a 403 that says who can."""
    own = frozenset({Permission.OWN})
    ada = replace(actor, permissions=own, user_id=UUID(office["user"]))
    call = Call(core, ada)
    values = {"right.incoming": False}
    assert (await api("PUT", f"/settings/user/{office['user']}", values)).status == 200
    listed = {item.key: item for item in me.list_my_settings(call).items}
    assert listed["language"].editable
    assert not listed["line.incoming"].editable
    assert "right.incoming" in listed["line.incoming"].why_not
    with pytest.raises(RightMissing) as refused:
        me.change_my_settings(call, me.OwnValues({"line.incoming": "disabled"}))
    assert status_of(type(refused.value)) == 403
    document = problem(refused.value)
    assert document["code"] == "right-missing"
    assert "admin" in document["remedy"]
    assert me.read_me(call).first_name == "Ada1001"
    assert me.change_my_settings(call, me.OwnValues({"language": "de"})).items
