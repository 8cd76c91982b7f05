"""A PIN of one's own, by which people log in at phones."""

from __future__ import annotations

from http import HTTPStatus

from provisioning.domain.errors import InvalidInput, PinUnchanged
from provisioning.domain.wording import say
from provisioning.doors.http.portal.asked import PIN, Answer, Asked, Page, Redirect
from provisioning.doors.http.portal.refusals import told
from provisioning.usecases import me
from provisioning.usecases.actors import Actor

_SAVED = "saved"


def show_pin(asked: Asked) -> Answer:
    """The form for a new PIN, for whoever may log in on phones."""
    actor = asked.actor()
    if not me.may_log_in(asked.core, actor):
        return told("right", asked.language, HTTPStatus.FORBIDDEN)
    return _form(asked, actor)


def change_pin(asked: Asked) -> Answer:
    """Choose a new PIN."""
    actor, new = asked.actor(), asked.form.get("new", "")
    if new != asked.form.get("again", ""):
        return _form(asked, actor, "pin.differs")
    try:
        me.set_my_pin(asked.core, actor, new)
    except PinUnchanged:
        return _form(asked, actor, "pin.unchanged")
    except InvalidInput:
        return _form(asked, actor, "pin.easy")
    return Redirect(f"{PIN}?{_SAVED}=1")


def _form(asked: Asked, actor: Actor, fault: str = "") -> Page:
    values = {
        "saved": _SAVED in asked.query,
        "forced": me.read_me(asked.core, actor).user.pin_must_change,
        "fault": say(asked.language, fault) if fault else "",
    }
    return Page("pin", values, HTTPStatus.FORBIDDEN if fault else HTTPStatus.OK)
