"""Forms as browsers send them: only from our own pages, and only what can be read."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from aiohttp import hdrs, web

from provisioning.domain.errors import BrokenRule, InvalidInput
from provisioning.usecases.core import Core

LARGEST_FORM = 16 * 1024
"""Bytes of a form."""

_FORM = "application/x-www-form-urlencoded"
_FIELDS = 20
_LONGEST = 4000
_PASSWORDS = frozenset({"password", "current", "new", "again"})
"""Fields that may hold anything: they are hashed, never stored or shown."""


class ForeignForm(BrokenRule):
    """A form was not sent from a page of ours."""


async def read_form(core: Core, request: web.Request) -> dict[str, str]:
    """The fields of a form; raises ForeignForm or InvalidInput."""
    if not is_ours(core, request.headers):
        raise ForeignForm("The form came from elsewhere.", remedy="Open our page and repeat it.")
    if request.content_type != _FORM:
        raise _unreadable()
    try:
        body = await request.clone(client_max_size=LARGEST_FORM).read()
        sent = dict(parse_qsl(body.decode(), True, errors="strict", max_num_fields=_FIELDS))
    except (web.HTTPRequestEntityTooLarge, ValueError):
        raise _unreadable() from None
    for name, text in sent.items():
        plain = name in _PASSWORDS or text.isprintable()
        if len(text) > _LONGEST or not plain:
            raise _unreadable()
    return sent


def _unreadable() -> InvalidInput:
    return InvalidInput("The form cannot be read.", remedy="Send it from our page.")


def is_ours(core: Core, headers: Mapping[str, str]) -> bool:
    """Whether a page of ours sent a form.

    Browsers name the origin with every POST (Fetch, section 3.1), and no page can make them name
    another. A browser that names none says at least whether it is the same (Fetch Metadata).
    """
    origin = headers.get(hdrs.ORIGIN, "")
    if not origin:
        return headers.get("Sec-Fetch-Site") == "same-origin"
    try:
        named, public = urlsplit(origin), urlsplit(core.places.people)
    except ValueError:
        return False
    host = headers.get(hdrs.HOST, "").lower()
    here = named.scheme in ("http", "https") and bool(host) and named.netloc.lower() == host
    return here or (named.scheme, named.netloc.lower()) == (public.scheme, public.netloc.lower())
