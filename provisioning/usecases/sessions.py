"""Logging in: a login's password and code become a session, which acts in one organisation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from provisioning.crypto.passwords import (
    check_password_form,
    hash_password,
    needs_rehash,
    verify_password,
)
from provisioning.crypto.tokens import new_token, token_hash
from provisioning.domain.errors import (
    InvalidInput,
    NotFound,
    Unauthenticated,
    WrongCredentials,
)
from provisioning.domain.kinds import SessionEnd
from provisioning.store import access, audit, members, queries
from provisioning.store.authors import Author, written_by
from provisioning.store.database import Session
from provisioning.store.logins import LoginSession
from provisioning.store.members import Member
from provisioning.store.organisations import Login
from provisioning.usecases import attempts, totp
from provisioning.usecases.core import Core
from provisioning.usecases.seats import end_of_user
from provisioning.usecases.signed_in import SignedIn, require_password, signed_by

LIFETIME = timedelta(hours=12)
"""How long a session lasts at most."""

IDLE = timedelta(hours=1)
"""How long one lasts in which nothing is asked."""

_NOTED = timedelta(minutes=1)
"""How coarse the moment of its last use is."""

_LONGEST_AGENT = 200


# --- in and out


def open_session(
    core: Core, *, email: str, password: str, code: str = "", source: str = "",
    user_agent: str = "",
) -> tuple[str, SignedIn]:  # fmt: skip
    """Log in; returns the token of the session's cookie, told this once, and the session.

    Raises WrongCredentials, CodeRequired where the password is right and a code is needed, or
    TooManyAttempts. A wrong e-mail costs the same work and gives the same answer.
    """
    name = email.strip().lower()
    counted = attempts.of_login(core, name, source)
    begun = attempts.begin(core, counted)
    with core.database.read() as session:
        login = access.login_by_email(session, name)
    try:
        step = _judge(core, login, password, code, lambda: attempts.uncount(core, counted, begun))
        if login is None:
            raise totp.wrong()
        token = new_token()
        opened = LoginSession(
            login_id=login.id,
            token_hash=token_hash(token),
            expires_at=core.clock() + LIFETIME,
            last_used_at=core.clock(),
            source=source,
            user_agent=user_agent[:_LONGEST_AGENT].encode(errors="replace").decode(),
        )
        signed_in = _open(core, opened, login, password, step)
    except WrongCredentials:
        with core.database.write() as session:
            _note(session, "login-refused", login, source)
        raise
    attempts.take_back(core, counted, begun)
    return token, signed_in


def _judge(
    core: Core, login: Login | None, password: str, code: str, asked: Callable[[], None]
) -> int | None:
    """The time step of the code, where one is needed; raises as ``totp.judge``."""
    # No else: an empty hash is of a login whose person has not chosen a password yet.
    stored = login.password_hash or None if login else None
    if not verify_password(stored, password) or login is None or login.disabled:
        raise totp.wrong()
    return totp.judge(core, login, code, asked)


def _open(
    core: Core, opened: LoginSession, login: Login, password: str, step: int | None
) -> SignedIn:
    """Store the session, unless the password or the code was used up meanwhile."""
    with core.database.write() as session:
        written_by(session, Author(login.email, source=opened.source))
        row = queries.by_id(session, Login, login.id)
        if row is None or row.password_hash != login.password_hash:
            raise totp.wrong()
        if step is not None and not members.take_step(session, row.id, step):
            raise totp.wrong()
        if needs_rehash(row.password_hash):
            row.password_hash = hash_password(password)
        found = _member(session, opened)
        opened.membership_id = found.membership.id if found else None
        session.add(opened)
        _note(session, "login", row, opened.source)
    return SignedIn(opened, row, found, opened.source)


def _note(session: Session, action: str, login: Login | None, source: str) -> None:
    """Tell every organisation the login is a member of; of an unknown one, nobody's log."""
    found = members.members_of_login(session, login.id) if login else []
    places: list[UUID | None] = [m.organisation.id for m in found if m.accepted]
    for place in places or [None]:
        audit.note(
            session,
            action=action,
            kind="login",
            organisation_id=place,
            object_id=login.id if login else None,
            name=login.email if login else "",
            author=Author(login.email if login else "somebody", place, source),
        )


