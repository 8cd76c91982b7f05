"""The admin API as an aiohttp application: tokens, problems, and use cases in worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web

from provisioning.domain.errors import (
    BrokenRule,
    InvalidInput,
    NotFound,
    StaleRevision,
    StoreUnavailable,
    TooLarge,
    TooManyAttempts,
    TooManyLogins,
    Unauthenticated,
    WrongMethod,
)
from provisioning.doors.http.api import subjects
from provisioning.doors.http.api.conflicts import etag_of, set_list, with_both_versions
from provisioning.doors.http.api.entrance import OUR_HEADER, admitted
from provisioning.doors.http.api.incoming import Incoming, arguments, only_tries
from provisioning.doors.http.api.models import Content, Listing, Shown
from provisioning.doors.http.api.openapi import document_endpoint
from provisioning.doors.http.api.registry import PREFIX, Call, Endpoint
from provisioning.doors.http.api.trials import Effects, effects
from provisioning.doors.http.cookies import COOKIE, is_https, set_cookie
from provisioning.doors.http.errors import MEDIA_TYPE, problem, status_of
from provisioning.usecases.core import Core

LARGEST_BODY = 1024 * 1024
"""Bytes of a body."""

THREADS = 8
"""Requests worked on at a time; more wait on their connections, which are bounded."""

IMPORTS = 2
"""Imports that run at a time; more wait."""

RETRY_AFTER = 5
"""Seconds after which a client may come back when the database did not answer."""

_JSON = "application/json; charset=utf-8"
_ALWAYS = {
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    # A previewed file may be XML with anything in it: it never runs in the portal's name.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}

_log = structlog.get_logger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint of the API, in the order of the OpenAPI document."""
    declared = subjects.endpoints()
    return (*declared, document_endpoint(declared))


def api_application(core: Core) -> web.Application:
    """The application that serves everything below ``/api/v1/``."""
    application = web.Application(middlewares=[_problems], client_max_size=LARGEST_BODY)
    workers = _Workers()

    async def workers_end(_: web.Application) -> AsyncIterator[None]:
        """Let the threads finish what they do."""
        yield
        await asyncio.get_running_loop().run_in_executor(None, workers.end)

    application.cleanup_ctx.append(workers_end)
    _add_routes(application, core, workers, endpoints())
    return application


class _Workers:
    """The threads of an application: for answers, and for what goes on after them."""

    def __init__(self) -> None:
        self.answering = ThreadPoolExecutor(THREADS, thread_name_prefix="api")
        self.importing = ThreadPoolExecutor(IMPORTS, thread_name_prefix="import")

    def end(self) -> None:
        """Wait for what runs; what has not begun never will."""
        self.answering.shutdown()
        self.importing.shutdown(cancel_futures=True)


def _add_routes(
    application: web.Application,
    core: Core,
    workers: _Workers,
    declared: Sequence[Endpoint],
) -> None:
    # One resource for each path: only so does the router know every method a path takes.
    readers = {
        endpoint.path: endpoint
        for endpoint in declared
        if endpoint.method == hdrs.METH_GET and not endpoint.paged
    }
    lists = frozenset(endpoint.path for endpoint in declared if endpoint.listed)
    resources: dict[str, web.Resource] = {}
    for endpoint in declared:
        route = endpoint.route
        if route not in resources:
            resources[route] = application.router.add_resource(route)
        handler = _handler(core, workers, endpoint, readers.get(endpoint.path), lists)
        resources[route].add_route(endpoint.method, handler)
        if endpoint.method == hdrs.METH_GET:
            resources[route].add_route(hdrs.METH_HEAD, handler)


def _handler(
    core: Core,
    workers: _Workers,
    endpoint: Endpoint,
    reader: Endpoint | None,
    lists: frozenset[str],
) -> _Handler:
    """What answers an endpoint; ``lists`` are the paths whose lists are set as a whole."""

    async def handle(request: web.Request) -> web.StreamResponse:
        incoming = Incoming(
            path=request.match_info,
            query=request.query,
            media_type=request.content_type if hdrs.CONTENT_TYPE in request.headers else "",
            if_match=request.headers.get(hdrs.IF_MATCH, ""),
            authorization=request.headers.get(hdrs.AUTHORIZATION, ""),
            organisation=request.headers.get("X-Organisation", ""),
            accept=request.headers.get(hdrs.ACCEPT, ""),
            session=request.cookies.get(COOKIE, ""),
            requested_with=request.headers.get(OUR_HEADER, ""),
            source=request.remote or "",
            user_agent=request.headers.get(hdrs.USER_AGENT, ""),
        )
        loop = asyncio.get_running_loop()
        # Nobody's body is read before it is known who they are: it may be large.
        call = await loop.run_in_executor(workers.answering, admitted, core, endpoint, incoming)
        call = replace(call, within=workers.importing)
        whole = replace(incoming, body=await _body(request, endpoint))
        answer = await loop.run_in_executor(
            workers.answering, _answer, call, endpoint, reader, whole
        )
        response = _response(endpoint, request, answer)
        if endpoint.path in lists and isinstance(answer, Listing):
            response.headers[hdrs.ETAG] = etag_of(answer)
        if call.cookie.token is not None:
            set_cookie(response, call.cookie.token, secure=is_https(core, request))
        return response

    return handle


