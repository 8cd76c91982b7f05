"""From the label to the phone and back, as browsers see it."""

from __future__ import annotations

import pytest

from provisioning.usecases import (
    assignments,
    audit,
    dect,
    devices,
    handsets,
    hotdesk,
    memberships,
    seats,
    sip,
    stations,
    users,
)
from provisioning.usecases.labels.codes import renew_label
from provisioning.usecases.pages import Page

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def seated(core, actor):
    """Who sits at which station."""
    found = seats.list_sessions(core, actor, Page())
    return {seat.station.id: seat.user.extension for seat in found}


@pytest.fixture
def ada(office):
    """Somebody with a login and an extension."""
    return office.person("Ada", "1001")


@pytest.fixture
def bob(office):
    """Somebody else."""
    return office.person("Bob", "1002")


async def test_g2_scan_sign_in_and_the_phone_is_yours(core, actor, office, ada, browser, address):
    """The label leads through signing in to the phone, one button takes it, another gives it back."""
    station = office.phone()
    here = address(station)
    page = await browser("GET", here)
    assert page.went == [here, f"/sign-in?next={here}"]
    assert "Reception" not in page.html
    assert "scanned" in page.text
    page = await browser.sign_in("ada@example.com", then=here)
    assert (page.went[-1], page.title) == (here, "Reception | Roost")
    assert "This phone is free." in page.text
    assert seated(core, actor) == {}
    page = await browser("POST", here, page.form(here))
    assert page.went == [here, here]
    assert "You are logged in until " in page.text
    assert seated(core, actor) == {station.id: "1001"}
    assert page.form("/log-out")["next"] == here
    page = await browser("GET", "/")
    assert "Reception" in page.text
    page = await browser("POST", "/log-out", page.form("/log-out") | {"next": here})
    assert "This phone is free." in page.text
    assert seated(core, actor) == {}


async def test_hd14_a_handset_keeps_nobody_from_the_pages(
    core, actor, office, ada, browser, address
):
    """Whoever is logged in at a handset, named or not, sees it, and can log out there or move."""
    tower = dect.add_system(core, actor, name="Tower", capacity=20)
    made = [
        handsets.put_handset(core, actor, tower.id, name=name).station for name in ("", "Porter")
    ]
    for number, station in enumerate(made):
        stations.change_station(core, actor, station.id, {"hotdesking": "any"})
        sip.add_account(core, actor, username=f"place-{number}", station_id=station.id)
    users.set_pin(core, actor, ada, "482913")
    here = address(office.phone())
    await browser.sign_in("ada@example.com")
    for number, name in enumerate(("Tower 1", "Porter")):
        place = f"place-{number}"
        hotdesk.log_in(core, actor, sip_username=place, extension="1001", pin="482913")
        page = await browser("GET", "/")
        assert name in page.text
        assert f"“{name}”" in (await browser("GET", here)).text
        await browser("POST", "/log-out", page.form("/log-out"))
        assert seated(core, actor) == {}
    hotdesk.log_in(core, actor, sip_username="place-1", extension="1001", pin="482913")
    await browser("POST", here)
    assert list(seated(core, actor).values()) == ["1001"]
    assert "Porter" not in (await browser("GET", "/")).text


async def test_hd15_a_taken_phone_is_in_the_audit_log(core, actor, office, ada, browser, address):
    """Taking a phone by its label is told with the person as its author."""
    here = address(office.phone())
    await browser.sign_in("ada@example.com")
    page = await browser("POST", here)
    await browser("POST", "/log-out", page.form("/log-out"))
    told = audit.list_events(core, actor, audit.Wanted(), Page())
    about = [event for event in told if event.kind == "hotdesk-session"]
    assert {event.actor for event in about} == {"ada@example.com"}


async def test_g5_a_login_elsewhere_is_said_before_it_moves(
    core, actor, office, ada, browser, address
):
    """Whoever is logged in elsewhere reads where, and taking the phone moves them."""
    first, second = office.phone("First"), office.phone("Second")
    await browser.sign_in("ada@example.com")
    await browser("POST", address(first))
    page = await browser("GET", address(second))
    assert "“First”" in page.text
    await browser("POST", address(second))
    assert seated(core, actor) == {second.id: "1001"}