def resume(core: Core, token: str, source: str = "") -> SignedIn:
    """The session a cookie names; raises Unauthenticated if there is none or it has ended."""
    now = core.clock()
    with core.database.read() as session:
        found = members.session_by_token(session, token_hash(token))
        if found is None:
            raise _ended("The session is unknown or was ended.")
        row, login = found
        if row.expires_at <= now or row.last_used_at + IDLE <= now or login.disabled:
            raise _ended("The session has ended.")
        signed_in = SignedIn(row, login, _member(session, row), source)
    if row.last_used_at + _NOTED <= now:
        with core.database.write() as session:
            members.touch(session, LoginSession, row.id, now, now - _NOTED)
    return signed_in


def _member(session: Session, row: LoginSession) -> Member | None:
    """The membership a session acts by: the one it chose while that can be used, else the first."""
    usable = [member for member in members.members_of_login(session, row.login_id) if member.usable]
    chosen = [member for member in usable if member.membership.id == row.membership_id]
    return next(iter((*chosen, *usable)), None)


def _ended(what: str) -> Unauthenticated:
    return Unauthenticated(what, remedy="Log in again: POST /api/v1/session.")


def close(core: Core, signed_in: SignedIn) -> None:
    """Log out."""
    with core.database.write() as session:
        signed_by(session, signed_in)
        row = queries.by_id(session, LoginSession, signed_in.session.id)
        if row is not None:
            session.delete(row)


# --- the current organisation


def list_organisations(core: Core, signed_in: SignedIn) -> list[Member]:
    """Where the login may act."""
    signed_in.require_own_password()
    with core.database.read() as session:
        found = members.members_of_login(session, signed_in.login.id)
    return [member for member in found if member.usable]


def choose_organisation(core: Core, signed_in: SignedIn, organisation: UUID) -> SignedIn:
    """Act in another organisation of one's own from now on; raises NotFound."""
    for member in list_organisations(core, signed_in):
        if member.organisation.id == organisation:
            with core.database.write() as session:
                signed_by(session, signed_in)
                row = session.get_one(LoginSession, signed_in.session.id)
                row.membership_id = member.membership.id
            return SignedIn(row, signed_in.login, member, signed_in.source)
    raise NotFound(
        f"This login has no organisation {organisation}.",
        remedy="GET /api/v1/session/organisation lists those it has.",
    )


# --- the password


def change_password(core: Core, signed_in: SignedIn, current: str, new: str) -> SignedIn:
    """Choose a new password; every other session of the login ends.

    Raises WrongPassword, TooManyAttempts, or InvalidInput for a password that is too easy.
    """
    require_password(core, signed_in, current)
    check_password_form(new, signed_in.login.email)
    if new == current:
        raise InvalidInput(
            "The new password is the old one.", remedy="Choose another.", field="new_password"
        )
    hashed = hash_password(new)
    with core.database.write() as session:
        signed_by(session, signed_in)
        row = session.get_one(Login, signed_in.login.id)
        row.password_hash, row.must_change = hashed, False
        members.end_sessions(session, row.id, but=signed_in.session.id)
        members.end_links(session, row.id)
    return SignedIn(signed_in.session, row, signed_in.member, signed_in.source)


def login_of_link(core: Core, token: str) -> Login:
    """The login that a one-time link is for, which it stays good for; raises NotFound."""
    with core.database.read() as session:
        return _good_link(core, session, token_hash(token))


def reset_password(core: Core, token: str, password: str, source: str = "") -> None:
    """Set a new password by a one-time link; every session of the login ends, and any waiting.

    So do those at phones of the users it is.

    Raises NotFound for a link that is unknown, used or too old, and InvalidInput for a password
    that is too easy, which leaves the link as it is.
    """
    check_password_form(password, login_of_link(core, token).email)
    hashed = hash_password(password)
    with core.database.write() as session:
        row = _good_link(core, session, token_hash(token), lock=True)
        written_by(session, Author(row.email, source=source))
        row.password_hash, row.must_change = hashed, False
        members.end_links(session, row.id)
        members.end_sessions(session, row.id)
        people = {m.user.id: m.user for m in members.members_of_login(session, row.id) if m.user}
        for user in sorted(people.values(), key=lambda user: user.organisation_id):
            end_of_user(core, session, user, SessionEnd.PASSWORD)
    attempts.take_back(core, attempts.of_login(core, row.email, ""))


def _good_link(core: Core, session: Session, digest: bytes, *, lock: bool = False) -> Login:
    found = members.reset_link(session, digest, lock=lock)
    if found is None or found[0].expires_at <= core.clock():
        raise NotFound(
            "The link is unknown, was used, or is too old.", remedy="Ask an admin for a new one."
        )
    return found[1]
