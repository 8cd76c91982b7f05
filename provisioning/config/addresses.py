"""Under which addresses others reach this machine."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - phones are elsewhere; both families by default

_STANDARD_PORTS = {"http": 80, "https": 443}
_OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a listener on that host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def primary_address() -> str:
    """The address this machine talks to others from, ``localhost`` if it has none.

    Connecting a UDP socket asks the routing table and sends nothing; the addresses asked about
    are those reserved for documentation (RFC 5737, RFC 3849).
    """
    for family, outside in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 9))
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return "localhost"


def only_loopback(hosts: Sequence[str]) -> bool:
    """Whether only this machine reaches listeners on these hosts."""
    return all(is_loopback(host) for host in hosts)


def overlap(one: str, other: str) -> bool:
    """Whether listeners on these hosts would want the same address."""
    wildcards = {EVERYWHERE[0]: 4, EVERYWHERE[1]: 6}
    return (
        one == other
        or wildcards.get(one) == _version(other)
        or wildcards.get(other) == _version(one)
    )


def _version(host: str) -> int | None:
    try:
        return ip_address(host).version
    except ValueError:
        return None


def reachable_url(scheme: str, hosts: Sequence[str], port: int) -> str:
    """How others reach a listener on these hosts; empty where it is switched off."""
    if port == 0:
        return ""
    host = primary_address() if any(host in EVERYWHERE for host in hosts) else hosts[0]
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + ("" if port == _STANDARD_PORTS[scheme] else f":{port}")
