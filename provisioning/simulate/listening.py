"""A virtual phone's SIP port: it takes the NOTIFY of its dialect, and boots again for it."""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

from provisioning.simulate.phone import VirtualPhone
from provisioning.simulate.report import BootReport

_REQUEST = re.compile(r"([A-Z]+) \S+ SIP/2\.0\r\n")
_COPIED = ("via", "from", "to", "call-id", "cseq")
"""What a response takes over from its request (RFC 3261 section 8.2.6.2)."""


class SipPort(asyncio.DatagramProtocol):
    """Answers each NOTIFY: 200 to an event that reloads such phones, 489 to any other."""

    def __init__(self, events: frozenset[str]) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self._events = events
        self._seen: set[str] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is sent by."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Answer a request; the same one sent again is answered again and acted on once."""
        text = data.decode("utf-8", "replace")
        request = _REQUEST.match(text)
        if request is None or self._transport is None:
            return
        lines = [line.partition(":") for line in text.split("\r\n")[1:] if ":" in line]
        headers = {name.strip().lower(): value.strip() for name, _, value in reversed(lines)}
        event = headers.get("event", "")
        known = request[1] == "NOTIFY" and event in self._events
        status = "200 OK" if known else "489 Bad Event"
        copied = [f"{name}: {headers.get(name, '')}" for name in _COPIED]
        answer = "\r\n".join([f"SIP/2.0 {status}", *copied, "Content-Length: 0", "", ""])
        self._transport.sendto(answer.encode(), addr)
        if known and headers.get("via", "") not in self._seen:
            self._seen.add(headers.get("via", ""))
            self.told.put_nowait(event)

    def close(self) -> None:
        """Take nothing more."""
        if self._transport is not None:
            self._transport.close()


async def listen(phone: VirtualPhone, host: str, port: int | None = None) -> SipPort:
    """Take SIP at an address, at the dialect's port unless another is given; raises OSError."""
    data = phone.vendor.data.reload
    events = frozenset({data.notify, data.reboot} - {""})
    _, made = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: SipPort(events), local_addr=(host, data.port if port is None else port)
    )
    return made


async def boot_when_told(phone: VirtualPhone, sip: SipPort) -> BootReport:
    """Wait for the next NOTIFY that is the phone's and boot for it."""
    await sip.told.get()
    return await phone.reboot()
