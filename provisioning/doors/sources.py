"""What counts as one source of requests, for the caps of every door."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

from provisioning.usecases.requests import Address

Source = Address | IPv6Network


def source_of(peer: Address) -> Source:
    """What counts as one source: an IPv4 address, or the /64 of an IPv6 address."""
    if isinstance(peer, IPv6Address):
        return IPv6Network((int(peer) >> 64 << 64, 64))
    return peer
