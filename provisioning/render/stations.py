"""Lines and their numbers: on a desk phone in order, at a base by slot, at an adapter by port.

A number once given to a slot or port is never another's: when a person moves, everybody else's
line stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.domain import facts
from provisioning.domain.effective import RIGHTS_ON_PHONES, Effective, resolve
from provisioning.domain.phone import Line, Phone, Server, Station
from provisioning.domain.settings import BY_KEY, Scope
from provisioning.render.explain import Recorded, RecordedBy, Word, Words, carrying

Context = dict[str, Any]

_OWN = ("line_call_waiting", "line_incoming", "right_incoming", "right_outgoing", "right_cover")


def numbered(phone: Phone, most: int) -> list[tuple[int, Line, Station | None]]:
    """Each line with its number from 1 to ``most`` and its slot or port; lines beyond are left out.

    The first line of slot or port n has the number n. Second lines take the numbers that no slot
    or port stands for, from the first free one up.
    """
    if not phone.stations:
        return [(number, line, None) for number, line in enumerate(phone.lines[:most], 1)]
    taken = {station.number for station in phone.stations}
    free = iter(number for number in range(1, most + 1) if number not in taken)
    found = []
    for station in phone.stations:
        for index, line in enumerate(station.lines):
            number = station.number if index == 0 else next(free, most + 1)
            if number <= most:
                found.append((number, line, station))
    return sorted(found, key=lambda item: item[0])


def told(value: Any, *held: Effective | None) -> Any:
    """A value that carries what it comes from, where that is anything."""
    return carrying(value, *(item for item in held if item is not None))


def forwards(settings: Mapping[str, Effective], lines: Sequence[Line]) -> Any:
    """Whether calls may be forwarded on the phone: not where they go by steps (FEATURES E3)."""
    may = settings["right.incoming"]
    allowed = bool(may.value) and not any(line.steps for line in lines)
    return told(allowed, may, *map(facts.steps, lines))


def barred_text(phone: Phone, line: Line) -> Word:
    """What stands on the screen instead of the name of a line that may not call out, else nothing."""
    outgoing = line.settings["line.outgoing"]
    held = line.barred or phone.settings["idle.text"]
    barred = outgoing.value == "disabled" and not line.spare
    return Word.of(str(held.value) if barred else "", held)


_NO_NUMBERS: Any = BY_KEY["emergency.numbers"].default
"""What is never barred where a place names no emergency numbers."""


def _bar(phone: Phone, line: Line) -> RecordedBy:
    """What a barred line may dial."""
    emergency = phone.settings["emergency.numbers"]
    named: Any = emergency.value or _NO_NUMBERS
    numbers = [*dict.fromkeys([*named, *line.allowed])]
    digits = [number for number in numbers if "+" not in number] or list(_NO_NUMBERS)
    return RecordedBy({"numbers": numbers, "digits": digits}, emergency)


def line_context(phone: Phone, number: int, line: Line, station: Station | None) -> Context:
    """A line as templates see it."""
    server = line.server
    rights = {key: phone.settings[key] for key in RIGHTS_ON_PHONES}
    settings = {**rights, **line.settings}
    data = {
        "n": number,
        "station": station.number if station else 1,
        "user_name": line.user_name,
        "auth_name": line.auth_name,
        "password": line.password,
        "display_name": line.display_name,
        "label": line.label,
        "extension": line.extension,
        "voicemail": line.voicemail,
        "shared": line.shared,
        "caller_id": told(line.caller_id, facts.caller_id(line)),
        "idle": barred_text(phone, line),
        "forwards": forwards(settings, [line]),
        "mailbox": told(line.mailbox, facts.mailbox(line)),
        "spare": line.spare,
        "bar": _bar(phone, line),
        "settings": Recorded(settings),
        "server": {
            "registrar": server.registrar,
            "port": server.port,
            "transport": server.transport,
            "outbound_proxy": server.outbound_proxy,
            "outbound_port": server.outbound_port,
            "backup": server.backup,
            "backup_port": server.backup_port,
            "codes": Words(server.codes),
        },
    }
    return Words(data)


_NOBODYS = Line("", "", "", "", "", "", Server(""), settings=resolve([], scope=Scope.LINE))


def account_contexts(phone: Phone, lines: list[Context], most: int) -> list[Context]:
    """Every number in order: the line that has it, else one that is nobody's."""
    used = {line["n"]: line for line in lines}
    return [used.get(number) or nobodys_context(phone, number) for number in range(1, most + 1)]


def nobodys_context(phone: Phone, number: int = 1) -> Context:
    """A line nobody has. Its settings are not told as looked at, for nobody set them."""
    held = {**_NOBODYS.settings, **{key: phone.settings[key] for key in RIGHTS_ON_PHONES}}
    settings = {BY_KEY[key].name: item.value for key, item in held.items()}
    own = {"station": number, "profile": 1, "settings": settings}
    return line_context(phone, number, _NOBODYS, None) | own


def profile_contexts(lines: list[Context]) -> list[Context]:
    """The different servers, each with the line settings it is used with, in order of first use.

    Many bases keep them once, in numbered profiles that the accounts name: each line is given
    the number of its own. Call waiting and do not disturb are an account's everywhere.
    """
    known: list[tuple[Context, Context, list[str]]] = []
    profiles: list[Context] = []
    for line in lines:
        settings = {name: value for name, value in line["settings"].items() if name not in _OWN}
        profile = (line["server"], settings, line["bar"].get("numbers"))
        if profile not in known:
            known.append(profile)
            profiles.append(
                {"n": len(known)} | {name: line[name] for name in ("server", "settings", "bar")}
            )
        line["profile"] = known.index(profile) + 1
    return profiles


def station_contexts(phone: Phone, lines: list[Context]) -> list[Context]:
    """The slots or ports in order, the empty ones too, each with its lines."""
    return [
        {
            "n": station.number,
            "name": station.name,
            "ipui": station.ipui,
            "access_code": station.access_code or (phone.dect.access_code if phone.dect else ""),
            "model": station.model,
            "lines": [line for line in lines if line["station"] == station.number],
        }
        for station in phone.stations
    ]


def dect_context(phone: Phone) -> Context | None:
    """The DECT system as templates see it; None for anything else."""
    if phone.dect is None:
        return None
    members = [
        {
            "mac": member.mac.digits,
            "MAC": member.mac.upper,
            "name": member.name,
            "manager": member.manager,
            "position": member.position,
            "cluster": member.cluster,
            "sync_level": member.sync_level,
            "self": member.mac == phone.mac,
        }
        for member in phone.dect.members
    ]
    return {
        "name": phone.dect.name,
        "access_code": phone.dect.access_code,
        "members": members,
        "multicell": len(members) > 1,
        "manager": not members or any(m["self"] and m["manager"] for m in members),
    }


def picture_url(phone: Phone, path: str) -> str:
    """Where the phone gets a picture; empty if there is none, or no URL for it."""
    screens = phone.provisioning.screens
    return screens + path if screens and path else ""


def directory_context(phone: Phone) -> Context:
    """The page of a phone book as templates see it."""
    book = phone.directory
    return {
        "search": book.search,
        "page": book.page,
        "pages": book.pages,
        "first": book.first,
        "total": book.total,
        "contacts": [
            Words(
                {
                    "name": contact.name,
                    "first_name": contact.first_name,
                    "last_name": contact.last_name,
                    "department": contact.department,
                    "picture_url": told(picture_url(phone, contact.picture), facts.photo(phone)),
                    "numbers": [
                        {"kind": kind, "number": number} for kind, number in contact.numbers
                    ],
                }
            )
            for contact in book.contacts
        ],
    }
