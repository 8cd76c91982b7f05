"""The vendors' own requests: asking a phone over HTTP to load its files anew.

What to ask is data (`[reload.http]` of vendor.toml). It goes to the phone's own last proven address
and nowhere else: no redirect is followed, no name is resolved, no proxy is used, and little of the
answer is read.

Over HTTPS nobody's identity is proven (`guard.any_certificate`). Therefore no password is sent
before the phone asks, Digest (RFC 7616) is answered where it is offered, and Basic (RFC
7617) only by data whose dialect has nothing else. Whoever has taken the phone's address could learn
that one phone's password by Basic, and no other's: each phone has its own. The same goes for the
URL of its screens, which opens no file, where that is what the phone is asked to open.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote
from xml.sax.saxutils import escape

import aiohttp
import structlog
from aiohttp import hdrs
from yarl import URL

from provisioning.crypto.challenges import answer as answer_to
from provisioning.outbound.guard import (
    PATIENCE,
    Refused,
    any_certificate,
    bracketed,
    phones_address,
    plain,
    reason,
)
from provisioning.usecases.core import Network
from provisioning.usecases.ports import Heard, Telling
from provisioning.vendors.behaviour import HttpReload

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are looked at."""

_NAMED = re.compile(r"\{(user|password|screen)\}")

_log = structlog.get_logger(__name__)


def _url_quoted(text: str) -> str:
    return quote(text, safe="")


def _xml_quoted(text: str) -> str:
    return escape(text, {'"': "&quot;", "'": "&apos;"})


def _json_quoted(text: str) -> str:
    return json.dumps(text)[1:-1]


_QUOTED: dict[str, Callable[[str], str]] = {
    "application/json": _json_quoted,
    "application/xml": _xml_quoted,
    "text/xml": _xml_quoted,
}
"""How a value stands in a body; as in a URL unless its media type is here."""


_NOT_LISTED = (
    "The phone refused (403): it takes requests once it has loaded the setting reload.http-from, "
    "and only from the addresses in it."
)


class HttpTeller:
    """Asks phones themselves; implements ``usecases.ports.Teller``.

    ``refuse`` are networks never connected to.
    """

    def __init__(self, refuse: Sequence[Network] = ()) -> None:
        self._refuse = refuse

    async def tell(self, telling: Telling) -> Heard:
        """Send a device its vendor's request; whether it said yes, and its words."""
        if telling.http is None:
            return Heard(well=False, words="This vendor's phones take no request over HTTP.")
        try:
            url = self._url(telling, telling.http)
            return await _asked(telling, telling.http, url)
        except Refused as error:
            return Heard(well=False, words=str(error))
        except aiohttp.ClientResponseError as error:  # its text holds the URL asked for
            return Heard(well=False, words=f"The phone was not asked: {plain(error.message)}.")
        except (aiohttp.ClientError, OSError, ValueError, EOFError) as error:
            return Heard(well=False, words=f"The phone was not asked: {reason(error)}.")
        except Exception as error:  # noqa: BLE001 - whatever a phone says, no queue stops for it
            _log.exception("phone-failed", device=str(telling.device))
            return Heard(well=False, words=f"Asking the phone failed: {type(error).__name__}.")

    def _url(self, telling: Telling, http: HttpReload) -> URL:
        """Where to ask; raises Refused for what is no address, or one nobody may reach."""
        host = bracketed(phones_address(telling.host, self._refuse))
        path = _filled(http.path, telling, _url_quoted)
        return URL(f"{http.scheme}://{host}:{http.port}{path}", encoded=True)


def _filled(text: str, telling: Telling, quoted: Callable[[str], str]) -> str:
    """The text with what it names in it, each of them once, whatever they hold."""
    named = {"user": _user(telling), "password": telling.password, "screen": telling.screen}
    return _NAMED.sub(lambda found: quoted(named[found[1]]), text)


def _user(telling: Telling) -> str:
    return telling.username or (telling.http.user if telling.http else "")


async def _asked(telling: Telling, http: HttpReload, url: URL) -> Heard:
    headers = {str(hdrs.CONTENT_TYPE): http.media_type} if http.media_type else {}
    body = _filled(http.body, telling, _QUOTED.get(http.media_type, _url_quoted)).encode()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=any_certificate(), force_close=True, limit=1),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=PATIENCE),
        # A small answer that unpacks to a large one stays small.
        auto_decompress=False,
        trust_env=False,
    ) as session:

        async def ask(more: Mapping[str, str]) -> tuple[int, list[str], bytes]:
            async with session.request(
                http.method,
                url,
                data=body if http.method == hdrs.METH_POST else None,
                headers={**headers, **more},
                allow_redirects=False,
            ) as answer:
                challenges = answer.headers.getall(hdrs.WWW_AUTHENTICATE, [])
                return answer.status, challenges, await _beginning(answer.content)

        async with asyncio.timeout(PATIENCE):
            status, challenges, said = await ask({})
            if status == 401 and (login := _login(telling, http, url, challenges)):
                status, _, said = await ask({str(hdrs.AUTHORIZATION): login})
    return _judged(http, status, said)


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    found = b""
    while len(found) < LARGEST_ANSWER and (part := await content.read(LARGEST_ANSWER)):
        found += part
    return found[:LARGEST_ANSWER]


def _login(telling: Telling, http: HttpReload, url: URL, challenges: Sequence[str]) -> str | None:
    """What answers a phone that asks who we are: Digest where it is offered, else Basic."""
    user, password = _user(telling), telling.password
    if _only_basic(challenges):
        return aiohttp.encode_basic_auth(user, password)
    uri = url.raw_path_qs
    return answer_to(challenges, method=http.method, uri=uri, user=user, password=password)


def _only_basic(challenges: Sequence[str]) -> bool:
    """Whether Basic is offered and Digest is not: who offers both is never answered with less."""
    schemes = " ".join(challenges).lower()
    return "basic" in schemes and "digest" not in schemes


def _judged(http: HttpReload, status: int, said: bytes) -> Heard:
    if status == 401:
        return Heard(well=False, words="The phone refused the password (401).")
    if status == 403 and http.listed:
        return Heard(well=False, words=_NOT_LISTED)
    if 300 <= status < 400:
        return Heard(well=False, words=f"The phone leads elsewhere ({status}); nobody goes there.")
    words = f"The phone answered {status}."
    if not 200 <= status < 300:
        return Heard(well=False, words=words)
    if http.says and http.says.encode() not in said:
        return Heard(well=False, words=f"{words} {plain(said.decode('utf-8', 'replace'))}".strip())
    return Heard(well=True, words=words)
