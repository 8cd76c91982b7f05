"""Keys of a phone: what they do, and where they sit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from provisioning.domain.effective import Effective
from provisioning.domain.errors import InvalidInput


class KeyType(StrEnum):
    """What a key does, in the field's terms; each vendor's table maps it to its own code."""

    NONE = "none"
    LINE = "line"
    SHARED_LINE = "shared-line"
    BLF = "blf"
    BLF_LIST = "blf-list"
    PRESENCE = "presence"
    SPEED_DIAL = "speed-dial"
    PARK = "park"
    RETRIEVE = "retrieve"
    PICKUP = "pickup"
    GROUP_PICKUP = "group-pickup"
    INTERCOM = "intercom"
    TRANSFER = "transfer"
    CONFERENCE = "conference"
    FORWARD = "forward"
    HOLD = "hold"
    PRIVATE_HOLD = "private-hold"
    REDIAL = "redial"
    RETURN = "return"
    RECORD = "record"
    PAGE = "page"
    DTMF = "dtmf"
    PREFIX = "prefix"
    VOICEMAIL = "voicemail"
    DND = "dnd"
    DIRECTORY = "directory"
    CALL_LOG = "call-log"
    LOCK = "lock"
    LOGIN = "login"
    URL = "url"
    XML = "xml"
    COLLEAGUES = "colleagues"
    DEPARTMENT = "department"
    PARK_SLOTS = "park-slots"


PEOPLE_SETS = frozenset({KeyType.COLLEAGUES, KeyType.DEPARTMENT})
SETS = PEOPLE_SETS | {KeyType.PARK_SLOTS}
"""Types that stand for many keys: from their place on, a BLF for everybody else of the
organisation, or of a department (the person's own, or the option whose id is the value), or a
park key for each slot of a range such as 701-710."""

TARGET = "target:"
"""What begins a key's value that is the id of a call target instead of a number."""


class Area(StrEnum):
    """The group of keys an address counts in."""

    LINE = "line"
    EXPANSION = "expansion"


_URLS = frozenset({KeyType.URL, KeyType.XML, KeyType.LOGIN})
_NEEDS_VALUE = frozenset({KeyType.BLF, KeyType.SPEED_DIAL, KeyType.PARK, KeyType.URL, KeyType.DTMF})
_RANGE = re.compile(r"([1-9][0-9]{0,7})-([1-9][0-9]{0,7})")
_MOST_SLOTS = 100
_DIALABLE = re.compile(r"[0-9A-Za-z*#+._@:-]{1,128}")
_URL = re.compile(r"https?://[^\s\"'<>]{1,500}")


@dataclass(frozen=True, slots=True, order=True)
class KeyAddress:
    """Where a key sits.

    ``module`` is 0 on the phone itself, else the expansion module from 1; ``position`` counts
    from 1 over all pages of its area and module.
    """

    area: Area
    module: int
    position: int


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its place, type, value (number, slot or URL), label and the line it uses from 1.

    ``because`` are the settings that made it, of a key that nobody set.
    """

    address: KeyAddress
    type: KeyType
    value: str = ""
    label: str = ""
    line: int = 1
    because: tuple[Effective, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Refuse a key whose value does not fit its type (InvalidInput)."""
        if self.type in SETS:
            slots(self)
            return
        where = f"the key {self.address.area} {self.address.position}"
        if self.type in _NEEDS_VALUE and not self.value:
            raise InvalidInput(
                f"{where} of type {self.type} has no value.",
                remedy="Give the number, slot or URL it is for.",
                field="value",
            )
        pattern = _URL if self.type in _URLS else _DIALABLE
        if self.value and not pattern.fullmatch(self.value):
            raise InvalidInput(
                f"{where} of type {self.type} has a value its type does not take.",
                remedy="Give a URL with http:// or https://."
                if self.type in _URLS
                else "Give a number, an extension or a SIP address.",
                field="value",
            )


def slots(key: Key) -> range:
    """The slots of a set of park keys, none of any other set; raises InvalidInput."""
    found = _RANGE.fullmatch(key.value)
    if key.type in PEOPLE_SETS and _takes(key):
        return range(0)
    if key.type is KeyType.PARK_SLOTS and found is not None:
        first, last = int(found[1]), int(found[2])
        if first <= last < first + _MOST_SLOTS:
            return range(first, last + 1)
    raise InvalidInput(
        f"the keys {key.type} from {key.address.position} on have a value they do not take.",
        remedy=_REMEDIES[key.type],
        field="value",
    )


def _takes(key: Key) -> bool:
    if not key.value:
        return True
    return key.type is KeyType.DEPARTMENT and is_id(key.value)


def is_id(text: str) -> bool:
    """Whether a text is an id as the API shows it."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


_REMEDIES = {
    KeyType.PARK_SLOTS: f"Give a range of at most {_MOST_SLOTS} slots such as 701-710.",
    KeyType.COLLEAGUES: "Leave the value out: everybody else of the organisation is meant.",
    KeyType.DEPARTMENT: "Give the id of an option, or leave it out for the person's own department.",
}
