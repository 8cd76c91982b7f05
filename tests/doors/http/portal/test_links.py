"""One-time links and PINs by the pages, from what an admin hands over to what it lets in to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from provisioning.domain.errors import PinMustChange
from provisioning.domain.roles import Permission
from provisioning.usecases import hotdesk, memberships, seats, users
from provisioning.usecases.pages import Page

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

EMAIL = "ada@example.com"
OTHER = "six other words in some order"


def path_of(core, link):
    """Where a link leads on the people's server."""
    assert link.url.startswith(core.places.people)
    return link.url.removeprefix(core.places.people)


async def test_an_invited_member_chooses_a_password_and_signs_in(core, actor, browser):
    """The link opens a form as often as one likes, sets one password, and leads to signing in."""
    here = path_of(core, memberships.add_member(core, actor, email=EMAIL, role="admin").link)
    for _ in range(2):
        page = await browser("GET", here, Sec_Fetch_Site="cross-site")
        assert page.went == [here]
        assert EMAIL in page.text
    assert page.headers["Cache-Control"] == "no-store"
    for change, told in (
        ({"new": OTHER, "again": OTHER + "x"}, "not the same"),
        ({"new": "short", "again": "short"}, "at least 10 characters"),
    ):
        page = await browser("POST", here, page.form(here) | change)
        assert page.status == 403
        assert told in page.text
    await browser.sign_in("admin@example.com", "correct horse battery")
    page = await browser("POST", here, page.form(here) | {"new": OTHER, "again": OTHER})
    assert (page.went[-1], browser.cookie) == ("/sign-in?chosen=1", "")
    assert "Sign in with it." in page.text
    assert (await browser.sign_in(EMAIL, OTHER)).went[-1] == "/"
    assert browser.cookie


async def test_links_that_are_not_good_are_one_page(core, actor, browser):
    """A link that was used, has run out or never was gets the very same page, by every method."""
    link = memberships.add_member(core, actor, email=EMAIL, role="member").link
    late = memberships.add_member(core, actor, email="bob@example.com", role="member").link
    used, form = path_of(core, link), {"new": OTHER, "again": OTHER}
    await browser("POST", used, form)
    now = core.clock()
    core.clock = lambda: now + timedelta(days=8)
    pages = set()
    for path in (used, path_of(core, late), f"/reset/{'a' * 26}", "/reset/x", "/reset/%00"):
        for method, sent in (("GET", None), ("POST", form), ("POST", form | {"new": ""})):
            page = await browser(method, path, sent)
            pages.add((page.status, page.html))
    ((status, html),) = pages
    assert status == 404
    assert "This link is not valid" in html


async def test_a_membership_is_taken_on_by_its_link(core, neighbour, office, browser):
    """Signed in first, the person invited reads by whom, and is a member after one button."""
    office.person("Ada", "1001")
    office.person("Bob", "1002")
    admin = replace(neighbour, permissions=neighbour.permissions - {Permission.OPERATE})
    here = path_of(core, memberships.add_member(core, admin, email=EMAIL, role="member").link)
    await browser.sign_in("bob@example.com")
    page = await browser("POST", here)
    assert (page.status, page.title) == (404, "This link is not valid | Roost")
    browser.cookie = ""
    page = await browser("GET", here, Sec_Fetch_Site="cross-site")
    assert f'content="0; url={here}?here=1"' in page.html
    assert (await browser("GET", f"{here}?here=1")).went[-1] == f"/sign-in?next={here}"
    page = await browser.sign_in(EMAIL, then=here)
    assert "“neighbour” invites you" in page.text
    page = await browser("POST", here, page.form(here))
    assert page.went[-1] == "/organisation"
    assert "neighbour" in page.text
    assert (await browser("GET", here)).status == 404


async def test_b4_a_pin_that_has_to_be_changed_is_changed_by_the_page(core, actor, office, browser):
    """The start page leads to a form that keeps the rules of PINs; then a phone takes the PIN."""
    ada, station = office.person("Ada", "1001"), office.phone()
    users.set_pin(core, actor, ada, "482913", must_change=True)
    phone = {"device": station.device_id, "extension": "1001"}
    with pytest.raises(PinMustChange):
        hotdesk.log_in(core, actor, **phone, pin="482913")
    page = await browser.sign_in(EMAIL)
    assert "/pin" in [given.get("href") for tag, given in page.tags if tag == "a"]
    page = await browser("GET", "/pin")
    assert "set by somebody else" in page.text
    for change, told in (
        ({"new": "917364", "again": "917365"}, "not the same"),
        ({"new": "123456", "again": "123456"}, "no sequence"),
        ({"new": "", "again": ""}, "6 to 12 digits"),
        ({"new": "482913", "again": "482913"}, "the PIN you have"),
    ):
        page = await browser("POST", "/pin", page.form("/pin") | change)
        assert page.status == 403
        assert told in page.text
    page = await browser("POST", "/pin", {"new": "917364", "again": "917364"})
    assert "Your PIN is saved." in page.text
    assert "set by somebody else" not in page.text
    assert "917364" not in page.html
    hotdesk.log_in(core, actor, **phone, pin="917364")
    assert len(seats.list_sessions(core, actor, Page())) == 1


async def test_whoever_may_not_log_in_has_no_pin_to_choose(office, browser):
    """Without the feature there is neither a way to the page nor the page."""
    office.set("user", office.person("Ada", "1001"), **{"feature.hotdesking": False})
    page = await browser.sign_in(EMAIL)
    assert "/pin" not in page.html
    for method in ("GET", "POST"):
        page = await browser(method, "/pin", {"new": "917364", "again": "917364"})
        assert (page.status, page.title) == (403, "Not allowed | Roost")
