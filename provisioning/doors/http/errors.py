"""What each broken rule means over HTTP: one table from errors to statuses.

A class that is not in the table has the status of its nearest ancestor that is. The phones' door
does not read it: there every failure of ours is 503 and every refusal 404 (DESIGN section 2).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from provisioning.domain.errors import (
    BadCertificate,
    BrokenRule,
    Conflict,
    CursorExpired,
    Forbidden,
    InvalidInput,
    MalformedJson,
    MigrationNeeded,
    NotFound,
    PinMustChange,
    StaleRevision,
    StoreUnavailable,
    TooLarge,
    TooManyAttempts,
    TooManyLogins,
    Unauthenticated,
    UnsupportedMediaType,
    WrongMethod,
    WrongPin,
)

MEDIA_TYPE = "application/problem+json"
"""The media type of a problem document (RFC 9457 section 3)."""

STATUSES: dict[type[BrokenRule], HTTPStatus] = {
    BrokenRule: HTTPStatus.INTERNAL_SERVER_ERROR,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    MalformedJson: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    StaleRevision: HTTPStatus.PRECONDITION_FAILED,
    CursorExpired: HTTPStatus.GONE,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    WrongPin: HTTPStatus.FORBIDDEN,
    PinMustChange: HTTPStatus.FORBIDDEN,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    WrongMethod: HTTPStatus.METHOD_NOT_ALLOWED,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    BadCertificate: HTTPStatus.UNPROCESSABLE_ENTITY,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyLogins: HTTPStatus.SERVICE_UNAVAILABLE,
    MigrationNeeded: HTTPStatus.SERVICE_UNAVAILABLE,
}

_INTERNAL = "internal-error"


def status_of(rule: type[BaseException]) -> HTTPStatus:
    """The status of an error's class; 500 for what is no broken rule but a bug."""
    known = (STATUSES[ancestor] for ancestor in rule.__mro__ if ancestor in STATUSES)
    return next(known, HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(error: BaseException) -> dict[str, Any]:
    """The problem document of an error (RFC 9457 section 3.1).

    ``code`` is stable and ends ``type``; ``title`` says the rule, ``detail`` what broke it.
    ``field`` and ``remedy`` are there where the error has them. Of an error that is no broken
    rule nothing is told: its text was not written for strangers.
    """
    status = int(status_of(type(error)))
    if not isinstance(error, BrokenRule):
        title = "Something inside the server failed; its log says what."
        return {"type": _type(_INTERNAL), "title": title, "status": status, "code": _INTERNAL}
    document: dict[str, Any] = {
        "type": _type(error.code()),
        "title": (type(error).__doc__ or error.code()).split("\n")[0],
        "status": status,
        "code": error.code(),
        "detail": error.what,
    }
    extra = {"field": error.field, "remedy": error.remedy}
    return document | {name: text for name, text in extra.items() if text} | dict(error.more)


def _type(code: str) -> str:
    return f"urn:roost:problem:{code}"
