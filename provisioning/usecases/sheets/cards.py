"""Contacts as vCards (RFC 6350, RFC 2426): cards become rows of the sheet of contacts.

Quoted-printable and bare types, as phones still write them (vCard 2.1), are read too.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from icalendar.parser import (
    Contentline,
    q_split,
    split_on_unescaped_comma,
    split_on_unescaped_semicolon,
    unescape_backslash,
)

from provisioning.domain.errors import InvalidInput
from provisioning.domain.kinds import NumberKind
from provisioning.store.people import Contact
from provisioning.usecases.sheets.cells import MOST_ROWS, Row
from provisioning.usecases.sheets.contacts import BETWEEN, KINDS, UID

_READ = ("N", "FN", "ORG", "CATEGORIES", "TEL", "UID")
_LONGEST_VALUE = 2000
_LINE_END = re.compile(r"\r\n|\r|\n")
_BREAKS = re.compile(r"[\r\n\t]+")
_SPECIAL = re.compile(r"([\\,;])")
_CHARSETS = ("iso-8859-1", "iso-8859-15", "windows-1252")
"""What quoted-printable bytes may be besides UTF-8."""

_KINDS = {
    "x-internal": NumberKind.INTERNAL,
    "cell": NumberKind.MOBILE,
    "mobile": NumberKind.MOBILE,
    "iphone": NumberKind.MOBILE,
    "home": NumberKind.HOME,
}
"""What types make of a number, the first first; any other is one of work."""
_TYPES = {
    NumberKind.INTERNAL: "WORK,X-INTERNAL",
    NumberKind.WORK: "WORK,VOICE",
    NumberKind.MOBILE: "CELL",
    NumberKind.HOME: "HOME,VOICE",
}
_UNCALLED = frozenset({"fax", "pager", "modem", "bbs", "textphone"})
_CALLED = frozenset({"voice", "cell"})
"""Types of numbers that are called whatever else they are."""


@dataclass(slots=True)
class _Property:
    """A line of a card; values of parameters are in lower case, those of one name together."""

    name: str
    parameters: dict[str, list[str]]
    value: str


@dataclass(slots=True)
class _Card:
    """What is read of a card; ``line`` is where it begins."""

    line: int
    properties: list[_Property] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        return [item.value for item in self.properties if item.name == name and item.value]


# --- reading


def read(text: str, owner: str | None = None) -> list[Row]:
    """The cards of a text as rows of contacts, each of this owner if one is named.

    Raises InvalidInput for what is no sequence of cards.
    """
    rows = []
    for card in _cards(text.removeprefix("\ufeff")):
        rows.append(Row(card.line, _cells(card) | ({} if owner is None else {"owner": owner})))
        if len(rows) > MOST_ROWS:
            raise InvalidInput(
                f"There are more than {MOST_ROWS} cards.", remedy="Send them in parts."
            )
    return rows


def _cards(text: str) -> Iterator[_Card]:
    card: _Card | None = None
    for number, line in _unfolded(text):
        word = line.strip().upper()
        if word == "BEGIN:VCARD" and card is None:
            card = _Card(number)
        elif word == "END:VCARD" and card is not None:
            yield card
            card = None
        elif word.startswith("BEGIN:") or card is None:
            raise InvalidInput(
                f"Line {number} does not belong there.",
                remedy="Give cards one after another, each from BEGIN:VCARD to END:VCARD.",
            )
        else:
            card.properties += _property(number, line)
    if card is not None:
        raise InvalidInput(
            f"The card that begins in line {card.line} has no end.", remedy="End it with END:VCARD."
        )


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, folded ones whole, and where they begin."""
    parts: list[str] = []
    start = 0
    for number, line in enumerate(_LINE_END.split(text), 1):
        if parts and parts[-1].endswith("=") and _is_quoted_printable(parts[0]):
            parts[-1] = parts[-1][:-1]
            parts.append(line)
        elif parts and line[:1] in (" ", "\t"):
            parts.append(line[1:])
        else:
            if parts:
                yield start, "".join(parts)
            parts, start = ([line] if line.strip() else []), number
    if parts:
        yield start, "".join(parts)


def _is_quoted_printable(line: str) -> bool:
    return "QUOTED-PRINTABLE" in line[:200].partition(":")[0].upper()


