"""Nothing of a person stays on a phone they leave: in every dialect (rules HD1 and HD8).

A phone keeps what a later file does not name. So somebody's files are read back, and those of who
comes next are laid over them as the phone does it: what the later ones name, in every file, must
be what the former named. All models would take minutes; of those that differ in their numbers of
lines and keys alone the largest is taken (`make soak`: also the smallest), one nobody knows, and for
older firmware the models of golden cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioning.domain.keys import KeyType
from provisioning.domain.phone import Phone
from provisioning.render.cases import cases, shared_phone
from provisioning.render.context import Most
from provisioning.render.files import named_rules, render_file
from provisioning.render.syntax import FORMS
from provisioning.simulate.shown import shown
from provisioning.vendors.behaviour import Logout
from provisioning.vendors.load import Vendor
from provisioning.vendors.reading import fits
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import (
    FileRule,
    Model,
    ModelKind,
    VendorData,
)

ROOT = Path(__file__).parents[1] / "templates"
REGISTRY = load_registry([ROOT])

each_vendor = pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)

CANARY, NUMBER = "canary", "73519"
"""In every text of whoever leaves, and what their numbers begin with."""

Held = dict[tuple[str, int], str]
"""The parameters of a file: name in lower case, and how often it stood in the file before."""

_URLS = (KeyType.URL, KeyType.XML, KeyType.LOGIN)
_SERVER = {
    "registrar": "rich.example.com", "port": 5071, "transport": "tls",
    "outbound_proxy": "proxy.rich.example.com", "outbound_port": 5072,
    "backup": "backup.rich.example.com", "backup_port": 5073,
    "codes": {
        "voicemail": f"{NUMBER}97", "pickup": f"{NUMBER}8", "park": f"{NUMBER}68",
        "retrieve": f"{NUMBER}88",
    },
}  # fmt: skip
_RICH_LINE = {
    "line.codecs": ["opus", "g729", "g722", "pcma", "pcmu", "g726-32", "ilbc"],
    "line.srtp": "required",
    "line.dtmf": "sip-info",
    "line.register-seconds": 601,
    "line.call-waiting": False,
    "line.anonymous": True,
}
_BARRED_LINE = {
    "line.incoming": "disabled",
    "line.outgoing": "disabled",
    "line.srtp": "optional",
    "line.dtmf": "inband",
}
_RICH = {
    "language": "de", "time.zone": "Europe/Berlin", "time.24h": False, "time.date-format": "mdy",
    "tone.country": "DE", "phonebook.url": "https://canary.example.com/book.xml",
    "phonebook.name": "canary book",
}  # fmt: skip
_BARRED = {
    "language": "it", "time.zone": "America/New_York", "idle.text": "canary is barred",
    "right.incoming": False, "right.outgoing": False, "right.cover": False,
}  # fmt: skip
_PLACE = {
    "mac": "00:15:65:12:34:56",
    "name": "Desk 12",
    "pool": True,
    "provisioning": {
        "url": "https://prov.example.com:8443/t/abcdefghijklmnopqrstuvwxyz/",
        "screens": "https://prov.example.com:8443/s/zyxwvutsrqponmlkjihgfedcba/",
    },
}
_BOOK = {
    "contacts": [
        {"first_name": "canary", "last_name": "friend", "numbers": [["work", f"{NUMBER}1"]]},
        {"first_name": "canary", "last_name": "foe", "numbers": [["home", f"{NUMBER}2"]]},
    ]
}


def line(number: int, settings: dict[str, Any], server: dict[str, Any]) -> dict[str, Any]:
    """An account of whoever leaves."""
    return {
        "user_name": f"{NUMBER}{number:02}",
        "auth_name": f"canary-auth-{number}",
        "password": f"canary-secret-{number}",
        "display_name": f"canary name {number}",
        "label": f"canary label {number}",
        "settings": settings,
        "server": server,
    }


def key(place: tuple[int, int], kind: KeyType, lines: int) -> dict[str, Any]:
    """A key of whoever leaves, of one of their lines in turn."""
    module, position = place
    url = f"https://canary.example.com/{position}.xml"
    return {
        "module": module, "position": position, "type": str(kind), "label": f"canary {position}",
        "value": url if kind in _URLS else f"{NUMBER}{position:02}", "line": position % lines + 1,
    }  # fmt: skip


def seat(vendor: Vendor, model: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The lines at a phone's own place, or at the slots and ports of a base or an adapter."""
    found = vendor.model(model)
    if found is None or found.kind not in (ModelKind.DECT_BASE, ModelKind.ATA):
        return {"lines": lines}
    slots: list[dict[str, Any]]
    slots = [{"number": n} for n in range(1, Most(vendor, found).lines + 1)]
    for slot, item in zip(slots, lines, strict=False):
        slot |= {"lines": [item], "name": item["display_name"]}
    dect = {"dect": {"name": "Warehouse", "access_code": "4711"}}
    return {"lines": [], "stations": slots} | (dect if found.kind == ModelKind.DECT_BASE else {})


