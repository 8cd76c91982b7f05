"""A phone as it should be: all that decides what its files say, resolved and decrypted.

The use cases build it from one snapshot of the store; golden cases build it from data. Rendering
is a pure function of it, of the vendor folder and of the request facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from provisioning.domain.effective import Effective
from provisioning.domain.keys import Key, KeyAddress
from provisioning.domain.mac import Mac

NO_URL = ""


class Login(StrEnum):
    """What the hotdesk key of a phone is for: it has none, or one logs in or out by it.

    ``NATIVE`` is logging out where the phone itself logged its person in.
    """

    NONE = ""
    IN = "in"
    OUT = "out"
    NATIVE = "native"


@dataclass(frozen=True, slots=True)
class Server:
    """A SIP server as a phone is told of it.

    ``transport`` is udp, tcp or tls. Ports are 1 to 65535; an absent proxy or backup has an
    empty host. ``codes`` are feature codes by name: voicemail, pickup, park, retrieve.
    """

    registrar: str
    port: int = 5060
    transport: str = "udp"
    outbound_proxy: str = ""
    outbound_port: int = 5060
    backup: str = ""
    backup_port: int = 5060
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: an account, where it registers, how it is shown and its line settings.

    ``of_place`` says that the account is the phone's own, for when nobody is logged in: it calls
    emergency numbers and ``allowed`` ones only. It is ``spare`` beside the lines of somebody who is.
    ``label`` stands on the key, ``display_name`` goes out in calls. ``caller_id`` is the number
    that calls go out with, which the PBX sees to; empty where the organisation has none.
    ``steps`` says that the PBX takes calls from step to step, ``mailbox`` is the number of the
    shared mailbox they fall back to. ``barred`` is the text on the screen of somebody who may not
    call out; None leaves it to the phone's idle text.
    """

    user_name: str
    auth_name: str
    password: str
    display_name: str
    label: str
    extension: str
    server: Server
    settings: Mapping[str, Effective]
    shared: bool = False
    caller_id: str = ""
    of_place: bool = False
    spare: bool = False
    allowed: tuple[str, ...] = ()
    steps: bool = False
    mailbox: str = ""
    barred: Effective | None = None

    @property
    def voicemail(self) -> str:
        """The number that reaches the mailbox; empty when the server names none."""
        return self.server.codes.get("voicemail", "")


@dataclass(frozen=True, slots=True)
class Station:
    """A handset's slot or an adapter's port, and the lines of whoever has it.

    ``number`` counts from 1 and never changes; ``ipui`` and ``access_code`` (digits) are a
    handset's, empty where unknown; ``model`` is the handset's.
    """

    number: int
    name: str = ""
    lines: tuple[Line, ...] = ()
    ipui: str = ""
    access_code: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A device of a DECT system. ``manager`` is the one that others follow."""

    mac: Mac
    manager: bool = False
    name: str = ""
    position: int = 1
    cluster: int = 1
    sync_level: int = 1


@dataclass(frozen=True, slots=True)
class Dect:
    """The DECT system a base belongs to: its access code and its members in order."""

    name: str
    access_code: str
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Poured:
    """Keys that go, in order, to the free places from an address on."""

    start: KeyAddress
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A key that a phone of several has not because one of them, by this name, may not have it."""

    key: Key
    name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry of a phone book. ``numbers`` are (kind, number): internal, work, mobile, home.

    ``picture`` is a path behind the screen URL.
    """

    first_name: str
    last_name: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    department: str = ""
    picture: str = ""

    @property
    def name(self) -> str:
        """First and last name as shown."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Directory:
    """A page of a phone book: its entries, what was searched for, and what is around it.

    ``first`` is the place of its first entry among the ``total`` that were found, from 1.
    """

    contacts: tuple[Contact, ...] = ()
    search: str = ""
    page: int = 1
    pages: int = 1
    first: int = 1
    total: int = 0


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Where the phone shall fetch from now on.

    ``url`` ends with a slash and is empty when the phone cannot follow anywhere safer; ``user``
    and ``password`` belong to it where it is challenged. ``ca_url`` and ``ca_pem`` hand our own
    CA to phones that take it; empty when the chain is a public one. ``screens`` is where the phone
    tells what happens on it and asks for pictures, with a slash at its end, empty where it cannot.
    """

    url: str = NO_URL
    user: str = ""
    password: str = ""
    ca_url: str = ""
    ca_pem: str = ""
    screens: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A phone's wallpaper and the organisation's logo, as paths behind the screen URL.

    Empty where there is none. ``chosen_by`` is the name of the user whose wallpaper it is.
    """

    wallpaper: str = ""
    logo: str = ""
    chosen_by: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """One device and everything its files depend on.

    ``blank`` asks for the file that takes all lines and personal data away (blocked, retired);
    a phone without lines that is not blank shows its guest profile. ``expansion_modules`` counts
    the modules attached. ``year`` is the current year in the phone's zone, for daylight saving.
    ``keys`` sit at their addresses, ``poured`` ones where there is room.
    ``stations`` are the slots of a DECT base or the ports of an adapter, in order and with the
    empty ones; ``lines`` are then those of all of them. ``directory`` is filled for phone books.
    ``location`` is where an emergency call says it comes from, ``emergency_caller_id`` the number it
    goes out with; empty: none. ``hidden`` names people on its keys whose calls others may not see.
    ``photos`` says, for the loss report only, that there are some for a phone book to show.
    ``withheld`` are keys that not all may have. ``login`` says whether people log in at it,
    ``open_pin`` whether they may be asked for a PIN that its screens cannot hide.
    """

    mac: Mac | None
    name: str
    model: str
    firmware: str
    organisation: str
    site: str
    settings: Mapping[str, Effective]
    year: int
    lines: tuple[Line, ...] = ()
    keys: tuple[Key, ...] = ()
    poured: tuple[Poured, ...] = ()
    stations: tuple[Station, ...] = ()
    dect: Dect | None = None
    directory: Directory = Directory()
    provisioning: Provisioning = Provisioning()
    look: Look = Look()
    pool: bool = False
    login: Login = Login.NONE
    open_pin: bool = False
    blank: bool = False
    expansion_modules: int = 0
    admin_password: str = ""
    user_password: str = ""
    location: str = ""
    emergency_caller_id: str = ""
    photos: bool = False
    hidden: tuple[str, ...] = ()
    withheld: tuple[Withheld, ...] = ()

    @property
    def guest(self) -> bool:
        """Whether nobody is assigned or logged in."""
        return all(line.of_place for line in self.lines) and not self.blank
