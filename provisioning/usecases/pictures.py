"""Pictures: avatar and cover of the organisation, and of its people."""

from __future__ import annotations

from uuid import UUID

from provisioning.domain.errors import NotFound
from provisioning.domain.kinds import Purpose
from provisioning.domain.roles import Permission
from provisioning.store import pictures, queries
from provisioning.store.database import Session
from provisioning.store.people import User
from provisioning.store.pictures import Picture
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import expect
from provisioning.usecases.core import Core
from provisioning.usecases.images import read_image


def read_picture(core: Core, actor: Actor, user: UUID | None, purpose: Purpose) -> Picture:
    """A user's picture, or the organisation's own; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _existing(session, actor, user, purpose)


def set_picture(
    core: Core, actor: Actor, user: UUID | None, purpose: Purpose, content: bytes,
    *, revision: int | None = None,
) -> Picture:  # fmt: skip
    """Keep an image as a user's picture, or as the organisation's own, in place of the former.

    Raises NotFound, also where a ``revision`` is of a picture that went, StaleRevision, TooLarge,
    or InvalidInput for what is no image that is taken.
    """
    actor.require(_needed(user))
    with core.database.read() as session:
        _check_user(session, actor, user)
    image = read_image(content, purpose)
    with changing(core, actor) as session:
        _check_user(session, actor, user)
        row = pictures.picture(session, actor.organisation, user, purpose)
        if row is None and revision is not None:
            raise _none(user, purpose)
        if row is None:
            row = Picture(organisation_id=actor.organisation, user_id=user, purpose=purpose)
            session.add(row)
        expect(row, revision)
        row.media_type, row.content = image.media_type, image.content
        row.width, row.height = image.width, image.height
        return row


def delete_picture(
    core: Core, actor: Actor, user: UUID | None, purpose: Purpose, revision: int | None = None
) -> None:
    """Take a picture away; raises NotFound or StaleRevision."""
    actor.require(_needed(user))
    with changing(core, actor) as session:
        row = _existing(session, actor, user, purpose)
        expect(row, revision)
        session.delete(row)


def _needed(user: UUID | None) -> Permission:
    """What changing a picture takes: the organisation's own is part of its profile."""
    return Permission.ACCOUNT if user is None else Permission.WRITE


def _check_user(session: Session, actor: Actor, user: UUID | None) -> None:
    if user is not None:
        queries.get(session, User, actor.organisation, user)


def _existing(session: Session, actor: Actor, user: UUID | None, purpose: Purpose) -> Picture:
    _check_user(session, actor, user)
    row = pictures.picture(session, actor.organisation, user, purpose)
    if row is None:
        raise _none(user, purpose)
    return row


def _none(user: UUID | None, purpose: Purpose) -> NotFound:
    whose = "organisation" if user is None else "user"
    return NotFound(f"The {whose} has no {purpose}.", remedy="PUT an image to set one.")
