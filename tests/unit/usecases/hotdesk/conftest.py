"""People with PINs, phones for whoever comes, and logging in at them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from provisioning.crypto.challenges import answer
from provisioning.domain.errors import BrokenRule
from provisioning.doors.http.authorization import parse_authorization
from provisioning.render.syntax import lines
from provisioning.store.devices import Device, Station
from provisioning.usecases import devices, hotdesk, registering, seats, sip, stations, users
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.inventory import list_fetches
from provisioning.usecases.pages import Page
from provisioning.usecases.paths import split_path
from provisioning.usecases.requests import (
    BasicCredential,
    DigestCredential,
    Door,
    FileRequest,
    ScreenCredential,
    TokenCredential,
)
from provisioning.usecases.settings import set_values
from provisioning.usecases.stations import first_station

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


# --- phones with a log-in of their own


@dataclass
class Mitel:
    """A phone with a log-in of its own, as far as it asks for something."""

    core: object
    actor: object
    device: object
    name: str
    file: dict[str, str] = field(default_factory=dict)

    def fetch(self) -> dict[str, str]:
        """What its own file says."""
        self.file = dict(lines.mitel(self.load(self.name).decode()))
        return self.file

    def load(self, name: str) -> bytes:
        """A file of its own, by its own URL."""
        url = devices.provisioning_urls(self.core, self.actor, self.device).token_url
        token = TokenCredential(url.rstrip("/").rpartition("/")[2])
        request = FileRequest(name, ip_address("192.0.2.7"), Door.HTTPS, credential=token)
        return fetch_file(self.core, request).content

    def ask(self, url, who="", pin="", *, method="GET", body=b"", door=Door.HTTPS, source="7"):
        """What a URL of its file gives."""
        credential, path = split_path(re.sub("https?://[^/]+/", "", url))
        assert isinstance(credential, ScreenCredential)
        path, _, query = path.partition("?")
        login = who if isinstance(who, DigestCredential) else None
        login = BasicCredential(who, pin) if isinstance(who, str) and who else login
        credential = ScreenCredential(credential.token, login)
        peer = ip_address(f"192.0.2.{source}")
        request = FileRequest(path, peer, door, method, query, body, credential=credential)
        return fetch_file(self.core, request)

    def answer(self, who="1001", pin="", **more):
        """What it sends for a name and a PIN when it is asked who it is, as Digest has it."""
        url = f"{self.folder()}{who}.cfg"
        asked = self.ask(url, **more)
        given = {"user": who, "password": pin or PINS[who]}
        header = answer(asked.challenges, method="GET", uri=urlsplit(url).path, **given)
        return parse_authorization(header, method="GET", target=urlsplit(url).path)

    def folder(self) -> str:
        """Where its file says that people's files are."""
        return self.file["user config url"]

    def log_in(self, who="1001", pin="", **more):
        """What it gets for a name and a PIN."""
        return self.ask(f"{self.folder()}{who}.cfg", who, pin or PINS[who], **more)

    def local(self, who="1001", **more):
        """What it gets for the file of what was changed, or for sending it."""
        return self.ask(f"{self.folder()}{who}_local.cfg", **more)

    def tell(self, event: str, user: str = "") -> str:
        """Tell of a restart or a registration as its file asks for; why it was answered so."""
        url = self.file[f"action uri {event}"].replace("$$SIPUSERNAME$$", user)
        assert self.ask(url).content == b"OK\n"
        self.core.log.flush()
        return list_fetches(self.core, self.actor, self.device, Page(limit=1))[0].reason


@pytest.fixture
def native(core, actor):
    """Switch the phones' own log-in on for everybody."""
    set_values(core, actor, "organisation", actor.organisation, {"hotdesk.native": True})


@pytest.fixture
def add_mitel(core, actor, server, native, clock):
    """Pool phones with an account of their own that have fetched their file."""

    def add(number: int = 1, model: str = "6930") -> Mitel:
        mac = f"1400E90000{number:02}"
        row = registering.add_device(core, actor, mac=mac, model=model, pool=True, name="Lobby")
        station = first_station(core, actor, row.device.id).station
        sip.add_account(core, actor, username=f"place-{number}", station_id=station.id)
        phone = Mitel(core, actor, row.device.id, f"{mac}.cfg")
        phone.fetch()
        phone.fetch()
        core.log.flush()
        return phone

    return add
