"""Behind the screen URL a phone tells of its do not disturb (C6) and calls, gets pictures, logs in."""

from __future__ import annotations

from provisioning.crypto.tokens import token_hash
from provisioning.domain.kinds import DeviceState
from provisioning.domain.roles import Permission
from provisioning.domain.settings import Level, Scope
from provisioning.domain.values import PER_CLIENT
from provisioning.store import pacing, queries, telling
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.people import User
from provisioning.store.security import DeviceTrust
from provisioning.store.snapshots import Snapshot, snapshot
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.current import note_shown, versions_if_current
from provisioning.usecases.native import answer_native, is_native
from provisioning.usecases.phones import alone, held_for
from provisioning.usecases.requests import FileReply, FileRequest, Outcome, ScreenCredential
from provisioning.usecases.screens import answer_hotdesk, is_screen
from provisioning.usecases.serving import reply_of
from provisioning.usecases.settings import set_values
from provisioning.usecases.showing import asks_for_picture, shown_picture
from provisioning.usecases.sightings import Sighting

INCOMING = "line.incoming"
EVENTS = {"event/dnd-on": "disabled", "event/dnd-off": "enabled"}
"""The path of each event behind the screen URL, and what it makes of incoming calls."""

CALL_STARTED, CALL_ENDED = "event/call-started", "event/call-ended"
"""The paths of a call's beginning and end: a phone in a call is not made to reload (HD6)."""

_SEEN = FileReply(Outcome.SERVED, b"OK\n")


def answer_screen(core: Core, request: FileRequest, seen: Sighting) -> FileReply:
    """Take an event of the phone that the screen token belongs to, or show it a picture.

    An unknown token, an unknown event and a picture of others look alike. A phone that may not say what it says is
    answered all the same: it could do nothing about it.
    """
    assert isinstance(request.credential, ScreenCredential)  # noqa: S101 - who calls has seen to it
    wanted = EVENTS.get(request.path)
    call = request.path in (CALL_STARTED, CALL_ENDED)
    with core.database.read() as session:
        trust = queries.trust_by_screen_token(session, token_hash(request.credential.token))
        device = queries.by_id(session, Device, trust.device_id) if trust else None
        asked = wanted or call or is_screen(request.path)
        known = asks_for_picture(request.path) or (asked and request.method == "GET")
        known = known or is_native(request.path)
        if trust is None or device is None or not known:
            seen.reason = "the screen token is nobody's" if trust is None else "no such screen"
            return FileReply(Outcome.NOT_FOUND)
        _note(seen, trust, device)
        if device.state in (DeviceState.BLOCKED, DeviceState.RETIRED):
            seen.reason = f"the device is {device.state}"
            return FileReply(Outcome.NOT_FOUND)
        if asks_for_picture(request.path):
            return _shown(core, session, device, request.path, seen)
        rows = snapshot(session, device) if wanted else None
    if is_native(request.path):
        return answer_native(core, request, device, seen)
    if is_screen(request.path):
        return answer_hotdesk(core, request, device, seen)
    if rows is not None and wanted is not None:
        seen.reason = _switched(core, rows, wanted, str(request.peer))
    else:
        seen.reason = _called(core, device, begins=request.path == CALL_STARTED)
    return _SEEN


def _called(core: Core, device: Device, *, begins: bool) -> str:
    """Note that a call began or ended; returns what was done."""
    with core.database.write() as session:
        if begins:
            pacing.call_began(session, device.organisation_id, device.id, core.clock())
            return "a call began"
        pacing.call_ended(session, device.id)
        if not pacing.in_call(session, [device.id], core.clock()):
            telling.call_is_over(session, device.id)
        return "a call ended"


def _shown(core: Core, session: Session, device: Device, path: str, seen: Sighting) -> FileReply:
    content, media_type = shown_picture(core, session, device, path)
    if not content:
        seen.reason = "there is no such picture for the device"
        return FileReply(Outcome.NOT_FOUND)
    seen.reason = "a picture for its screen"
    return reply_of(content, media_type)


def _note(seen: Sighting, trust: DeviceTrust, device: Device) -> None:
    seen.organisation_id = trust.organisation_id
    seen.device_id = device.id
    seen.vendor = device.vendor or ""
    seen.grade = "token"


def _switched(core: Core, rows: Snapshot, wanted: str, source: str) -> str:
    """Store what the phone says where it belongs, if it changes anything; returns what was done.

    A person who leaves incoming calls to each phone has it at this one; otherwise it is theirs
    and reaches their other phones.
    """
    device, who = rows.device, alone(rows)
    user: User | None = rows.users[who] if who else None
    line = held_for(rows, core.cipher, user, Scope.LINE)[INCOMING]
    everywhere = held_for(rows, core.cipher, user, Scope.LINE, anywhere=True)[INCOMING]
    permitted = held_for(rows, core.cipher, user, Scope.DEVICE)["right.incoming"]
    if line.value == wanted:
        return f"incoming calls are {wanted} already"
    if not permitted.value:
        return "the person may not configure incoming calls"
    if line.locked:
        return f"incoming calls are locked by the {line.origin.level}"
    level, owner = Level.DEVICE, device.id
    if user is not None and everywhere.value != PER_CLIENT:
        level, owner = Level.USER, user.id
    actor = Actor(
        f"phone {device.name or device.id}",
        device.organisation_id,
        frozenset({Permission.READ, Permission.WRITE}),
        source=source,
        device_id=device.id,
    )
    core.log.flush()  # what it was served just now counts
    before = versions_if_current(core, device.id)
    set_values(core, actor, level, owner, {INCOMING: wanted})
    if before is not None:
        note_shown(core, device.id, before)
    return f"incoming calls are {wanted} now for this {level}"
