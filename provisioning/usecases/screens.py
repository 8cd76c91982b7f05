"""Hotdesking on the phone's own screen: the form, who is logged in, and what came of it (G1 to G5).

A phone only ever asks by GET, so what it typed stands in the query; nothing of that is logged. What
cannot be read is answered with a sentence, as everything is that a person can mend.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl
from uuid import UUID

from provisioning.domain.errors import (
    BrokenRule,
    Conflict,
    InvalidInput,
    NotFound,
    PinMustChange,
    TooManyAttempts,
    TooManyLogins,
    WrongPin,
)
from provisioning.domain.phone import Phone, Provisioning
from provisioning.domain.timezones import clock_time, zone_named
from provisioning.render.login import HOME, screens_of
from provisioning.render.screens import (
    EXTENSION,
    LOGIN,
    LOGOUT,
    PIN,
    RELOAD,
    Pages,
    Screen,
    render_screen,
)
from provisioning.store import hotdesk as sessions
from provisioning.store import queries
from provisioning.store.devices import Device
from provisioning.store.snapshots import snapshot
from provisioning.usecases import hotdesk
from provisioning.usecases.actors import Actor, phone_actor
from provisioning.usecases.core import Core
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.requests import (
    Door,
    FileReply,
    FileRequest,
    Outcome,
    ScreenCredential,
)
from provisioning.usecases.seats import Seat, seat
from provisioning.usecases.serving import reply_of
from provisioning.usecases.sightings import Sighting
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Screens

LONGEST_QUERY = 256
"""Characters of a query; what phones send has less than fifty."""

_TYPED = {
    "ext": re.compile(r"[0-9*#]{1,20}"),
    "pin": re.compile(r"[0-9]{1,20}"),
    "sure": re.compile("1"),
    "form": re.compile("1"),
}
"""``form`` says nothing: it is there where a dialect's form must have a query before what is typed."""

_TOLD = (
    Conflict, InvalidInput, NotFound, PinMustChange, TooManyAttempts, TooManyLogins, WrongPin,
)  # fmt: skip
"""What a person at the phone is told, to mend it or to wait; everything else is our failure."""

_OPEN_END = timedelta(days=365)
"""A lease that is longer has no end as far as people are concerned."""

Typed = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Visit:
    """A phone at one of its screens: what it was when it asked, and how its screens look now."""

    core: Core
    request: FileRequest
    device: Device
    vendor: Vendor
    screens: Screens
    base: str
    came: Phone

    def phone(self) -> Phone:
        """The phone as it is now, in the language of whoever is there."""
        return _phone(self.core, self.device, self.base)

    def pages(self, phone: Phone) -> Pages:
        """Its screens."""
        return Pages(phone, self.vendor, self.screens, self.base)

    def actor(self) -> Actor:
        """The phone as whoever acts."""
        return phone_actor(self.device, str(self.request.peer))

    def station(self) -> UUID:
        """The station people log in at: its first."""
        with self.core.database.read() as session:
            return queries.stations_of(session, self.device.id)[0].id


def is_screen(path: str) -> bool:
    """Whether a path behind a screen URL is one of hotdesking."""
    return path in _SHOWN


def answer_hotdesk(core: Core, request: FileRequest, device: Device, seen: Sighting) -> FileReply:
    """The screen a phone asks for, having done what it asks for by it.

    Raises what nobody who stands there can mend or wait for: StoreUnavailable, RenderFailed.
    """
    visit = _visit(core, request, device)
    if visit is None:
        seen.reason = "the phones of its model show no screens here"
        return FileReply(Outcome.NOT_FOUND)
    if request.path == RELOAD and not visit.screens.reloads:
        seen.reason = "no screen makes such a phone load its files"
        return FileReply(Outcome.NOT_FOUND)
    seen.reason = "the screen that reloads" if request.path == RELOAD else "a screen of hotdesking"
    try:
        screen = _SHOWN[request.path](visit, _typed(request.query))
    except _TOLD as error:
        seen.reason += f", refused: {error.code()}"
        screen = _refusal(visit, error)
    content = render_screen(visit.phone(), visit.vendor, visit.screens, screen)
    return reply_of(content, visit.screens.media_type)


def _visit(core: Core, request: FileRequest, device: Device) -> _Visit | None:
    vendor = core.registry.vendors.get(device.vendor or "")
    if vendor is None or not isinstance(request.credential, ScreenCredential):
        return None
    place = core.places.https if request.door is Door.HTTPS else core.places.http
    base = f"{place}/s/{request.credential.token}/"
    phone = _phone(core, device, base)
    screens = screens_of(phone, vendor)
    return _Visit(core, request, device, vendor, screens, base, phone) if screens else None


def _phone(core: Core, device: Device, base: str) -> Phone:
    with core.database.read() as session:
        rows = snapshot(session, session.get_one(Device, device.id))
    place = Provisioning(screens=base)
    return build_phone(rows, core.cipher, facts=Facts(), provisioning=place, now=core.clock())


