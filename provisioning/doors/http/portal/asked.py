"""What a page is asked, and what it answers, without their HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from provisioning.usecases import sessions, taking
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.signed_in import SignedIn

HOME = "/"
SIGN_IN = "/sign-in"
CODE = "/sign-in/code"
PASSWORD = "/password"  # noqa: S105 - the address of a page
ORGANISATION = "/organisation"
AUTHENTICATOR = "/authenticator"
SIGN_OUT = "/sign-out"
LOG_OUT = "/log-out"
PIN = "/pin"
HERE = "here"
"""What a path is followed by once one of our own pages has led there."""

_OWN_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+)+")
_LONGEST_PATH = 200


def own_path(text: str) -> str:
    """Where to go on: a path of ours and nothing else, or the start page."""
    return text if len(text) <= _LONGEST_PATH and _OWN_PATH.fullmatch(text) else HOME


def onward(page: str, then: str) -> str:
    """The address of a page that leads on to another one."""
    return page if then == HOME else f"{page}?{urlencode({'next': then}, safe='/')}"


@dataclass(slots=True)
class Asked:
    """A request of a page.

    ``token`` is of the session's cookie. ``cookie_held_back`` says that the browser may have a
    cookie and has not sent it, because another site led here. ``language`` is what the browser
    likes best, and what the person chose once it is known who they are.
    """

    core: Core
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    token: str
    source: str
    user_agent: str
    language: str
    cookie_held_back: bool = False
    who: SignedIn | None = None

    @property
    def then(self) -> str:
        """Where to go on afterwards."""
        return own_path(self.form.get("next", "") or self.query.get("next", ""))

    def led_by_others(self) -> bool:
        """Whether another site led here first, so that a cookie there may be is not sent.

        A navigation that begins on a page of ours takes it along (RFC 6265bis, 5.2).
        """
        return self.cookie_held_back and HERE not in self.query

    def signed_in(self) -> SignedIn:
        """Who asks; raises Unauthenticated."""
        if self.who is None:
            self.who = sessions.resume(self.core, self.token, self.source)
        return self.who

    def actor(self) -> Actor:
        """Who asks, to act where they act; raises as ``SignedIn.actor`` does."""
        actor = self.signed_in().actor()
        self.language = taking.language_of(self.core, actor) or self.language
        return actor


@dataclass(frozen=True, slots=True)
class Page:
    """A page to show: the name of its template, and what that shows.

    ``token`` is what the session's cookie is to have from now on; None leaves it as it is.
    ``retry_after`` is in seconds.
    """

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: HTTPStatus = HTTPStatus.OK
    token: str | None = None
    retry_after: int | None = None


def arrived(path: str, title: str) -> Page:
    """A page of ours that leads on to a path at once, with the cookie."""
    return Page("arrived", {"title": title, "onward": f"{path}?{HERE}=1"})


@dataclass(frozen=True, slots=True)
class Redirect:
    """A path of ours to go to, by GET."""

    location: str
    token: str | None = None


Answer = Page | Redirect
View = Callable[[Asked], Answer]
