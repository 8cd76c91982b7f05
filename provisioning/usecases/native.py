"""The phones' own log-in: a person's file for their name and PIN, and what ends it (FEATURES G1 to G5).

Such a phone asks for a name and a password by itself, and loads two files from a folder behind its
screen URL: the person's, and what was changed on phones while they were logged in, which it sends
back. It holds both above its own files, which stay the place's meanwhile. When they log out at it,
or it restarts, it is back at its own by itself, and tells of it; where the server ends the session,
it has to be restarted.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from provisioning.crypto.digest import challenge_headers
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
from provisioning.domain.phone import Phone
from provisioning.render.files import render_file, render_person
from provisioning.render.login import FOLDER, users_url
from provisioning.render.syntax import FORMS
from provisioning.store import hotdesk as sessions
from provisioning.store import outbox, queries, uploads
from provisioning.store.devices import Device
from provisioning.store.organisations import Site
from provisioning.store.people import User
from provisioning.store.snapshots import snapshot
from provisioning.usecases import hotdesk
from provisioning.usecases.actors import Actor, phone_actor
from provisioning.usecases.core import REALM, Core
from provisioning.usecases.moving import destination
from provisioning.usecases.phones import Facts, build_phone
from provisioning.usecases.purposes import PURPOSE_UPLOAD
from provisioning.usecases.requests import (
    BasicCredential,
    DigestCredential,
    Door,
    FileReply,
    FileRequest,
    Outcome,
    ScreenCredential,
)
from provisioning.usecases.serving import NOT_FOUND, reply_of
from provisioning.usecases.sightings import Sighting
from provisioning.vendors.load import Vendor
from provisioning.vendors.reading import fits
from provisioning.vendors.schema import Model, Native

STARTED, REGISTERED = "event/startup", "event/registered"
"""The paths of a restart, and of an account that registered, which the query names."""

LARGEST = 64 * 1024
"""Bytes of what a phone may send back."""

_SEEN = FileReply(Outcome.SERVED, b"OK\n")


def is_native(path: str) -> bool:
    """Whether a path behind a screen URL belongs to a phone's own log-in."""
    return path.startswith(FOLDER) or path in (STARTED, REGISTERED)


def takes_uploads(path: str) -> bool:
    """Whether a phone may send something to a path behind its screen URL."""
    return path.startswith(FOLDER)


@dataclass(frozen=True, slots=True)
class _Desk:
    """A phone that logs people in by itself."""

    core: Core
    request: FileRequest
    device: Device
    vendor: Vendor
    model: Model | None
    native: Native

    def phone(self, *, on_file: bool = False) -> Phone:
        """The phone as it is now, or as its own files show it."""
        with self.core.database.read() as session:
            device = session.get_one(Device, self.device.id)
            rows = snapshot(session, device)
            place = destination(
                self.core,
                trust=queries.trust_of(session, device.id),
                site=session.get_one(Site, device.site_id),
                vendor=self.vendor,
                model=self.model,
                door=self.request.door,
                mac=rows.mac.digits if rows.mac else "",
            )
        rows = rows.on_file if on_file else rows
        now, cipher = self.core.clock(), self.core.cipher
        return build_phone(rows, cipher, facts=Facts(), provisioning=place, now=now)

    def here(self) -> User | None:
        """Whom the phone holds."""
        with self.core.database.read() as session:
            stations = queries.stations_of(session, self.device.id)
            rows = sessions.open_at(session, [station.id for station in stations[:1]])
            held = [row.user_id for row in rows.values() if row.native]
            return session.get_one(User, held[0]) if held else None

    def log_in(self, name: str, pin: str | DigestCredential) -> None:
        """Log somebody in as at any phone; raises as ``hotdesk.log_in``."""
        with self.core.database.read() as session:
            station = queries.stations_of(session, self.device.id)[0]
        hotdesk.log_in_here(
            self.core, self._actor(), station.id, extension=name, pin=pin, native=True
        )
        self.has_let_go()

    def log_out(self) -> None:
        """End the session of whoever the phone held until now; raises NotFound."""
        with self.core.database.read() as session:
            station = queries.stations_of(session, self.device.id)[0]
        hotdesk.log_out_here(self.core, self._actor(), station.id, left=True)

    def has_let_go(self) -> None:
        """Spare the phone the restart by which it was to let go of somebody: it has."""
        with self.core.database.write() as session:
            outbox.need_not_restart(session, self.device.id)

    def _actor(self) -> Actor:
        return phone_actor(self.device, str(self.request.peer))


def answer_native(core: Core, request: FileRequest, device: Device, seen: Sighting) -> FileReply:
    """What a phone's own log-in asks for, or tells of.

    Raises what nobody who stands there can mend or wait for: StoreUnavailable, RenderFailed.
    """
    if request.path.startswith(FOLDER):
        seen.path = f"{FOLDER}***"  # people type PINs into the field for their name
    vendor = core.registry.vendors.get(device.vendor or "")
    model = vendor.model(device.model or "") if vendor else None
    native = vendor.native(model, device.firmware) if vendor else None
    if vendor is None or native is None or request.door is Door.TFTP:
        seen.reason = "the phones of its model have no log-in of their own"
        return NOT_FOUND
    desk = _Desk(core, request, device, vendor, model, native)
    if not request.path.startswith(FOLDER):
        seen.reason = _told(desk)
        return _SEEN
    if not users_url(desk.phone(), vendor, model):
        seen.reason = "its own log-in is not to be used"
        return NOT_FOUND
    if name := _named(native.uploads, request.path):
        return _upload(desk, name, seen)
    return _log_in(desk, _named(native.file, request.path), seen)


