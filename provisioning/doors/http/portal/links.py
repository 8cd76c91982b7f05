"""One-time links: choosing a password, and taking a membership on. Opening one uses nothing up."""

from __future__ import annotations

import contextlib
from http import HTTPStatus

from provisioning.crypto.tokens import is_token
from provisioning.domain.errors import InvalidInput, NotFound, Unauthenticated
from provisioning.domain.wording import say
from provisioning.doors.http.portal.asked import (
    ORGANISATION,
    SIGN_IN,
    Answer,
    Asked,
    Page,
    Redirect,
    arrived,
)
from provisioning.doors.http.portal.refusals import told
from provisioning.doors.http.portal.sign_in import CHOSEN
from provisioning.usecases import memberships, sessions
from provisioning.usecases.links import JOIN, RESET


def show_reset(asked: Asked) -> Answer:
    """The form for a password, as long as the link is good."""
    try:
        return _reset_form(asked)
    except NotFound:
        return _not_valid(asked)


def reset_password(asked: Asked) -> Answer:
    """Choose the password; whoever is signed in here is signed out, to sign in by it."""
    new = asked.form.get("new", "")
    try:
        if new != asked.form.get("again", ""):
            return _reset_form(asked, "password.differs")
        sessions.reset_password(asked.core, asked.path["token"], new, asked.source)
    except InvalidInput:
        return _reset_form(asked, "password.easy")
    except NotFound:
        return _not_valid(asked)
    with contextlib.suppress(Unauthenticated):  # nobody is
        sessions.close(asked.core, asked.signed_in())
    return Redirect(f"{SIGN_IN}?{CHOSEN}=1", token="")


def _reset_form(asked: Asked, fault: str = "") -> Page:
    token = asked.path["token"]
    values = {
        "here": f"{RESET}/{token}",
        "email": sessions.login_of_link(asked.core, token).email,
        "fault": say(asked.language, fault) if fault else "",
    }
    return Page("reset", values, HTTPStatus.FORBIDDEN if fault else HTTPStatus.OK)


def show_offer(asked: Asked) -> Answer:
    """The organisation that invites whoever is signed in."""
    token = asked.path["token"]
    here = f"{JOIN}/{token}"
    if is_token(token) and asked.led_by_others():
        return arrived(here, say(asked.language, "join.title"))
    try:
        offer = memberships.read_offer(asked.core, asked.signed_in(), token)
    except NotFound:
        return _not_valid(asked)
    name = offer.organisation.display_name or offer.organisation.name
    return Page("join", {"name": name, "here": here})


def accept_offer(asked: Asked) -> Answer:
    """Take the membership on, and choose where to act."""
    try:
        memberships.accept(asked.core, asked.signed_in(), asked.path["token"])
    except NotFound:
        return _not_valid(asked)
    return Redirect(ORGANISATION)


def _not_valid(asked: Asked) -> Page:
    return told("link", asked.language, HTTPStatus.NOT_FOUND)
