"""The label on a phone, scanned: a printed sheet, a real browser, and what the phone then fetches."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PHRASE = "four words in no order"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}


@pytest.fixture
def chromium(client_program: Callable[[str], str]) -> Iterator[Any]:
    """Debian's chromium, driven by Playwright."""
    program = client_program("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def scanned(client_program: Callable[[str], str], tmp_path: Path) -> Callable[[bytes], list[str]]:
    """Print a sheet and read what its QR codes say, as a camera would."""
    print_, scan = client_program("pdftoppm"), client_program("zbarimg")

    def read(sheet: bytes) -> list[str]:
        (tmp_path / "sheet.pdf").write_bytes(sheet)
        command = [print_, "-r", "150", "-png", tmp_path / "sheet.pdf", tmp_path / "page"]
        subprocess.run(command, check=True, capture_output=True)
        pages = sorted(tmp_path.glob("page-*.png"))
        done = subprocess.run(
            [scan, "-q", "--raw", "--nodbus", *pages], check=True, capture_output=True, text=True
        )
        return done.stdout.split()

    return read


def look(page: Any, name: str) -> None:
    """Check what every page keeps to, and take pictures where SCREENSHOTS names a folder."""
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(too_wide), f"{name} is wider than {size['width']} pixels"
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            page.screenshot(path=f"{folder}/{name}-{size['width']}.png")
    unnamed = "input:not([type=hidden]):not([hidden])"
    for field in page.locator(unnamed).all():
        label = page.locator(f"label[for='{field.get_attribute('id')}']")
        assert label.count() == 1, f"{name} has a field without a label"
    assert page.locator("h1").count() == 1
    assert page.title()


def sign_in_at_the_second_try(page: Any, email: str) -> None:
    """Fill in the form, first with a wrong password, by keyboard alone."""
    look(page, "sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill("something else")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    look(page, "sign-in-wrong")
    page.get_by_label("Password").fill(PHRASE)
    page.keyboard.press("Enter")


def test_g2_a_scanned_label_makes_the_phone_ones_own(server, chromium, scanned):
    """From the printed sheet through the browser to the file the phone fetches, and back again."""
    login = {"password": PHRASE}
    user = server.make_user(email="ada@example.com", login=login)
    phone = server.make_phone(pool=True, model="T54W", name="Reception 1")
    site = server.api("GET", "sites")["items"][0]["id"]
    answer = server.ask("GET", f"sites/{site}/labels")
    assert answer.headers["Content-Type"] == "application/pdf"
    station = server.api("GET", f"devices/{phone.id}/stations")["items"][0]["id"]
    found = scanned(server.ask("GET", f"stations/{station}/label").body)
    assert len(found) == 1
    assert found[0] in scanned(answer.body)
    assert re.fullmatch(rf"{re.escape(server.people)}/take/[a-z2-7]{{16}}", found[0])

    def line() -> str:
        path = f"devices/{phone.id}/files/{phone.name}"
        text = server.ask("GET", path).body.decode()
        (name,) = re.findall(r"(?m)^account\.1\.user_name *= *(.*)$", text) or [""]
        return name.strip()

    assert line() in ("", "%NULL%")
    context = chromium.new_context(locale="en-GB", viewport=PHONE, java_script_enabled=True)
    failures: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: failures.append(message.text))
    page.on("requestfailed", lambda request: failures.append(request.url))
    page.goto(found[0])
    page.wait_for_url(re.compile(r"/sign-in\?next=/take/"))
    sign_in_at_the_second_try(page, "ada@example.com")
    page.get_by_role("button", name="Take this phone").wait_for()
    look(page, "take-free")
    page.keyboard.press("Enter")
    page.get_by_text("You are logged in until").wait_for()
    look(page, "take-yours")
    assert line() == user["extension"]
    page.goto(f"{server.people}/")
    look(page, "home")
    page.goto(f"{server.people}/take/{'a' * 16}")
    look(page, "gone")
    page.goto(found[0])
    page.get_by_role("button", name="Log out of this phone").click()
    page.get_by_text("This phone is free.").wait_for()
    assert line() in ("", "%NULL%")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    refusals = re.compile(r"status of 40[34]")  # the wrong password, the label that is none
    assert [text for text in failures if not refusals.search(text)] == []
    context.close()


def test_a_link_on_another_site_works_without_script_and_with_the_strict_cookie(
    server, chromium, tmp_path
):
    """Without scripts somebody invited chooses a password, and led here by another site sees the phone."""
    server.make_user(email="grace@example.com")
    invited = server.api("POST", "memberships", {"email": "grace@example.com", "role": "member"})
    phone = server.make_phone(pool=True, model="T54W", name="Reception 2")
    station = server.api("GET", f"devices/{phone.id}/stations")["items"][0]["id"]
    url = server.api("POST", f"stations/{station}/label")["url"]
    context = chromium.new_context(locale="de-DE", viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(invited["link"]["url"])
    look(page, "reset")
    page.get_by_label("Neues Passwort", exact=True).fill(PHRASE)
    page.get_by_label("Neues Passwort noch einmal").fill(PHRASE)
    page.get_by_role("button", name="Passwort speichern").click()
    page.get_by_text("Ihr Passwort ist gespeichert.").wait_for()
    page.get_by_label("E-Mail-Adresse").fill("grace@example.com")
    page.get_by_label("Passwort").fill(PHRASE)
    page.get_by_role("button", name="Anmelden").click()
    page.wait_for_url(f"{server.people}/")
    foreign = "http://elsewhere.example/"
    body = f'<a href="{url}">scan</a>'
    page.route(foreign, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(foreign)
    page.get_by_text("scan").click()
    page.get_by_text("Dieses Telefon ist frei.").wait_for()
    look(page, "take-frei")
    page.get_by_role("button", name="Dieses Telefon nehmen").click()
    page.get_by_text("angemeldet.").wait_for()
    context.close()
