"""The cookie of a session, which the API and the pages share."""

from __future__ import annotations

from aiohttp import web

from provisioning.usecases.core import Core
from provisioning.usecases.sessions import LIFETIME

COOKIE = "roost_session"
"""The name of the session's cookie."""


def is_https(core: Core, request: web.Request) -> bool:
    """Whether people reach us by HTTPS, even if a proxy of theirs ends it."""
    return request.secure or core.places.people.startswith("https:")


def set_cookie(response: web.Response, token: str, *, secure: bool) -> None:
    """Give the browser its session, or take it away; scripts and other sites never have it."""
    lifetime = 0 if not token else int(LIFETIME.total_seconds())
    response.set_cookie(
        COOKIE, token, max_age=lifetime, path="/", httponly=True, samesite="Strict", secure=secure
    )
