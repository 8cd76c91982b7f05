"""Asterisk's manager interface (AMI): having Asterisk send a NOTIFY to one phone.

The action is `PJSIPNotify` (docs.asterisk.org, AMI Actions): it takes exactly one of `Endpoint` and
`URI`, and headers as `Variable`. `Endpoint` reaches every contact of the endpoint, so that it is
for accounts that only this phone registers; any other phone is named by its own URI, which
Asterisk sends through its `default_outbound_endpoint`. A success says that Asterisk sent the
NOTIFY, not that the phone took it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from itertools import count

from provisioning.outbound.guard import Refused, plain
from provisioning.outbound.links import MOST_LINES, Dialogue, Lost, PbxTeller, Question
from provisioning.outbound.wanted import checked_event, checked_user, contact_uri
from provisioning.usecases.core import Network
from provisioning.usecases.ports import Connector, Contact

_BANNER = "Asterisk Call Manager/"
_VERSION = re.compile(r"[0-9.]{1,20}")
Headers = tuple[tuple[str, str], ...]


class Manager(Dialogue):
    """One logged-in manager connection."""

    _numbers = count(1)

    async def log_in(self, connector: Connector) -> None:
        """Hear the banner and log in, without events; raises Refused or Lost."""
        banner = await self.line()
        if not banner.startswith(_BANNER):
            # Nothing of it is told: a port that speaks otherwise is nobody's business.
            raise Refused("What answers there is not Asterisk's manager interface.")
        version = _VERSION.match(banner.removeprefix(_BANNER))
        said = await self.act(
            "Login",
            (("Username", connector.username), ("Secret", connector.password), ("Events", "off")),
        )
        self.greeting = f"{_BANNER}{version[0] if version else '?'}: {said}"

    async def act(self, action: str, headers: Headers) -> str:
        """Send an action and wait for its response, past events and late responses of others.

        Returns its message; raises Refused with the message of an error, or Lost.
        """
        number = f"roost-{next(self._numbers)}"
        wanted = (("Action", action), ("ActionID", number), *headers)
        await self.send("".join(_header(name, value) for name, value in wanted) + "\r\n")
        for _ in range(MOST_LINES):
            said = _fields(await self.lines())
            if said.get("actionid") == number and "response" in said:
                message = plain(said.get("message", ""))
                if said["response"].lower() != "success":
                    raise Refused(f"Asterisk says: {message or 'no'}.")
                return message or "Success"
        raise Lost("there were too many messages")


def _header(name: str, value: str) -> str:
    if not value.isprintable():
        raise Refused(f"The value of '{name}' has characters that no line can carry.")
    return f"{name}: {value}\r\n"


def _fields(lines: Sequence[str]) -> dict[str, str]:
    """The headers of a message by their names in lower case; what is none is left out."""
    found = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found


class AsteriskTeller(PbxTeller[Manager]):
    """Has Asterisk tell phones."""

    def __init__(
        self, refuse: Sequence[Network] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(Manager, refuse, clock)

    def question(self, connector: Connector, contact: Contact, event: str) -> Question[Manager]:  # noqa: ARG002 - one form for all
        """`PJSIPNotify` to the endpoint, called by the account's user name, or to one URI."""
        if contact.alone:
            to = ("Endpoint", checked_user(contact.user))
        else:
            to = ("URI", contact_uri(contact))
        headers = (to, ("Variable", f"Event={checked_event(event)}"))

        async def ask(manager: Manager) -> str:
            """Ask over a connection that is logged in."""
            return await manager.act("PJSIPNotify", headers)

        return ask
