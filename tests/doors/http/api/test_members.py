"""Members, their roles, roles of one's own and tokens of a person, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from provisioning.domain.roles import BUILT_IN_NAMES
from provisioning.store.organisations import Membership, Role
from provisioning.usecases import memberships

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

PHRASE = "four words in no order"


@pytest.fixture
def with_rights(core, actor, caller):
    """Somebody whose role has these permissions and no others."""

    def make(*permissions):
        name = "-".join(permissions)
        with core.database.write() as session:
            session.add(
                Role(organisation_id=actor.organisation, name=name, permissions=[*permissions])
            )
        return caller(actor, name)

    return make


async def member_named(api, email):
    """The membership of an e-mail."""
    listed = (await api("GET", f"/memberships?q={email}")).json["items"]
    assert len(listed) == 1
    return listed[0]


def refused(reply, status, code):
    """Assert what a reply refused, and by which rule."""
    assert (reply.status, reply.json["code"]) == (status, code), reply.json


# --- A2, A13


async def test_a2_owner_is_not_changed_through_the_api(api, rows):
    """Nobody becomes the owner, and the owner stays what they are, whatever is asked."""
    await api.made("/memberships", {"email": "b@example.com", "role": "admin"})
    owner = await member_named(api, "admin@example.com")
    before = rows()
    path = f"/memberships/{owner['id']}"
    for body in ({"role": "admin"}, {"state": "suspended"}, {"user": None}):
        refused(await api("PATCH", path, body), 409, "owner-is-fixed")
    refused(await api("DELETE", path), 409, "owner-is-fixed")
    other = await member_named(api, "b@example.com")
    body = {"role": "owner"}
    refused(await api("PATCH", f"/memberships/{other['id']}", body), 409, "owner-is-fixed")
    body["email"] = "c@example.com"
    refused(await api("POST", "/memberships", body), 409, "owner-is-fixed")
    assert rows() == before


async def test_a2_owner_is_changed_from_the_command_line(core, actor, api):
    """Whoever runs the server makes another member the owner; the former one becomes an admin."""
    await api.made("/memberships", {"email": "b@example.com", "role": "member"})
    memberships.set_owner(core, actor, "B@example.com")
    assert (await member_named(api, "b@example.com"))["role"] == "owner"
    assert (await member_named(api, "admin@example.com"))["role"] == "admin"


async def test_a2_no_admin_takes_over_the_owners_login(api):
    """Only whoever operates the server makes a link for the owner."""
    owner = await member_named(api, "admin@example.com")
    refused(await api("POST", f"/logins/{owner['login_id']}/reset-link"), 403, "forbidden")


async def test_a13_the_permission_account_decides(with_rights, api):
    """Organisation data and members are for who has the permission, whatever else they may do."""
    clerk = with_rights("read", "write", "secrets", "tokens")
    keeper = with_rights("read", "account")
    member = await member_named(api, "admin@example.com")
    asked = [
        ("PATCH", "/organisation", {"name": "other"}),
        ("GET", "/memberships", None),
        ("GET", f"/memberships/{member['id']}", None),
        ("POST", "/roles", {"name": "desk"}),
    ]
    for method, path, body in asked:
        refused(await clerk(method, path, body), 403, "forbidden")
        assert (await keeper(method, path, body)).status in (200, 201), path
    refused(await keeper("POST", "/users", {"first_name": "B"}), 403, "forbidden")


# --- B5


async def test_b5_roles_go_up_and_down(api):
    """A member is promoted to admin and demoted again, and what they may do follows."""
    made = await api.made("/memberships", {"email": "b@example.com", "role": "member"})
    path = f"/memberships/{made['id']}"
    assert (await api("PATCH", path, {"role": "admin"})).json["role"] == "admin"
    assert (await api("PATCH", path, {"role": "member"})).json["role"] == "member"
    suspended = await api("PATCH", path, {"state": "suspended"})
    assert suspended.json["state"] == "suspended"
    refused(await api("PATCH", path, {"state": "asleep"}), 422, "invalid-input")
    refused(await api("PATCH", path, {"role": "king"}), 422, "invalid-input")
    assert (await api("DELETE", path)).status == 204
    assert (await api("GET", path)).status == 404


async def test_b5_last_admin_stays(caller, neighbour, rows):
    """The last admin is not demoted, suspended, disabled or deleted; one of two may be."""
    operator = caller(neighbour)
    body = {"first_name": "Ada", "email": "a@example.com", "login": {"password": PHRASE}}
    user = await operator.made("/users", body)
    first = await member_named(operator, "a@example.com")
    assert (await operator("PATCH", f"/memberships/{first['id']}", {"role": "admin"})).status == 200
    before = rows()
    path, person = f"/memberships/{first['id']}", f"/users/{user['id']}"
    asked = [
        ("PATCH", path, {"role": "member"}),
        ("PATCH", path, {"state": "suspended"}),
        ("DELETE", path, None),
        ("PATCH", person, {"enabled": False}),
        ("DELETE", person, None),
    ]
    for method, way, sent in asked:
        refused(await operator(method, way, sent), 409, "last-admin")
    assert rows() == before
    await operator.made("/memberships", {"email": "b@example.com", "role": "admin"})
    assert (await operator("DELETE", person)).status == 204
    refused(await operator("GET", path), 404, "not-found")


async def test_b5_nobody_gives_rights_they_have_not(api, with_rights, rows):
    """Neither roles, members nor tokens give more than the giver has, nor touch who has more."""
    keeper = with_rights("read", "account", "tokens")
    admin = await member_named(api, "admin@example.com")
    await api.made("/memberships", {"email": "b@example.com", "role": "admin"})
    other = await member_named(api, "b@example.com")
    strong = await api.made("/roles", {"name": "strong", "permissions": ["write", "read"]})
    weak = await keeper.made("/roles", {"name": "weak", "permissions": ["read"]})
    assert admin["role"] == "owner"
    before = rows()
    for method, path, body in (
        ("POST", "/roles", {"name": "x", "permissions": ["write"]}),
        ("PATCH", f"/roles/{weak['id']}", {"permissions": ["read", "secrets"]}),
        ("PATCH", f"/roles/{strong['id']}", {"permissions": ["read"]}),
        ("POST", "/tokens", {"name": "x", "role": "strong"}),
        ("POST", "/memberships", {"email": "c@example.com", "role": "member"}),
        ("PATCH", f"/memberships/{other['id']}", {"role": "weak"}),
        ("DELETE", f"/memberships/{other['id']}", None),
        ("POST", f"/logins/{other['login_id']}/reset-link", None),
        ("DELETE", f"/logins/{other['login_id']}/totp", None),
        ("PATCH", f"/logins/{other['login_id']}", {"must_change": True}),
    ):
        refused(await keeper(method, path, body), 403, "forbidden")
    refused(
        await api("POST", "/roles", {"name": "x", "permissions": ["operate"]}), 422, "invalid-input"
    )
    assert rows() == before


async def test_b5_nobody_parts_with_who_has_more_rights(core, api, with_rights, rows):
    """Who may change users does not disable or delete one whose login may do more, or the owner."""
    clerk = with_rights("read", "write")
    user = await api.made("/users", {"first_name": "Ada", "email": "ada@example.com"})
    owner = await api.made("/users", {"first_name": "Bo"})
    await api.made("/memberships", {"email": "ada@example.com", "role": "admin"})
    first = await member_named(api, "admin@example.com")
    before = rows()
    refused(await clerk("PATCH", f"/users/{user['id']}", {"enabled": False}), 403, "forbidden")
    refused(await clerk("DELETE", f"/users/{user['id']}"), 403, "forbidden")
    assert rows() == before
    assert (await clerk("PATCH", f"/users/{user['id']}", {"last_name": "L"})).status == 200
    with core.database.write() as session:
        session.get_one(Membership, UUID(first["id"])).user_id = UUID(owner["id"])
    refused(await api("DELETE", f"/users/{owner['id']}"), 409, "owner-is-fixed")
    refused(await api("PATCH", f"/users/{owner['id']}", {"enabled": False}), 409, "owner-is-fixed")
    assert (await api("DELETE", f"/users/{user['id']}")).status == 204


# --- roles


async def test_a14_role_presets_reach_its_users(api):
    """A role of one's own holds settings and keys, which its users start from."""
    role = await api.made("/roles", {"name": "reception", "permissions": ["own"]})
    path = f"/settings/role/{role['id']}"
    assert (await api("PUT", path, {"language": "de"})).status == 200
    keys = {"items": [{"position": 1, "type": "blf", "value": "1002", "label": "Porter"}]}
    assert (await api("PUT", f"/keys/role/{role['id']}", keys)).status == 200
    user = await api.made("/users", {"first_name": "Ada", "role": role["id"]})
    assert user["role"] == role["id"]

    async def language():
        found = (await api("GET", f"/users/{user['id']}/effective")).json["items"]
        return next((item["value"], item["level"]) for item in found if item["key"] == "language")

    assert await language() == ("de", "role")
    changed = await api("PATCH", f"/users/{user['id']}", {"role": None})
    assert changed.json["role"] is None
    assert (await language())[1] == "built-in"


