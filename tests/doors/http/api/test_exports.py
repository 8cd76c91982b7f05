"""What a PBX pulls, as it pulls it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from provisioning.store import changes
from provisioning.store.people import User
from provisioning.usecases import retention

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

REALM = "pbx-1001.example.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def pbx(actor, caller):
    """A PBX with its token."""
    return caller(actor, "pbx")


def question(**fields: str) -> str:
    """What mod_xml_curl posts when a phone registers, with some of what it adds to every one."""
    asked = {
        "hostname": "switch",
        "section": "directory",
        "tag_name": "domain",
        "key_name": "name",
        "key_value": REALM,
        "Event-Name": "REQUEST_PARAMS",
        "Event-Calling-Function": "sofia_reg_parse_auth",
        "action": "sip_auth",
        "sip_profile": "internal",
        "sip_user_agent": "Yealink SIP-T54W 96.86.0.45",
        "sip_auth_username": "1001",
        "sip_auth_realm": REALM,
        "user": "1001",
        "domain": REALM,
        "ip": "192.0.2.7",
    }
    return urlencode(asked | fields) + "\n"


async def test_a_pbx_pulls_by_bearer_and_by_basic(office, pbx):
    """A program that knows only user and password sends the token as the password."""
    bearer = await pbx("GET", "/exports/asterisk")
    assert (bearer.status, bearer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert b"\n[1001]\ntype = endpoint\n" in bearer.body
    credentials = base64.b64encode(f"pbx:{pbx.token}".encode()).decode()
    basic = await pbx("GET", "/exports/asterisk", headers={"Authorization": f"Basic {credentials}"})
    assert basic.body == bearer.body
    for wrong in ("Basic !", "Basic ", "Basic cGJ4", "Basic cGJ4OngK", "Basic /////w=="):
        refused = await pbx("GET", "/exports/asterisk", headers={"Authorization": wrong})
        assert refused.status == 401, wrong
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")


async def test_freeswitch_asks_for_a_user(office, pbx, canaries):
    """The form of mod_xml_curl is answered with the user, hashed for the realm it names."""
    reply = await pbx("POST", "/exports/freeswitch", data=question(), headers=FORM)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    root = ET.fromstring(reply.body)
    assert root.find("section/domain").get("name") == REALM
    assert [user.get("id") for user in root.iter("user")] == ["1001"]
    assert canaries["sip"].encode() not in reply.body
    whole = await pbx("GET", "/exports/freeswitch?context=office")
    assert [user.get("id") for user in ET.fromstring(whole.body).iter("user")] == ["1001"]
    assert b'name="user_context" value="office"' in whole.body


@pytest.mark.parametrize(
    "fields",
    [{"user": "9"}, {"user": ""}, {"section": "dialplan"}, {"domain": "x.example"}],
    ids=str,
)
async def test_freeswitch_is_told_what_is_not_here(office, pbx, fields):
    """What is not here is a document with the status 200, as FreeSWITCH asks for it."""
    reply = await pbx("POST", "/exports/freeswitch", data=question(**fields), headers=FORM)
    assert reply.status == 200
    root = ET.fromstring(reply.body)
    assert root.find("section").get("name") == "result"
    assert root.find("section/result").get("status") == "not found"


async def test_a_form_is_read_only_where_one_is_asked_for(office, pbx, api):
    """JSON is refused where a form is wanted, a form where JSON is, and what is neither."""
    for caller, path, data, headers, status in (
        (pbx, "/exports/freeswitch", "{}", {}, 415),
        (api, "/users", "first_name=Ada", FORM, 415),
        (pbx, "/exports/freeswitch", "user=%ff", FORM, 200),
        (pbx, "/exports/freeswitch", b"\xff", FORM, 422),
        (pbx, "/exports/freeswitch", "user=%00", FORM, 422),
        (pbx, "/exports/freeswitch", "a=1&" * 1001, FORM, 422),
    ):
        reply = await caller("POST", path, data=data, headers=headers)
        assert reply.status == status, (path, data, reply.body)


async def test_kamailio_pulls_rows(office, pbx, canaries):
    """Rows come as JSON or CSV, with passwords only where they are asked for."""
    (row,) = (await pbx("GET", "/exports/kamailio")).json["items"]
    assert (row["username"], row["domain"], row["password"]) == ("1001", REALM, "")
    table = await pbx("GET", "/exports/kamailio?format=csv&passwords=true&realm=10.0.0.1")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, line, _ = table.body.decode().split("\r\n")
    assert head == "username,domain,password,ha1,ha1b"
    assert line.startswith(f"1001,10.0.0.1,{canaries['sip']},")
    for query, status in (("format=xml", 422), ("realm=a%20b", 422), ("server=x", 404)):
        assert (await pbx("GET", f"/exports/kamailio?{query}")).status == status


async def test_secrets_given_are_refused_by_name(office, pbx, api):
    """Exports of a server whose passwords the PBX side sets say so."""
    server = {"name": "theirs", "registrar": "their.example", "secrets": "given"}
    made = await api.made("/sip-servers", server)
    for form in ("asterisk", "freeswitch", "kamailio"):
        for named in ("theirs", made["id"]):
            reply = await pbx("GET", f"/exports/{form}?server={named}")
            assert (reply.status, reply.json["code"]) == (409, "secrets-are-given")


async def test_b1_people_are_pulled_page_by_page(office, pbx, api, canaries):
    """Every person comes once, with what holds for them, and one comes alone."""
    await api.made("/users", {"first_name": "Bob", "extension": "1002"})
    first = (await pbx("GET", "/exports/users?limit=1")).json
    second = (await pbx("GET", f"/exports/users?limit=1&cursor={first['next']}")).json
    names = [page["items"][0]["first_name"] for page in (first, second)]
    assert names == ["Ada1001", "Bob"]
    alone = (await pbx("GET", f"/exports/users/{office['user']}")).json
    assert alone == first["items"][0]
    assert alone["settings"]["call.recording"] == "never"
    assert canaries["sip"] not in str(alone)


async def test_a15_e4_what_people_refer_to_is_pulled(office, pbx):
    """Servers, numbers, call targets, cost centres and groups come in one answer."""
    reply = await pbx("GET", "/exports/catalogue")
    assert set(reply.json) == {
        "servers", "numbers", "targets", "cost_centres", "categories", "options",
    }  # fmt: skip
    assert reply.json["servers"][0]["registrar"] == REALM
    assert len(reply.json["categories"]) == 1


async def test_e1_a_pin_is_asked_for(core, office, pbx):
    """A PBX asks whether a PIN is right, and is told when to ask again after wrong ones."""
    with core.database.write() as session:
        user = session.query(User).filter_by(extension="1001").one()
        user.voicemail_pin_hash = core.pins.hash("4711")

    async def tried(pin: str) -> dict[str, object]:
        body = {"extension": "1001", "pin": pin}
        reply = await pbx("POST", "/exports/voicemail-pin", body)
        assert reply.status == 200
        return reply.json

    assert await tried("4711") == {"valid": True, "retry_after": 0}
    for _ in range(3):
        assert await tried("0000") == {"valid": False, "retry_after": 0}
    refused = await tried("4711")
    assert refused["valid"] is False
    assert refused["retry_after"] > 0
    form = urlencode({"extension": "1001", "pin": "4711"})
    reply = await pbx("POST", "/exports/voicemail-pin", data=form, headers=FORM)
    assert reply.json["retry_after"] > 0
    odd = {"extension": "1001", "pin": "4711", "more": ""}
    for sent in ({"body": odd}, {"data": urlencode(odd), "headers": FORM}):
        assert (await pbx("POST", "/exports/voicemail-pin", **sent)).status == 422


async def test_a_pbx_follows_the_changes(core, office, pbx, api):
    """From the cursor of now, each answer leads to the next; nothing comes twice."""
    start = (await pbx("GET", "/changes")).json
    assert (start["items"], start["more"]) == ([], False)
    user = f"/users/{office['user']}"
    assert (await api("PATCH", user, {"last_name": "L"})).status == 200
    assert (
        await api("PATCH", f"/sip-accounts/{office['account']}", {"password": "n-1"})
    ).status == 200
    first = (await pbx("GET", f"/changes?since={start['next']}&limit=1")).json
    assert first["more"] is True
    (told,) = first["items"]
    assert (told["kind"], told["id"], told["action"]) == ("user", office["user"], "changed")
    rest = (await pbx("GET", f"/changes?since={first['next']}")).json
    assert {item["kind"] for item in rest["items"]} == {"sip-account", "user"}
    end = (await pbx("GET", f"/changes?since={rest['next']}")).json
    assert (end["items"], end["next"]) == ([], rest["next"])
    assert (await api("DELETE", user)).status == 204
    gone = (await pbx("GET", f"/changes?since={end['next']}")).json["items"]
    assert (office["user"], "gone") in [(item["id"], item["action"]) for item in gone]


async def test_a_pbx_that_slept_too_long_starts_anew(core, office, pbx, api):
    """A cursor whose changes were forgotten gets 410, with a way on; another text gets 422."""
    start = (await pbx("GET", "/changes")).json["next"]
    await api("PATCH", f"/users/{office['user']}", {"last_name": "L"})
    core.clock = lambda: datetime.now(UTC) + timedelta(days=retention.CHANGES_DAYS + 1)
    retention.trim(core, fetch_days=30, audit_days=365)
    reply = await pbx("GET", f"/changes?since={start}")
    assert (reply.status, reply.json["code"]) == (410, "cursor-expired")
    assert "Start anew" in reply.json["remedy"]
    assert (await pbx("GET", "/changes?since=x")).status == 422
    with core.database.read() as session:
        assert session.query(changes.FeedChange).count() == 1
