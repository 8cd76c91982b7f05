"""The outbox: which devices have to load their files anew, and who is told so when.

A change marks whatever may show it. Here each marked device's files are rendered and compared
with what it was served last: only where a byte differs is the device to be told, and it is told
until it comes. The truth is always the next fetch: one that nothing reaches comes at its next poll.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from provisioning.crypto.secrets import Cipher
from provisioning.domain.errors import BrokenRule, StoreUnavailable
from provisioning.domain.kinds import ReloadState
from provisioning.domain.roles import Permission
from provisioning.store import audit, outbox, pacing, queries, telling
from provisioning.store.authors import Author
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.outbox import Reload
from provisioning.store.snapshots import snapshot
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.connectors import connector_of
from provisioning.usecases.core import Core
from provisioning.usecases.current import is_current
from provisioning.usecases.devices import find_device
from provisioning.usecases.ports import Connector, Heard, Telling
from provisioning.usecases.ways import told_account, ways_to

BATCH = 25
"""Devices looked at in one turn; whoever waits in front of a phone waits for no more than these."""

AGAIN = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 60, 240))
"""How long after each round of the ways a device that has not come is told again."""

LOOK_AGAIN = timedelta(minutes=15)
"""How often it is looked whether a device that nothing reached can be told by now."""

IN_A_CALL = timedelta(seconds=30)
"""How often it is looked whether a phone's call is over."""

_LONGEST_ANSWER = 200
_ASKED = "asked for"
_UNDECIDED = "the server failed to find out how to tell it; its log says why"

PbxOf = Callable[[Session, Cipher, UUID], Connector | None]
"""How the PBX behind a SIP server is reached, if it can be asked to tell its phones."""


_log = structlog.get_logger(__name__)


def settle(core: Core, *, at: datetime | None = None, limit: int = BATCH) -> int:
    """Look at marked devices that are due; how many were looked at.

    A device whose files are what it was served last goes; the others wait to be told, with a line
    in the audit log. One that never fetched has nothing to load anew. Raises StoreUnavailable.
    """
    at = at or core.clock()
    core.log.flush()  # what was served just now counts
    with core.database.read() as session:
        if not outbox.any_due(session, at):
            return 0
    with core.database.write() as session:
        claimed = outbox.claim(session, at, limit)
    looked_at: dict[Reload, bool] = {}
    for row in claimed:
        try:
            looked_at[row] = _differs(core, row.device_id)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one broken template stops no other phone
            _log.error("reload-undecided", device=str(row.device_id), reason=str(error))
    with core.database.write() as session:
        for row in outbox.finish(session, looked_at, at):
            _tell(session, row)
    return len(claimed)


def _differs(core: Core, device: UUID) -> bool:
    """Whether a device would be served other bytes than it was."""
    with core.database.read() as session:
        row = queries.by_id(session, Device, device)
        return row is not None and not is_current(core, session, row)


def _tell(session: Session, row: Reload) -> None:
    """Note in the audit log that a device is to load its files anew, once for each change."""
    if row.saved_at is None:
        device = queries.by_id(session, Device, row.device_id)
        author = Author(row.actor or "server", row.organisation_id)
        _note(session, row.device_id, device.name if device else "", author, row.reason)


def _note(session: Session, device: UUID, name: str, author: Author, why: str) -> None:
    audit.note(
        session,
        action="reload",
        kind="device",
        organisation_id=author.organisation_id,
        object_id=device,
        name=name,
        author=author,
        after={"reason": why},
    )


