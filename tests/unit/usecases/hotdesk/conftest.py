"""People with PINs, phones for whoever comes, and logging in at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from provisioning.domain.errors import BrokenRule
from provisioning.store.devices import Device, Station
from provisioning.usecases import hotdesk, registering, seats, stations, users
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page

PINS = {"1001": "482913", "1002": "917364"}
WRONG = "000001"


@pytest.fixture
def ada(core: Core, actor: Actor, add_person: Callable[..., UUID]) -> UUID:
    """Somebody with a PIN."""
    user = add_person("Ada", "1001")
    users.set_pin(core, actor, user, PINS["1001"])
    return user


@pytest.fixture
def bob(core: Core, actor: Actor, add_person: Callable[..., UUID]) -> UUID:
    """Somebody else with a PIN."""
    user = add_person("Bob", "1002")
    users.set_pin(core, actor, user, PINS["1002"])
    return user


@pytest.fixture
def pool(core: Core, actor: Actor, clock: Any) -> Device:
    """A pool phone."""
    return registering.add_device(
        core, actor, mac="00:15:65:00:00:01", name="Lobby", pool=True
    ).device


@pytest.fixture
def second(core: Core, actor: Actor, clock: Any) -> Device:
    """Another pool phone."""
    return registering.add_device(core, actor, mac="00:15:65:00:00:02", pool=True).device


@dataclass
class Desks:
    """Logging in and out at phones, as a PBX or the phone itself asks."""

    core: Core
    actor: Actor

    def log_in(self, device: Device, extension: str = "1001", pin: str = "", **more: Any) -> Any:
        """Log somebody in with their PIN, unless another is given."""
        chosen = pin or PINS[extension]
        return hotdesk.log_in(
            self.core, self.actor, device=device.id, extension=extension, pin=chosen, **more
        )

    def refusal(self, device: Device, extension: str = "1001", pin: str = WRONG) -> BrokenRule:
        """What refuses a login, which must not succeed."""
        with pytest.raises(BrokenRule) as refused:
            self.log_in(device, extension, pin)
        return refused.value

    def station(self, device: Device) -> Station:
        """A phone's station."""
        return stations.first_station(self.core, self.actor, device.id).station

    def phone(self, device: Device, source: str = "192.0.2.1") -> Actor:
        """The phone itself, as its screens act."""
        return Actor(
            f"phone {device.name}", self.actor.organisation, frozenset(), source=source,
            device_id=device.id,
        )  # fmt: skip

    def many_stations(self, session: Any, count: int) -> list[UUID]:
        """Stations of nothing, to fill the table with."""
        rows = [Station(organisation_id=self.actor.organisation) for _ in range(count)]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]

    def sitting(self) -> dict[UUID | None, str | None]:
        """Who sits at which device."""
        found = seats.list_sessions(self.core, self.actor, Page(limit=500))
        return {seat.station.device_id: seat.user.extension for seat in found}


@pytest.fixture
def desks(core: Core, actor: Actor) -> Desks:
    """Logging in and out."""
    return Desks(core, actor)
