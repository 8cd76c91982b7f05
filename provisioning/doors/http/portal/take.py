"""Taking the phone whose label was scanned, and giving it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from provisioning.domain.errors import Conflict, NotFound, RightMissing, StaleRevision
from provisioning.domain.ids import is_label_code
from provisioning.domain.timezones import clock_time
from provisioning.domain.wording import say
from provisioning.doors.http.portal.asked import Answer, Asked, Page, Redirect, arrived
from provisioning.doors.http.portal.refusals import told
from provisioning.usecases import me, taking
from provisioning.usecases.actors import Actor

TAKE = "/take"

_ENDLESS = timedelta(days=1000)
"""A lease that is longer has no end that would mean anything to people."""


def show_home(asked: Asked) -> Answer:
    """Where the person is logged in, and the way to their PIN if they may have one."""
    actor = asked.actor()
    held = [_held(asked, each) for each in taking.phones(asked.core, actor)]
    return Page("home", {"phones": held, "pin": me.may_log_in(asked.core, actor)})


def show_phone(asked: Asked) -> Answer:
    """The phone a label names, and what the person may do there."""
    code = _code(asked)
    if is_label_code(code) and asked.led_by_others():
        return arrived(f"{TAKE}/{code}", say(asked.language, "take.button"))
    return _phone_page(asked, asked.actor(), code)


def take_phone(asked: Asked) -> Answer:
    """Take it; where that is refused, the page says how things stand now."""
    actor, code = asked.actor(), _code(asked)
    try:
        phone = taking.look(asked.core, actor, code)
        me.take(asked.core, actor, phone.station)
    except NotFound:
        return _gone(asked)
    except (Conflict, RightMissing, StaleRevision):
        return _phone_page(asked, actor, code, HTTPStatus.CONFLICT)
    return Redirect(f"{TAKE}/{phone.code}")


def log_out(asked: Asked) -> Answer:
    """Log out where the person is logged in, phone or handset; what has ended stays as it is."""
    me.end_my_session(asked.core, asked.actor(), asked.form.get("session", ""))
    return Redirect(asked.then)


def _code(asked: Asked) -> str:
    return asked.path.get("code", "").lower()


def _phone_page(
    asked: Asked, actor: Actor, code: str, status: HTTPStatus = HTTPStatus.OK
) -> Answer:
    try:
        phone = taking.look(asked.core, actor, code)
    except NotFound:
        return _elsewhere(asked, actor, code)
    values = {
        "phone": phone,
        "held": _held(asked, phone.held) if phone.held else None,
        "elsewhere": [_held(asked, each) for each in phone.elsewhere],
        "here": f"{TAKE}/{code}",
    }
    return Page("take", values, status)


def _elsewhere(asked: Asked, actor: Actor, code: str) -> Answer:
    """The way on where the phone is of another organisation of the person's own."""
    other = taking.other_organisation(asked.core, actor, code)
    if other is None:
        return _gone(asked)
    name = other.display_name or other.name
    return Page("other", {"name": name, "organisation": other.id, "next": f"{TAKE}/{code}"})


def _gone(asked: Asked) -> Page:
    return told("gone", asked.language, HTTPStatus.NOT_FOUND)


def _held(asked: Asked, held: taking.Held) -> dict[str, Any]:
    until = held.seat.session.lease_until
    return {
        "session": held.seat.id,
        "title": held.seat.place,
        "until": _until(asked, until, held.zone),
        "moment": until.astimezone(held.zone).isoformat(),
    }


def _until(asked: Asked, until: datetime, zone: ZoneInfo) -> str:
    """Until when somebody is logged in, in the place's time."""
    now = asked.core.clock()
    if until - now > _ENDLESS:
        return say(asked.language, "take.yours")
    return say(asked.language, "take.yours-until", time=clock_time(until, zone, now))
