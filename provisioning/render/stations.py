"""Lines and their numbers: on a desk phone in order, at a base by slot, at an adapter by port.

A number once given to a slot or port is never another's: when a person moves, everybody else's
line stays where it is.
"""

from __future__ import annotations

from typing import Any

from provisioning.domain.effective import resolve
from provisioning.domain.phone import Line, Phone, Server, Station
from provisioning.domain.settings import BY_KEY, Scope
from provisioning.render.explain import Recorded, RecordedBy, Words

Context = dict[str, Any]

_OWN = ("line_call_waiting", "line_incoming")


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


_NO_NUMBERS = ("112", "911")
"""What is never barred where a place names no emergency numbers."""


def line_context(phone: Phone, number: int, line: Line, station: Station | None) -> Context:
    """A line as templates see it."""
    server = line.server
    emergency = phone.settings["emergency.numbers"]
    numbers: Any = emergency.value or _NO_NUMBERS
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
        "caller_id": line.caller_id,
        "spare": line.spare,
        "bar": RecordedBy({"numbers": [*dict.fromkeys([*numbers, *line.allowed])]}, emergency),
        "settings": Recorded(line.settings),
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
    settings = {BY_KEY[key].name: held.value for key, held in _NOBODYS.settings.items()}
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
            {
                "name": contact.name,
                "first_name": contact.first_name,
                "last_name": contact.last_name,
                "department": contact.department,
                "picture_url": picture_url(phone, contact.picture),
                "numbers": [{"kind": kind, "number": number} for kind, number in contact.numbers],
            }
            for contact in book.contacts
        ],
    }
