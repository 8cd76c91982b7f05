"""Logging in by password over HTTP: the cookie, what it opens, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from provisioning.crypto.totp import code_at
from provisioning.doors.http.api.application import api_application, endpoints
from provisioning.doors.http.cookies import COOKIE
from provisioning.store.organisations import Membership, Role
from provisioning.usecases import actors, memberships, sessions

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

ADMIN = {"email": "admin@example.com", "password": "correct horse battery"}
OTHER = "four words in no order"
OURS = {"X-Requested-With": "fetch"}


@dataclass
class Browser:
    """Somebody who keeps the cookie they were given, and sends what our pages send."""

    client: object
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: dict(OURS))

    async def __call__(self, method, path, body=None, **headers):
        """Send a request; returns its status, its JSON and its headers."""
        sent = self.headers | {name.replace("_", "-"): text for name, text in headers.items()}
        if self.cookie:
            sent["Cookie"] = f"{COOKIE}={self.cookie}"
        content = {} if body is None else {"json": body}
        async with self.client.request(method, f"/api/v1{path}", headers=sent, **content) as reply:
            if COOKIE in reply.cookies:
                self.cookie = reply.cookies[COOKIE].value
            told = await reply.json(content_type=None) if "json" in reply.content_type else None
            return reply.status, told, reply.headers

    async def log_in(self, email, password, **more):
        """Log in, which must succeed."""
        status, told, headers = await self(
            "POST", "/session", {"email": email, "password": password} | more
        )
        assert status == 201, told
        return told, headers


@pytest.fixture
async def client(core):
    """A client that keeps no cookies by itself."""
    server = TestServer(api_application(core))
    async with TestClient(server, cookie_jar=DummyCookieJar()) as client:
        yield client


@pytest.fixture
def browser(client, actor):
    """A browser of the first organisation's owner, not logged in yet."""
    return Browser(client)


@pytest.fixture
def newcomer(api, client):
    """Make a member with a password of their own; returns their browser."""

    async def make(email="ada@example.com", **login):
        given = {"password": OTHER} | login
        await api.made("/users", {"first_name": "Ada", "email": email, "login": given})
        return Browser(client)

    return make


async def test_login_gives_a_cookie_and_the_cookie_opens(browser):
    """Who logs in is told who they are, and their cookie opens what their role may."""
    told, headers = await browser.log_in(**ADMIN)
    assert (told["email"], told["organisation"], told["role"]) == (ADMIN["email"], "main", "owner")
    assert "write" in told["permissions"]
    cookie = headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    assert (await browser("GET", "/users"))[0] == 200
    status, again, _ = await browser("GET", "/session")
    assert (status, again) == (200, told)


async def test_cookie_is_secure_where_people_come_by_https(core, browser):
    """Behind HTTPS the cookie is never sent without it."""
    core.places = replace(core.places, people="https://phones.example.com")
    _, headers = await browser.log_in(**ADMIN)
    assert "Secure" in headers["Set-Cookie"]


async def test_cookie_and_token_are_not_each_other(browser, api):
    """A session's token is no bearer token, and a bearer token is no session."""
    await browser.log_in(**ADMIN)
    session = browser.cookie
    browser.cookie = ""
    assert (await browser("GET", "/users", Authorization=f"Bearer {session}"))[0] == 401
    browser.cookie = api.token
    assert (await browser("GET", "/users"))[0] == 401
    status, told, _ = await browser("GET", "/session", Authorization=f"Bearer {api.token}")
    assert (status, told["code"]) == (403, "forbidden")


async def test_every_change_by_cookie_needs_the_header(browser, rows):
    """Without the header only our pages send, no route takes a change by cookie."""
    await browser.log_in(**ADMIN)
    browser.headers.clear()
    before = rows()
    absent = "0197a7b4-0000-7000-8000-000000000000"
    for endpoint in endpoints():
        if endpoint.method != "GET" and endpoint.permission is not None:
            path = endpoint.path.replace("{level}/{owner}", f"site/{absent}")
            for item in endpoint.parameters:
                path = path.replace(f"{{{item.name}}}", absent)
            status, told, _ = await browser(endpoint.method, path, {})
            assert (status, told["code"]) == (403, "missing-header"), path
    assert rows() == before
    assert (await browser("GET", "/users"))[0] == 200


async def test_logout_ends_the_session(browser):
    """After logging out the cookie is gone, and good for nothing where it was kept."""
    await browser.log_in(**ADMIN)
    kept = browser.cookie
    status, _, headers = await browser("DELETE", "/session")
    assert status == 204
    assert "Max-Age=0" in headers["Set-Cookie"]
    browser.cookie = kept
    assert (await browser("GET", "/session"))[0] == 401


