"""Who makes the changes of a transaction, as the audit log names them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

_AUTHOR = "author"


@dataclass(frozen=True, slots=True)
class Author:
    """A person, token or command; ``source`` is the address it came from, empty for our own.

    ``device_id`` is the phone that told it: it knows already and is not made to reload.
    """

    name: str
    organisation_id: UUID | None = None
    source: str = ""
    device_id: UUID | None = None


def written_by(session: Session, author: Author) -> None:
    """Say who makes the changes of this session's transaction."""
    session.info[_AUTHOR] = author


def author_of(session: Session) -> Author | None:
    """Who makes the changes of this session; None for the server's own."""
    found: Author | None = session.info.get(_AUTHOR)
    return found
