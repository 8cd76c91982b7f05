"""Hotdesking on the phones' own screens over HTTP: every dialect's form, status and way out (G1 to G5)."""

from __future__ import annotations

import html
import re
import tomllib
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from provisioning.domain.errors import RenderFailed
from provisioning.domain.mac import Mac
from provisioning.logs import configure_logs
from provisioning.render.cases import shared_phone
from provisioning.render.login import texts_of
from provisioning.render.texts import Texts, languages
from provisioning.simulate.browsers import Shown, shown
from provisioning.store import outbox, queries
from provisioning.store.base import Base
from provisioning.store.devices import Device
from provisioning.usecases import (
    assignments,
    devices,
    hotdesk,
    previews,
    registering,
    seats,
    sip,
    users,
)
from provisioning.usecases import settings as values
from provisioning.usecases import stations as places
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.pace import Pace
from provisioning.usecases.pages import Page
from provisioning.usecases.paths import split_path
from provisioning.usecases.purposes import PURPOSE_SCREEN
from provisioning.usecases.requests import Door, FileRequest, Outcome
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.match import read_name
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import Screens

# What a screen does to the database is tested with the use cases, on both.
sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
PIN, CANARY = "482913", "739164"
REGISTRY = load_registry([shipped_root()])
FIRST_OF = {
    (vendor.id, entry.form, entry.both, str(entry.only)): model.id
    for vendor in REGISTRY
    for model in reversed(vendor.data.models)
    if (entry := vendor.screens(model)) is not None and (model.keys or entry.menu)
}
EACH = sorted((vendor, model) for (vendor, *_), model in FIRST_OF.items())
"""One model for each dialect's way of showing screens."""


@dataclass
class Phone:
    """A phone of a dialect that asks over HTTP, and reads what it gets."""

    core: object
    actor: object
    door: object
    device: Device

    @property
    def entry(self) -> Screens:
        """What its folder says of its screens."""
        vendor = REGISTRY.vendor(self.device.vendor)
        return vendor.screens(vendor.model(self.device.model))

    async def ask(self, url: str, status: int = 200) -> bytes:
        """What a URL of the server gives."""
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        reply = await self.door.get(path, self.door.https[0])
        assert reply.status == status, (url, reply)
        if reply.status == 200:
            assert reply["cache-control"] == "private, no-store"
            assert not reply.all("set-cookie")
        return reply.body

    async def files(self) -> str:
        """Everything its own files say, as it fetches them."""
        url = devices.provisioning_urls(self.core, self.actor, self.device.id).token_url
        vendor = REGISTRY.vendor(self.device.vendor)
        model = vendor.model(self.device.model)
        named = [item.path for item in previews.list_files(self.core, self.actor, self.device.id)]
        own = [name for name in named if not read_name(vendor, name, model, "").rule.phonebook]
        found = [await self.ask(url + name) for name in own]
        return "\n".join(html.unescape(content.decode()) for content in found)

    async def screen_url(self) -> str:
        """What its key or menu entry for logging in opens."""
        found = re.findall(r"https?://[^\s\"'<>;]+/s/[a-z0-9]+/hotdesk\b", await self.files())
        assert len(set(found)) == 1, found
        return found[0]

    async def see(self, url: str) -> Shown:
        """The screen at a URL."""
        content = await self.ask(url)
        screens = REGISTRY.vendor(self.device.vendor).data.screens
        largest = min((entry.largest or 20_000) for entry in screens)
        assert len(content) <= largest
        return shown(self.device.vendor, content)

    async def type(self, form: Shown, extension: str, pin: str) -> Shown:
        """Fill in the form, field by field or screen by screen."""
        typed = {"ext": extension, "pin": pin}
        while form.fields:
            masked = {"pin"} & form.fields.keys() if self.entry.masks else set()
            assert {name for name, hidden in form.fields.items() if hidden} == masked
            form = await self.see(form.submit({name: typed[name] for name in form.fields}))
        return form


@pytest.fixture
def server(core, actor):
    """A SIP server whose secrets are ours."""
    return sip.add_server(core, actor, name="main", registrar="pbx.example.com")


@pytest.fixture
def ada(core, actor, server):
    """Somebody with a PIN."""
    made = users.add_user(core, actor, first_name="Ada", last_name="Lovelace", extension="1001")
    users.set_pin(core, actor, made.user.id, PIN)
    return made.user.id


