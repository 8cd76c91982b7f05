"""Looking at devices: the list of them, one of them, and what the fetch log holds of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from provisioning.domain.mac import Mac
from provisioning.domain.roles import Permission
from provisioning.domain.trust import WindowStage
from provisioning.store import inventory, queries
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.people import User
from provisioning.store.security import DeviceTrust, Fetch
from provisioning.usecases import windows
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.devices import find_device
from provisioning.usecases.pages import Page


@dataclass(frozen=True, slots=True)
class Listed:
    """A device with its MAC, if it has one, whether it is a pool phone, and who has it.

    ``people`` are those of all its stations in order; several share it.
    """

    device: Device
    mac: Mac | None
    pool: bool
    people: tuple[User, ...]

    @property
    def id(self) -> UUID:
        """The device's id, by which lists go on."""
        return self.device.id


@dataclass(frozen=True, slots=True)
class WindowState:
    """A device's security state, and what has come of its provisioning window so far."""

    trust: DeviceTrust
    stage: WindowStage


def list_devices(core: Core, actor: Actor, page: Page, *, retired: bool = False) -> list[Listed]:
    """A page of the devices that are in use, or of the retired ones."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = inventory.devices(
            session,
            actor.organisation,
            retired=retired,
            q=page.q,
            limit=page.limit,
            cursor=page.cursor,
        )
        return _listed(session, rows)


def read_device(core: Core, actor: Actor, device: UUID | str) -> Listed:
    """One device; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _listed(session, [find_device(session, actor, device)])[0]


def _listed(session: Session, rows: Sequence[Device]) -> list[Listed]:
    ids = [row.id for row in rows]
    macs = queries.macs(session, ids)
    pools = inventory.pool_devices(session, ids)
    people = inventory.people_at(session, ids)
    return [Listed(row, macs.get(row.id), row.id in pools, people.get(row.id, ())) for row in rows]


def read_window(core: Core, actor: Actor, device: UUID | str) -> WindowState:
    """The state of a device's provisioning window."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        trust = queries.trust_of(session, find_device(session, actor, device).id)
    return WindowState(trust, windows.window_of(trust).stage(core.clock()))


def list_fetches(core: Core, actor: Actor, device: UUID | str, page: Page) -> list[Fetch]:
    """A device's lines of the fetch log, newest first, what happened just now among them."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = find_device(session, actor, device)
    core.log.flush()
    with core.database.read() as session:
        return inventory.fetches(session, row.id, q=page.q, limit=page.limit, cursor=page.cursor)
