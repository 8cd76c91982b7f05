"""Unknown MACs that asked for files: looking at them, registering or forgetting them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from provisioning.domain.errors import NotFound
from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.store import logs, queries
from provisioning.store.database import Session
from provisioning.store.security import Pending
from provisioning.usecases.actors import Actor, changing, together
from provisioning.usecases.bulk import of_one
from provisioning.usecases.core import Core
from provisioning.usecases.registering import NewDevice, add_device


def list_pending(core: Core, actor: Actor, limit: int = 50) -> list[Pending]:
    """The latest unknown MACs of the organisation; an operator also sees those of none."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = [row for of in _seen_by(actor) for row in queries.pending(session, of, limit)]
    return sorted(rows, key=lambda row: row.last_seen_at, reverse=True)[:limit]


def approve_pending(core: Core, actor: Actor, mac: str, **columns: Any) -> NewDevice:
    """Register a pending device, with the vendor and model it told unless others are given.

    ``columns`` and what is raised are those of ``registering.add_device``; raises NotFound for a
    MAC that is not pending.
    """
    actor.require(Permission.WRITE)
    with core.database.read() as session:
        row = _pending(session, actor, mac)
    told = core.registry.vendors.get(row.vendor)
    if told is not None and "vendor" not in columns:
        columns["vendor"] = told.id
        if told.model(row.model) is not None:
            columns.setdefault("model", row.model)
    return add_device(core, actor, mac=row.mac, **columns)


def approve_several(
    core: Core, actor: Actor, macs: Collection[str], **columns: Any
) -> list[NewDevice]:
    """Register pending devices with the same columns, all of them or none.

    Raises as ``approve_pending`` does, saying of which; nothing is registered then.
    """
    made = []
    with together(core, actor) as same:
        for mac in dict.fromkeys(macs):
            with of_one(f"Of {mac[:40]}"):
                made.append(approve_pending(core, same, mac, **columns))
    return made


def discard_pending(core: Core, actor: Actor, mac: str) -> None:
    """Forget a pending MAC until it asks again; raises NotFound."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        logs.forget_pending(session, [_pending(session, actor, mac).mac])


def _seen_by(actor: Actor) -> tuple[UUID | None, ...]:
    return (actor.organisation, None) if actor.may(Permission.OPERATE) else (actor.organisation,)


def _pending(session: Session, actor: Actor, mac: str) -> Pending:
    address = Mac.parse(mac)
    row = session.get(Pending, address.digits)
    if row is None or row.organisation_id not in _seen_by(actor):
        raise NotFound(
            f"{address} is not pending.", remedy="List the pending devices to see which are."
        )
    return row