@pytest.fixture
def bob(core, actor, server):
    """Somebody else with a PIN."""
    made = users.add_user(core, actor, first_name="Bob", last_name="Babbage", extension="1002")
    users.set_pin(core, actor, made.user.id, "917364")
    return made.user.id


@pytest.fixture
def add_phone(core, actor, door):
    """Register pool phones."""

    def add(vendor: str, model: str, **columns) -> Phone:
        ouis = REGISTRY.vendor(vendor).data.ouis
        mac = (ouis[0] if ouis else "02").ljust(10, "0") + f"{len(added):02x}"
        columns = {"pool": True} | columns
        made = registering.add_device(
            core, actor, mac=mac, vendor=vendor, model=model, name="Desk 7", **columns
        )
        added.append(made)
        return Phone(core, actor, door, made.device)

    added: list[object] = []
    return add


@pytest.fixture
def open_pins(core, actor):
    """Let phones ask for a PIN that they cannot hide."""
    allowed = {"hotdesk.open-pin": True}
    values.set_values(core, actor, "organisation", actor.organisation, allowed)


each_dialect = pytest.mark.parametrize(("vendor", "model"), EACH)


@sqlite
@each_dialect
@pytest.mark.usefixtures("open_pins")
async def test_g2_log_in_and_out_on_the_phones_own_screen(
    core, actor, add_phone, ada, vendor, model
):
    """Key, form, PIN, status and log out by the URLs the phone is given; its files swap with it."""
    phone = add_phone(vendor, model)
    say = Texts((), "en")
    assert "1001" not in await phone.files()
    url = await phone.screen_url()
    refused = await phone.type(await phone.see(url), "1001", "000000")
    assert say("wrong-pin") in refused.words
    form = await phone.see(refused.links[say("again")])
    done = await phone.type(form, "1001", PIN)
    assert "Logged in until" in done.words
    assert done.loads is phone.entry.reloads
    assert "1001" in await phone.files()
    status = await phone.see(await phone.screen_url())
    assert "Ada Lovelace" in status.words
    assert re.search(r"1[12] h \d+ min left|12 h 0 min left", status.words)
    gone = await phone.see(status.links[say("log-out")])
    assert say("logged-out") in gone.words
    assert gone.loads is phone.entry.reloads
    assert "1001" not in await phone.files()
    assert (await phone.see(url)).fields
    assert seats.list_sessions(core, actor, Page()) == []


@sqlite
@each_dialect
@pytest.mark.usefixtures("open_pins")
async def test_g2_screens_are_in_the_language_of_the_phone(
    core, actor, add_phone, ada, vendor, model
):
    """The form is in the site's language, and what follows in that of whoever has logged in."""
    phone = add_phone(vendor, model)
    values.set_values(core, actor, "site", phone.device.site_id, {"language": "de"})
    values.set_values(core, actor, "user", ada, {"language": "fr"})
    url = await phone.screen_url()
    refused = await phone.type(await phone.see(url), "1001", "000000")
    assert Texts((), "de")("wrong-pin") in refused.words
    done = await phone.type(await phone.see(url), "1001", PIN)
    assert "Connecté jusqu'à" in done.words
    status = await phone.see(url)
    assert Texts((), "fr")("log-out") in status.links


@sqlite
async def test_g2_a_pin_is_asked_for_in_the_open_only_where_the_place_allows_it(
    core, actor, add_phone, server, ada
):
    """Else a phone that cannot hide it has the PBX's code on its key, and nothing answers for screens."""
    sip.change_server(core, actor, server.id, {"codes": {"hotdesk": "*12"}})
    phone = add_phone("fanvil", "X5U")
    station = places.first_station(core, actor, phone.device.id).station.id
    sip.add_account(core, actor, station_id=station, username="place-1")
    files = await phone.files()
    assert "*12@1/f" in files
    url = re.search(r"https://[^\s<]+/s/[a-z0-9]+/", files)[0] + "hotdesk"
    for path in ("", "/extension?form=1&ext=1001", f"/pin?ext=1001&pin={PIN}"):
        await phone.ask(url + path, 404)
    site = phone.device.site_id
    values.set_values(core, actor, "site", site, {"hotdesk.open-pin": True})
    assert await phone.screen_url() == url
    assert "*12@1/f" not in await phone.files()
    done = await phone.type(await phone.see(url), "1001", PIN)
    assert "Logged in until" in done.words
    values.delete_value(core, actor, "site", site, "hotdesk.open-pin")
    await phone.ask(f"{url}/logout?sure=1", 404)
    assert len(seats.list_sessions(core, actor, Page())) == 1


