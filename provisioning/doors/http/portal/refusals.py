"""What people are shown when something is refused: what is wrong, and what to do next."""

from __future__ import annotations

from http import HTTPStatus

from provisioning.domain.errors import (
    BrokenRule,
    Forbidden,
    InvalidInput,
    MustChangePassword,
    MustEnrolTotp,
    NobodysOwn,
    NotFound,
    RightMissing,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
)
from provisioning.domain.wording import say
from provisioning.doors.http.errors import status_of
from provisioning.doors.http.portal.asked import (
    AUTHENTICATOR,
    PASSWORD,
    SIGN_IN,
    Answer,
    Page,
    Redirect,
    onward,
)

RETRY_AFTER = 5
"""Seconds after which a browser may come back when the database did not answer."""

_STEPS: dict[type[BrokenRule], str] = {
    Unauthenticated: SIGN_IN,
    MustChangePassword: PASSWORD,
    MustEnrolTotp: AUTHENTICATOR,
}
"""What has to be done first, and on which page."""

_SUBJECTS: dict[type[BrokenRule], str] = {
    NobodysOwn: "nobody",
    NotFound: "missing",
    RightMissing: "right",
    Forbidden: "member",
    InvalidInput: "bad",
}
"""The texts of a refusal; a class that is not here has those of its nearest ancestor that is."""


def refused(error: BaseException, language: str, here: str) -> Answer:
    """The page of an error, or the one to go to first, which leads back ``here``."""
    kinds = type(error).__mro__
    for kind in kinds:
        if kind in _STEPS:
            return Redirect(onward(_STEPS[kind], here))
    if isinstance(error, TooManyAttempts):
        return wait(error, language)
    subject = next((_SUBJECTS[kind] for kind in kinds if kind in _SUBJECTS), "failed")
    retry_after = RETRY_AFTER if isinstance(error, StoreUnavailable) else None
    return told(subject, language, status_of(type(error)), retry_after)


def told(subject: str, language: str, status: HTTPStatus, retry_after: int | None = None) -> Page:
    """A page of nothing but a refusal."""
    values = {
        "title": say(language, f"{subject}.title"),
        "text": say(language, f"{subject}.text"),
    }
    return Page("refused", values, status, retry_after=retry_after)


def wait(error: TooManyAttempts, language: str) -> Page:
    """A page of nothing but a time to wait."""
    values = {
        "title": say(language, "failed.title"),
        "text": say(language, "sign-in.wait", seconds=error.seconds),
    }
    return Page("refused", values, HTTPStatus.TOO_MANY_REQUESTS, retry_after=error.seconds)
