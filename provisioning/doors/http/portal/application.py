"""The pages as routes of an aiohttp application: forms in, HTML out, use cases in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web

from provisioning.domain.errors import BrokenRule
from provisioning.domain.wording import accepted
from provisioning.doors.http.cookies import COOKIE, is_https, set_cookie
from provisioning.doors.http.errors import status_of
from provisioning.doors.http.portal.asked import HOME, Answer, Asked, Redirect, View, own_path
from provisioning.doors.http.portal.forms import ForeignForm, read_form
from provisioning.doors.http.portal.pages import STYLE, STYLE_HASH, STYLE_PATH, rendered
from provisioning.doors.http.portal.refusals import refused, told
from provisioning.doors.http.portal.routes import SENT, SHOWN
from provisioning.usecases.core import Core

THREADS = 4
"""Pages worked on at a time."""

_HTML = "text/html; charset=utf-8"
_ALWAYS = {
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    # No path is told, not to us either: some hold codes and tokens. "no-referrer" would make
    # browsers hide the origin of forms too (Fetch, section 3.1).
    "Referrer-Policy": "strict-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
_NO_OTHER_SITE = frozenset({"none", "same-origin"})
"""What Sec-Fetch-Site says of a navigation that takes every cookie along."""

_NOT_THE_API = "/{path:(?!api/).*}"

_log = structlog.get_logger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_pages(application: web.Application, core: Core) -> None:
    """Let an application serve the pages too, beside what it has."""
    workers = ThreadPoolExecutor(THREADS, thread_name_prefix="pages")

    async def workers_end(_: web.Application) -> AsyncIterator[None]:
        """Let the threads finish what they do."""
        yield
        await asyncio.get_running_loop().run_in_executor(None, workers.shutdown)

    application.cleanup_ctx.append(workers_end)
    for path in dict.fromkeys((*SHOWN, *SENT)):
        resource = application.router.add_resource(path)
        if path in SENT:
            sent = _handler(core, workers, SENT[path], shown=path in SHOWN)
            resource.add_route(hdrs.METH_POST, sent)
        if path in SHOWN:
            shown = _handler(core, workers, SHOWN[path], shown=True)
            resource.add_route(hdrs.METH_GET, shown)
            resource.add_route(hdrs.METH_HEAD, shown)
    application.router.add_get(STYLE_PATH, _style)
    application.router.add_get(_NOT_THE_API, _handler(core, workers, _missing))


def _missing(asked: Asked) -> Answer:
    """Nothing is there."""
    return told("missing", asked.language, HTTPStatus.NOT_FOUND)


def _handler(
    core: Core, workers: ThreadPoolExecutor, view: View, *, shown: bool = False
) -> _Handler:
    """What answers a request by a view; a path that is ``shown`` can be come back to by GET."""

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = _asked(core, request)
        try:
            if request.method == hdrs.METH_POST:
                asked.form = await read_form(core, request)
        except ForeignForm:
            return _response(request, asked, told("foreign", asked.language, HTTPStatus.FORBIDDEN))
        except BrokenRule as error:
            return _response(request, asked, refused(error, asked.language, HOME))
        loop = asyncio.get_running_loop()
        here = own_path(request.path) if shown else asked.then
        answer = await loop.run_in_executor(workers, _answer, view, asked, here)
        return _response(request, asked, answer)

    return handle


def _asked(core: Core, request: web.Request) -> Asked:
    token = request.cookies.get(COOKIE, "")
    site = request.headers.get("Sec-Fetch-Site", "")
    return Asked(
        core=core,
        path=request.match_info,
        query=request.query,
        form={},
        token=token,
        source=request.remote or "",
        user_agent=request.headers.get(hdrs.USER_AGENT, ""),
        language=accepted(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")),
        cookie_held_back=not token and site not in _NO_OTHER_SITE,
    )


def _answer(view: View, asked: Asked, here: str) -> Answer:
    """What a view answers, in a worker thread; every error becomes a page, or leads back ``here``.

    That is once what had to come first is done.
    """
    try:
        return view(asked)
    except BrokenRule as error:
        if status_of(type(error)) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("page-failed", code=error.code(), reason=str(error))
        return refused(error, asked.language, here)
    except Exception as error:  # noqa: BLE001 - a listener lives through every bug
        _log.exception("page-failed")
        return refused(error, asked.language, here)


def _response(request: web.Request, asked: Asked, answer: Answer) -> web.Response:
    if isinstance(answer, Redirect):
        headers = _ALWAYS | {hdrs.LOCATION: answer.location}
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
    else:
        who = asked.who.login.email if asked.who and answer.token != "" else ""
        html = rendered(answer.name, asked.language, {"who": who, **answer.values})
        headers = _ALWAYS | {hdrs.CONTENT_TYPE: _HTML, hdrs.CONTENT_LANGUAGE: asked.language}
        if answer.retry_after is not None:
            headers[hdrs.RETRY_AFTER] = str(answer.retry_after)
        response = web.Response(status=answer.status, body=html.encode(), headers=headers)
    if answer.token is not None:
        set_cookie(response, answer.token, secure=is_https(asked.core, request))
    return response


async def _style(request: web.Request) -> web.Response:
    """The one style sheet."""
    headers = {
        hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",
        hdrs.ETAG: f'"{STYLE_HASH}"',
        "X-Content-Type-Options": "nosniff",
    }
    if STYLE_HASH in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers[hdrs.CONTENT_TYPE] = "text/css; charset=utf-8"
    return web.Response(body=STYLE, headers=headers)
