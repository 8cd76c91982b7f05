"""The screens of hotdesking: what stands on them, and their bytes in a vendor's form.

Which of them a phone is shown is decided by ``usecases.screens``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from provisioning.domain.errors import RenderFailed
from provisioning.domain.phone import Phone
from provisioning.render import context
from provisioning.render.environment import render_template
from provisioning.render.files import folders
from provisioning.render.login import HOME, screens_of, texts_of
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Screens

EXTENSION = "hotdesk/extension"
PIN = "hotdesk/pin"
LOGIN = "hotdesk/login"
LOGOUT = "hotdesk/logout"
RELOAD = "reload"
"""The paths behind a screen URL. Where both fields fit on one form, that leads to ``LOGIN``; else
the extension to ``EXTENSION``, which asks for the PIN, and that to ``PIN``. ``RELOAD`` is opened by
nobody but phones that are asked to load their files by it."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something to be typed: its name in the query, its prompt, and whether it is masked."""

    name: str
    prompt: str
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Something to be chosen: its label and the URL that is then asked for."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen as its template sees it.

    ``kind`` is form, message or status. ``text`` are whole sentences on one line. What is typed
    into ``fields`` goes into the query of ``url``; ``reload`` asks for what makes the phone load
    its files, and ``closes`` for what then closes the screen. ``home`` is the URL at which all
    begins; ``submit`` and ``exit`` are labels, ``language`` is the tag of all texts.
    """

    kind: str
    title: str
    home: str
    submit: str
    exit: str
    language: str
    text: str = ""
    url: str = ""
    fields: tuple[Field, ...] = ()
    links: tuple[Link, ...] = ()
    reload: bool = False
    closes: bool = False


class Pages:
    """The screens of one phone, in its language, with links below ``base`` (with its final slash)."""

    def __init__(self, phone: Phone, vendor: Vendor, screens: Screens, base: str) -> None:
        self._both = screens.both
        self._base = base
        self._language = str(phone.settings["language"].value)
        self.texts = texts_of(phone, vendor)

    def form(self, extension: str = "") -> Screen:
        """What asks for extension and PIN, or for the PIN of an extension."""
        texts = self.texts
        who = Field("ext", texts("extension"))
        pin = Field("pin", texts("pin"), masked=True)
        if self._both:
            return self._screen("form", url=self._url(LOGIN), fields=(who, pin))
        if extension:
            return self._screen("form", url=self._url(PIN, ext=extension), fields=(pin,))
        return self._screen("form", url=self._url(EXTENSION), fields=(who,))

    def message(self, *text: str, again: bool = False, reload: bool = False) -> Screen:
        """Sentences, with a way back to the form where ``again`` is sensible."""
        links = (Link(self.texts("again"), self._url(EXTENSION)),) if again else ()
        return self._screen("message", text=" ".join(text), links=links, reload=reload)

    def loading(self) -> Screen:
        """What makes the phone load its files, with nobody there to read it or to close it."""
        title, text = self.texts("new-settings"), self.texts("loading")
        return self._screen("message", title=title, text=text, reload=True, closes=True)

    def logged_out(self, *, reload: bool) -> Screen:
        """That nobody is logged in any more."""
        texts = self.texts
        said = texts("logged-out")
        return self._screen("message", title=texts("log-out"), text=said, reload=reload)

    def question(self, name: str) -> Screen:
        """Whether somebody is really to be logged out."""
        asked, out = self.texts("sure", name=name), self._out()
        return self._screen("message", title=out.label, text=asked, links=(out,))

    def status(self, name: str, *text: str) -> Screen:
        """Who is logged in, with the ways out."""
        links = (self._out(), Link(self.texts("other"), self._url(EXTENSION)))
        return self._screen("status", title=name, text=" ".join(text), links=links)

    def _out(self) -> Link:
        return Link(self.texts("log-out"), self._url(LOGOUT, sure="1"))

    def _url(self, path: str, **query: str) -> str:
        return self._base + path + (f"?{urlencode(query)}" if query else "")

    def _screen(self, kind: str, *, title: str = "", **more: object) -> Screen:
        texts = self.texts
        return Screen(
            kind,
            title or texts("log-in"),
            home=self._base + HOME,
            submit=texts("log-in"),
            exit=texts("exit"),
            language=self._language,
            **more,  # type: ignore[arg-type]  # the fields of Screen
        )


def render_screen(phone: Phone, vendor: Vendor, screens: Screens, screen: Screen) -> bytes:
    """The bytes of a screen; raises RenderFailed or UnsafeValue."""
    template = {"form": screens.form, "message": screens.message, "status": screens.status}
    seen = {"screen": asdict(screen), "model": _model(phone, vendor)}
    content = render_template(folders(vendor), template[screen.kind], screens.syntax, seen)
    if screens.largest is not None and len(content) > screens.largest:
        raise RenderFailed(
            f"A screen for {vendor.data.name} has {len(content)} bytes, more than the "
            f"{screens.largest} its phones read.",
            remedy="Shorten the template or its texts.",
        )
    return content


def _model(phone: Phone, vendor: Vendor) -> Mapping[str, object]:
    return context.Most(vendor, vendor.model(phone.model)).context(phone)


def samples(phone: Phone, vendor: Vendor) -> Iterator[tuple[str, bytes]]:
    """Each sort of screen once, by a name, for golden cases; none where a phone shows none."""
    screens = screens_of(phone, vendor)
    if screens is None or not (phone.login and phone.provisioning.screens):
        return
    pages = Pages(phone, vendor, screens, phone.provisioning.screens)
    texts = pages.texts
    left = texts("left", left=texts("hours", hours=5, minutes=7))
    wrong = (texts("wrong-pin"), texts("tries-left", tries=4))
    shown = {
        "form": pages.form(),
        "logged-in": pages.message(
            texts("logged-in", until="18:00"), texts("loading"), reload=screens.reloads
        ),
        "logged-out": pages.logged_out(reload=screens.reloads),
        "refused": pages.message(*wrong, again=True),
        "status": pages.status("Ada & Grace", texts("logged-in", until="18:00"), left),
        "sure": pages.question("Ada & Grace"),
    }
    if screens.reloads:
        shown["reload"] = pages.loading()
    if not screens.both:
        shown["form-pin"] = pages.form("1001")
    for name, screen in shown.items():
        yield name, render_screen(phone, vendor, screens, screen)
