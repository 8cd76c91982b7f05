"""Signing in: e-mail and password, the code, a password of one's own, and where to act."""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import Any
from uuid import UUID

import segno
from markupsafe import Markup

from provisioning.domain.errors import (
    CodeRequired,
    InvalidInput,
    NotFound,
    TooManyAttempts,
    Unauthenticated,
    WrongCredentials,
    WrongPassword,
)
from provisioning.domain.wording import say
from provisioning.doors.http.portal.asked import (
    ORGANISATION,
    PASSWORD,
    SIGN_IN,
    Answer,
    Asked,
    Page,
    Redirect,
    onward,
)
from provisioning.usecases import sessions, totp
from provisioning.usecases.sign_in_steps import FirstStep, seal, unseal
from provisioning.usecases.signed_in import SignedIn

CHOSEN = "chosen"
"""What the address is followed by where a password has just been chosen by a link."""

_TAKE = "/take/"


def show_sign_in(asked: Asked) -> Answer:
    """The form; whoever is signed in goes on."""
    try:
        asked.signed_in()
    except Unauthenticated:
        return _sign_in_form(asked)
    return Redirect(asked.then)


def sign_in(asked: Asked) -> Answer:
    """The first step, which is the only one for whoever has no authenticator."""
    typed = FirstStep(asked.form.get("email", ""), asked.form.get("password", ""))
    try:
        return _opened(asked, typed)
    except CodeRequired:
        return _code_form(asked, seal(asked.core, typed))
    except WrongCredentials:
        return _sign_in_form(asked, "sign-in.wrong", email=typed.email)
    except TooManyAttempts as error:
        return _sign_in_form(asked, "sign-in.wait", email=typed.email, seconds=error.seconds)


def enter_code(asked: Asked) -> Answer:
    """The second step."""
    sealed = asked.form.get("sealed", "")
    try:
        typed = unseal(asked.core, sealed)
    except InvalidInput:
        return _sign_in_form(asked, "sign-in.late")
    try:
        return _opened(asked, typed, asked.form.get("code", ""))
    except (CodeRequired, WrongCredentials):
        return _code_form(asked, sealed, "code.wrong")
    except TooManyAttempts as error:
        return _code_form(asked, sealed, "sign-in.wait", seconds=error.seconds)


def _opened(asked: Asked, typed: FirstStep, code: str = "") -> Redirect:
    token, signed_in = sessions.open_session(
        asked.core,
        email=typed.email,
        password=typed.password,
        code=code,
        source=asked.source,
        user_agent=asked.user_agent,
    )
    return Redirect(_next_step(asked, signed_in), token)


def _next_step(asked: Asked, signed_in: SignedIn) -> str:
    """Where to go on: to what has to be done first, or to where the person wanted to go."""
    if signed_in.login.must_change:
        return onward(PASSWORD, asked.then)
    if len(sessions.list_organisations(asked.core, signed_in)) > 1:
        return onward(ORGANISATION, asked.then)
    return asked.then


def _sign_in_form(asked: Asked, fault: str = "", *, email: str = "", **of_fault: Any) -> Page:
    values = {
        "next": asked.then,
        "for_phone": asked.then.startswith(_TAKE),
        "chosen": CHOSEN in asked.query,
        "email": email,
        "fault": say(asked.language, fault, **of_fault) if fault else "",
    }
    return Page("sign_in", values, _status(fault), retry_after=of_fault.get("seconds"))


def _code_form(asked: Asked, sealed: str, fault: str = "", **of_fault: Any) -> Page:
    values = {
        "next": asked.then,
        "sealed": sealed,
        "fault": say(asked.language, fault, **of_fault) if fault else "",
    }
    return Page("code", values, _status(fault), retry_after=of_fault.get("seconds"))


def _status(fault: str) -> HTTPStatus:
    if fault == "sign-in.wait":
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.FORBIDDEN if fault else HTTPStatus.OK


def sign_out(asked: Asked) -> Answer:
    """End the session, if there is one."""
    with contextlib.suppress(Unauthenticated):  # it has ended already
        sessions.close(asked.core, asked.signed_in())
    return Redirect(SIGN_IN, token="")


# --- a password of one's own


def show_password(asked: Asked) -> Answer:
    """The form for a new password."""
    return _password_form(asked, asked.signed_in())


def change_password(asked: Asked) -> Answer:
    """Choose a new password."""
    signed_in = asked.signed_in()
    new = asked.form.get("new", "")
    if new != asked.form.get("again", ""):
        return _password_form(asked, signed_in, "password.differs")
    try:
        changed = sessions.change_password(
            asked.core, signed_in, asked.form.get("current", ""), new
        )
    except WrongPassword:
        return _password_form(asked, signed_in, "password.wrong")
    except InvalidInput:
        return _password_form(asked, signed_in, "password.easy")
    except TooManyAttempts as error:
        return _password_form(asked, signed_in, "sign-in.wait", seconds=error.seconds)
    return Redirect(_next_step(asked, changed))


def _password_form(asked: Asked, signed_in: SignedIn, fault: str = "", **of_fault: Any) -> Page:
    values = {
        "next": asked.then,
        "email": signed_in.login.email,
        "forced": signed_in.login.must_change,
        "fault": say(asked.language, fault, **of_fault) if fault else "",
    }
    return Page("password", values, _status(fault), retry_after=of_fault.get("seconds"))


# --- where to act


def show_organisations(asked: Asked) -> Answer:
    """The organisations a login may act in."""
    signed_in = asked.signed_in()
    usable = sessions.list_organisations(asked.core, signed_in)
    choices = [
        {"id": member.organisation.id, "name": _called(member.organisation)} for member in usable
    ]
    return Page("organisation", {"next": asked.then, "choices": choices})


def _called(organisation: Any) -> str:
    return str(organisation.display_name or organisation.name)


def choose_organisation(asked: Asked) -> Answer:
    """Act in one of them from now on."""
    signed_in = asked.signed_in()
    try:
        chosen = UUID(asked.form.get("organisation", ""))
        sessions.choose_organisation(asked.core, signed_in, chosen)
    except (ValueError, NotFound):
        return Redirect(onward(ORGANISATION, asked.then))
    return Redirect(asked.then)


# --- an authenticator, where the organisation asks for one


def show_authenticator(asked: Asked) -> Answer:
    """Why one is needed; whoever has one goes on."""
    if not asked.signed_in().totp_missing:
        return Redirect(asked.then)
    return _authenticator(asked)


def set_up_authenticator(asked: Asked) -> Answer:
    """Begin with an authenticator, or confirm it by its code."""
    signed_in = asked.signed_in()
    if not signed_in.totp_missing:
        return Redirect(asked.then)
    if "code" not in asked.form:
        begun = totp.enrol(asked.core, signed_in)
        return _authenticator(asked, secret=begun.secret, picture=_picture(begun.uri))
    try:
        totp.confirm(asked.core, signed_in, asked.form["code"])
    except InvalidInput:
        return _authenticator(asked, begun=True, fault=say(asked.language, "code.wrong"))
    return Redirect(asked.then)


def _authenticator(asked: Asked, **shown: Any) -> Page:
    values = {"next": asked.then, "secret": "", "picture": "", "begun": False, "fault": ""}
    return Page("authenticator", values | shown)


def _picture(uri: str) -> Markup:
    """A QR code as SVG, which holds nothing of the text but its modules."""
    drawn = segno.make(uri, error="m", micro=False)
    svg = drawn.svg_inline(scale=5, border=4, light="#fff", omitsize=True, svgclass="code")
    return Markup(svg)  # noqa: S704 - made by the library of numbers alone
