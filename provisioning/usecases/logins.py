"""What admins do about their members' logins: links for who forgot, forced changes, recovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from provisioning.crypto.passwords import check_password_form, generate_password, hash_password
from provisioning.domain.errors import Conflict, DuplicateName, Forbidden, InvalidInput, NotFound
from provisioning.domain.roles import MEMBER, OWNER, Permission, known_permissions
from provisioning.store import access, members
from provisioning.store.database import Session
from provisioning.store.organisations import Login
from provisioning.store.people import User
from provisioning.usecases.actors import Actor, changing, require_rights
from provisioning.usecases.core import Core
from provisioning.usecases.links import FORGOTTEN, Link, new_link
from provisioning.usecases.memberships import join


def make_reset_link(core: Core, actor: Actor, login: UUID) -> Link:
    """A link by which a member sets a new password, once; raises as ``_own_login``."""
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        return new_link(core, session, _own_login(session, actor, login), FORGOTTEN)


def require_change(core: Core, actor: Actor, login: UUID, *, must_change: bool) -> None:
    """Make a member change their password at the next login, or no longer (FEATURES B4)."""
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        _own_login(session, actor, login).must_change = must_change


def remove_totp(core: Core, actor: Actor, login: UUID) -> None:
    """Let a member who lost their authenticator in without; their sessions end."""
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        row = _own_login(session, actor, login)
        row.totp_encrypted = row.totp_pending = None
        members.end_sessions(session, row.id)


def _own_login(session: Session, actor: Actor, login: UUID) -> Login:
    """The login of a member whom nobody else has a say over.

    Whoever may set a password can act as its login, everywhere. So a login that is a member of
    other organisations too is left to the operators, and nobody reaches one with more rights, or
    one that has not taken the membership on.
    Raises NotFound, Conflict or Forbidden.
    """
    everywhere = [member for member in members.members_of_login(session, login) if member.accepted]
    here = [m for m in everywhere if m.organisation.id == actor.organisation]
    if not here:
        raise NotFound(
            f"No member has a login {login}.", remedy="GET /api/v1/memberships lists them."
        )
    member = here[0]
    if actor.may(Permission.OPERATE):
        return member.login
    if len(everywhere) > 1:
        raise Conflict(
            f"{member.login.email} belongs to other organisations too.",
            remedy="Ask whoever runs the server: provisioning login reset-link EMAIL.",
        )
    if member.role.name == OWNER and actor.login_id != login:
        raise Forbidden(
            "The owner's login is the owner's alone.",
            remedy="Ask whoever runs the server: provisioning login reset-link EMAIL.",
        )
    require_rights(actor, known_permissions(member.role.permissions), "This member")
    return member.login


def login_of(core: Core, actor: Actor, email: str) -> UUID:
    """The login of the member with that e-mail; raises NotFound."""
    actor.require(Permission.ACCOUNT)
    with core.database.read() as session:
        found = access.login_by_email(session, email.strip())
        if found is None or not members.membership_of(session, actor.organisation, found.id):
            raise NotFound(f"{email[:100]} is no member of this organisation.", remedy="List them.")
        return found.id


# --- with a new user


def add_login(session: Session, actor: Actor, user: User, given: Mapping[str, Any]) -> str | None:
    """Give a new user a login of the role member; returns a generated password, to show once.

    ``given`` has a ``password`` or ``generate``, and may ask by ``must_change`` that it be changed
    at the first login. Raises InvalidInput or DuplicateName, or Forbidden for who may make none.
    """
    actor.require(Permission.ACCOUNT)
    if user.email is None:
        raise InvalidInput(
            "A login needs the user's e-mail.", remedy="Send 'email' too.", field="email"
        )
    if bool(given.get("generate")) == ("password" in given):
        raise InvalidInput(
            "A password is either given or generated.",
            remedy='Send {"password": "…"} or {"generate": true}.',
            field="login.password",
        )
    if access.login_by_email(session, user.email) is not None:
        raise DuplicateName(
            f"{user.email} has a login already.",
            remedy="Make the user without, then invite them: POST /api/v1/memberships.",
            field="email",
        )
    chosen = given.get("password")
    if chosen is not None:
        check_password_form(chosen, user.email)
    password = chosen or generate_password()
    login = Login(
        email=user.email,
        password_hash=hash_password(password),
        must_change=bool(given.get("must_change")),
    )
    session.add(login)
    session.flush()
    join(session, actor, login, role=MEMBER, user=user.id)
    return None if chosen else password
