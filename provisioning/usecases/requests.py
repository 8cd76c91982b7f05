"""What a door hands to ``fetch_file`` and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

Address = IPv4Address | IPv6Address


class Door(StrEnum):
    """The way a request came in."""

    HTTP = "http"
    HTTPS = "https"
    TFTP = "tftp"


@dataclass(frozen=True, slots=True)
class TokenCredential:
    """The token of a ``/t/{token}/`` path: it proves the device if it is one of the device's."""

    token: str


@dataclass(frozen=True, slots=True)
class OrganisationCredential:
    """The token of an ``/o/{org_token}/`` path: it names the organisation and proves nothing."""

    token: str


@dataclass(frozen=True, slots=True)
class BasicCredential:
    """User name and password as sent by HTTP Basic (RFC 7617)."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DigestCredential:
    """The parameters of an ``Authorization: Digest`` header, unverified (RFC 7616 section 3.4).

    ``target`` is the request's target as it came: path and query, still encoded.
    """

    method: str
    target: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class ScreenCredential:
    """The token of an ``/s/{token}/`` path: it proves the device, and opens no file.

    ``login`` is who somebody at the phone says they are, by its own log-in.
    """

    token: str
    login: BasicCredential | DigestCredential | None = None


@dataclass(frozen=True, slots=True)
class Challenged:
    """The request came by an ``/a/`` path, which is always challenged, and brought no answer."""


Credential = (
    TokenCredential
    | OrganisationCredential
    | ScreenCredential
    | BasicCredential
    | DigestCredential
    | Challenged
)


@dataclass(frozen=True, slots=True)
class FileRequest:
    """One request for one file, whichever door it came by.

    ``path`` is what the client sent after the door's own prefix was taken off, decoded and
    otherwise raw: only the closed grammar of ``vendors`` reads it. ``peer`` is the source
    address. ``credential`` is None for a bare path.
    """

    path: str
    peer: Address
    door: Door
    method: str = "GET"
    query: str = ""
    body: bytes = b""
    user_agent: str = ""
    credential: Credential | None = None


class Outcome(StrEnum):
    """What became of a request; the fetch log keeps it beside the reason."""

    SERVED = "served"
    NOT_FOUND = "not-found"
    CHALLENGE = "challenge"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FileReply:
    """The answer to a FileRequest.

    A SERVED reply carries ``content`` (rendered bytes) or ``file`` (a stored blob). NOT_FOUND
    says the same whether the name is unknown or refused. CHALLENGE lists ``challenges``, the
    values of ``WWW-Authenticate`` headers in the order to send them. REFUSED is for whoever has
    proven who they are: HTTP 403. FAILED means try again, after ``again`` seconds if that is known:
    HTTP 503, TFTP error 0. ``etag`` is the quoted strong entity tag (RFC 9110 section 8.8.3).
    """

    outcome: Outcome
    content: bytes = b""
    file: Path | None = None
    media_type: str = "text/plain; charset=utf-8"
    etag: str = ""
    challenges: tuple[str, ...] = field(default=())
    private: bool = True
    again: int = 0