def _named(pattern: str, path: str) -> str:
    """Whose file a path is, if it is one of that pattern."""
    before, after = pattern.split("{user}")
    name = path.removeprefix(FOLDER)
    fits = name.startswith(before) and name.endswith(after)
    return name[len(before) : len(name) - len(after)] if fits else ""


# --- in


def _log_in(desk: _Desk, name: str, seen: Sighting) -> FileReply:
    """The file of whoever the name and the PIN are of, who sits there from now on."""
    seen.reason = "a name and a PIN are asked for"
    if not name or desk.request.method != "GET":
        seen.reason = "there is no such file of a person"
        return NOT_FOUND
    pin = _given(desk, name)
    if isinstance(pin, FileReply):
        return pin
    try:
        desk.log_in(name, pin)
    except BrokenRule as error:
        refused = _refusal(desk, error)
        if refused is None:
            raise
        seen.reason = f"the phone's own log-in, refused: {error.code()}"
        return refused
    seen.reason = "somebody's file, for the phone's own log-in"
    return reply_of(render_person(desk.phone(), desk.vendor, desk.native), desk.native.media_type)


def _given(desk: _Desk, name: str) -> str | DigestCredential | FileReply:
    """The PIN or what proves it, of whom the file is; a challenge where it is neither."""
    credential = desk.request.credential
    login = credential.login if isinstance(credential, ScreenCredential) else None
    if isinstance(login, BasicCredential) and login.user == name:
        return login.password if desk.request.door is Door.HTTPS else _challenge(desk)
    if not isinstance(login, DigestCredential) or login.parameters.get("username") != name:
        return _challenge(desk)
    # An old nonce is no wrong PIN: nothing is judged by it.
    if not desk.core.nonces.is_fresh(login.parameters.get("nonce", ""), REALM):
        return _challenge(desk, stale=True)
    return login


def _challenge(desk: _Desk, *, stale: bool = False) -> FileReply:
    """Digest by MD5, the only one that is kept of a PIN, and Basic inside TLS."""
    tls = desk.request.door is Door.HTTPS
    headers = challenge_headers(REALM, desk.core.nonces, tls=tls, stale=stale, algorithms=["MD5"])
    return FileReply(Outcome.CHALLENGE, challenges=headers)


def _refusal(desk: _Desk, error: BrokenRule) -> FileReply | None:
    """What the phone hears of it; nothing of a failure of ours."""
    if isinstance(error, WrongPin):
        return _challenge(desk)
    if isinstance(error, TooManyAttempts | TooManyLogins):
        return FileReply(Outcome.FAILED, again=getattr(error, "seconds", 0))
    if isinstance(error, Conflict | InvalidInput | NotFound | PinMustChange):
        return FileReply(Outcome.REFUSED)
    return None


# --- what was changed there


def _upload(desk: _Desk, name: str, seen: Sighting) -> FileReply:
    """Keep what the phone sends of whom it holds, or give it back; nobody else's."""
    seen.reason = "it does not hold the person"
    here = desk.here()
    if here is None or here.extension != name:
        return NOT_FOUND
    core, seen.reason = desk.core, "what the person changed on phones"
    if desk.request.method == "PUT":
        text = desk.request.body.decode("utf-8", "replace")
        with core.database.write() as session:
            uploads.keep(session, here, core.cipher.encrypt(text, PURPOSE_UPLOAD))
        return _SEEN
    with core.database.read() as session:
        held = uploads.kept(session, here.id)
    text = core.cipher.decrypt(held, PURPOSE_UPLOAD) if held is not None else ""
    content = "".join(f"{line}\n" for line in _own_lines(desk, text))
    return FileReply(Outcome.SERVED, content.encode(), media_type=desk.native.media_type)


def _own_lines(desk: _Desk, text: str) -> list[str]:
    """The lines that are the person's to set: those of no parameter that our files name.

    The phone lays them over the person's file, so that an account or a URL in them would win.
    """
    phone, native = desk.phone(), desk.native
    rules = desk.vendor.rules_for(desk.model, phone.firmware)
    ours = [render_file(phone, desk.vendor, rule) for rule in rules if rule.session]
    ours.append(render_person(phone, desk.vendor, native))
    parse = FORMS[native.syntax].parse
    names = {name.lower() for content in ours for name, _ in parse(content.decode())}
    kept = []
    for line in text.splitlines():
        try:
            set_there = {name.lower() for name, _ in parse(line)}
        except ValueError:
            continue
        if set_there and not set_there & names and not any(fits(native.ours, n) for n in set_there):
            kept.append(line)
    return kept


# --- out


def _told(desk: _Desk) -> str:
    """End the session of whom the phone held, if what it tells says so; returns what was done."""
    if desk.request.path == REGISTERED and not _is_back(desk):
        return "it registered what it holds, or nobody knows what"
    desk.has_let_go()
    try:
        desk.log_out()
    except NotFound:
        return "the phone holds nobody"
    return "they left at the phone"


def _is_back(desk: _Desk) -> bool:
    """Whether the account that registered is one of the phone's own files, and not the person's."""
    told = parse_qs(desk.request.query).get("user", [])
    of_file = {line.user_name for line in desk.phone(on_file=True).lines}
    held = {line.user_name for line in desk.phone().lines} if desk.here() else set()
    return len(told) == 1 and told[0] in of_file - held
