"""The phones' door with the real fetch and a real store behind it."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from structlog.testing import capture_logs

from provisioning.store.security import Fetch
from provisioning.usecases.devices import provisioning_urls
from provisioning.usecases.registering import add_device

MAC = "001565aabbcc"
COMMON = "/y000000000108.cfg"
NEITHER_KNOWN_NOR_SHOWN = [
    "/",
    "/001565000000.cfg",
    "/nothing",
    "//",
    "/t/abc/001565aabbcc.cfg",
    "/o/abc/001565aabbcc.cfg",
    "/../../etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%5c..%5cboot.ini",
    "/%252e%252e%252fetc",
    "/c:%5cboot.ini",
    "/001565aabbcc.cfg%00",
    "/001565aabbcc.cfg/",
    "/%c0%ae%c0%ae/etc/passwd",
    "/%ff%fe",
    "/" + "a" * 129,
    "/" + "a" * 4096,
    "http://elsewhere.example.com/etc/passwd",
    "/s/abc/screen",
]


@pytest.fixture(params=["sqlite"])
def database_kind(request):
    """The door does not know which database there is: one is enough."""
    return request.param


@pytest.fixture
def phone(core, actor):
    """A registered phone and the ways it has to us."""
    device = add_device(core, actor, mac=MAC, vendor="yealink", model="T54W").device
    return provisioning_urls(core, actor, device.id)


def token_path(phone, name: str = f"{MAC}.cfg") -> str:
    """The path of a file under the phone's own token."""
    return "/t/" + phone.token_url.split("/t/")[1] + name


@pytest.mark.parametrize("family", [0, 1])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_phone_gets_its_file_by_its_token(door, phone, scheme, family):
    """The token URL serves the phone's file on HTTP and HTTPS, IPv4 and IPv6, to it alone."""
    reply = await door.get(token_path(phone), getattr(door, scheme)[family])
    assert reply.status == 200
    assert reply.body.startswith(b"#!version")
    assert reply["etag"] == f'"{hashlib.sha256(reply.body).hexdigest()}"'
    assert reply["cache-control"] == "private, no-store"
    assert reply["content-type"].startswith("text/plain")
    assert reply["x-content-type-options"] == "nosniff"


async def test_unchanged_file_is_not_sent_again(door, phone):
    """If-None-Match with the file's tag, in any form, gives an empty 304 with the tag."""
    etag = (await door.get(token_path(phone)))["etag"]
    for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        reply = await door.get(token_path(phone), headers={"If-None-Match": tags})
        assert (reply.status, reply.body, reply["etag"]) == (304, b"", etag)
        assert reply["cache-control"] == "private, no-store"
    for tags in ('"other"', "garbage", etag.strip('"')):
        reply = await door.get(token_path(phone), headers={"If-None-Match": tags})
        assert reply.status == 200


async def test_head_is_get_without_the_body(door, phone):
    """HEAD has the headers of GET, the length included, and no body."""
    got = await door.get(token_path(phone))
    head = await door.get(token_path(phone), method="HEAD")
    assert (head.status, head.headers[:-1], head.body) == (200, got.headers[:-1], b"")


async def test_common_file_may_be_kept_but_must_be_asked_about(door):
    """A file that is the same for everyone is served to anyone, to be asked about each time."""
    reply = await door.get(COMMON)
    assert (reply.status, reply["cache-control"]) == (200, "no-cache")
    again = await door.get(COMMON, headers={"If-None-Match": reply["etag"]})
    assert again.status == 304


async def test_unknown_and_refused_are_one_answer(door, phone):
    """Whatever the reason, a 404 is the same to the byte, and hostile names are no exception."""
    # The proven return closes the window to the bare MAC.
    assert (await door.get(token_path(phone))).status == 200
    answers = {path: await door.get(path) for path in (*NEITHER_KNOWN_NOR_SHOWN, f"/{MAC}.cfg")}
    assert [path for path, answer in answers.items() if answer.status != 404] == []
    first, *others = answers.values()
    assert all(answer.lasting() == first.lasting() for answer in others)
    assert first["cache-control"] == "no-store"
    assert "aiohttp" not in str(first.headers).lower()


async def test_challenged_path_asks_with_each_scheme_in_order(door, phone):
    """Under /a/ a request without credentials is challenged, with Basic offered inside TLS only."""
    plain = await door.get(f"/a/{MAC}.cfg")
    secure = await door.get(f"/a/{MAC}.cfg", door.https[0])
    assert (plain.status, secure.status) == (401, 401)
    kinds = [re.sub(r'nonce="[^"]*"', "", each) for each in secure.all("www-authenticate")]
    assert [kind.split()[0] for kind in kinds] == ["Digest", "Digest", "Basic"]
    assert ["MD5" in kinds[0], "SHA-256" in kinds[1]] == [True, True]
    assert [each.split()[0] for each in plain.all("www-authenticate")] == ["Digest", "Digest"]


