"""Signing in by the pages: every step, every refusal, and what a page never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.crypto.totp import code_at
from provisioning.domain.errors import InvalidInput
from provisioning.doors.http.portal.forms import is_ours
from provisioning.doors.http.portal.pages import STYLE, STYLE_PATH
from provisioning.store.organisations import Organisation
from provisioning.usecases import memberships, sessions, totp
from provisioning.usecases.sign_in_steps import FirstStep, seal, unseal

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

EMAIL = "ada@example.com"
PHRASE = "four words in no order"
OTHER = "six other words in some order"


@pytest.fixture
def ada(office):
    """Somebody with a login."""
    return office.person("Ada", "1001")


def with_authenticator(core):
    """Give Ada an authenticator; its secret, and the time step of the code that was used up."""
    _, signed_in = sessions.open_session(core, email=EMAIL, password=PHRASE)
    begun = totp.enrol(core, signed_in)
    totp.confirm(core, signed_in, code_at(begun.secret, core.clock()))
    return begun.secret


async def test_b3_wrong_passwords_and_unknown_people_get_one_page(browser, ada):
    """A wrong password and an unknown e-mail look alike, keep the e-mail typed, and give no cookie."""
    wrong = await browser.sign_in(EMAIL, "not it at all")
    unknown = await browser.sign_in("nobody@example.com", "not it at all")
    assert wrong.status == unknown.status == 403
    assert wrong.html.replace(EMAIL, "") == unknown.html.replace("nobody@example.com", "")
    assert wrong.form("/sign-in")["email"] == EMAIL
    assert wrong.form("/sign-in").get("password") == ""
    assert browser.cookie == ""


async def test_wrong_passwords_make_wait(browser, ada):
    """After some wrong passwords even the right one has to wait, and the page says how long."""
    for _ in range(5):
        await browser.sign_in(EMAIL, "not it at all")
    page = await browser.sign_in(EMAIL)
    assert (page.status, browser.cookie) == (429, "")
    assert f"in {page.headers['Retry-After']} seconds" in page.text


async def test_the_cookie_is_that_of_the_api(core, client, browser, ada):
    """The pages give the API's own cookie, which is Secure where people come by HTTPS."""
    await browser.sign_in(EMAIL)
    headers = {"Cookie": f"roost_session={browser.cookie}"}
    async with client.get("/api/v1/session", headers=headers) as reply:
        assert (await reply.json())["email"] == EMAIL
    core.places = replace(core.places, people="https://phones.example.com")
    form = {"email": EMAIL, "password": PHRASE}
    seen = await browser.ask("POST", "/sign-in", form)
    for part in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/"):
        assert part in seen.headers["Set-Cookie"]


async def test_the_code_is_a_second_step(core, browser, ada):
    """Whoever has an authenticator enters its code on a page of its own, which holds no password."""
    secret = with_authenticator(core)
    page = await browser.sign_in(EMAIL, then="/organisation")
    fields = page.form("/sign-in/code")
    assert PHRASE not in page.html
    assert browser.cookie == ""
    page = await browser("POST", "/sign-in/code", fields | {"code": "000000"})
    assert (page.status, browser.cookie) == (403, "")
    assert "The code is wrong." in page.text
    later = code_at(secret, datetime.now(UTC) + timedelta(seconds=30))
    page = await browser("POST", "/sign-in/code", page.form("/sign-in/code") | {"code": later})
    assert page.went[-1] == "/organisation"
    assert browser.cookie


async def test_wrong_codes_make_wait(core, browser, ada):
    """Codes are counted with passwords: six digits cannot be tried out."""
    with_authenticator(core)
    page = await browser.sign_in(EMAIL)
    fields = page.form("/sign-in/code")
    told = [
        (await browser("POST", "/sign-in/code", fields | {"code": f"{number:06}"})).status
        for number in range(6)
    ]
    assert told == [403] * 5 + [429]


async def test_the_second_step_cannot_be_forged_or_kept(core, browser, ada):
    """What the first step seals is good for five minutes, and nothing else is good at all."""
    with_authenticator(core)
    page = await browser.sign_in(EMAIL)
    sealed = page.form("/sign-in/code")["sealed"]
    for text in ("", "x", "é", sealed[:-4], sealed[::-1]):
        page = await browser("POST", "/sign-in/code", {"sealed": text, "code": "123456"})
        assert "Please begin again." in page.text
    now = core.clock()
    core.clock = lambda: now + timedelta(minutes=6)
    page = await browser("POST", "/sign-in/code", {"sealed": sealed, "code": "123456"})
    assert "Please begin again." in page.text