def people(vendor: Vendor, model: str, firmware: str) -> Iterator[tuple[str, Phone]]:
    """Two who leave: one with all there is, one who may do nothing, each with every type of key."""
    found = vendor.model(model)
    most = Most(vendor, found)
    places = [(0, n) for n in range(1, most.keys + 1)]
    places += [(m, n) for m in range(1, most.modules + 1) for n in range(1, most.module_keys + 1)]
    types = [kind for kind in KeyType if kind in vendor.data.key_types]
    given = {**_PLACE, "model": model, "firmware": firmware, "expansion_modules": most.modules}
    for who, settings, own, server, count in (
        ("rich", _RICH, _RICH_LINE, _SERVER, most.lines),
        ("barred", _BARRED, _BARRED_LINE, {**_SERVER, "transport": "udp"}, 1),
    ):
        lines = [line(n, own, server) for n in range(1, count + 1)]
        keys = [
            key(place, types[(index + count) % len(types)], count)
            for index, place in enumerate(places)
            if types
        ]
        phone = shared_phone(
            (ROOT,), "minimal-user", **given, settings=settings, keys=keys, directory=_BOOK,
            look={"wallpaper": "picture/canary-1.jpg"}, **seat(vendor, model, lines),
        )  # fmt: skip
        yield (
            who,
            replace(
                phone, lines=tuple(replace(item, caller_id=f"{NUMBER}0") for item in phone.lines)
            ),
        )


def successors(vendor: Vendor, model: str, firmware: str) -> Iterator[tuple[str, Phone]]:
    """Nobody, nobody with the place's own account, and somebody with one line and nothing else."""
    most = Most(vendor, vendor.model(model))
    given = {**_PLACE, "model": model, "firmware": firmware, "expansion_modules": most.modules}
    poor = {
        "user_name": "1004", "password": "s3cretFour", "display_name": "Grace Hopper",
        "server": {"registrar": "pbx.example.com"},
    }  # fmt: skip
    place = {**poor, "user_name": "desk12", "display_name": "Desk 12"}
    for who, own, lines in (
        ("guest", {"idle.text": "Free desk"}, []),
        ("blank", {}, []),
        ("place", {"language": "en"}, [place]),
        ("poor", {"language": "fr", "time.zone": "Asia/Kolkata"}, [poor]),
    ):
        settings = {"idle.text": "Free desk", **own}
        seated = seat(vendor, model, lines)
        yield (
            who,
            shared_phone(
                (ROOT,), "minimal-user", **given, settings=settings, blank=who == "blank", **seated
            ),
        )


def files(phone: Phone, vendor: Vendor) -> dict[str, Held]:
    """The parameters of the files of a phone by their rules; a phone book is fetched anew each time."""
    return {
        item.rule.id: held(item.rule, render_file(phone, vendor, item.rule).decode("utf-8"))
        for item in named_rules(phone, vendor)
        if not item.rule.phonebook
    }


def held(rule: FileRule, text: str) -> Held:
    """The parameters of one file."""
    seen: Counter[str] = Counter()
    found: Held = {}
    for written, value in FORMS[rule.syntax].parse(text):
        name = written.lower()
        found[name, seen[name]] = value
        seen[name] += 1
    return found