async def test_wrong_credentials_look_alike_and_are_slowed(browser):
    """An unknown e-mail and a wrong password get one answer, then a time to wait."""
    answers = []
    for email in (ADMIN["email"], "nobody@example.com"):
        for _ in range(5):
            status, told, _ = await browser("POST", "/session", {"email": email, "password": "x"})
            answers.append((status, told))
        status, told, headers = await browser("POST", "/session", {"email": email, "password": "x"})
        assert (status, told["code"]) == (429, "too-many-attempts")
        assert 0 < int(headers["Retry-After"]) <= 5
        assert headers["Retry-After"] in told["remedy"]
    assert {status for status, _ in answers} == {401}
    assert all(told == answers[0][1] for _, told in answers)
    assert answers[0][1]["code"] == "wrong-credentials"


async def test_b4_forced_change_opens_nothing_else(core, actor, newcomer, client):
    """A password set by an admin lets do nothing but change it, and a token does not lift that."""
    browser = await newcomer(must_change=True)
    told, _ = await browser.log_in("ada@example.com", OTHER)
    assert told["must_change"] is True
    with core.database.write() as session:
        session.add(Role(organisation_id=actor.organisation, name="x", permissions=["read"]))
    token = actors.create_token(core, actor, name="x", role="x", user=UUID(told["user_id"]))
    for bearer in ({}, {"Authorization": f"Bearer {token}"}):
        status, refused, _ = await browser("GET", "/roles", **bearer)
        assert (status, refused["code"]) == (403, "must-change-password")
    for method, path, body in (
        ("GET", "/session/organisation", None),
        ("PUT", "/session/organisation", {"organisation": told["organisation_id"]}),
        ("POST", "/session/totp", None),
        ("PUT", "/session/totp", {"code": "123456"}),
        ("POST", "/session/totp/removal", {"password": OTHER}),
    ):
        status, refused, _ = await browser(method, path, body)
        assert (status, refused["code"]) == (403, "must-change-password"), path
    new = {"password": OTHER, "new_password": "another phrase of words"}
    status, told, _ = await browser("PUT", "/session/password", new)
    assert (status, told["must_change"]) == (200, False)
    assert (await browser("GET", "/session/organisation"))[0] == 200
    # The token now does what its user may: a member reads nothing of the organisation.
    status, refused, _ = await browser("GET", "/roles", Authorization=f"Bearer {token}")
    assert (status, refused["code"]) == (403, "forbidden")


async def test_b4_admin_asks_for_a_new_password(api, newcomer):
    """An admin can make a member change their password at the next login; it is off by default."""
    browser = await newcomer()
    told, _ = await browser.log_in("ada@example.com", OTHER)
    assert told["must_change"] is False
    reply = await api("PATCH", f"/logins/{told['login_id']}", {"must_change": True})
    assert reply.status == 204
    assert (await browser("GET", "/session"))[1]["must_change"] is True


async def test_new_password_ends_other_sessions(newcomer, client):
    """Changing a password ends the login's other sessions and keeps this one."""
    browser = await newcomer()
    await browser.log_in("ada@example.com", OTHER)
    elsewhere = Browser(client)
    await elsewhere.log_in("ada@example.com", OTHER)
    for body, code in (
        ({"password": "wrong", "new_password": "another phrase of words"}, "wrong-password"),
        ({"password": OTHER, "new_password": "short"}, "invalid-input"),
        ({"password": OTHER, "new_password": OTHER}, "invalid-input"),
    ):
        assert (await browser("PUT", "/session/password", body))[1]["code"] == code
    assert (await elsewhere("GET", "/session"))[0] == 200
    new = {"password": OTHER, "new_password": "another phrase of words"}
    assert (await browser("PUT", "/session/password", new))[0] == 200
    assert (await browser("GET", "/session"))[0] == 200
    assert (await elsewhere("GET", "/session"))[0] == 401


async def test_reset_link_sets_a_password_once(api, newcomer, client):
    """A link an admin makes sets a new password once, and ends the sessions there were."""
    browser = await newcomer()
    told, _ = await browser.log_in("ada@example.com", OTHER)
    link = await api.made(f"/logins/{told['login_id']}/reset-link", None)
    assert link["url"].endswith(f"/reset/{link['token']}")
    new = {"token": link["token"], "password": "another phrase of words"}
    stranger = Browser(client, headers={})
    status, refused, _ = await stranger("POST", "/session/reset", new | {"password": "ada"})
    assert (status, refused["field"]) == (422, "password")
    assert (await stranger("POST", "/session/reset", new))[0] == 204
    assert (await stranger("POST", "/session/reset", new))[0] == 404
    assert (await browser("GET", "/session"))[0] == 401
    await browser.log_in("ada@example.com", "another phrase of words")


