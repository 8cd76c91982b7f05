"""The vendors this server speaks for, and those it had to disable."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.domain.errors import NotFound
from provisioning.domain.roles import Permission
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.vendors.schema import VendorData


@dataclass(frozen=True, slots=True)
class VendorState:
    """A vendor folder: its data, or why it is disabled."""

    id: str
    data: VendorData | None
    disabled: str = ""


def list_vendors(core: Core, actor: Actor) -> list[VendorState]:
    """Every vendor folder, by id."""
    actor.require(Permission.READ)
    serving = [VendorState(vendor.id, vendor.data) for vendor in core.registry]
    broken = [VendorState(name, None, why) for name, why in core.registry.disabled.items()]
    return sorted([*serving, *broken], key=lambda state: state.id)


def read_vendor(core: Core, actor: Actor, vendor: str) -> VendorState:
    """One vendor folder; raises NotFound."""
    for state in list_vendors(core, actor):
        if state.id == vendor:
            return state
    raise NotFound(f"There is no vendor '{vendor[:40]}'.", remedy="GET /api/v1/vendors lists them.")