def left(before: dict[str, Held], after: dict[str, Held], vendor: Vendor) -> dict[str, str]:
    """The parameters that keep the value of the files before: those the files after do not name."""
    return {
        name: value
        for rule, parameters in before.items()
        for (name, nth), value in parameters.items()
        if (name, nth) not in after.get(rule, {}) and not fits(vendor.data.logout.forgets, name)
    }


def tells(value: str) -> bool:
    """Whether a value is of whoever left."""
    return CANARY in value.lower() or NUMBER in value


def variants(vendor: Vendor, *, both: bool = False) -> list[tuple[str, str]]:
    """The largest model of each shape, or also the smallest, one nobody knows, and older firmware."""
    olds = [(case.phone.model, case.phone.firmware) for case in cases(vendor)]
    every = [*((model.id, "") for model in vendor.data.models), ("", ""), *olds]
    shapes: dict[tuple[str, str], list[str]] = {}
    for model, firmware in dict.fromkeys(every):
        shapes.setdefault((shape(vendor.model(model)), firmware), []).append(model)
    return [
        (model, firmware)
        for (_, firmware), models in shapes.items()
        for model in dict.fromkeys(
            (max(models, key=size(vendor)), *([min(models, key=size(vendor))] if both else []))
        )
    ]


def size(vendor: Vendor) -> Callable[[str], tuple[int, int]]:
    """How many keys and lines a model has."""

    def of(model: str) -> tuple[int, int]:
        most = Most(vendor, vendor.model(model))
        return (most.keys + most.modules * most.module_keys, most.lines)

    return of


def shape(model: Model | None) -> str:
    """What templates see of a model, but its name and its numbers."""
    if model is None:
        return ""
    colour = model.screen and model.screen.colour
    traits = {
        name: bool(trait) if isinstance(trait, int) else trait
        for name, trait in model.traits.items()
    }
    return repr((model.kind, model.expansion is None, model.cannot, colour, sorted(traits.items())))


@pytest.mark.parametrize("both", [False, pytest.param(True, marks=pytest.mark.soak)])
@each_vendor
def test_hd8_nothing_of_the_last_person_stays(vendor: Vendor, both: bool):
    """What a person's files set is set anew by the guest's and the next one's, or declared."""
    logout = vendor.data.logout
    told = tuple(pattern for thing in logout.stays for pattern in thing.parameters)
    residue, declared = set(), set()
    for model, firmware in variants(vendor, both=both):
        later = {who: files(phone, vendor) for who, phone in successors(vendor, model, firmware)}
        for who, phone in people(vendor, model, firmware):
            before = files(phone, vendor)
            for heir, after in later.items():
                for name, value in left(before, after, vendor).items():
                    where = f"{model or 'unknown model'} {firmware}: {who}'s {name} at {heir}'s"
                    if fits(told, name) or (fits(logout.harmless, name) and not tells(value)):
                        declared.add(name)
                    else:
                        residue.add(f"{where} is still {value!r}")
    assert sorted(residue)[:20] == []
    stale = [
        item for item in (*told, *logout.harmless) if not any(fits((item,), n) for n in declared)
    ]
    assert stale == [], "vendor.toml declares what does not stay"


@each_vendor
def test_hd1_a_guest_file_shows_nobody(vendor: Vendor):
    """Read as the phone reads it, a guest's file has no line: with the rule above, nor has the phone."""
    for model, firmware in variants(vendor):
        guest = dict(successors(vendor, model, firmware))["guest"]
        for rule, parameters in files(guest, vendor).items():
            memory = {name: value for (name, _), value in parameters.items()}
            seen = shown(memory, vendor, vendor.model(model))
            assert seen.lines == (), f"{rule} of {model} {firmware}"


def test_hd8_an_omitted_parameter_keeps_its_value():
    """What a later file leaves out is found, unless the phone forgets it; an empty one is no residue."""
    vendor = replace(
        next(iter(REGISTRY)),
        data=VendorData(id="acme", name="Acme", logout=Logout(forgets=("list.*",))),
    )
    before = {"main": {("user", 0): "canary", ("label", 0): "canary", ("list.1", 0): "canary"}}
    after = {"main": {("user", 0): ""}}
    assert left(before, after, vendor) == {"label": "canary"}