async def test_role_is_changed_and_deleted(api):
    """A role is renamed, gets other rights, and goes with its presets once nobody has it."""
    role = await api.made("/roles", {"name": "desk", "permissions": ["read", "own", "read"]})
    assert (role["permissions"], role["built_in"]) == (["own", "read"], False)
    path = f"/roles/{role['id']}"
    changed = await api("PATCH", path, {"name": "front desk", "permissions": ["own"]})
    assert (changed.json["name"], changed.json["permissions"]) == ("front desk", ["own"])
    await api("PUT", f"/settings/role/{role['id']}", {"language": "de"})
    user = await api.made("/users", {"first_name": "Ada", "role": role["id"]})
    refused(await api("DELETE", path), 409, "still-in-use")
    await api("PATCH", f"/users/{user['id']}", {"role": None})
    assert (await api("DELETE", path)).status == 204
    refused(await api("GET", path), 404, "not-found")


async def test_built_in_roles_are_nobodys(api):
    """A built-in role is read but not changed, and no role takes its name or a word unknown."""
    listed = (await api("GET", "/roles")).json["items"]
    built_in = {item["name"]: item["id"] for item in listed if item["built_in"]}
    assert set(built_in) == BUILT_IN_NAMES
    path = f"/roles/{built_in['member']}"
    assert (await api("GET", path)).json["permissions"] == ["own"]
    refused(await api("PATCH", path, {"permissions": ["read"]}), 404, "not-found")
    refused(await api("DELETE", path), 404, "not-found")
    refused(await api("POST", "/roles", {"name": "Admin"}), 409, "duplicate-name")
    refused(
        await api("POST", "/roles", {"name": "x", "permissions": ["fly"]}), 422, "invalid-input"
    )
    refused(await api("POST", "/users", {"first_name": "B", "role": built_in["admin"]}), 404,
            "not-found")  # fmt: skip