@pytest.fixture
def yealink(add_phone):
    """A pool phone with both fields on one screen."""
    return add_phone("yealink", "T54W")


async def test_g2_the_key_logs_in_and_then_out(core, actor, yealink, ada):
    """The key's label says what it is for, in the language of the phone."""
    values.set_values(core, actor, "site", yealink.device.site_id, {"language": "de"})
    assert ".label = Anmelden" in await yealink.files()
    hotdesk.log_in(core, actor, device=yealink.device.id, extension="1001", pin=PIN)
    assert ".label = Abmelden" in await yealink.files()


async def test_g1_the_key_is_there_only_where_phone_and_person_allow(core, actor, add_phone, ada):
    """Pool phones have it; one's own phone where it takes logins and its person may log in."""
    phone = add_phone("yealink", "T54W", pool=False)
    assignments.assign_device(core, actor, phone.device.id, [ada])
    assert "/hotdesk" not in await phone.files()
    station = places.first_station(core, actor, phone.device.id)
    places.change_station(core, actor, station.station.id, {"hotdesking": "any"})
    assert "/hotdesk" in await phone.files()
    values.set_values(core, actor, "user", ada, {"feature.hotdesking": False})
    assert "/hotdesk" not in await phone.files()


async def test_g2_a_question_comes_before_the_log_out_without_one(yealink, core, actor, ada):
    """The bare address of the log out asks first; nobody there is said, not done."""
    url = await yealink.screen_url()
    assert Texts((), "en")("nobody") in (await yealink.see(f"{url}/logout?sure=1")).words
    hotdesk.log_in(core, actor, device=yealink.device.id, extension="1001", pin=PIN)
    asked = await yealink.see(f"{url}/logout")
    assert "Log Ada Lovelace out?" in asked.words
    assert len(seats.list_sessions(core, actor, Page())) == 1
    await yealink.see(asked.links["Log out"])
    assert seats.list_sessions(core, actor, Page()) == []


async def test_g5_what_the_rules_forbid_is_said_without_a_name(core, actor, add_phone, ada, bob):
    """An occupied phone is in use by nobody one could learn of; elsewhere has to be left first."""
    here, there = add_phone("yealink", "T54W"), add_phone("yealink", "T46S")
    url = await here.screen_url()
    hotdesk.log_in(core, actor, device=here.device.id, extension="1001", pin=PIN)
    status = await here.see(url)
    refused = await here.type(await here.see(status.links["Someone else"]), "1002", "917364")
    assert "This phone is in use." in refused.words
    assert "Ada" not in refused.words
    values.set_values(core, actor, "site", there.device.site_id, {"hotdesk.elsewhere": "deny"})
    refused = await there.type(await there.see(await there.screen_url()), "1001", PIN)
    assert "Log out at your other phone first." in refused.words


async def test_g3_a_pin_to_be_changed_is_said_with_the_place(core, actor, yealink, ada):
    """Whoever has to change the PIN is told where."""
    users.set_pin(core, actor, ada, PIN, must_change=True)
    refused = await yealink.type(await yealink.see(await yealink.screen_url()), "1001", PIN)
    assert "http://127.0.0.1:8000" in refused.words


async def test_hd12_a_login_storm_is_said_and_no_failure(core, yealink, ada):
    """Where too many log in at this moment the phone shows a sentence and not an error."""
    form = await yealink.see(await yealink.screen_url())
    core.logins = Pace(0)
    refused = await yealink.type(form, "1001", PIN)
    assert Texts((), "en")("failed") in refused.words


async def test_g3_too_many_wrong_pins_have_to_wait(yealink, ada):
    """After the tries that are allowed it is said how long to wait, also with the right PIN."""
    url = await yealink.screen_url()
    for _ in range(6):
        await yealink.see(f"{url}/login?ext=1001&pin=000000")
    assert "Try again in" in (await yealink.see(f"{url}/login?ext=1001&pin={PIN}")).words


async def test_g3_somebody_who_may_not_and_somebody_unknown_are_told(core, actor, yealink, ada):
    """A person without the feature may not; an unknown extension is a wrong one."""
    values.set_values(core, actor, "user", ada, {"feature.hotdesking": False})
    url = await yealink.screen_url()
    say = Texts((), "en")
    assert say("hotdesking-off") in (await yealink.see(f"{url}/login?ext=1001&pin={PIN}")).words
    assert say("wrong-pin") in (await yealink.see(f"{url}/login?ext=9999&pin={PIN}")).words