def test_what_is_sealed_opens_as_it_was(core):
    """The sealed first step gives the very texts back, and to nobody else's server."""
    typed = FirstStep("ada@example.com", 'a "word" and more \\')
    assert unseal(core, seal(core, typed)) == typed
    foreign = core.cipher.encrypt("[]", "another purpose")
    with pytest.raises(InvalidInput):
        unseal(core, foreign.hex())


async def test_b4_a_password_set_by_others_has_to_be_changed_first(office, browser):
    """Nothing opens before the change; then the way goes on to where it led."""
    office.person("Bob", "1002", must_change=True)
    page = await browser.sign_in("bob@example.com", then="/organisation")
    assert page.went[-1] == "/password?next=/organisation"
    assert (await browser("GET", "/")).went[-1].startswith("/password")
    form = page.form("/password")
    for change, told in (
        ({"current": PHRASE, "new": OTHER, "again": OTHER + "x"}, "not the same"),
        ({"current": "wrong", "new": OTHER, "again": OTHER}, "up to now is wrong"),
        ({"current": PHRASE, "new": "short", "again": "short"}, "at least 10 characters"),
        ({"current": PHRASE, "new": PHRASE, "again": PHRASE}, "not the old one"),
    ):
        page = await browser("POST", "/password", form | change)
        assert page.status == 403
        assert told in page.text
    good = {"current": PHRASE, "new": OTHER, "again": OTHER}
    page = await browser("POST", "/password", form | good)
    assert page.went[-1] == "/organisation"
    browser.cookie = ""
    assert (await browser.sign_in("bob@example.com", PHRASE)).status == 403
    assert (await browser.sign_in("bob@example.com", OTHER)).status == 200


async def test_a_missing_authenticator_is_set_up_on_the_way(core, actor, browser, ada):
    """Where the organisation asks for codes, the pages lead through setting one up."""
    with core.database.write() as session:
        session.get_one(Organisation, actor.organisation).totp_required = True
    page = await browser.sign_in(EMAIL, then="/organisation")
    page = await browser("GET", "/")
    assert page.went[-1] == "/authenticator"
    page = await browser("POST", "/authenticator", page.form("/authenticator"))
    assert [tag for tag, _ in page.tags if tag == "svg"]
    secret = page.html.partition("<code>")[2].partition("</code>")[0]
    form = page.form("/authenticator")
    page = await browser("POST", "/authenticator", form | {"code": "000000"})
    assert "The code is wrong." in page.text
    page = await browser("POST", "/authenticator", form | {"code": code_at(secret, core.clock())})
    assert page.went[-1] == "/"
    assert "Your phones" in page.title


async def test_whoever_has_several_organisations_chooses(core, neighbour, browser, ada):
    """After signing in the person chooses where to act; a foreign choice chooses nothing."""
    memberships.add_member(core, neighbour, email=EMAIL, role="member")
    page = await browser.sign_in(EMAIL)
    assert page.went[-1] == "/organisation"
    names = [given["value"] for tag, given in page.tags if given.get("name") == "organisation"]
    assert set(names) >= {str(neighbour.organisation)}
    form = page.form("/organisation")
    for choice in ("x", "0197a7b4-0000-7000-8000-000000000000"):
        page = await browser("POST", "/organisation", form | {"organisation": choice})
        assert page.went[-1] == "/organisation"
    chosen = str(neighbour.organisation)
    page = await browser("POST", "/organisation", form | {"organisation": chosen})
    assert "no user of this organisation" in page.text


async def test_signing_out_ends_the_session(core, browser, ada):
    """After signing out the cookie is gone, and good for nothing where it was kept."""
    await browser.sign_in(EMAIL)
    kept = browser.cookie
    page = await browser("POST", "/sign-out")
    assert (page.went[-1], browser.cookie) == ("/sign-in", "")
    browser.cookie = kept
    assert (await browser("GET", "/")).went[-1] == "/sign-in"
    assert (await browser("POST", "/sign-out")).went[-1] == "/sign-in"