# --- members and users


async def test_user_and_login_in_one_call(api):
    """A user is made with a login of the role member; a generated password is told this once."""
    body = {"first_name": "Ada", "email": "ada@example.com", "login": {"generate": True}}
    made = await api.made("/users", body)
    assert len(made["password"]) >= 20
    member = await member_named(api, "ada@example.com")
    assert (member["user_id"], member["role"]) == (made["id"], "member")
    assert member["must_change"] is False
    typed = {"first_name": "B", "email": "b@example.com", "login": {"password": PHRASE}}
    assert (await api.made("/users", typed))["password"] == ""


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"email": None}, 422, "email"),
        ({"email": "admin@example.com"}, 409, "email"),
        ({"login": {}}, 422, "login.password"),
        ({"login": {"password": PHRASE, "generate": True}}, 422, "login.password"),
        ({"login": {"password": "short"}}, 422, "password"),
        ({"login": {"password": "1234567890"}}, 422, "password"),
        ({"login": {"password": "Password-2026"}}, 422, "password"),
        ({"login": {"password": "aaaaaaaaaaaa"}}, 422, "password"),
        ({"login": {"password": "ada.lovelace1815"}}, 422, "password"),
    ],
    ids=str,
)
async def test_user_without_a_good_login_is_not_made(api, rows, changes, status, field):
    """A login that cannot be made leaves no user behind and says why, without the password."""
    body = {"first_name": "Ada", "email": "ada.lovelace@example.com", "login": {"generate": True}}
    await api("GET", "/users")
    before = rows()
    reply = await api("POST", "/users", body | changes)
    assert (reply.status, reply.json.get("field")) == (status, field), reply.json
    assert rows() == before