def digest(phone, challenge: str, path: str) -> str:
    """The answer of a phone to an MD5 challenge (RFC 7616 section 3.4)."""
    realm, nonce = (re.search(rf'{name}="([^"]*)"', challenge)[1] for name in ("realm", "nonce"))

    def hashed(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = hashed(f"{phone.username}:{realm}:{phone.password}")
    response = hashed(f"{secret}:{nonce}:00000001:abc:auth:{hashed(f'GET:{path}')}")
    return (
        f'Digest username="{phone.username}", realm="{realm}", nonce="{nonce}", uri="{path}", '
        f'response="{response}", algorithm=MD5, cnonce="abc", qop=auth, nc=00000001'
    )


async def test_digest_over_the_raw_target_proves_the_phone(door, phone):
    """Digest is judged over path and query as they came, still encoded."""
    path = f"/a/{MAC}%2Ecfg?x=%20"
    challenge = (await door.get(path)).all("www-authenticate")[0]
    answer = digest(phone, challenge, path)
    reply = await door.get(path, headers={"Authorization": answer})
    assert (reply.status, reply["cache-control"]) == (200, "private, no-store")
    replayed = await door.get(path, headers={"Authorization": answer})
    assert replayed.status == 401
    assert "stale=true" in replayed.all("www-authenticate")[0]


async def test_basic_proves_the_phone_inside_tls_only(door, phone):
    """Basic credentials are taken over HTTPS and refused over HTTP."""
    pair = base64.b64encode(f"{phone.username}:{phone.password}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"}
    assert (await door.get(f"/a/{MAC}.cfg", door.https[0], headers=headers)).status == 200
    assert (await door.get(f"/a/{MAC}.cfg", headers=headers)).status == 401


@pytest.mark.parametrize("header", ["Digest", "Digest x", "Basic !", "Bearer x", "Basic Og=="])
async def test_credentials_that_cannot_be_read_are_asked_for_again(door, phone, header):
    """A malformed or wrong Authorization header is challenged."""
    reply = await door.get(f"/a/{MAC}.cfg", door.https[0], headers={"Authorization": header})
    assert reply.status == 401


async def test_credentials_mean_nothing_elsewhere(door, phone):
    """Outside /a/ an Authorization header is not looked at."""
    reply = await door.get(token_path(phone), headers={"Authorization": "Basic !"})
    assert reply.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"])
async def test_only_reading_is_allowed(door, phone, method):
    """Every other method is 405 with the two that are allowed."""
    reply = await door.get(token_path(phone), method=method, headers={"Content-Length": "0"})
    assert (reply.status, reply["allow"]) == (405, "GET, HEAD")


async def test_upload_is_refused_before_its_body(door, phone):
    """A body is not waited for: its sender hears 405 at once."""
    head = f"PUT {token_path(phone)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    assert (await door.send(head.encode())).status == 405


async def test_http_1_0_without_host_is_served(door, phone):
    """The oldest firmware speaks HTTP/1.0 and names no host."""
    reply = await door.send(f"GET {token_path(phone)} HTTP/1.0\r\n\r\n".encode())
    assert (reply.status, reply.body[:9]) == (200, b"#!version")


async def test_fetch_log_knows_door_agent_and_reason(door, phone, core, database):
    """The fetch log holds door, address, name and User-Agent, and no token."""
    agent = {"User-Agent": "Yealink SIP-T54W 96.86.0.1 00:15:65:aa:bb:cc"}
    await door.get(token_path(phone), door.https[1], headers=agent)
    core.log.flush()
    with database.read() as session:
        (row,) = session.query(Fetch).all()
    assert (row.door, row.address, row.outcome) == ("https", "::1", "served")
    assert (row.path, row.user_agent) == (f"{MAC}.cfg", agent["User-Agent"])


async def test_broken_database_is_try_again(door, phone, core, monkeypatch):
    """When the store fails the phone hears 503 and when to come back, never 404."""
    monkeypatch.setattr(core.database, "read", None)
    with capture_logs():
        reply = await door.get(token_path(phone))
    assert (reply.status, reply["retry-after"], reply["cache-control"]) == (503, "30", "no-store")


async def test_odd_user_agent_harms_nobody(door, phone, core):
    """Bytes that are no UTF-8 in a header neither fail the request nor the log."""
    reply = await door.get(token_path(phone), headers={"User-Agent": "\udcff<img>"})
    assert reply.status == 200
    assert core.log.flush() == 1
