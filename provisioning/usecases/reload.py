"""The outbox: finding out which of the marked devices have to load their files anew.

A change marks whatever may show it. Here each marked device's files are rendered and compared
with what it was served last: only where a byte differs is the device to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import structlog

from provisioning.domain import fields
from provisioning.domain.errors import StoreUnavailable
from provisioning.domain.kinds import ReloadState
from provisioning.domain.roles import Permission
from provisioning.store import audit, outbox, queries
from provisioning.store.authors import Author
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.outbox import Reload, ServedFile
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.current import Told, proof_hashes, was_blanked
from provisioning.usecases.devices import find_device
from provisioning.usecases.pages import Page

BATCH = 100
"""Devices looked at in one turn."""

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
        if row is None or was_blanked(row):
            return False
        served = sorted(outbox.served_files(session, [device]), key=lambda item: str(Told.by(item)))
        for told, files in groupby(served, key=Told.by):
            has = {file.rule: file.content_hash for file in files}
            now = proof_hashes(core, session, row, told, only=has)
            if any(has[rule] != content for rule, content in now.items()):
                return True
    return False


def _tell(session: Session, row: Reload) -> None:
    """Note in the audit log that a device is to load its files anew, once for each change."""
    if row.saved_at is not None:
        return
    device = queries.by_id(session, Device, row.device_id)
    audit.note(
        session,
        action="reload",
        kind="device",
        organisation_id=row.organisation_id,
        object_id=row.device_id,
        name=device.name if device else "",
        author=Author(row.actor or "server", row.organisation_id),
        after={"reason": row.reason},
    )


BY_ITSELF = timedelta(seconds=20)
"""How long a phone is left alone that was just answered with what makes it load its files."""


def coming(session: Session, device: UUID, at: datetime) -> None:
    """Note that a device loads its files by itself; it is looked at later, and told only then."""
    outbox.put_off(session, device, at + BY_ITSELF)


# --- looking at it


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """What a device waits for, if it does, and what it was served last."""

    reload: Reload | None
    served: list[ServedFile]


def read_reload(core: Core, actor: Actor, device: UUID | str) -> ReloadStatus:
    """Whether a device has to load its files anew; raises NotFound."""
    actor.require(Permission.READ)
    core.log.flush()
    with core.database.read() as session:
        row = find_device(session, actor, device)
        served = outbox.served_files(session, [row.id])
        return ReloadStatus(
            outbox.reload_of(session, row.id), sorted(served, key=lambda item: item.rule)
        )


def list_reloads(core: Core, actor: Actor, page: Page, *, state: str = "") -> list[Reload]:
    """A page of the devices that wait, those in one state where it is named."""
    actor.require(Permission.READ)
    wanted = fields.word("state", state, ReloadState) if state else ""
    with core.database.read() as session:
        return outbox.reloads(
            session, actor.organisation, state=wanted, limit=page.limit, cursor=page.cursor
        )
