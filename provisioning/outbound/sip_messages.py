"""The few SIP messages we send and read: a NOTIFY of our own, and the answer to it (RFC 3261)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote

from provisioning.domain.kinds import Transport
from provisioning.outbound.guard import bracketed, phones_address, plain
from provisioning.usecases.ports import Contact

_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]*))?", re.IGNORECASE)
_BRANCH = re.compile(r";\s*branch\s*=\s*\"?([^\s;,\"]+)", re.IGNORECASE)
_CSEQ = re.compile(r"\s*([0-9]{1,10})\s+([A-Za-z]+)\s*")
_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length"}
_MAGIC = "z9hG4bK"
"""What every branch begins with (RFC 3261 section 8.1.1.7)."""

_USER_CHARACTERS = "-_.!~*'()&=+$,;?/"
"""What the user part of a URI may hold unescaped (RFC 3261 section 25.1)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, as far as it is looked at. ``branch`` is its topmost Via's."""

    status: int
    reason: str
    branch: str
    cseq: int
    method: str
    challenges: tuple[str, ...] = ()
    proxy_challenges: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Status and reason as people read them."""
        return f"{self.status} {self.reason}".strip()


def uri_of(contact: Contact) -> str:
    """The account at the phone's own address (RFC 3261 section 19.1); raises Refused for none."""
    user, host = quote(contact.user, safe=_USER_CHARACTERS), bracketed(phones_address(contact.host))
    return f"sip:{user}@{host}:{contact.port}{_transport(contact)}"


def _transport(contact: Contact) -> str:
    return "" if contact.transport == Transport.UDP else f";transport={contact.transport}"


@dataclass
class Notify:
    """A NOTIFY outside any dialog, and the same again with credentials.

    ``local`` is our own host and port, as the phone reaches us. Each sending is a transaction of
    its own, with its own branch (RFC 3261 section 17.1.3); Call-ID and From stay.
    """

    contact: Contact
    event: str
    local: str
    cseq: int = 0
    branch: str = ""
    call_id: str = field(default_factory=lambda: secrets.token_hex(16))
    tag: str = field(default_factory=lambda: secrets.token_hex(8))

    def message(self, *credentials: str) -> bytes:
        """The next request; ``credentials`` are whole header lines.

        RFC 6665 section 4.1.3 wants a Subscription-State; there is no subscription, so it is one
        that has ended.
        """
        self.cseq += 1
        self.branch = f"{_MAGIC}{secrets.token_hex(16)}"
        contact, uri = self.contact, uri_of(self.contact)
        lines = [
            f"NOTIFY {uri} SIP/2.0",
            f"Via: SIP/2.0/{contact.transport.upper()} {self.local};branch={self.branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:provisioning@{self.local}>;tag={self.tag}",
            f"To: <{uri}>",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} NOTIFY",
            f"Contact: <sip:provisioning@{self.local}{_transport(contact)}>",
            f"Event: {self.event}",
            "Subscription-State: terminated;reason=noresource",
            *credentials,
            "Content-Length: 0",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether a response belongs to the request sent last (RFC 3261 section 17.1.3)."""
        mine = (self.branch, self.cseq, "NOTIFY")
        return (answer.branch, answer.cseq, answer.method.upper()) == mine


def parse_answer(message: bytes) -> Answer | None:
    """A response; None for anything else. Never raises, however odd the bytes."""
    head = message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    first, *rest = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        return None
    headers: dict[str, list[str]] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().lower()
            headers.setdefault(_COMPACT.get(name, name), []).append(value.strip())
    via, cseq = headers.get("via", [""])[0], _CSEQ.fullmatch(headers.get("cseq", [""])[0])
    branch = _BRANCH.search(via.partition(",")[0])
    if branch is None or cseq is None:
        return None
    return Answer(
        status=int(status[1]),
        reason=plain(status[2] or ""),
        branch=branch[1],
        cseq=int(cseq[1]),
        method=cseq[2],
        challenges=tuple(headers.get("www-authenticate", ())),
        proxy_challenges=tuple(headers.get("proxy-authenticate", ())),
    )


def length_of(head: bytes) -> int:
    """The Content-Length a stream's message announces; 0 where it says none (section 20.14)."""
    found = re.search(
        rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,6})[ \t]*\r\n", head, re.IGNORECASE
    )
    return int(found[1]) if found else 0
