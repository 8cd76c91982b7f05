"""FreeSWITCH's event socket (ESL): having FreeSWITCH send a NOTIFY to one phone.

The event is NOTIFY by `sendevent`, with the headers profile, event-string, user, host and
content-type (mod_sofia.c, general_event_handler). With a call-id it goes to the one registration
that has it, else to all of the account. `sofia profile … check_sync` is no way: it sends
`reboot=true` to Yealink and Snom, `reboot_now` to Linksys (sofia_reg.c, sofia_reg_send_reboot).
FreeSWITCH says OK to any event, so that the registrations are looked at first.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from provisioning.outbound.guard import Refused, plain
from provisioning.outbound.links import Dialogue, Lost, PbxTeller, Question
from provisioning.outbound.wanted import checked_domain, checked_event, checked_user
from provisioning.usecases.core import Network
from provisioning.usecases.ports import Connector, Contact

LARGEST_BODY = 256 * 1024
"""Bytes of an answer: some hundred registrations."""

CONTENT_TYPE = "application/simple-message-summary"
"""What mod_sofia sends with a check-sync of its own; the event asks for some type, and has no body."""

_MOST_FRAMES = 1000
_LENGTH = re.compile(r"[0-9]{1,9}")
_CALL_ID = re.compile(r"[\x21-\x7e]{1,255}")
_PROFILE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: its headers by their names in lower case, and the body of Content-Length."""

    headers: dict[str, str]
    body: str

    @property
    def kind(self) -> str:
        """Its Content-Type."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Registration:
    """One contact of an account, as `sofia status profile … user` tells of it."""

    call_id: str
    address: str
    port: str


class Socket(Dialogue):
    """One authenticated event socket."""

    async def log_in(self, connector: Connector) -> None:
        """Answer the request for the password; raises Refused or Lost."""
        first = await self._frame()
        if first.kind == "text/rude-rejection":
            raise Refused("FreeSWITCH lets this server's address in by none of its lists (ACL).")
        if first.kind != "auth/request":
            # Nothing of it is told: a port that speaks otherwise is nobody's business.
            raise Refused("What answers there is not FreeSWITCH's event socket.")
        if not connector.password.isprintable():
            raise Refused("The password has characters that no line can carry.")
        said = await self._reply(f"auth {connector.password}\n\n", "command/reply")
        self.greeting = f"FreeSWITCH: {_ok(said)}"

    async def registrations(self, profile: str, user: str, domain: str) -> list[Registration]:
        """The contacts an account has at a profile; raises Refused for an unknown profile, or Lost."""
        command = f"api sofia status profile {profile} user {user}@{domain}\n\n"
        said = await self._reply(command, "api/response")
        if "Total items returned:" not in said.body:
            raise Refused(f"FreeSWITCH says: {plain(said.body) or 'nothing'}")
        return _registrations(said.body)

    async def notify(self, headers: Sequence[tuple[str, str]]) -> str:
        """Have a NOTIFY sent; what FreeSWITCH said. Raises Refused or Lost."""
        written = "".join(f"{name}: {value}\n" for name, value in headers)
        return _ok(await self._reply(f"sendevent NOTIFY\n{written}\n", "command/reply"))

    async def _reply(self, command: str, kind: str) -> Frame:
        """Send a command and wait for its reply, past events; raises Lost."""
        await self.send(command)
        for _ in range(_MOST_FRAMES):
            frame = await self._frame()
            if frame.kind == kind:
                return frame
            if frame.kind == "text/disconnect-notice":
                raise Lost("FreeSWITCH hung up")
        raise Lost("there were too many events")

    async def _frame(self) -> Frame:
        headers = {}
        for line in await self.lines():
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "0")
        if not _LENGTH.fullmatch(length) or int(length) > LARGEST_BODY:
            raise Lost("an answer was too long")
        return Frame(headers, await self.exactly(int(length)))


def _ok(reply: Frame) -> str:
    said = plain(reply.headers.get("reply-text", ""))
    if not said.startswith("+OK"):
        raise Refused(f"FreeSWITCH says: {said or 'nothing'}.")
    return said


def _registrations(body: str) -> list[Registration]:
    """The registrations in a listing: paragraphs of `Name: value`, each beginning with Call-ID."""
    found: list[dict[str, str]] = []
    for line in body.splitlines():
        name, colon, value = line.partition(":")
        if name.strip() == "Call-ID":
            found.append({})
        if colon and found:
            found[-1].setdefault(name.strip(), value.strip())
    return [
        Registration(each["Call-ID"], each.get("IP", ""), each.get("Port", "")) for each in found
    ]


def _of_phone(found: Sequence[Registration], contact: Contact) -> Registration:
    """The one registration that comes from the phone; raises Refused for none, or for several."""
    here = [each for each in found if _is_at(each, contact.host)]
    if len(here) > 1:  # several phones behind one address
        here = [each for each in here if each.port == str(contact.port)]
    if len(here) != 1 or not _CALL_ID.fullmatch(here[0].call_id):
        raise Refused(
            f"FreeSWITCH knows {len(found)} registrations of {contact.user}, "
            f"and {len(here) or 'none'} that can be told to be this phone's."
        )
    return here[0]


def _is_at(registration: Registration, host: str) -> bool:
    try:
        return ip_address(registration.address.strip("[]")) == ip_address(host)
    except ValueError:
        return False


class FreeswitchTeller(PbxTeller[Socket]):
    """Has FreeSWITCH tell phones."""

    def __init__(
        self, refuse: Sequence[Network] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(Socket, refuse, clock)

    def question(self, connector: Connector, contact: Contact, event: str) -> Question[Socket]:
        """A NOTIFY to all contacts of an account that is this phone's alone, else to this one."""
        user, domain = checked_user(contact.user), checked_domain(contact.domain)
        words = checked_event(event)
        profile = connector.profile
        if not _PROFILE.fullmatch(profile):
            raise Refused(f"The profile '{plain(profile)[:40]}' cannot be given to FreeSWITCH.")

        async def ask(socket: Socket) -> str:
            """Ask over a connection that is logged in."""
            found = await socket.registrations(profile, user, domain)
            if not found:
                raise Refused(f"FreeSWITCH knows no registration of {user}@{domain}.")
            headers = [
                ("profile", profile),
                ("content-type", CONTENT_TYPE),
                ("event-string", words),
                ("user", user),
                ("host", domain),
            ]
            if not contact.alone:
                headers.append(("call-id", _of_phone(found, contact).call_id))
            return await socket.notify(headers)

        return ask
