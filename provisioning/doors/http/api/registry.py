"""The endpoints of the API: each is one decorated function, and everything else derives from it.

The function's name is the operation's id, its docstring the summary, its parameters what the
request may hold, its annotations their forms. Routes, the parsing of requests and the OpenAPI
document read the same ``Endpoint``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_type_hints
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Takes, Text
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.pages import LONGEST_PAGE, Page
from provisioning.usecases.signed_in import SignedIn

PREFIX = "/api/v1"


class Entry(StrEnum):
    """What lets in besides a permission."""

    SESSION = "session"
    """A session, whatever its login may do: it can always be looked at, mended and ended."""


Needed = Permission | Entry | None

V = TypeVar("V", bound=Callable[..., Any])
_PATH_NAME = re.compile(r"{(\w+)(?::[^}]*)?}")


@dataclass(slots=True)
class Cookie:
    """What an answer does to the session's cookie: a token sets it, an empty one takes it away."""

    token: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What every endpoint's function gets first: the core and who asks.

    ``session`` is there at endpoints that ask for one; ``source``, ``user_agent`` and ``accept``
    (the media types wanted) are of the request, ``cookie`` of its answer.
    """

    core: Core
    actor: Actor
    session: SignedIn | None = None
    source: str = ""
    user_agent: str = ""
    accept: str = ""
    cookie: Cookie = field(default_factory=Cookie)
    within: Executor | None = None
    """Where the server does what an answer does not wait for."""

    @property
    def background(self) -> Executor:
        """Where to do what the answer does not wait for."""
        if self.within is None:
            raise RuntimeError("nothing runs in the background here")
        return self.within

    @property
    def trying(self) -> bool:
        """Whether the change is only tried: nothing has to be confirmed then."""
        return self.actor.trial is not None

    @property
    def signed_in(self) -> SignedIn:
        """The session; only endpoints that ask for one have it."""
        if self.session is None:
            raise RuntimeError("this endpoint asks for no session")
        return self.session


class Where(StrEnum):
    """Where in a request a parameter stands."""

    PATH = "path"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the path or the query; ``adapter`` reads its text and knows its schema."""

    name: str
    where: Where
    adapter: TypeAdapter[Any]
    help: str = ""


PAGING = (
    Parameter("q", Where.QUERY, TypeAdapter(Text), "A part of a name, number or address."),
    Parameter(
        "limit",
        Where.QUERY,
        TypeAdapter(Annotated[int, Field(ge=1, le=LONGEST_PAGE)]),
        f"How many at most; {Page().limit} unless told.",
    ),
    Parameter("cursor", Where.QUERY, TypeAdapter(UUID), "The `next` of the page before."),
)
"""What every list takes; the names are those of ``Page``."""


DRY_RUN = Parameter(
    "dry_run", Where.QUERY, TypeAdapter(bool), "Only tell what this would do, and do nothing."
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path below ``PREFIX``.

    ``permission`` None lets everybody in, without a token; an ``Entry`` asks for something else.
    ``body`` is a model, ``takes`` says what an ``upload`` may be that comes in its stead; ``answer``
    is a model too,
    unless it is None for an empty 204 or Content for bytes. ``paged`` endpoints take ``PAGING``;
    ``revised`` ones compare ``If-Match`` with the revision they find; ``tried`` ones take
    ``DRY_RUN`` and then answer what they would do. ``listed`` ones set a list that has no
    revision of its own: its ETag is made of what it holds.
    """

    method: str
    path: str
    permission: Needed
    status: HTTPStatus
    view: Callable[..., Any]
    own_parameters: tuple[Parameter, ...]
    body: type[BaseModel] | None
    takes: Takes | None
    answer: type[Any] | None
    paged: bool
    revised: bool
    tried: bool = False
    listed: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Everything its path and query may hold."""
        return (*self.own_parameters, *((DRY_RUN,) if self.tried else ()))

    @property
    def route(self) -> str:
        """The whole path, as the router reads it."""
        return PREFIX + self.path

    @property
    def template(self) -> str:
        """The whole path, as OpenAPI writes it."""
        return PREFIX + _PATH_NAME.sub(r"{\1}", self.path)

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (inspect.getdoc(self.view) or "").split("\n")[0]

    @property
    def subject(self) -> str:
        """The first word of its path."""
        return self.path.strip("/").split("/")[0]


class Endpoints:
    """The endpoints of one subject, in the order they are written."""

    def __init__(self) -> None:
        self._held: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._held)

    def get(self, path: str, permission: Needed) -> Callable[[V], V]:
        """Declare a GET."""
        return self._declare("GET", path, permission, HTTPStatus.OK)

    def post(
        self, path: str, permission: Needed, status: HTTPStatus = HTTPStatus.CREATED
    ) -> Callable[[V], V]:
        """Declare a POST; it makes something unless another status says otherwise."""
        return self._declare("POST", path, permission, status)

    def put(self, path: str, permission: Needed, *, listed: bool = False) -> Callable[[V], V]:
        """Declare a PUT; ``listed`` says that it sets the list a GET of the same path answers."""
        return self._declare("PUT", path, permission, HTTPStatus.OK, listed=listed)

    def patch(self, path: str, permission: Needed, *, dry_run: bool = False) -> Callable[[V], V]:
        """Declare a PATCH; ``dry_run`` says that it can be tried."""
        return self._declare("PATCH", path, permission, HTTPStatus.OK, tried=dry_run)

    def delete(self, path: str, permission: Needed, *, dry_run: bool = False) -> Callable[[V], V]:
        """Declare a DELETE; ``dry_run`` says that it can be tried."""
        return self._declare("DELETE", path, permission, HTTPStatus.OK, tried=dry_run)

    def _declare(
        self,
        method: str,
        path: str,
        permission: Needed,
        status: HTTPStatus,
        *,
        tried: bool = False,
        listed: bool = False,
    ) -> Callable[[V], V]:
        def declare(view: V) -> V:
            made = _endpoint(method, path, permission, status, view)
            self._held.append(replace(made, tried=tried, listed=listed))
            return view

        return declare


def _endpoint(
    method: str,
    path: str,
    permission: Needed,
    status: HTTPStatus,
    view: Callable[..., Any],
) -> Endpoint:
    hints = get_type_hints(view, include_extras=True)
    answer = hints.pop("return")
    nothing = answer is type(None)
    paged = "page" in hints
    return Endpoint(
        method=method,
        path=path,
        permission=permission,
        status=HTTPStatus.NO_CONTENT if nothing else status,
        view=view,
        own_parameters=(*_parameters(path, hints), *(PAGING if paged else ())),
        body=hints.get("body"),
        takes=_takes(hints.get("upload")),
        answer=None if nothing else answer,
        paged=paged,
        revised="revision" in hints,
    )


def _takes(hint: Any) -> Takes | None:
    return next((item for item in get_args(hint) if isinstance(item, Takes)), None)


def _sent(form: Any) -> Any:
    """The form of what is sent: None stands for what is not."""
    parts = [part for part in get_args(form) if part is not NoneType]
    return parts[0] if len(parts) == 1 and NoneType in get_args(form) else form


_GIVEN = frozenset({"call", "body", "upload", "page", "revision"})
"""Names of a view's parameters that do not stand in the path or query by themselves."""


def _parameters(path: str, hints: Mapping[str, Any]) -> Iterator[Parameter]:
    in_path = _PATH_NAME.findall(path)
    for name, form in hints.items():
        if name not in _GIVEN:
            where = Where.PATH if name in in_path else Where.QUERY
            yield Parameter(name, where, TypeAdapter(_sent(form)))
