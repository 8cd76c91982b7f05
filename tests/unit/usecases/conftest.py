"""A phone to fetch as, and a clock to turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import pytest

from provisioning.store import queries
from provisioning.store.security import DeviceTrust, Fetch
from provisioning.usecases import (
    assignments,
    devices,
    previews,
    registering,
    settings,
    sip,
    users,
)
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import (
    Credential,
    Door,
    FileReply,
    FileRequest,
    TokenCredential,
)

MAC = "00:15:65:AA:BB:CC"
T54W = "Yealink SIP-T54W 96.86.0.45 00:15:65:aa:bb:cc"


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment it shows."""
        return self.now

    def turn(self, **by: float) -> None:
        """Go on by a timedelta's arguments."""
        self.now += timedelta(**by)


@pytest.fixture
def clock(core: Core) -> Clock:
    """The core's clock and its database's, turned by hand."""
    clock = Clock()
    core.clock = clock
    core.database.moment = lambda _session: clock()
    return clock


@dataclass
class Desk:
    """A registered Yealink with Ada assigned, and what was asked of the server for it."""

    core: Core
    actor: Actor
    device: UUID
    user: UUID
    name: str = "001565aabbcc.cfg"
    replies: list[FileReply] = field(default_factory=list)

    def fetch(
        self,
        path: str = "",
        *,
        source: str = "192.0.2.1",
        door: Door = Door.HTTP,
        credential: Credential | None = None,
        user_agent: str = T54W,
    ) -> FileReply:
        """Ask for a file as a phone does."""
        request = FileRequest(
            path=path or self.name,
            peer=ip_address(source),
            door=door,
            credential=credential,
            user_agent=user_agent,
        )
        return fetch_file(self.core, request)

    def trust(self) -> DeviceTrust:
        """The device's security state as stored."""
        with self.core.database.read() as session:
            return queries.trust_of(session, self.device)

    def log(self) -> list[Fetch]:
        """The device's lines of the fetch log, newest first."""
        self.core.log.flush()
        with self.core.database.read() as session:
            return queries.fetches_of(session, self.device, 100, None)


@pytest.fixture
def server(core: Core, actor: Actor) -> Any:
    """The organisation's SIP server, whose secrets are ours."""
    return sip.add_server(core, actor, name="main", registrar="pbx.example.com")


@pytest.fixture
def add_person(core: Core, actor: Actor, server: Any) -> Callable[..., UUID]:
    """Make users with an account each."""

    def add(first: str = "Ada", extension: str = "1001") -> UUID:
        made = users.add_user(
            core, actor, first_name=first, last_name="Lovelace", extension=extension
        )
        assert made.account is not None
        return made.user.id

    return add


@pytest.fixture
def desk(core: Core, actor: Actor, clock: Clock, add_person: Callable[..., UUID]) -> Desk:
    """A registered Yealink with Ada assigned."""
    user = add_person()
    device = registering.add_device(core, actor, mac=MAC, name="Desk 1").device.id
    assignments.assign_device(core, actor, device, [user])
    return Desk(core, actor, device, user)


@pytest.fixture
def phone_of(core: Core, actor: Actor) -> Callable[[UUID, str], Desk]:
    """Fetch as another device, whose own file has this name."""

    def make(device: UUID, name: str) -> Desk:
        return Desk(core, actor, device, device, name)

    return make


@dataclass
class Phones:
    """Phones of any model, what they get and what is set."""

    core: Core
    actor: Actor

    def add(self, mac: str, model: str, *people: UUID, **columns: Any) -> UUID:
        """Register a phone and assign it."""
        row = registering.add_device(self.core, self.actor, mac=mac, model=model, **columns).device
        if people:
            assignments.assign_device(self.core, self.actor, row.id, people)
        return row.id

    def text(self, device: UUID) -> str:
        """Everything the phone's files say, phone books left out."""
        named = previews.list_files(self.core, self.actor, device)
        files = (previews.preview(self.core, self.actor, device, item.path) for item in named)
        return "\n".join(content.decode() for content, _ in files)

    def fetched(self, device: UUID, name: str) -> bytes:
        """A file as the phone gets it now by its own URL, from the cache where that is fresh."""
        url = devices.provisioning_urls(self.core, self.actor, device).token_url
        token = TokenCredential(url.rstrip("/").rpartition("/")[2])
        request = FileRequest(name, ip_address("192.0.2.1"), Door.HTTPS, credential=token)
        reply = fetch_file(self.core, request)
        assert reply.content, reply
        return reply.content

    def losses(self, device: UUID) -> str:
        """What the phone cannot show of what was asked of it."""
        return "\n".join(previews.loss_report(self.core, self.actor, device))

    def set(self, level: str, owner: UUID, **values: Any) -> None:
        """Set values at a level; a key's dots and dashes are given in quotes."""
        settings.set_values(self.core, self.actor, level, owner, values)


@pytest.fixture
def phones(core: Core, actor: Actor, clock: Clock) -> Phones:
    """Phones of any model."""
    return Phones(core, actor)