def _typed(query: str) -> Typed:
    """What was typed, by name; raises InvalidInput for whatever no form of ours sends."""
    typed: Typed = {}
    for name, value in _pairs(query):
        if name in typed or name not in _TYPED or not _TYPED[name].fullmatch(value):
            raise InvalidInput("The phone sent what no screen asks for.", remedy="Try again.")
        typed[name] = value
    return typed


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of a query; a name that no form has where it is none."""
    if len(query) > LONGEST_QUERY:
        return [("", "")]
    try:
        return parse_qsl(query, strict_parsing=bool(query), max_num_fields=8, errors="strict")
    except ValueError:
        return [("", "")]


# --- what is done


def _home(visit: _Visit, _typed: Typed) -> Screen:
    """Who is logged in, or the form where nobody is."""
    pages = visit.pages(visit.came)
    here = _seat(visit)
    if here is None:
        return pages.form()
    texts = pages.texts
    until = here.session.lease_until
    left = until - visit.core.clock()
    if left > _OPEN_END:
        return pages.status(here.user.name, texts("logged-in-open"))
    shown = texts("left", left=_duration(pages, left))
    said = texts("logged-in", until=_moment(visit, visit.came, until))
    return pages.status(here.user.name, said, shown)


def _seat(visit: _Visit) -> Seat | None:
    with visit.core.database.read() as session:
        stations = queries.stations_of(session, visit.device.id)
        here = sessions.open_at(session, [station.id for station in stations[:1]])
        return next((seat(session, row) for row in here.values()), None)


def _asked(visit: _Visit, typed: Typed) -> Screen:
    """The form for the PIN of an extension, or for both."""
    return visit.pages(visit.came).form(typed.get("ext", ""))


def _log_in(visit: _Visit, typed: Typed) -> Screen:
    if not {"ext", "pin"} <= typed.keys():
        raise InvalidInput("Extension or PIN is missing.", remedy="Give both.")
    here = _let_in(visit, typed["ext"], typed["pin"])
    phone = visit.phone()
    pages = visit.pages(phone)
    until = here.session.lease_until
    if until - visit.core.clock() > _OPEN_END:
        done = pages.texts("logged-in-open")
    else:
        done = pages.texts("logged-in", until=_moment(visit, phone, until))
    return pages.message(done, pages.texts("loading"), reload=visit.screens.reloads)


def _let_in(visit: _Visit, extension: str, pin: str) -> Seat:
    """The one place where a screen logs somebody in."""
    return hotdesk.log_in_here(
        visit.core,
        visit.actor(),
        visit.station(),
        extension=extension,
        pin=pin,
        comes=visit.screens.reloads,
    )


def _log_out(visit: _Visit, typed: Typed) -> Screen:
    pages = visit.pages(visit.came)
    here = _seat(visit)
    if here is None:
        return pages.message(pages.texts("nobody"))
    if "sure" not in typed:
        return pages.question(here.user.name)
    comes = visit.screens.reloads
    hotdesk.log_out_here(visit.core, visit.actor(), visit.station(), comes=comes)
    pages = visit.pages(visit.phone())
    return pages.logged_out(reload=visit.screens.reloads)


def _reload(visit: _Visit, _typed: Typed) -> Screen:
    """What a phone is asked to open so that it loads its files; that it came for it proves nothing."""
    return visit.pages(visit.phone()).loading()


_SHOWN: dict[str, Callable[[_Visit, Typed], Screen]] = {
    HOME: _home,
    EXTENSION: _asked,
    PIN: _log_in,
    LOGIN: _log_in,
    LOGOUT: _log_out,
    RELOAD: _reload,
}


# --- what is said


def _refusal(visit: _Visit, error: BrokenRule) -> Screen:
    pages = visit.pages(visit.came)
    return pages.message(*_sentences(visit, pages, error), again=True)


def _sentences(visit: _Visit, pages: Pages, error: BrokenRule) -> tuple[str, ...]:
    """Why not, in the phone's language; a name only where the rules have put one there."""
    texts, more = pages.texts, error.more
    tries, name = more.get("tries_left"), more.get("name")
    if isinstance(error, TooManyAttempts):
        wait = _duration(pages, timedelta(seconds=error.seconds))
        return (texts("too-many-attempts", wait=wait),)
    if isinstance(error, PinMustChange):
        return (texts("pin-must-change", where=visit.core.places.people),)
    if isinstance(error, WrongPin) and isinstance(tries, int) and tries > 0:
        left = texts("last-try") if tries == 1 else texts("tries-left", tries=tries)
        return (texts("wrong-pin"), left)
    if name and (named := f"{error.code()}-named") in texts:
        return (texts(named, name=name),)
    if error.code() in texts:
        return (texts(error.code()),)
    return (texts("malformed" if isinstance(error, InvalidInput) else "failed"),)


def _duration(pages: Pages, left: timedelta) -> str:
    """Hours and minutes, minutes, or the seconds of less than one; never less than nothing."""
    seconds = max(0, int(left.total_seconds()))
    minutes = -(-seconds // 60)
    if seconds < 60:
        return pages.texts("seconds", seconds=seconds)
    if minutes < 60:
        return pages.texts("minutes", minutes=minutes)
    return pages.texts("hours", hours=minutes // 60, minutes=minutes % 60)


def _moment(visit: _Visit, phone: Phone, moment: datetime) -> str:
    """A moment by the place's clock, as the phone writes the time of day."""
    zone = zone_named(phone.settings["time.zone"].value)
    form = "%H:%M" if phone.settings["time.24h"].value else "%I:%M %p"
    return clock_time(moment, zone, visit.core.clock(), form)
