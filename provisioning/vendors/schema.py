"""The schema of vendor.toml: what a vendor folder says about its phones (DESIGN section 5).

The dataclasses are the schema: names, types and defaults stand here only, and `check` and
`new-vendor` read them. What no source gives stays absent and means unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict

from provisioning.vendors.behaviour import Logout, Reload
from provisioning.vendors.reading import Readback

_STRICT = ConfigDict(extra="forbid", strict=False)

Trait = str | int | bool


class ModelKind(StrEnum):
    """What sort of thing a model is."""

    DESK = "desk"
    CONFERENCE = "conference"
    VIDEO = "video"
    WIFI = "wifi"
    DECT_BASE = "dect-base"
    ATA = "ata"
    SOFTPHONE = "softphone"
    SPEAKER = "speaker"


class Syntax(StrEnum):
    """The forms files have; ``render.syntax`` knows how to escape and read back each of them."""

    YEALINK = "yealink"
    YEALINK_BOOT = "yealink-boot"
    CHECKSUM = "checksum"
    VCARD = "vcard"
    XML = "xml"
    POLY_XML = "poly-xml"
    SNOM_XML = "snom-xml"
    GRANDSTREAM_XML = "grandstream-xml"
    LINPHONE_XML = "linphone-xml"
    CISCO_XML = "cisco-xml"
    CISCO_SEP_XML = "cisco-sep-xml"
    MITEL = "mitel"
    PANASONIC = "panasonic"
    GIGASET_XML = "gigaset-xml"
    GIGASET_FRAME = "gigaset-frame-xml"
    GIGASET_DIRECTORY = "gigaset-directory-xml"
    GIGASET_ONLINE = "gigaset-online-xml"
    FANVIL_TEXT = "fanvil-text"
    FANVIL_XML = "fanvil-xml"
    HTEK_XML = "htek-xml"
    DIGIUM_XML = "digium-xml"
    VTECH = "vtech"
    OBI_XML = "obi-xml"
    TWO_N_XML = "2n-xml"
    ALGO = "algo"
    INI = "ini"
    AVAYA = "avaya"
    ALE_XML = "ale-xml"


@dataclass(frozen=True, slots=True)
class Expansion:
    """Expansion modules a model takes: how many, and keys on each (all pages)."""

    __pydantic_config__ = _STRICT

    modules: int
    keys: int | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Screen:
    """The display: pixels where a source gives them; ``logo`` is the side of a square logo."""

    __pydantic_config__ = _STRICT

    colour: bool | None = None
    touch: bool = False
    width: int | None = None
    height: int | None = None
    logo: int | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model. ``names`` are what it calls itself besides its id (User-Agent, case ignored).

    ``lines`` are SIP accounts; ``keys`` line keys over all pages; ``label_length`` characters;
    ``file_name`` is what file names call it where that is not its id (``spa504G.cfg``);
    ``over`` are the schemes of a URL it can be led to, where the vendor's do not fit;
    ``cannot`` concepts its dialect has but this model lacks (`srtp`, `keys`, ...); ``traits``
    values of the vendor's own that its templates and file rules use.
    """

    __pydantic_config__ = _STRICT

    id: str
    kind: ModelKind = ModelKind.DESK
    names: tuple[str, ...] = ()
    lines: int | None = None
    keys: int | None = None
    keys_per_page: int | None = None
    expansion: Expansion | None = None
    screen: Screen | None = None
    label_length: int | None = None
    handsets: int | None = None
    firmware: str | None = None
    file_name: str | None = None
    cannot: tuple[str, ...] = ()
    highest_trust: Literal["none", "network", "token", "password", "certificate"] | None = None
    over: tuple[Literal["https", "http"], ...] | None = None
    traits: dict[str, Trait] = field(default_factory=dict)

    @property
    def in_files(self) -> str:
        """What stands for ``{model}`` in its file names."""
        return self.file_name or self.id


