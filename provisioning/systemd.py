"""Telling systemd how the service does: the protocol of sd_notify(3), in a few lines.

Without ``NOTIFY_SOCKET`` nothing is told and nothing fails.
"""

from __future__ import annotations

import os
import socket
import time

import structlog

_log = structlog.get_logger(__name__)

READY = "READY=1"
STOPPING = "STOPPING=1"


def reloading() -> str:
    """The state at the start of a reload; ``notify(READY)`` ends it.

    systemd pairs the two by CLOCK_MONOTONIC in microseconds (``Type=notify-reload``).
    """
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def notify(state: str) -> bool:
    """Send a state to ``NOTIFY_SOCKET``; whether it was sent.

    The socket is a path or, with ``@`` in front, a name of the abstract namespace (unix(7)).
    """
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return False
    address = "\0" + name[1:] if name.startswith("@") else name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address)
            channel.sendall(state.encode())
    except OSError as error:
        _log.warning("systemd-not-told", state=state.partition("\n")[0], error=str(error))
        return False
    return True
