"""What is set about a phone's people and place that is no setting, and that a file may show.

Each has the form of a setting's value with its origin, so that a template that looks at it is
noted as for a setting: lines are explained by it, and what no file looks at is lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.domain.effective import Effective, Origin
from provisioning.domain.phone import Line, Phone
from provisioning.domain.settings import Level

COVER, AVATAR, PHOTO = "picture.cover", "picture.avatar", "picture.photo"
CALLER_ID, LOCATION, HIDDEN = "caller-id", "emergency-location", "calls-not-shown"
STEPS, MAILBOX = "steps", "shared-mailbox"

LOST = {
    COVER: "The cover picture is not shown: this phone takes none from its files.",
    AVATAR: "The organisation's picture is not shown: this phone takes no logo from its files.",
    PHOTO: "The photos of people are not shown: this phone takes none with its phone book.",
    CALLER_ID: "The number {value} that {owner} calls out with is not shown; the PBX sends it.",
    LOCATION: "The emergency location of the site is not in the files; the PBX has to know it.",
    HIDDEN: "Whom {value} speaks with can be seen on keys that watch them; only the PBX hides it.",
    STEPS: "The calls of {owner} go by steps, but this phone's own forwards cannot be switched off.",
    MAILBOX: "The shared mailbox {value} of {owner} has no lamp of its own on this phone.",
}
"""What is said of a fact that no file of a phone looks at."""


def facts(phone: Phone) -> Iterator[Effective]:
    """What is set for a phone and its lines."""
    yield from filter(None, (cover(phone), avatar(phone), photo(phone), location(phone)))
    yield from hidden(phone)
    for line in phone.lines:
        yield from filter(None, (caller_id(line), steps(line), mailbox(line)))


def cover(phone: Phone) -> Effective | None:
    """The wallpaper: of the phone's user where they chose one, else the organisation's."""
    owner = phone.look.chosen_by
    origin = Origin(Level.USER, owner) if owner else Origin(Level.ORGANISATION, phone.organisation)
    path = phone.look.wallpaper
    return Effective(COVER, path, origin) if path else None


def avatar(phone: Phone) -> Effective | None:
    """The organisation's picture."""
    path = phone.look.logo
    origin = Origin(Level.ORGANISATION, phone.organisation)
    return Effective(AVATAR, path, origin) if path else None


def photo(phone: Phone) -> Effective | None:
    """That there are photos for a phone book to show."""
    origin = Origin(Level.ORGANISATION, phone.organisation)
    return Effective(PHOTO, value=True, origin=origin) if phone.photos else None


def location(phone: Phone) -> Effective | None:
    """The emergency location of the phone's site."""
    origin = Origin(Level.SITE, phone.site)
    return Effective(LOCATION, phone.location, origin) if phone.location else None


def hidden(phone: Phone) -> Iterator[Effective]:
    """Whose calls others may not see, of those on the phone's keys (FEATURES D1)."""
    if phone.hidden:
        origin = Origin(Level.USER, phone.hidden[0])
        yield Effective(HIDDEN, ", ".join(phone.hidden), origin)


def caller_id(line: Line) -> Effective | None:
    """The number that calls of a line go out with."""
    return _of_person(CALLER_ID, line.caller_id, line)


def steps(line: Line) -> Effective | None:
    """That the PBX takes the calls of a line from step to step (FEATURES E3)."""
    return _of_person(STEPS, line.steps, line)


def mailbox(line: Line) -> Effective | None:
    """The number of the shared mailbox that the calls of a line fall back to (FEATURES E5)."""
    return _of_person(MAILBOX, line.mailbox, line)


def _of_person(key: str, value: str | bool, line: Line) -> Effective | None:
    return Effective(key, value, Origin(Level.USER, line.display_name)) if value else None
