"""What a change would do: it is done, looked at, and taken back before anybody sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from provisioning.domain.errors import BrokenRule
from provisioning.store import outbox, queries, recording
from provisioning.store.audit import Action
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.recording import Happened
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.current import Told, proof_hashes

MOST_RENDERED = 300
"""Phones whose files are compared at most: others wait for the transaction meanwhile."""

MOST_NAMED = 100
"""Phones named at most."""

_Files = dict[tuple[Told, str], str]


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change makes, changes and deletes besides, by kind, and the phones that differ.

    Where ``exact`` is false there were too many to compare, and ``phones`` counts all those that
    may differ.
    """

    creates: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    deletes: dict[str, int] = field(default_factory=dict)
    phones: int = 0
    devices: tuple[UUID, ...] = ()
    exact: bool = True


class _TakenBack(Exception):
    """Ends the transaction of a trial."""


def tried(
    core: Core, actor: Actor, change: Callable[[Actor], object], *, apart: Collection[str] = ()
) -> Effects:
    """What a change would do if the actor made it; ``apart`` from the objects with these ids.

    Raises whatever the change raises.
    """
    happened: list[Happened] = []
    after: dict[UUID, _Files] = {}

    def look(session: Session) -> None:
        happened.extend(
            item for item in recording.happened(session) if str(item.object_id) not in apart
        )
        concerned = outbox.concerned(session)
        some = concerned[:MOST_RENDERED]
        after.update({device: _files(core, session, device) for device in some})
        after.update({device: {} for device in concerned[MOST_RENDERED:]})
        raise _TakenBack

    try:
        change(replace(actor, trial=look))
    except _TakenBack:
        return _effects(core, happened, after)
    return Effects()


def _effects(core: Core, happened: Iterable[Happened], after: dict[UUID, _Files]) -> Effects:
    differ = list(after)
    exact = len(after) <= MOST_RENDERED
    if exact:
        with core.database.read() as session:
            differ = [
                device for device, files in after.items() if _files(core, session, device) != files
            ]
    kinds = Counter((item.action, item.kind) for item in happened)
    counted = {
        wanted: {kind: count for (action, kind), count in sorted(kinds.items()) if action == wanted}
        for wanted in Action
    }
    return Effects(
        creates=counted[Action.CREATE],
        changes=counted[Action.UPDATE],
        deletes=counted[Action.DELETE],
        phones=len(differ),
        devices=tuple(differ[:MOST_NAMED]),
        exact=exact,
    )


def _files(core: Core, session: Session, device: UUID) -> _Files:
    """The hashes of a device's files, for each way it has come before."""
    row = queries.by_id(session, Device, device)
    if row is None:
        return {}
    ways = {Told.by(served) for served in outbox.served_files(session, [device])} or {Told()}
    return {
        (told, rule): content
        for told in ways
        for rule, content in _hashes(core, session, row, told).items()
    }


def _hashes(core: Core, session: Session, row: Device, told: Told) -> dict[str, str]:
    try:
        return proof_hashes(core, session, row, told)
    except BrokenRule as error:  # a phone that gets no file before and after does not differ
        return {"": error.code()}
