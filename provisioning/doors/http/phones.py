"""The phones' door over HTTP and HTTPS: a request in, the answer function asked once, bytes out.

Reads only, but for what a phone sends back of its own log-in: whatever else is not GET or HEAD is
refused before its body is read. No header of ours names the product, and what is unknown and what
is refused are one and the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_address

import structlog
from aiohttp import ETag, hdrs, web
from multidict import istr

from provisioning.doors.http.authorization import parse_authorization
from provisioning.usecases.native import LARGEST, takes_uploads
from provisioning.usecases.paths import split_path
from provisioning.usecases.requests import (
    BasicCredential,
    Challenged,
    Credential,
    DigestCredential,
    Door,
    FileReply,
    FileRequest,
    Outcome,
    ScreenCredential,
)

Answer = Callable[[FileRequest], Awaitable[FileReply]]

LONGEST_NAME = 128
"""Characters of a path after its prefix; no vendor's grammar has a longer one."""

ANSWER_WITHIN = 30.0
"""Seconds until a phone is told to try again."""

RETRY_AFTER = 30
"""Seconds after which a phone may come back when something of ours failed."""

_METHODS = (hdrs.METH_GET, hdrs.METH_HEAD)
_PRIVATE = "private, no-store"
# A file that is the same for everyone may be kept, but has to be asked about each time.
_COMMON = "no-cache"

_log = structlog.get_logger(__name__)


def phones_server(answer: Answer) -> web.Server:
    """What serves phones on every HTTP and HTTPS listener of theirs.

    aiohttp's low-level server, not an application: there are no routes, every path is a file's.
    """
    door = _Phones(answer)
    return web.Server(door.handle)


class _Phones:
    """Turns HTTP requests into FileRequests and replies into HTTP responses."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; never raises, so that no phone hears of a bug as "no file"."""
        if request.method not in _METHODS and not _is_upload(request):
            allowed = {hdrs.ALLOW: ", ".join(_METHODS)}
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD", allowed)
        try:
            question = _question(request)
            if question is None:
                return _not_found()
            if request.method == hdrs.METH_PUT:
                body = await _body(request)
                if body is None:
                    return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large")
                question = replace(question, body=body)
            return _response(request, await self._ask(question))
        except Exception:  # noqa: BLE001 - a listener lives through every bug
            _log.exception("http-answer-failed", peer=request.remote)
            return _try_again()

    async def _ask(self, question: FileRequest) -> FileReply:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await self._answer(question)
        except TimeoutError:
            _log.error("http-answer-too-late", peer=str(question.peer))
            return FileReply(Outcome.FAILED)


def _question(request: web.BaseRequest) -> FileRequest | None:
    """The request as the use cases know it; None for a name longer than any file's.

    None also for a client that has left: whom an answer would be for is then unknown.
    """
    credential, path = split_path(request.path)
    if len(path) > LONGEST_NAME or not request.remote:
        return None
    if isinstance(credential, ScreenCredential):
        proven = _proven(request)
        if isinstance(proven, BasicCredential | DigestCredential):
            credential = replace(credential, login=proven)
    return FileRequest(
        path=path,
        peer=ip_address(request.remote.partition("%")[0]),
        door=Door.HTTPS if request.secure else Door.HTTP,
        method=request.method,
        query=request.query_string,
        user_agent=request.headers.get(hdrs.USER_AGENT, ""),
        credential=_proven(request) if isinstance(credential, Challenged) else credential,
    )


def _is_upload(request: web.BaseRequest) -> bool:
    credential, path = split_path(request.path)
    of_phone = isinstance(credential, ScreenCredential) and takes_uploads(path)
    return request.method == hdrs.METH_PUT and of_phone


async def _body(request: web.BaseRequest) -> bytes | None:
    """What a phone sends; None if it is more than it may. Raises TimeoutError."""
    if (request.content_length or 0) > LARGEST:
        return None
    content = b""
    async with asyncio.timeout(ANSWER_WITHIN):
        async for chunk in request.content.iter_any():
            content += chunk
            if len(content) > LARGEST:
                return None
    return content


def _proven(request: web.BaseRequest) -> Credential:
    """The answer to a challenge; one that cannot be read is asked for again."""
    headers = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(headers) != 1:
        return Challenged()
    read = parse_authorization(headers[0], method=request.method, target=request.raw_path)
    return read or Challenged()


def _response(request: web.BaseRequest, reply: FileReply) -> web.StreamResponse:
    match reply.outcome:
        case Outcome.SERVED:
            return _served(request, reply)
        case Outcome.NOT_FOUND:
            return _not_found()
        case Outcome.CHALLENGE:
            refused = _plain(HTTPStatus.UNAUTHORIZED, "Credentials are needed")
            for challenge in reply.challenges:
                refused.headers.add(hdrs.WWW_AUTHENTICATE, challenge)
            return refused
        case Outcome.REFUSED:
            return _plain(HTTPStatus.FORBIDDEN, "Not now")
        case Outcome.FAILED:
            return _try_again(reply.again)


def _served(request: web.BaseRequest, reply: FileReply) -> web.StreamResponse:
    headers = {
        hdrs.CONTENT_TYPE: reply.media_type,
        hdrs.CACHE_CONTROL: _PRIVATE if reply.private else _COMMON,
        "X-Content-Type-Options": "nosniff",
    }
    if reply.file is not None:
        return web.FileResponse(reply.file, headers=headers)
    if reply.etag:
        headers[hdrs.ETAG] = reply.etag
        if _holds(request.if_none_match or (), reply.etag):
            del headers[hdrs.CONTENT_TYPE]
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return web.Response(body=reply.content, headers=headers)


def _holds(tags: tuple[ETag, ...], etag: str) -> bool:
    """Whether the client has the file: weak comparison (RFC 9110 section 13.1.2)."""
    return any(tag.value in ("*", etag.strip('"')) for tag in tags)


def _not_found() -> web.Response:
    return _plain(HTTPStatus.NOT_FOUND, "Not found")


def _try_again(seconds: int = 0) -> web.Response:
    later = {hdrs.RETRY_AFTER: str(seconds or RETRY_AFTER)}
    return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", later)


def _plain(status: HTTPStatus, text: str, headers: dict[istr, str] | None = None) -> web.Response:
    # A proxy may keep a 404 unless told not to (RFC 9110 section 15.1).
    kept_by_nobody = {hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(status=status, text=f"{text}\n", headers=kept_by_nobody | (headers or {}))