@sqlite
@pytest.mark.parametrize(
    "query",
    ["ext=1001", "pin=1", "ext=1001&pin=482913&pin=482913", "ext=%00&pin=1", "a=b", "&&", "ext",
     "ext=1001&pin=%ff", "ext=" + "1" * 400, "ext=10+01&pin=1", "%", "ext=%EF%BC%91&pin=1", "=", "ext=1;pin=2"],
)  # fmt: skip
async def test_g2_what_no_form_sends_is_said_to_be_no_login(yealink, ada, query):
    """A malformed request is a sentence on the screen, and no attempt."""
    url = await yealink.screen_url()
    said = await yealink.see(f"{url}/login?{query.replace(' ', '%20')}")
    assert Texts((), "en")("malformed") in said.words


async def test_g2_only_get_acts_and_only_the_paths_there_are(core, actor, yealink, ada):
    """Asked by HEAD, by another path or by an unknown token there is nothing, and nothing is done."""
    url = urlsplit(await yealink.screen_url()).path
    for path in (f"{url}/x", f"{url}/", "/s/aaaaaaaaaaaaaaaaaaaaaaaaaa/hotdesk"):
        assert (await yealink.door.get(path)).status == 404, path
    login = f"{url}/login?ext=1001&pin={PIN}"
    assert (await yealink.door.get(login, method="HEAD")).status == 404
    assert seats.list_sessions(core, actor, Page()) == []


async def test_g2_a_screen_token_opens_no_file(core, actor, yealink):
    """What a phone shows its screens by gives none of its files, nor does its own URL show screens."""
    url = urlsplit(await yealink.screen_url()).path
    [name, *_] = [
        item.path for item in previews.list_files(core, actor, yealink.device.id) if item.secret
    ]
    assert (await yealink.door.get(url.replace("hotdesk", name))).status == 404
    own = devices.provisioning_urls(core, actor, yealink.device.id).token_url
    assert (await yealink.door.get(urlsplit(own).path + "hotdesk")).status == 404


async def test_g2_a_blocked_phone_shows_no_screens(core, actor, yealink):
    """Nobody logs in at a phone that was blocked."""
    url = urlsplit(await yealink.screen_url()).path
    devices.change_device(core, actor, yealink.device.id, {"state": "blocked"})
    assert (await yealink.door.get(url)).status == 404


async def test_hd6_an_answer_that_reloads_is_the_reload(core, actor, add_phone, ada):
    """A phone that its answer makes load its files is told after 20 seconds only, others at once."""
    left = {}
    for vendor, model in (("snom", "D335"), ("yealink", "T54W")):
        phone = add_phone(vendor, model)
        url = await phone.screen_url()
        await phone.see(f"{url}/login?ext=1001&pin={PIN}")
        with core.database.read() as session:
            row = outbox.reload_of(session, phone.device.id)
            assert row is not None
            left[vendor] = row.coming_until
    assert left["snom"] is not None
    assert left["yealink"] is None


# --- nothing of it is kept


async def test_g3_no_log_holds_pin_or_token(core, actor, door, add_phone, ada, capfd, monkeypatch):
    """Whatever comes of a login, neither logs nor any table hold what was typed or the token."""
    configure_logs("debug")
    users.set_pin(core, actor, ada, CANARY)
    phone = add_phone("yealink", "T54W")
    other = add_phone("snom", "D335")
    tokens = []
    for each in (phone, other):
        url = await each.screen_url()
        tokens.append(url.rpartition("/hotdesk")[0].rpartition("/")[2])
        for query in (f"ext=1001&pin={CANARY}1", f"ext={CANARY}&pin={CANARY}", f"pin={CANARY}", f"{CANARY}",
                      f"ext=1001&pin={CANARY}"):  # fmt: skip
            await each.see(f"{url}/login?{query}")
            await each.see(f"{url}/pin?{query}")
        await each.see(f"{url}/logout?sure=1&pin={CANARY}")
        await each.see(f"{url}/logout?sure=1")
        await each.ask(f"{url}/nothing?pin={CANARY}", 404)
    with monkeypatch.context() as broken:
        broken.setattr(type(core.pins), "verify", lambda *_: 1 / 0)
        await phone.ask(f"{await phone.screen_url()}/login?ext=1001&pin={CANARY}", 503)
    core.log.flush()
    captured = capfd.readouterr()
    assert "ZeroDivisionError" in captured.err
    kept = [captured.err, captured.out]
    with core.database.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = session.execute(text(f'SELECT * FROM "{table.name}"')).mappings()
            kept += [f"{table.name}: {dict(row)}" for row in rows]
    assert any(line.startswith("fetch") and "hotdesk/login" in line for line in kept)
    assert [line[:400] for line in kept for secret in (CANARY, *tokens) if secret in line] == []