def _property(number: int, line: str) -> list[_Property]:
    """The property of a line, if it is one that is read."""
    head, *values = q_split(line, ":", maxsplit=1)
    group_and_name, *parameters = q_split(head, ";") or [""]
    name = group_and_name.rpartition(".")[2].strip().upper()
    if not (name and values):
        raise InvalidInput(
            f"Line {number} is no line of a card.", remedy="Write a name, a colon and a value."
        )
    if name not in _READ:
        return []
    if len(line) > _LONGEST_VALUE:
        raise InvalidInput(
            f"Line {number} has more than {_LONGEST_VALUE} characters.", remedy="Shorten it."
        )
    found = _Property(name, _parameters(parameters), values[0])
    if "quoted-printable" in found.parameters.get("encoding", ()):
        found.value = _unquoted(found)
    return [found]


def _parameters(texts: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        name, equals, given = text.strip().lower().partition("=")
        if not equals:
            # vCard 2.1: a value whose name can be told from it.
            name, given = ("encoding" if name == "quoted-printable" else "type"), name
        # A quoted list is one value by the grammar, yet what TYPE="work,voice" means is two.
        found.setdefault(name.strip(), []).extend(
            item.strip() for item in given.replace('"', "").split(",")
        )
    return found


def _unquoted(item: _Property) -> str:
    plain = quopri.decodestring(item.value.encode())
    charset = next(iter(item.parameters.get("charset", ())), "")
    return plain.decode(charset if charset in _CHARSETS else "utf-8", "replace")


# --- from a card to a row


def _cells(card: _Card) -> dict[str, str]:
    last_name, first_name = _name(card)
    numbers: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for item in card.properties:
        if item.name == "TEL":
            kind, number = _number(item)
            if kind and number and number not in numbers[kind]:
                numbers[kind].append(number)
    uid = next(iter(card.values("UID")), "").strip()
    return {
        UID: uid.removeprefix("urn:uuid:"),
        "first_name": first_name,
        "last_name": last_name,
        "department": _department(card),
    } | {kind: BETWEEN.join(found) for kind, found in numbers.items()}


def _name(card: _Card) -> tuple[str, str]:
    """The last and the first name; who has but one, or a name as a whole, has it as first."""
    parts = next(map(_parts, card.values("N")), [])
    last, first = [*parts, "", ""][:2]
    if first:
        return last, first
    whole = [_plain(unescape_backslash(text)) for text in card.values("FN")]
    companies = [part for text in card.values("ORG") for part in _parts(text)]
    return "", next(filter(None, [last, *whole, *companies]), "")


def _department(card: _Card) -> str:
    for text in card.values("ORG"):
        if len(parts := _parts(text)) > 1 and parts[1]:
            return parts[1]
    for text in card.values("CATEGORIES"):
        return _plain(split_on_unescaped_comma(text)[0])
    return ""


def _parts(text: str) -> list[str]:
    return [_plain(part) for part in split_on_unescaped_semicolon(text)]


def _plain(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()


def _number(item: _Property) -> tuple[str, str]:
    """The kind and the number; both empty for what nobody calls, such as a fax."""
    types = set(item.parameters.get("type", ()))
    if types & _UNCALLED and not types & _CALLED:
        return "", ""
    kind = next((kind for word, kind in _KINDS.items() if word in types), NumberKind.WORK)
    value = item.value.strip()
    if value[:4].lower() == "tel:":
        value = unquote(value[4:])
    # Behind a semicolon stand parameters of the URI, such as an extension: no part of the number.
    return str(kind), _plain(unescape_backslash(value).partition(";")[0])


# --- writing


def write(contacts: Iterable[Contact]) -> str:
    """Contacts as vCards 3.0, which any phone and address book reads."""
    return "".join(line for contact in contacts for line in _lines(contact))


def _lines(contact: Contact) -> Iterator[str]:
    first, last = _escaped(contact.first_name), _escaped(contact.last_name)
    yield from ("BEGIN:VCARD\r\n", "VERSION:3.0\r\n")
    yield _line("UID", f"urn:uuid:{contact.id}")
    yield _line("N", f"{last};{first};;;")
    yield _line("FN", f"{first} {last}".strip())
    if contact.department:
        yield _line("ORG", f";{_escaped(contact.department)}")
    for item in contact.numbers:
        yield _line(f"TEL;TYPE={_TYPES[NumberKind(item['kind'])]}", item["number"])
    yield "END:VCARD\r\n"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _line(name: str, value: str) -> str:
    folded: bytes = Contentline(f"{name}:{value}").to_ical()  # type: ignore[no-untyped-call]  # it has no types
    return folded.decode() + "\r\n"