async def test_g5_a_place_that_keeps_people_offers_to_log_out_there(
    core, actor, office, ada, browser, address
):
    """Where a second login is denied, the page has no button to take but one to log out there."""
    first, second = office.phone("First"), office.phone("Second")
    office.set("organisation", actor.organisation, **{"hotdesk.elsewhere": "deny"})
    await browser.sign_in("ada@example.com")
    await browser("POST", address(first))
    page = await browser("POST", address(second))
    assert page.status == 409
    assert address(second) not in [where for where, _ in page.forms]
    page = await browser("POST", "/log-out", page.form("/log-out"))
    assert page.went[-1] == address(second)
    assert "This phone is free." in page.text
    assert seated(core, actor) == {}


async def test_g5_hd4_an_occupied_phone_is_refused_and_named_as_far_as_privacy_allows(
    core, actor, office, ada, bob, client, browser, address
):
    """Who sits there is named where the place lets it be told; nobody is put out."""
    station = office.phone()
    office.set("organisation", actor.organisation, **{"hotdesk.show-name": True})
    here = address(station)
    await browser.sign_in("ada@example.com")
    own = (await browser("POST", here)).form("/log-out")
    other = type(browser)(client)
    await other.sign_in("bob@example.com")
    page = await other("POST", here)
    assert page.status == 409
    assert "Ada Lovelace is logged in at this phone." in page.text
    assert [where for where, _ in page.forms] == ["/sign-out"]
    office.set("organisation", actor.organisation, **{"hotdesk.show-name": False})
    page = await other("GET", here)
    assert "Ada" not in page.html
    assert "Somebody else is logged in" in page.text
    page = await other("POST", "/log-out", own)
    assert (page.status, page.title) == (404, "No such page | Roost")
    assert seated(core, actor) == {station.id: "1001"}


async def test_g5_the_owner_takes_over_where_the_place_lets_them(
    core, actor, office, ada, bob, client, browser, address
):
    """At their own phone an owner reads that somebody sits there, and may take it."""
    station = office.phone(pool=False)
    assignments.assign_station(core, actor, station.id, [bob])
    stations.change_station(core, actor, station.id, {"hotdesking": "any"})
    office.set("organisation", actor.organisation, **{"hotdesk.take-over": "owner"})
    await browser.sign_in("ada@example.com")
    await browser("POST", address(station))
    other = type(browser)(client)
    await other.sign_in("bob@example.com")
    page = await other("GET", address(station))
    assert "You may take it all the same" in page.text
    await other("POST", address(station))
    assert seated(core, actor) == {station.id: "1002"}


async def test_g1_refusals_say_why_and_what_to_do(core, actor, office, ada, browser, address):
    """A phone that takes nobody and a person without the feature are two clear answers."""
    closed, pool = office.phone("Closed", pool=False), office.phone("Pool")
    await browser.sign_in("ada@example.com")
    page = await browser("POST", address(closed))
    assert page.status == 409
    assert "Nobody can log in at this phone." in page.text
    office.set("user", ada, **{"feature.hotdesking": False})
    page = await browser("POST", address(pool))
    assert page.status == 409
    assert "You may not log in on phones." in page.text
    assert seated(core, actor) == {}


async def test_labels_that_lead_nowhere_are_one_page(
    core, actor, neighbour, office, ada, browser, address
):
    """A foreign, a renewed, a retired and an invented label get the very same page."""
    sip.add_server(core, neighbour, name="main", registrar="pbx.example.org")
    foreign = type(office)(core, neighbour, count=50).phone()
    renewed, retired, good = office.phone("One"), office.phone("Two"), office.phone("Three")
    old = address(renewed)
    renew_label(core, actor, renewed.id)
    devices.retire_device(core, actor, retired.device_id)
    await browser.sign_in("ada@example.com")
    pages = set()
    for path in (
        address(foreign),
        old,
        address(retired),
        f"/take/{'a' * 16}",
        "/take/x",
        "/take/%00",
    ):
        for method in ("GET", "POST"):
            page = await browser(method, path)
            pages.add((page.status, page.html))
    ((status, html),) = pages
    assert status == 404
    assert "This label is not valid" in html
    typed = address(good).upper().replace("/TAKE", "/take")
    assert (await browser("GET", typed)).status == 200
    browser.cookie = ""
    assert (await browser("GET", typed)).went[-1] == f"/sign-in?next={typed}"
    assert seated(core, actor) == seated(core, neighbour) == {}


