"""The dialplans of docs/examples make requests that log people in and out at phones.

What they send is read from the examples themselves and sent by curl, whose library both PBXs use.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.usecases.actors import create_token

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

EXAMPLES = Path(__file__).resolve().parents[4] / "docs" / "examples"
DIALPLAN = (EXAMPLES / "extensions.conf").read_text(encoding="utf-8")
SCRIPT = (EXAMPLES / "roost-hotdesk.lua").read_text(encoding="utf-8")
XML = (EXAMPLES / "roost-hotdesk.xml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Told:
    """What a dialplan knows of an answer: the status, and what a refusal is called."""

    status: str
    code: str


@dataclass(frozen=True)
class Dialled:
    """What somebody did at a phone: whose account the phone has, and the keys pressed."""

    phone: str
    who: str = ""
    pin: str = ""


# --- Asterisk, as far as the example needs it


def filled(text: str, known: dict[str, str]) -> str:
    """Replace variables and the functions FILTER and CHANNEL, from the inside."""
    inner = re.compile(r"\$\{([^${}]*)\}")
    while found := inner.search(text):
        name = found[1]
        if name.startswith("FILTER(0-9,"):
            value = re.sub("[^0-9]", "", name.removeprefix("FILTER(0-9,").removesuffix(")"))
        else:
            value = known[name]
        text = text.replace(found[0], value)
    return text


def only(pattern: str, text: str) -> str:
    """What the one place that matches holds."""
    (found,) = re.findall(pattern, text, re.MULTILINE)
    return str(found)


def asked_by_asterisk(way: str, dialled: Dialled, url: str, token: str) -> list[str]:
    """Curl's arguments for the request the dialplan makes."""
    known = {"ROOST_URL": url, "ROOST_TOKEN": token, "CHANNEL(endpoint)": dialled.phone}
    known |= {"WHO": dialled.who, "PIN": dialled.pin}
    gosub = rf"Gosub\(roost-ask,s,1\((hotdesk/{way}),(.*)\)\)$"
    ((path, form),) = re.findall(gosub, DIALPLAN, re.MULTILINE)
    known |= {"ARG1": path, "ARG2": filled(form, known)}
    where, sent = only(r"\$\{CURL\((.*)\)\}\)$", DIALPLAN).split(",")
    login = filled(only(r"CURLOPT\(userpwd\)=(.*)\)$", DIALPLAN), known)
    assert only(r"CURLOPT\(header\)=(.)\)$", DIALPLAN) == "1"
    return ["-u", login, "-d", filled(sent, known), filled(where, known)]


def told_to_asterisk(answer: str) -> Told:
    """What STATUS and CODE are after the answer."""
    field = int(only(r"Set\(STATUS=\$\{CUT\(ANSWER, ,(\d)\)\}\)$", DIALPLAN))
    names = re.findall(r'REGEX\("([a-z-]+)" \$\{ANSWER\}\)\}\]\?Set\(CODE=([a-z-]+)\)', DIALPLAN)
    assert len(names) == 3
    codes = [code for word, code in names if re.search(word, answer)]
    return Told(answer.split(" ")[field - 1], codes[-1] if codes else "")


# --- FreeSWITCH


def lua(expression: str, known: dict[str, str]) -> str:
    """A concatenation of Lua: strings and variables joined by `..`."""
    parts = [part.strip() for part in expression.split(" .. ")]
    return "".join(part[1:-1] if part.startswith('"') else known[part] for part in parts)


def asked_by_freeswitch(way: str, dialled: Dialled, url: str, token: str) -> list[str]:
    """Curl's arguments for the request the script makes."""
    known = {"phone": dialled.phone, "who": dialled.who, "pin": dialled.pin, "TOKEN": token}
    known["form"] = lua(only(r"local form = (.*)$", SCRIPT), known)
    path, form = only(rf'ask\(("hotdesk/{way}", .*?)\)(?: == .*)?$', SCRIPT).split(", ", 1)
    prefix = lua(only(r'URL:gsub\("://", (.*?)\) \.\.', SCRIPT), known)
    known |= {"to": url.replace("://", prefix) + "/" + lua(path, known), "form": lua(form, known)}
    command = lua(only(r'session:execute\("curl", (.*)\)$', SCRIPT), known)
    where, method, sent = command.split(" ")
    assert method == "post"
    return ["-d", sent, where]