async def test_member_is_the_user_with_their_email(api):
    """Who is invited by a user's e-mail is that user; nobody is the same user twice."""
    user = await api.made("/users", {"first_name": "Ada", "email": "ada@example.com"})
    made = await api.made("/memberships", {"email": "ADA@example.com", "role": "member"})
    assert (made["user_id"], made["email"]) == (user["id"], "ada@example.com")
    assert made["link"]["token"]
    again = {"email": "ada@example.com", "role": "member"}
    refused(await api("POST", "/memberships", again), 409, "duplicate-name")
    again = {"email": "b@example.com", "role": "member", "user": user["id"]}
    refused(await api("POST", "/memberships", again), 409, "conflict")


async def test_deleted_user_takes_the_login_along(api):
    """Deleting a user ends their membership, and a login that has no other."""
    body = {"first_name": "Ada", "email": "ada@example.com", "login": {"password": PHRASE}}
    user = await api.made("/users", body)
    assert (await api("DELETE", f"/users/{user['id']}")).status == 204
    assert not (await api("GET", "/memberships?q=ada@example.com")).json["items"]
    await api.made("/users", body)


async def test_members_come_in_pages(api):
    """The list of members is paged and searched by e-mail."""
    for name in ("b", "c", "d"):
        await api.made("/memberships", {"email": f"{name}@example.com", "role": "member"})
    first = (await api("GET", "/memberships?limit=3")).json
    rest = (await api("GET", f"/memberships?limit=3&cursor={first['next']}")).json
    emails = [item["email"] for item in first["items"] + rest["items"]]
    assert emails == ["admin@example.com", "b@example.com", "c@example.com", "d@example.com"]
    assert rest["next"] is None
    assert not (await api("GET", "/memberships?q=%25")).json["items"]


async def test_changes_are_based_on_what_was_read(api):
    """A change of a role or member based on an older revision is refused."""
    role = await api.made("/roles", {"name": "desk"})
    member = await api.made("/memberships", {"email": "b@example.com", "role": "member"})
    for path, body in (
        (f"/roles/{role['id']}", {"name": "other"}),
        (f"/memberships/{member['id']}", {"state": "suspended"}),
    ):
        old = {"If-Match": '"1"'}
        assert (await api("PATCH", path, body, headers=old)).status == 200
        refused(await api("PATCH", path, body, headers=old), 412, "stale-revision")
        refused(await api("DELETE", path, headers=old), 412, "stale-revision")


# --- tokens of a person


async def test_persons_token_does_what_they_may(api):
    """A token of a user can do no more than their login, and ends with their membership."""
    body = {"first_name": "Ada", "email": "ada@example.com", "login": {"password": PHRASE}}
    user = await api.made("/users", body)
    made = await api.made("/tokens", {"name": "ada", "role": "admin", "user": user["id"]})
    assert made["user_id"] == user["id"]
    hers = replace(api, token=made["token"])
    refused(await hers("GET", "/users"), 403, "forbidden")
    member = await member_named(api, "ada@example.com")
    path = f"/memberships/{member['id']}"
    await api("PATCH", path, {"role": "admin"})
    assert (await hers("GET", "/users")).status == 200
    await api("PATCH", path, {"state": "suspended"})
    refused(await hers("GET", "/users"), 401, "unauthenticated")
    refused(
        await api("POST", "/tokens", {"name": "x", "role": "member", "user": member["id"]}),
        404, "not-found",
    )  # fmt: skip


async def test_token_tells_when_it_was_last_used(core, api):
    """The last use of a token is noted, but not again within some minutes."""
    began = datetime.now(UTC)
    core.clock = lambda: began
    made = await api.made("/tokens", {"name": "x", "role": "admin"})
    script = replace(api, token=made["token"])

    async def last_used():
        listed = (await api("GET", "/tokens")).json["items"]
        return next(item["last_used_at"] for item in listed if item["id"] == made["id"])

    assert await last_used() is None
    noted = []
    for minutes in (0, 9, 10):
        core.clock = lambda minutes=minutes: began + timedelta(minutes=minutes)
        await script("GET", "/users")
        noted.append(datetime.fromisoformat(await last_used()))
    assert noted == [began, began, began + timedelta(minutes=10)]