async def test_a_label_of_another_organisation_of_ones_own_leads_there(
    core, actor, neighbour, office, ada, browser, address
):
    """Whoever is a member of both may go on in the label's organisation."""
    sip.add_server(core, neighbour, name="main", registrar="pbx.example.org")
    there = type(office)(core, neighbour, count=50)
    station = there.phone("Far away")
    page = await browser.sign_in("ada@example.com", then=address(station))
    assert page.status == 404
    user = users.add_user(core, neighbour, first_name="Ada", extension="3001").user.id
    memberships.add_member(core, neighbour, email="ada@example.com", role="member", user=user)
    page = await browser("GET", address(station))
    assert "“neighbour”" in page.text
    (choice,) = [given["value"] for tag, given in page.tags if given.get("name") == "organisation"]
    fields = page.form("/organisation") | {"organisation": choice}
    page = await browser("POST", "/organisation", fields)
    assert page.title.startswith("Far away")
    await browser("POST", address(station))
    assert seated(core, neighbour) == {station.id: "3001"}


async def test_a_login_without_a_user_is_told_so(core, actor, office, browser, address):
    """An admin who is no user of the organisation can take no phone, and reads why."""
    page = await browser.sign_in(
        "admin@example.com", "correct horse battery", address(office.phone())
    )
    assert page.status == 403
    assert "no user of this organisation" in page.text


async def test_a_scan_goes_through_a_page_of_ours_before_the_cookie_is_missed(
    office, ada, browser, address
):
    """A navigation from elsewhere comes without the Strict cookie, so our own page leads on once."""
    here = address(office.phone())
    await browser.sign_in("ada@example.com")
    kept, browser.cookie = browser.cookie, ""
    for site in ("cross-site", "same-site", ""):
        page = await browser("GET", here, Sec_Fetch_Site=site)
        assert page.status == 200
        (refresh,) = [given["content"] for tag, given in page.tags if "http-equiv" in given]
        assert refresh == f"0; url={here}?here=1"
    browser.cookie = kept
    page = await browser("GET", f"{here}?here=1")
    assert "This phone is free." in page.text
    browser.cookie = ""
    page = await browser("GET", f"{here}?here=1", Sec_Fetch_Site="")
    assert page.went[-1] == f"/sign-in?next={here}"


@pytest.mark.parametrize(
    ("language", "free"),
    [
        ("de-AT, en;q=0.5", "Dieses Telefon ist frei."),
        ("fr", "Ce téléphone est libre."),
        ("xx", "This phone is free."),
    ],
)
async def test_pages_speak_the_browsers_language(office, ada, browser, address, language, free):
    """Without a choice of the person's the browser says in which language pages are."""
    browser.language = language
    page = await browser.sign_in("ada@example.com", then=address(office.phone()))
    assert free in page.text
    assert f'<html lang="{page.headers["Content-Language"]}">' in page.html


@pytest.mark.parametrize(
    ("chosen", "free"), [("de", "Dieses Telefon ist frei."), ("it", "Ce téléphone est libre.")]
)
async def test_pages_speak_the_persons_language(office, ada, browser, address, chosen, free):
    """What somebody chose for the person goes before the browser's, if pages are written in it."""
    office.set("user", ada, language=chosen)
    browser.language = "fr"
    page = await browser.sign_in("ada@example.com", then=address(office.phone()))
    assert free in page.text


async def test_hostile_names_are_inert(core, actor, office, client, browser, address):
    """A name that is HTML, a format or a script is shown as the text it is."""
    evil = "<script>alert(1)</script>\"'{0}{{7*7}}%s"
    users.change_user(core, actor, office.person("Eve", "1009"), {"last_name": evil})
    office.set("organisation", actor.organisation, **{"hotdesk.show-name": True})
    station = office.phone(evil)
    await browser.sign_in("eve@example.com")
    await browser("POST", address(station))
    office.person("Ada", "1001")
    other = type(browser)(client)
    await other.sign_in("ada@example.com")
    for path in ("/", address(station)):
        for page in (await browser("GET", path), await other("GET", path)):
            assert not [tag for tag, _ in page.tags if tag == "script"]
            assert not [name for _, given in page.tags for name in given if name.startswith("on")]
    page = await other("GET", address(station))
    assert page.text.count(evil) == 2