async def test_a_newer_link_and_time_end_a_link(core, api, newcomer, client):
    """A link ends when another is made, and after a day."""
    told, _ = await (await newcomer()).log_in("ada@example.com", OTHER)
    path = f"/logins/{told['login_id']}/reset-link"
    first, second = await api.made(path, None), await api.made(path, None)
    stranger = Browser(client)
    new = {"token": first["token"], "password": "another phrase of words"}
    assert (await stranger("POST", "/session/reset", new))[0] == 404
    later = datetime.now(UTC) + timedelta(days=1, seconds=1)
    core.clock = lambda: later
    new["token"] = second["token"]
    assert (await stranger("POST", "/session/reset", new))[0] == 404


async def test_authenticator_from_enrolment_to_removal(core, newcomer, client):
    """A confirmed authenticator is asked for at the login, and goes with the password."""
    browser = await newcomer()
    await browser.log_in("ada@example.com", OTHER)
    _, made, _ = await browser("POST", "/session/totp")
    assert made["uri"].startswith("otpauth://totp/")
    assert made["secret"] in made["uri"]
    assert (await browser("PUT", "/session/totp", {"code": "abc"}))[0] == 422
    assert (await browser("GET", "/session"))[1]["totp"] is False
    now = datetime.now(UTC)
    core.clock = lambda: now
    confirmed = await browser("PUT", "/session/totp", {"code": code_at(made["secret"], now)})
    assert confirmed[1]["totp"] is True
    assert (await browser("POST", "/session/totp"))[0] == 409

    known = {"email": "ada@example.com", "password": OTHER}
    status, told, _ = await browser("POST", "/session", known)
    assert (status, told["code"]) == (401, "code-required")
    used = known | {"code": code_at(made["secret"], now)}
    status, told, _ = await browser("POST", "/session", used)
    assert (status, told["code"]) == (401, "wrong-credentials")
    core.clock = lambda: now + timedelta(seconds=30)
    code = code_at(made["secret"], core.clock())
    await browser.log_in(**known, code=code)
    assert (await Browser(client)("POST", "/session", known | {"code": code}))[0] == 401

    status, told, _ = await browser("POST", "/session/totp/removal", {"password": "wrong"})
    assert (status, told["code"]) == (403, "wrong-password")
    assert (await browser("POST", "/session/totp/removal", {"password": OTHER}))[0] == 200
    await Browser(client).log_in(**known)


async def test_organisation_can_ask_for_authenticators(core, api, browser):
    """Where the organisation asks for an authenticator, a login without one can only set one up."""
    await browser.log_in(**ADMIN)
    assert (await api("PATCH", "/organisation", {"totp_required": True})).status == 200
    status, told, _ = await browser("GET", "/users")
    assert (status, told["code"]) == (403, "must-enrol-totp")
    assert (await browser("GET", "/session"))[1]["totp_missing"] is True
    _, made, _ = await browser("POST", "/session/totp")
    code = {"code": code_at(made["secret"], core.clock())}
    assert (await browser("PUT", "/session/totp", code))[1]["totp_missing"] is False
    assert (await browser("GET", "/users"))[0] == 200


async def test_admin_helps_who_lost_the_authenticator(core, api, newcomer, client):
    """An admin takes a member's authenticator away, and the password alone lets in again."""
    browser = await newcomer()
    told, _ = await browser.log_in("ada@example.com", OTHER)
    _, made, _ = await browser("POST", "/session/totp")
    await browser("PUT", "/session/totp", {"code": code_at(made["secret"], core.clock())})
    assert (await api("DELETE", f"/logins/{told['login_id']}/totp")).status == 204
    assert (await browser("GET", "/session"))[0] == 401
    await Browser(client).log_in("ada@example.com", OTHER)


async def test_session_ends_when_idle_and_at_last(core, browser):
    """An hour of silence ends a session, and so do twelve hours of work."""
    began = datetime.now(UTC)
    core.clock = lambda: began
    await browser.log_in(**ADMIN)
    for minutes in range(50, 12 * 60, 50):
        core.clock = lambda minutes=minutes: began + timedelta(minutes=minutes)
        assert (await browser("GET", "/session"))[0] == 200, minutes
    core.clock = lambda: began + timedelta(hours=12)
    assert (await browser("GET", "/session"))[0] == 401
    await browser.log_in(**ADMIN)
    core.clock = lambda: began + timedelta(hours=13)
    assert (await browser("GET", "/session"))[0] == 401