@dataclass(frozen=True, slots=True)
class FileRule:
    """One file a phone fetches.

    ``pattern`` is the name in the closed grammar of ``vendors.grammar``; ``template`` its
    template in the folder; ``syntax`` how values are escaped and the result is parsed back;
    ``secret`` whether it needs the site's trust (a name with a MAC always does, so that a
    refused phone looks like an unknown one); ``session`` marks the one file that holds all a
    hotdesk session can change; ``phonebook`` the remote phone book (its template sees
    ``directory``, ``page_size`` entries at a time, or all at once where it is absent); ``linked`` a
    file whose address another one gives with ``?v=`` and its MD5: it is served in that very version
    or not at all, so that a login in the middle of a boot never mixes two people; ``proof`` the files whose fetch shows that a phone is current;
    ``only`` restricts the rule to models with these traits, ``firmware_from`` and
    ``firmware_below`` to versions from the one and before the other (dotted numbers); a phone of
    unknown firmware is taken for a current one.
    """

    __pydantic_config__ = _STRICT

    id: str
    pattern: str
    template: str
    syntax: Syntax
    media_type: str = "text/plain; charset=utf-8"
    secret: bool = True
    session: bool = False
    proof: bool = True
    linked: bool = False
    phonebook: bool = False
    page_size: int | None = None
    only: dict[str, Trait] = field(default_factory=dict)
    firmware_from: str | None = None
    firmware_below: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A real User-Agent and what must be read from it."""

    __pydantic_config__ = _STRICT

    text: str
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    handsets: int | None = None


@dataclass(frozen=True, slots=True)
class UserAgent:
    """A User-Agent pattern with the groups it has of ``model``, ``fw``, ``mac``, ``handsets``.

    ``handsets`` is how many handsets a base says it takes (at most six digits).
    """

    __pydantic_config__ = _STRICT

    pattern: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Adopt:
    """The parameters that make a phone ask us first from now on.

    ``parameters`` are names and values in the vendor's words; a value may hold ``{url}`` (with
    its final slash), ``{scheme}`` (mapped by ``schemes``), ``{hostpath}`` (the URL without
    scheme), ``{user}`` and ``{password}``, or ``{userinfo}``: both as a URL has them, with the at
    sign, empty where there is no user; and ``{mac}``, twelve lower-case hex digits. Where no
    source gives one, ``none`` says what leads the phones instead. ``over`` are the schemes of a URL
    that the parameters can carry.
    """

    __pydantic_config__ = _STRICT

    parameters: dict[str, str] = field(default_factory=dict)
    schemes: dict[str, str] = field(default_factory=dict)
    over: tuple[Literal["https", "http"], ...] = ("https", "http")
    none: str = ""


@dataclass(frozen=True, slots=True)
class Screens:
    """What the vendor's phones are answered behind a screen URL (hotdesking).

    ``form`` is the template that asks for something, ``message`` the one of a sentence, ``status``
    the one of who is logged in; ``media_type`` and ``syntax`` are theirs. ``both`` says that
    extension and PIN fit on one form, ``masks`` that a PIN is hidden while it is typed (where it is
    not, the place must allow it), ``reloads`` that the message after a login itself makes the
    phone load its files, ``menu`` that a file gives the screen a place of its own, so that it needs
    no key. ``largest`` is the most bytes of an answer. ``only`` restricts the entry to models with
    these traits. Where phones show no screens, ``none`` says why.
    """

    __pydantic_config__ = _STRICT

    form: str = ""
    message: str = ""
    status: str = ""
    media_type: str = "text/xml; charset=utf-8"
    syntax: Syntax = Syntax.XML
    both: bool = False
    masks: bool = True
    reloads: bool = False
    menu: bool = False
    largest: int | None = None
    only: dict[str, Trait] = field(default_factory=dict)
    none: str = ""


@dataclass(frozen=True, slots=True)
class Native:
    """A log-in of the phone's own: it asks for a name and a password, and loads a person's file.

    ``key`` is the vendor's type of the key that begins it. ``file`` is what the person's file is
    called in the folder of them, ``uploads`` the one with what was changed at the phone, which it
    sends back in lines of the same syntax; both with ``{user}`` in them. ``ours`` are the parameters,
    by patterns in which ``*`` stands for any text, that it does not get back from there, beside
    those that its files name. ``template`` and ``syntax`` are those of the person's file.
    ``only`` restricts it to models with these traits, ``firmware_from`` to later firmware; a phone
    of unknown firmware is taken for a current one.
    """

    __pydantic_config__ = _STRICT

    key: str
    file: str
    uploads: str
    template: str
    syntax: Syntax
    media_type: str = "text/plain; charset=utf-8"
    ours: tuple[str, ...] = ()
    only: dict[str, Trait] = field(default_factory=dict)
    firmware_from: str | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """What the vendor's phones trust.

    ``public`` says that current models trust the usual public CAs; ``delivery`` that a rendered
    file can hand them our own CA by its URL, ``inline`` that it does so within itself; ``none``
    why nothing is known of it.
    """

    __pydantic_config__ = _STRICT

    public: bool = False
    delivery: bool = False
    inline: bool = False
    none: str = ""


class ZoneForm(StrEnum):
    """How a dialect is told the time zone.

    By offset and yearly rule, by this year's dates, as a POSIX TZ string, by the offset alone
    (the phone makes changes of its own), by a word of `timezones`, or by the IANA name.
    """

    RULE = "rule"
    DATES = "dates"
    POSIX = "posix"
    OFFSET = "offset"
    CODES = "codes"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class ZoneGrammar:
    """What the phones can be told of a time zone; who has none at all is told nothing.

    ``offsets`` and ``savings`` are the only ones they know, in minutes; empty means any.
    ``whole_hours`` says that changes have an hour and no minutes. ``length`` is the most
    characters of a POSIX string, which is then ``ZoneRule.compact``. ``fallback`` is the word for
    a zone without one of its own. ``only`` restricts it to models with these traits.
    """

    __pydantic_config__ = _STRICT

    form: ZoneForm
    offsets: tuple[int, ...] = ()
    savings: tuple[int, ...] = ()
    whole_hours: bool = False
    length: int | None = None
    fallback: str = ""
    only: dict[str, Trait] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BootStep:
    """One name a booting phone asks for: a file's id or one of ``asks``.

    ``unless`` names an earlier step: this one is left out if that was found; ``needs`` likewise
    if it was not.
    """

    __pydantic_config__ = _STRICT

    name: str
    unless: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True)
class VendorData:
    """The whole of one vendor.toml.

    ``asks`` are further names its phones ask for that we recognise and do not serve: they are
    answered "not found" and never count as scanning. ``boot`` is the order a booting phone asks
    in; an entry may be a name alone. ``readback`` says what the parameters mean to the phone.
    ``key_types``, ``languages``, ``tones`` and ``timezones`` map our word, a language tag, a country and an IANA zone to the vendor's
    value; ``zones`` says how they are told the time zone, the first that fits a model is its own;
    ``screens`` likewise what they show; ``native`` is their own log-in, where they have one.
    ``traits`` are the defaults of every trait a model may set. ``cannot`` are settings and types
    of keys that, by a source, none of its phones has: there is nothing left to find.
    """

    __pydantic_config__ = _STRICT

    id: str
    name: str
    ouis: tuple[str, ...] = ()
    schema: Literal[1] = 1
    highest_trust: Literal["none", "network", "token", "password", "certificate"] = "password"
    user_agents: tuple[UserAgent, ...] = ()
    files: tuple[FileRule, ...] = ()
    asks: tuple[str, ...] = ()
    boot: tuple[str | BootStep, ...] = ()
    models: tuple[Model, ...] = ()
    cannot: tuple[str, ...] = ()
    traits: dict[str, Trait] = field(default_factory=dict)
    key_types: dict[str, str] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    tones: dict[str, str] = field(default_factory=dict)
    timezones: dict[str, str] = field(default_factory=dict)
    zones: tuple[ZoneGrammar, ...] = ()
    adopt: Adopt = field(default_factory=Adopt)
    tls: Tls = field(default_factory=Tls)
    reload: Reload = field(default_factory=Reload)
    logout: Logout = field(default_factory=Logout)
    screens: tuple[Screens, ...] = ()
    native: Native | None = None
    readback: Readback | None = None

    @property
    def steps(self) -> tuple[BootStep, ...]:
        """The boot order, each entry as a step."""
        return tuple(step if isinstance(step, BootStep) else BootStep(step) for step in self.boot)