async def test_forms_of_other_sites_are_refused(core, browser, ada):
    """A POST whose origin is another site, hidden or missing does nothing at all."""
    form = {"email": EMAIL, "password": PHRASE}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "", "Sec_Fetch_Site": ""},
    ):
        page = await browser("POST", "/sign-in", form, **headers)
        assert page.status == 403
        assert "not sent from a page of this server" in page.text
        assert browser.cookie == ""
    assert (await browser("POST", "/sign-in", form, Origin=core.places.people)).status == 200


def test_an_origin_is_ours_by_its_host_and_port(core):
    """Another port or another host is another origin."""
    host = {"Host": "phones.example.com:8000"}
    assert is_ours(core, host | {"Origin": "https://phones.example.com:8000"})
    assert not is_ours(core, host | {"Origin": "https://phones.example.com"})
    assert not is_ours(core, host | {"Origin": "https://phones.example.com:8000.evil.example"})
    assert not is_ours(core, {"Origin": "https://"})


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_request_of_a_page_gets_a_page(browser, ada, data):
    """Whatever a path, a query or a form holds, the answer is a page of ours and no failure."""
    hostile = st.text(max_size=40) | st.sampled_from(
        ["\x00", "//evil.example", "\ud7ff", "%", "{}"]
    )
    pages = st.sampled_from(["/sign-in", "/password", "/take/", "/organisation", "/sign-in/code"])
    path = data.draw(pages)
    if path == "/take/":
        path += quote(data.draw(hostile), safe="") or "x"
    query = f"?next={quote(data.draw(hostile))}&here={quote(data.draw(hostile))}"
    seen = await browser.ask("GET", path + query)
    assert seen.status in {200, 303, 404, 405}
    assert "evil.example" not in seen.headers.get("Location", "")
    fields = st.sampled_from(["next", "email", "password", "sealed", "code", "organisation"])
    form = data.draw(st.dictionaries(fields, hostile, max_size=4) | st.binary(max_size=60))
    seen = await browser.ask("POST", path + query, form)
    assert seen.status in {200, 303, 403, 404, 405, 422, 429}
    assert "evil.example" not in seen.headers.get("Location", "")


async def test_pages_allow_no_script_and_no_frame(browser):
    """Every page forbids scripts, frames and other origins, and is kept nowhere."""
    for path in ("/sign-in", "/nothing/here", f"/take/{'a' * 16}", f"/reset/{'a' * 26}"):
        seen = await browser.ask("GET", path)
        policy = seen.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "frame-ancestors 'none'" in policy
        assert seen.headers["Cache-Control"] == "no-store"
        assert seen.headers["X-Content-Type-Options"] == "nosniff"
        assert seen.headers["Referrer-Policy"] == "strict-origin"


async def test_the_style_sheet_may_be_kept(browser):
    """The one style sheet is named by its content, has an ETag, and is not sent twice."""
    page = await browser("GET", "/sign-in")
    (sheet,) = [given["href"] for tag, given in page.tags if given.get("rel") == "stylesheet"]
    assert sheet == STYLE_PATH
    seen = await browser.ask("GET", sheet)
    assert seen.html.encode() == STYLE
    assert "immutable" in seen.headers["Cache-Control"]
    again = await browser.ask("GET", sheet, If_None_Match=seen.headers["ETag"])
    assert (again.status, again.html) == (304, "")


async def test_an_unknown_page_is_a_page_and_an_unknown_endpoint_a_problem(browser):
    """People get HTML where nothing is, programs a problem document."""
    page = await browser("GET", "/nothing/here")
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    seen = await browser.ask("GET", "/api/v1/nothing")
    assert seen.headers["Content-Type"] == "application/problem+json"


async def test_forms_that_cannot_be_read_are_refused(browser, ada):
    """A form that is too large, no form, no UTF-8, or holds control characters gets a page."""
    for body, kind in (
        (b"email=" + b"x" * 20_000, "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"email=\xff", "application/x-www-form-urlencoded"),
        (b"email=%00", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=b"] * 50), "application/x-www-form-urlencoded"),
    ):
        seen = await browser.ask("POST", "/sign-in", body, Content_Type=kind)
        assert seen.status == 422
        assert "cannot be read" in seen.text
