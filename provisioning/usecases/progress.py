"""How far a device is on its way to what was changed, in one line for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from provisioning.domain import fields
from provisioning.domain.kinds import ReloadState, Way
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Scope
from provisioning.domain.timezones import clock_time, zone_named
from provisioning.store import outbox
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.outbox import Reload, ServedFile
from provisioning.store.snapshots import snapshot
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device
from provisioning.usecases.pages import Page
from provisioning.usecases.phones import held_for

CURRENT, NEVER_FETCHED, FETCHED = "current", "never-fetched", "fetched"
"""States of a device beside those of a reload: it has all, it has nothing, it has come for some."""

LATE = timedelta(minutes=2)
"""How long a phone that was told may take to come."""

_WAYS = {
    Way.SIP: "SIP",
    Way.ASTERISK: "Asterisk",
    Way.FREESWITCH: "FreeSWITCH",
    Way.HTTP: "HTTP",
}


@dataclass(frozen=True, slots=True)
class Poll:
    """How a device comes by itself: every ``minutes``; 0 never, None where it is not known.

    ``by`` is when it does so next at the latest, and ``zone`` that of its clock.
    """

    minutes: int | None
    by: datetime | None
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """What a device waits for, if it does, what it was served last, and both in words."""

    reload: Reload | None
    served: list[ServedFile]
    state: str
    status: str


def read_reload(core: Core, actor: Actor, device: UUID | str) -> ReloadStatus:
    """How far a device is on its way to what was changed; raises NotFound."""
    actor.require(Permission.READ)
    core.log.flush()
    with core.database.read() as session:
        row = find_device(session, actor, device)
        served = sorted(outbox.served_files(session, [row.id]), key=lambda item: item.rule)
        reload = outbox.reload_of(session, row.id)
        poll = _poll(core, session, row, served)
        return ReloadStatus(
            reload, served, state_of(reload, served), status_of(reload, served, poll, core.clock())
        )


def list_reloads(core: Core, actor: Actor, page: Page, *, state: str = "") -> list[Reload]:
    """A page of the devices that wait, those in one state where it is named."""
    actor.require(Permission.READ)
    wanted = fields.word("state", state, ReloadState) if state else ""
    with core.database.read() as session:
        return outbox.reloads(
            session,
            actor.organisation,
            state=wanted,
            q=page.q,
            limit=page.limit,
            cursor=page.cursor,
        )


def _poll(core: Core, session: Session, device: Device, served: list[ServedFile]) -> Poll:
    """When a device comes by itself: its files' interval, rounded as its dialect rounds it."""
    held = held_for(snapshot(session, device), core.cipher, None, Scope.DEVICE)
    zone = zone_named(held["time.zone"].value)
    vendor = core.registry.vendors.get(device.vendor or "")
    least = vendor.data.reload.poll if vendor else 0
    model = vendor.model(device.model) if vendor and device.model else None
    if not least or (model is not None and "poll-minutes" in model.cannot):
        return Poll(None, None, zone)
    minutes = int(str(held["provisioning.poll-minutes"].value))
    minutes = -(-minutes // least) * least
    last = max((file.at for file in served), default=None)
    by = last + timedelta(minutes=minutes) if last and minutes else None
    return Poll(minutes, by, zone)


# --- in words


def state_of(reload: Reload | None, served: list[ServedFile]) -> str:
    """The state of a device in one word: a reload's, or what it is without one."""
    if reload is None or (reload.state == ReloadState.CHANGED and not served):
        return CURRENT if served else NEVER_FETCHED
    came = max((file.at for file in served), default=None)
    if reload.told_at is not None and came is not None and came >= reload.told_at:
        return FETCHED
    return reload.state


def status_of(reload: Reload | None, served: list[ServedFile], poll: Poll, now: datetime) -> str:
    """The state of a device in one line."""
    state = state_of(reload, served)
    if reload is not None and state in _IN_WORDS:
        return _IN_WORDS[state](reload, poll, now)
    if state == NEVER_FETCHED:
        return "never fetched"
    return f"current since {clock_time(max(file.since for file in served), poll.zone, now)}"


def _saved(reload: Reload, _poll: Poll, _now: datetime) -> str:
    if reload.held:
        return f"saved: {reload.held}"
    return f"saved; not reached by {_way(reload)}: {reload.answer}" if reload.tries else "saved"


def _told(reload: Reload, _poll: Poll, now: datetime) -> str:
    since = now - (reload.told_at or now)
    if since < LATE:
        return f"told by {_way(reload)}, {reload.answer}"
    held = f"; not told again: {reload.held}" if reload.held else ""
    return f"told but not back after {_minutes(since)}: {reload.answer}{held}"


def _waiting(reload: Reload, poll: Poll, now: datetime) -> str:
    return f"{_waits(poll, now)}: {reload.held}"


def _given_up(reload: Reload, poll: Poll, now: datetime) -> str:
    return f"given up: {reload.given_up}, {reload.answer}; {_waits(poll, now)}"


_IN_WORDS: dict[str, Callable[[Reload, Poll, datetime], str]] = {
    ReloadState.CHANGED: lambda *_: "changed, not compared yet",
    ReloadState.SAVED: _saved,
    ReloadState.TOLD: _told,
    ReloadState.WAITING: _waiting,
    ReloadState.GIVEN_UP: _given_up,
    FETCHED: lambda *_: "fetched, but not everything yet",
}


def _way(reload: Reload) -> str:
    return _WAYS[Way(reload.way)] if reload.way else "nobody"


def _waits(poll: Poll, now: datetime) -> str:
    if poll.minutes is None:
        return "waits until it comes by itself; nobody knows when"
    if not poll.by:
        return "waits until it boots"
    if poll.by < now:
        return f"waits for its poll, which was due by {clock_time(poll.by, poll.zone, now)}"
    return f"waits for its poll, by {clock_time(poll.by, poll.zone, now)}"


def _minutes(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