async def _body(request: web.Request, endpoint: Endpoint) -> bytes:
    """The body, as far as the endpoint reads one; raises TooLarge before it is read whole."""
    if endpoint.takes is None:
        return await request.read() if endpoint.body is not None else b""
    largest = endpoint.takes.largest
    try:
        return await request.clone(client_max_size=largest).read()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(
            f"The body has more than {largest} bytes.", remedy="Send it in parts."
        ) from None


def _answer(call: Call, endpoint: Endpoint, reader: Endpoint | None, incoming: Incoming) -> object:
    """What an endpoint answers; a change based on an older reading is told both versions."""
    given = arguments(endpoint, incoming)
    try:
        if only_tries(endpoint, given):
            return effects(call, endpoint, given, apart=incoming.path.values())
        if endpoint.listed and reader is not None:
            return set_list(call, endpoint, reader, given, incoming.if_match)
        return endpoint.view(call, **given)
    except StaleRevision as error:
        raise with_both_versions(error, call, reader, given) from error


def _response(endpoint: Endpoint, request: web.Request, answer: object) -> web.Response:
    if isinstance(answer, Content):
        headers = {hdrs.CONTENT_TYPE: answer.media_type} | _etag(answer) | _ALWAYS
        return web.Response(status=endpoint.status, body=answer.content, headers=headers)
    if not isinstance(answer, Shown):
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=_ALWAYS)
    headers = {hdrs.CONTENT_TYPE: _JSON} | _etag(answer) | _ALWAYS
    if isinstance(answer, Effects):
        return web.Response(body=answer.model_dump_json().encode(), headers=headers)
    made = getattr(answer, "id", None)
    if endpoint.status == HTTPStatus.CREATED and made is not None:
        headers[hdrs.LOCATION] = f"{request.path.rstrip('/')}/{made}"
    body = answer.model_dump_json(exclude_unset=True).encode()
    return web.Response(status=endpoint.status, body=body, headers=headers)


def _etag(answer: Shown | Content) -> dict[str, str]:
    """The entity tag of what has a revision."""
    revision = getattr(answer, "revision", None)
    return {} if revision is None else {hdrs.ETAG: f'"{revision}"'}


# --- problems


@web.middleware
async def _problems(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn every error into a problem document."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _refusal(_named(request, error), _kept(error))
    except BrokenRule as error:
        if status_of(type(error)) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("api-failed", path=request.path, code=error.code(), reason=str(error))
        return _refusal(error)
    except Exception as error:  # noqa: BLE001 - a listener lives through every bug
        _log.exception("api-failed", path=request.path)
        return _refusal(error)


def _refusal(error: BaseException, headers: dict[str, str] | None = None) -> web.Response:
    told = {hdrs.CONTENT_TYPE: MEDIA_TYPE} | _ALWAYS | (headers or {})
    if isinstance(error, Unauthenticated):
        told[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="api"'
    if isinstance(error, TooManyAttempts):
        told[hdrs.RETRY_AFTER] = str(error.seconds)
    if isinstance(error, StoreUnavailable | TooManyLogins):
        told[hdrs.RETRY_AFTER] = str(RETRY_AFTER)
    document = web.json_response(problem(error)).body
    return web.Response(status=status_of(type(error)), body=document, headers=told)


def _named(request: web.Request, error: web.HTTPException) -> BrokenRule:
    """What the framework refused, under the names of our rules."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        return WrongMethod(
            f"{request.method} is not for {request.path[:80]}.",
            remedy=f"It takes {', '.join(sorted(error.allowed_methods))}.",
        )
    if isinstance(error, web.HTTPNotFound):
        return NotFound(
            f"There is nothing at {request.path[:80]}.",
            remedy=f"{PREFIX}/openapi.json lists every address.",
        )
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return TooLarge(f"The body has more than {LARGEST_BODY} bytes.", remedy="Send it in parts.")
    return InvalidInput(f"The request cannot be read: {error.reason}.", remedy="Send another.")


def _kept(error: web.HTTPException) -> dict[str, str]:
    allow = error.headers.get(hdrs.ALLOW)
    return {hdrs.ALLOW: allow} if allow else {}
