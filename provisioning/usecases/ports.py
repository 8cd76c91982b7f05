"""What the use cases ask of the world outside: to tell a phone that it should load its files anew.

Plain data, so that whoever sends needs no store and whoever decides needs no socket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from provisioning.domain.kinds import Way
from provisioning.vendors.behaviour import HttpReload


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a phone takes SIP, and the account that answers its challenge (RFC 3261 section 22).

    ``user`` is the SIP user name of the account told; ``host`` and ``port`` are the phone's own,
    ``domain`` is the registrar's. ``alone`` says that the account is registered by this phone only
    (a place account), so that a PBX may be asked to tell all its contacts.
    """

    user: str
    host: str
    port: int = 5060
    transport: str = "udp"
    domain: str = ""
    auth_name: str = ""
    password: str = field(default="", repr=False)
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Connector:
    """How a PBX is reached: Asterisk's manager interface or FreeSWITCH's event socket.

    ``way`` says which of the two. ``profile`` is the sofia profile its phones register at.
    ``ca_pem`` is whom to trust instead of the public CAs, where ``tls`` is on.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    profile: str = ""
    way: Way = Way.ASTERISK
    tls: bool = False
    ca_pem: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Telling:
    """One device to be told, by one way. ``event`` is the Event header of a NOTIFY.

    ``screen`` is the URL that makes the device load its files when it opens it, and holds a token.
    ``wait`` is how long from now to wait before it is told, ``changes`` what it is told of, and
    ``ways`` how many ways there are to tell it.
    """

    device: UUID
    way: Way
    event: str = ""
    contact: Contact | None = None
    connector: Connector | None = None
    http: HttpReload | None = None
    host: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    screen: str = field(default="", repr=False)
    wait: timedelta = timedelta()
    changes: int = 0
    ways: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of telling: whether the phone, or the PBX for it, said yes, and its words."""

    well: bool
    words: str


class Teller(Protocol):
    """One way of telling phones; never raises for what comes, or does not, from outside."""

    async def tell(self, telling: Telling) -> Heard:
        """Tell a device and wait for the answer."""
        ...


Reach = Callable[[Connector], Heard]
"""Connects to a PBX, logs in and says what came of it; waits some seconds, and never raises."""


def reach_nobody(connector: Connector) -> Heard:  # noqa: ARG001 - one form for all
    """What a process answers that makes no connections."""
    return Heard(well=False, words="This process connects to no PBX.")
