"""How a virtual phone gets a file: HTTP and HTTPS with its User-Agent, TFTP without."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiohttp

# tftpy ships neither type hints nor stubs.
import tftpy  # type: ignore[import-untyped]
from cryptography import x509

from provisioning.domain.errors import BadCertificate, InvalidInput
from provisioning.simulate.shown import Place

PATIENCE = 30.0
"""Seconds until a phone gives a file up; real ones differ."""

_BLOCK = 1428
"""What fits an Ethernet frame; many phones ask for it (RFC 2348)."""

_SCHEMES = ("http", "https", "tftp")


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. ``status`` is that of HTTP; TFTP's "file not found" is 404, no answer at all 0."""

    status: int
    content: bytes = b""
    problem: str = ""


def place_of(url: str) -> Place:
    """The place a URL names, user and password taken out of it; raises InvalidInput."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise InvalidInput(
            f"'{url[:80]}' is no URL of a provisioning server.",
            remedy="Give one with http://, https:// or tftp://.",
            field="url",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Place(
        f"{parts.scheme}://{host}{port}{parts.path or '/'}",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class Trust:
    """The CAs a phone trusts: the public ones, and those it was given. Certificates are PEM."""

    def __init__(self, *, public: bool) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if public:
            self._context.load_default_certs()

    def add(self, pem: str) -> None:
        """Trust one more CA; raises BadCertificate."""
        try:
            x509.load_pem_x509_certificates(pem.encode())
            self._context.load_verify_locations(cadata=pem)
        except (ValueError, ssl.SSLError) as error:
            raise BadCertificate(
                f"The CA is no PEM certificate: {error}.".replace("..", "."),
                remedy="Give the ca.pem of the server's certificate folder.",
            ) from None

    @property
    def context(self) -> ssl.SSLContext:
        """For a client's connections."""
        return self._context


async def fetch(url: str, *, agent: str, trust: Trust, place: Place, source: str = "") -> Fetched:
    """Get one URL, with the place's credentials where the server asks for them.

    ``source`` is the address it comes from, empty for whichever leads there.
    """
    if urlsplit(url).scheme == "tftp":
        return await asyncio.to_thread(_tftp, url, source)
    return await _http(url, agent, trust, place, source)


async def _http(url: str, agent: str, trust: Trust, place: Place, source: str) -> Fetched:
    middlewares: Sequence[aiohttp.ClientMiddlewareType] = ()
    if place.user:
        middlewares = (aiohttp.DigestAuthMiddleware(place.user, place.password),)
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=PATIENCE),
                headers={"User-Agent": agent},
                connector=aiohttp.TCPConnector(
                    ssl=trust.context,
                    force_close=True,
                    local_addr=(source, 0) if source else None,
                ),
                middlewares=middlewares,
            ) as session,
            session.get(url) as response,
        ):
            return Fetched(response.status, await response.read())
    except TimeoutError:
        return Fetched(0, problem=f"no answer within {PATIENCE:.0f} seconds")
    except aiohttp.ClientError as error:
        return Fetched(0, problem=str(error))


def _tftp(url: str, source: str) -> Fetched:
    parts = urlsplit(url)
    name = unquote(parts.path).lstrip("/")
    content = io.BytesIO()
    try:
        options = {"blksize": _BLOCK}
        client = tftpy.TftpClient(parts.hostname, parts.port or 69, options, localip=source)
        client.download(name, content)
    except tftpy.TftpFileNotFoundError:
        return Fetched(404)
    except (tftpy.TftpException, OSError) as error:
        return Fetched(0, problem=str(error))
    return Fetched(200, content.getvalue())