# --- telling


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is done with a device that is due: told, or put off with a reason."""

    row: Reload
    telling: Telling | None = None
    why: str = ""
    later: timedelta = LOOK_AGAIN
    waiting: bool = True


def to_tell(core: Core, at: datetime, limit: int, pbx: PbxOf = connector_of) -> list[Telling]:
    """Devices to be told, each by one way and at its own instant; nobody else gets them meanwhile.

    Sites take turns, phones somebody stands in front of go first, and all replicas together keep
    the pace. Whatever came of each is given to ``told``. Raises StoreUnavailable.
    """
    if not core.reloads_per_second:
        return []
    with core.database.read() as session:
        if not telling.any_ready(session, at):
            return []
    with core.database.write() as session:
        rows = telling.claim(session, at, limit)
    with core.database.read() as session:
        calling = pacing.in_call(session, [row.device_id for row in rows], at)
    plans = [_planned(core, row, pbx, in_call=row.device_id in calling) for row in rows]
    with core.database.write() as session:
        for plan in sorted(plans, key=lambda plan: plan.row.id):
            if plan.telling is None:
                until = at + plan.later
                telling.put_off(session, plan.row, until, plan.why, waiting=plan.waiting)
        found = [plan.telling for plan in plans if plan.telling is not None]
        waits = _waits(core, session, len(found)) if found else []
    return [replace(item, wait=wait) for item, wait in zip(found, waits, strict=True)]


def _waits(core: Core, session: Session, count: int) -> list[timedelta]:
    """How long from now each of so many has to wait for its instant.

    By the database's clock: an instant of another replica's would lie where that one's stands.
    """
    now = core.database.moment(session)
    instants = pacing.hand_out(session, count, now, core.reloads_per_second)
    return [instant - now for instant in instants]


def _planned(core: Core, row: Reload, pbx: PbxOf, *, in_call: bool) -> _Plan:
    try:
        with core.database.read() as session:
            return _plan(core, session, row, pbx, in_call=in_call)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - what is wrong with one phone stops no other
        _log.error("telling-undecided", device=str(row.device_id), reason=str(error))
        return _Plan(row, why=error.what if isinstance(error, BrokenRule) else _UNDECIDED)


def _plan(core: Core, session: Session, row: Reload, pbx: PbxOf, *, in_call: bool) -> _Plan:
    device = queries.by_id(session, Device, row.device_id)
    vendor = core.registry.vendors.get(device.vendor or "") if device else None
    if device is None or vendor is None:
        return _Plan(row, why="its vendor is not known")
    data = vendor.data.reload.by_restart if row.restart_from else vendor.data.reload
    if in_call and (data.restarts or not data.waits):
        return _Plan(row, why=telling.CALLING, later=IN_A_CALL, waiting=False)
    # One that has to restart still has whom its own log-in held, and their lines.
    rows = snapshot(session, device, held=row.restart_from is not None)
    account = told_account(rows)
    connector = pbx(session, core.cipher, account.sip_server_id) if account else None
    found, why = ways_to(core, session, rows, data, connector)
    if not found:
        return _Plan(row, why=why)
    chosen = found[row.tries % len(found)]
    if in_call and chosen.http is not None:  # that it waits is known of the event alone
        return _Plan(row, why=telling.CALLING, later=IN_A_CALL, waiting=False)
    return _Plan(row, replace(chosen, changes=row.changes, ways=len(found)))


def told(core: Core, item: Telling, heard: Heard, at: datetime | None = None) -> None:
    """Write what came of telling a device, and when it is told again if it does not come.

    A way that failed is followed by the next one at once; after the last one it waits, each time
    longer, and at the end it is given up. Raises StoreUnavailable.
    """
    at = at or core.clock()
    with core.database.write() as session:
        row = outbox.reload_of(session, item.device, lock=True)
        session.expunge_all()
        if row is None or row.changes != item.changes:
            return
        telling.note_told(session, row.id, row.changes, **_came_of(row, item, heard, at))


def _came_of(row: Reload, item: Telling, heard: Heard, at: datetime) -> dict[str, object]:
    answer = heard.words[:_LONGEST_ANSWER]
    tries, rounds = row.tries + 1, (row.tries + 1) // item.ways
    more = tries % item.ways != 0
    values: dict[str, object] = {"way": item.way, "answer": answer}
    values |= (
        {"told_at": at, "state": ReloadState.TOLD}
        if heard.well
        else {"told_at": None, "state": ReloadState.SAVED}
    )
    if more and not heard.well:
        return values | {"next_at": None}
    if rounds <= len(AGAIN):
        return values | {"next_at": at + AGAIN[max(rounds, 1) - 1]}
    why = f"tried {tries} times"
    return values | {"state": ReloadState.GIVEN_UP, "given_up": why, "next_at": None}


def tell_now(core: Core, actor: Actor, device: UUID | str) -> UUID:
    """Have a device told at once, whether its files differ or not; its id. Raises NotFound."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = find_device(session, actor, device)
        telling.ask(session, row, _ASKED)
        _note(session, row.id, row.name, Author(actor.name, row.organisation_id), _ASKED)
        return row.id


def batch(core: Core, seconds: float) -> int:
    """How many devices are told in that time, one at least."""
    return max(1, round(core.reloads_per_second * seconds))