@sqlite
@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    path=st.sampled_from(["", "/extension", "/pin", "/login", "/logout"]),
    query=st.one_of(
        st.text(max_size=300),
        st.lists(
            st.tuples(
                st.sampled_from(["ext", "pin", "sure", "x"]),
                st.one_of(st.text(max_size=30), st.from_regex("[0-9]{0,25}")),
            ),
            max_size=12,
        ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
    ),
    vendor=st.sampled_from(["yealink", "snom"]),
)
def test_g2_hostile_queries_get_a_screen(core, actor, server, path, query, vendor):
    """Whatever stands in a query, the answer is a screen of the phone's form."""
    url = hostile_url(core, actor, vendor)
    credential, rest = split_path(url)
    request = FileRequest(
        rest + path, ip_address("192.0.2.1"), Door.HTTP, query=query, credential=credential
    )
    reply = fetch_file(core, request)
    assert reply.outcome is Outcome.SERVED
    shown(vendor, reply.content)


def hostile_url(core, actor, vendor: str) -> str:
    """The path of a phone's screen, registered when first asked for."""
    mac = Mac.parse({"yealink": "00:15:65:00:00:77", "snom": "00:04:13:00:00:77"}[vendor])
    with core.database.read() as session:
        known = queries.device_by_mac(session, mac)
    device = known or registering.add_device(core, actor, mac=str(mac), pool=True).device
    with core.database.read() as session:
        token = queries.trust_of(session, device.id).screen_token_encrypted
    return f"s/{core.cipher.decrypt(token, PURPOSE_SCREEN)}/hotdesk"


def test_g2_every_dialect_has_screens_or_says_why_not():
    """Each vendor's folder says of every model what its screens are, or why there are none."""
    for vendor in REGISTRY:
        for model in (*vendor.data.models, None):
            fits = [
                entry
                for entry in vendor.data.screens
                if all(vendor.trait(model, name) == value for name, value in entry.only.items())
            ]
            assert fits, (vendor.id, model)


# --- texts


def test_g2_every_language_has_every_sentence():
    """No table lacks a sentence or a placeholder of the English one, and none has more."""
    english = tables()["en"]
    assert {"en", "de", "fr", "it", "es", "nl"} <= set(languages())
    for language, table in tables().items():
        assert table.keys() == english.keys(), language
        for name, sentence in table.items():
            placeholders = re.findall(r"{\w+}", sentence)
            assert sorted(placeholders) == sorted(re.findall(r"{\w+}", english[name])), name


def tables() -> dict[str, dict[str, str]]:
    """The tables of all languages, as they stand in their files."""
    folder = shipped_root() / "_shared" / "screens"
    return {tag: tomllib.loads((folder / f"{tag}.toml").read_text("utf-8")) for tag in languages()}


@pytest.fixture
def say(tmp_path):
    """What a phone says whose operator's folder has nothing but a table of German sentences."""
    (folder := tmp_path / "_shared" / "screens").mkdir(parents=True)

    def sentence(table: str, language: str, name: str) -> str:
        (folder / "de.toml").write_text(table)
        vendor = load_registry([tmp_path, shipped_root()]).vendor("yealink")
        settings = {"language": language}
        phone = shared_phone((shipped_root(),), "minimal-user", model="T54W", settings=settings)
        return texts_of(phone, vendor)(name)

    return sentence


def test_g2_an_operators_sentence_goes_before_the_shipped_one(say):
    """A table in an operator's own folder replaces the sentences it has, in that language only."""
    table = 'log-in = "Los gehts"\n'
    assert say(table, "de-AT", "log-in") == "Los gehts"
    assert say(table, "de", "log-out") == "Abmelden"
    assert say(table, "xx", "log-in") == "Log in"


@pytest.mark.parametrize("table", ["log-in = Los", 'log-in = "{untl}"', 'log-in = "{"'])
def test_g2_a_broken_table_is_named(say, table):
    """A table that cannot be read or a placeholder nobody fills is told with the file."""
    with pytest.raises(RenderFailed, match=r"_shared/screens/de\.toml"):
        say(table, "de", "log-in")