async def test_a14_partner_switches_between_the_organisations_given(
    core, actor, api, neighbour, caller, client, newcomer
):
    """One login acts in each organisation it was given to, one at a time, and in no other."""
    browser = Browser(client)
    third = actors.local_actor(
        (await caller(actor, "operator").made("/organisations", {"name": "third"}))["id"]
    )
    made = await api.made("/memberships", {"email": "p@example.com", "role": "partner"})
    reset = {"token": made["link"]["token"], "password": OTHER}
    assert (await browser("POST", "/session/reset", reset))[0] == 204
    again = await caller(neighbour).made(
        "/memberships", {"email": "p@example.com", "role": "partner"}
    )
    assert (again["accepted"], "/join/" in again["link"]["url"]) == (False, True)
    told, _ = await browser.log_in("p@example.com", OTHER)
    assert told["organisation"] == "main"
    assert len((await browser("GET", "/session/organisation"))[1]["items"]) == 1
    offer = {"token": again["link"]["token"]}
    assert (await browser("POST", "/session/memberships", offer))[0] == 204
    assert (await browser("POST", "/session/memberships", offer))[0] == 404
    _, listed, _ = await browser("GET", "/session/organisation")
    assert [(item["name"], item["current"]) for item in listed["items"]] == [
        ("main", True), ("neighbour", False),
    ]  # fmt: skip
    status, made, _ = await browser("POST", "/users", {"first_name": "Here"})
    assert status == 201
    there = {"organisation": str(neighbour.organisation)}
    assert (await browser("PUT", "/session/organisation", there))[1]["organisation"] == "neighbour"
    assert (await browser("GET", f"/users/{made['id']}"))[0] == 404
    assert (await browser("GET", "/organisation"))[1]["name"] == "neighbour"
    for foreign in (str(third.organisation), "0197a7b4-0000-7000-8000-000000000000"):
        status, _, _ = await browser("PUT", "/session/organisation", {"organisation": foreign})
        assert status == 404
    refused = await browser("GET", "/users", X_Organisation=str(third.organisation))
    assert refused[0] == 403
    assert (await browser("POST", "/tokens", {"name": "x", "role": "member"}))[0] == 403


async def test_a14_no_admin_reaches_a_login_of_other_organisations(
    core, actor, api, neighbour, caller, client
):
    """A login that acts elsewhere too gets no link from one organisation's admin."""
    made = await api.made("/memberships", {"email": "p@example.com", "role": "partner"})
    path = f"/logins/{made['login_id']}"
    assert (await api("POST", f"{path}/reset-link")).status == 201
    body = {"email": "p@example.com", "role": "partner"}
    await caller(neighbour).made("/memberships", body)
    assert (await caller(neighbour)("POST", f"{path}/reset-link")).status == 404
    assert (await api("POST", f"{path}/reset-link")).status == 201
    with core.database.write() as session:
        for row in session.query(Membership).filter_by(organisation_id=neighbour.organisation):
            row.acceptance_hash = None
    for method, way, body in (
        ("POST", f"{path}/reset-link", None),
        ("PATCH", path, {"must_change": True}),
        ("DELETE", f"{path}/totp", None),
    ):
        assert (await api(method, way, body)).status == 409, way
    operator = caller(actor, "operator")
    operator.headers["X-Organisation"] = str(actor.organisation)
    assert (await operator("POST", f"{path}/reset-link")).status == 201


async def test_operators_session_acts_where_it_says(core, actor, neighbour, client):
    """An operator's login names the organisation it acts in, as an operator's token does."""
    link = memberships.add_member(core, actor, email="op@example.com", role="operator").link
    sessions.reset_password(core, link.token, OTHER)
    browser = Browser(client)
    told, _ = await browser.log_in("op@example.com", OTHER)
    assert "operate" in told["permissions"]
    there = {"X_Organisation": str(neighbour.organisation)}
    assert (await browser("GET", "/organisation", **there))[1]["name"] == "neighbour"
    assert (await browser("GET", "/organisations"))[0] == 200
    absent = {"X_Organisation": "0197a7b4-0000-7000-8000-000000000000"}
    assert (await browser("GET", "/organisation", **absent))[0] == 404


async def test_foreign_session_is_closed_out_like_a_foreign_token(neighbour, caller, client, api):
    """An admin's cookie opens nothing of another organisation."""
    made = await caller(neighbour).made("/memberships", {"email": "n@example.com", "role": "admin"})
    browser = Browser(client)
    reset = {"token": made["link"]["token"], "password": OTHER}
    await browser("POST", "/session/reset", reset)
    await browser.log_in("n@example.com", OTHER)
    user = await api.made("/users", {"first_name": "Ada"})
    for method, body in (("GET", None), ("PATCH", {"first_name": "B"}), ("DELETE", None)):
        assert (await browser(method, f"/users/{user['id']}", body))[0] == 404
    assert (await api("GET", f"/users/{user['id']}")).json["first_name"] == "Ada"