def told_to_freeswitch(answer: str) -> Told:
    """What the script makes of the status and the body."""
    head, _, body = answer.partition("\r\n\r\n")
    names = re.findall(r"said:find\('(\"[a-z-]+\")', 1, true\)", SCRIPT)
    assert len(names) == 3
    codes = [word.strip('"') for word in names if word in body]
    return Told(head.split(" ")[1], codes[0] if codes else "")


PBXS = {
    "asterisk": (asked_by_asterisk, told_to_asterisk),
    "freeswitch": (asked_by_freeswitch, told_to_freeswitch),
}


@pytest.fixture(params=PBXS)
def dial(request, core, actor, client, client_program):
    """Dial a code at a phone; what the PBX's dialplan is told."""
    curl = client_program("curl")
    token = create_token(core, actor, name="pbx", role="pbx")
    url = str(client.make_url("/api/v1"))
    asked, told = PBXS[request.param]

    async def dial(way: str, dialled: Dialled) -> Told:
        arguments = asked(way, dialled, url, token)
        process = await asyncio.create_subprocess_exec(
            curl, "-q", "-s", "-i", "--noproxy", "*", *arguments, stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await process.communicate()
        return told(answer.decode())

    return dial


@pytest.fixture
async def seat(api, office) -> Dialled:
    """A user at a pool phone whose place account is p1."""
    pool = await api.made("/devices", {"mac": "0015650000A1", "pool": True})
    stations = (await api("GET", f"/devices/{pool['id']}/stations")).json["items"]
    account = {"username": "p1", "station_id": stations[0]["id"], "password": "Secret-Enough"}
    await api.made("/sip-accounts", account)
    await api("PUT", f"/users/{office['user']}/pin", {"pin": "482913"})
    return Dialled("p1", "1001", "482913")


async def seated(api) -> list[str]:
    """Who sits somewhere."""
    return [row["extension"] for row in (await api("GET", "/hotdesk/sessions")).json["items"]]


@on_sqlite
async def test_hd_dial_code_logs_in_and_out(api, seat, dial):
    """Extension and PIN at a phone log in there, and the other code logs out."""
    assert await dial("login", seat) == Told("200", "")
    assert await seated(api) == ["1001"]
    assert await dial("logout", seat) == Told("204", "")
    assert await seated(api) == []
    assert await dial("logout", seat) == Told("404", "")


@on_sqlite
async def test_hd_dial_code_tells_wrong_pins_until_there_are_too_many(api, seat, dial):
    """A wrong PIN is called so, until no more are judged."""
    wrong = Dialled("p1", "1001", "000000")
    told = [await dial("login", wrong) for _ in range(7)]
    assert told[0] == Told("403", "wrong-pin")
    assert told[-1] == Told("429", "too-many-attempts")
    assert await seated(api) == []


@on_sqlite
async def test_hd_dial_code_tells_that_a_pin_must_change(api, office, seat, dial):
    """A PIN an admin gave out for the first time is not taken, and the caller hears why."""
    first = {"pin": "913482", "must_change": True}
    await api("PUT", f"/users/{office['user']}/pin", first)
    assert await dial("login", Dialled("p1", "1001", "913482")) == Told("403", "pin-must-change")


@on_sqlite
async def test_hd_dial_code_at_an_unknown_phone_is_no_pin_matter(seat, dial):
    """Where the phone's account is nobody's, neither wrong nor right PIN is said."""
    assert await dial("login", Dialled("nobody", seat.who, seat.pin)) == Told("404", "")


# --- what the examples do with an answer


def labels() -> Iterator[str]:
    """Every place of the dialplan something jumps to."""
    for targets in re.findall(r"GotoIf\(.*\?([a-z:]+)\)$", DIALPLAN, re.MULTILINE):
        yield from targets.split(":")
    yield from re.findall(r"Goto\(([a-z]+)\)$", DIALPLAN, re.MULTILINE)


def test_every_jump_of_the_dialplan_leads_somewhere():
    """Each label the dialplan jumps to is there, once."""
    there = re.findall(r"same => n\(([a-z]+)\),", DIALPLAN)
    assert sorted(there) == sorted(set(labels()))
    assert DIALPLAN.count("(") == DIALPLAN.count(")")


@pytest.mark.parametrize("text", [DIALPLAN, XML + SCRIPT], ids=["asterisk", "freeswitch"])
def test_examples_trust_no_caller(text):
    """Whose phone it is comes from its proven account, never from what a caller says to be."""
    assert "CALLERID" not in text
    assert "caller_id" not in text
    assert "CHANNEL(endpoint)" in text or "sip_auth_username" in text
    assert "System(" not in text
