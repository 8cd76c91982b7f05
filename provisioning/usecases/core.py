"""What every use case works with: the store, the vendors, the keys, and where we are reached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from provisioning.crypto.digest import Nonces
from provisioning.crypto.passwords import Pins
from provisioning.crypto.secrets import Cipher
from provisioning.store.database import Database
from provisioning.usecases.pace import Pace
from provisioning.usecases.ports import Reach, reach_nobody
from provisioning.usecases.requests import Address
from provisioning.usecases.sightings import FetchLog
from provisioning.vendors.registry import Registry

Network = IPv4Network | IPv6Network

REALM = "Provisioning"
"""The realm of every challenge; it says nothing of the product or the tenant."""

LOGINS_PER_SECOND = 200
"""How many logins on phones a process judges; everybody comes at eight in the morning."""

_CACHED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Places:
    """Where phones and people reach us; each URL without a final slash.

    ``https_is_public`` says that the phones' HTTPS chain comes from elsewhere (`cert install`)
    and not from our own CA.
    """

    https: str
    http: str
    people: str
    https_is_public: bool = False
    ca_pem: str = ""


@dataclass(frozen=True, slots=True)
class Cached:
    """A rendered file and the versions it was rendered from."""

    versions: tuple[int, ...]
    content: bytes
    etag: str


class RenderCache:
    """Rendered files of adopted devices; each proves its freshness at every hit by versions."""

    def __init__(self, limit: int = _CACHED_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._held: OrderedDict[tuple[object, ...], Cached] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], versions: tuple[int, ...]) -> Cached | None:
        """The file, if it was rendered from these very versions."""
        with self._lock:
            held = self._held.get(key)
            if held is None or held.versions != versions:
                return None
            self._held.move_to_end(key)
            return held

    def put(self, key: tuple[object, ...], cached: Cached) -> None:
        """Keep a file, dropping those longest unused beyond the limit of bytes."""
        with self._lock:
            former = self._held.pop(key, None)
            self._size += len(cached.content) - (len(former.content) if former else 0)
            self._held[key] = cached
            while self._size > self._limit and self._held:
                _, dropped = self._held.popitem(last=False)
                self._size -= len(dropped.content)

    def clear(self) -> None:
        """Forget everything: the vendor folders were read anew."""
        with self._lock:
            self._held.clear()
            self._size = 0


def utc_now() -> datetime:
    """The current moment."""
    return datetime.now(UTC)


@dataclass
class Core:
    """Everything a use case needs. ``registry`` and ``places`` are replaced whole on SIGHUP.

    ``reloads_per_second`` is how many phones all replicas together tell in a second; ``reach``
    tries out a connection to a PBX.
    """

    database: Database
    registry: Registry
    cipher: Cipher
    pins: Pins
    nonces: Nonces
    places: Places
    log: FetchLog
    proxies: tuple[Network, ...] = ()
    reloads_per_second: int = 50
    clock: Callable[[], datetime] = utc_now
    cache: RenderCache = field(default_factory=RenderCache)
    logins: Pace = field(default_factory=lambda: Pace(LOGINS_PER_SECOND))
    reach: Reach = reach_nobody

    def is_proxy(self, address: Address) -> bool:
        """Whether the address is one behind which anybody may stand."""
        return within(address, self.proxies)


def within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; IPv4-mapped IPv6 counts as IPv4."""
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped or address
    return any(plain.version == network.version and plain in network for network in networks)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Stored CIDR texts as networks; they were checked when they were stored."""
    return tuple(ip_network(text) for text in texts)
