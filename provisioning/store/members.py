"""Finding logins, their memberships and sessions, and counting what was wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from provisioning.domain.kinds import MemberState
from provisioning.store.logins import Attempts, LoginSession, ResetLink
from provisioning.store.organisations import ApiToken, Login, Membership, Organisation, Role
from provisioning.store.people import User
from provisioning.store.statements import upsert

# --- memberships


@dataclass(frozen=True, slots=True)
class Member:
    """A membership with everything it ties together."""

    membership: Membership
    login: Login
    role: Role
    organisation: Organisation
    user: User | None

    @property
    def id(self) -> UUID:
        """The membership's id, by which lists go on."""
        return self.membership.id

    @property
    def accepted(self) -> bool:
        """Whether whoever has the login has taken the membership on."""
        return self.membership.acceptance_hash is None

    @property
    def usable(self) -> bool:
        """Whether its login may act in the organisation."""
        return self.active and (self.user is None or self.user.enabled)

    @property
    def active(self) -> bool:
        """Whether its login may act in the organisation while the user it is, is enabled."""
        taken_on = self.membership.state == MemberState.ACTIVE and self.accepted
        return taken_on and not self.login.disabled


def _members(session: Session, *where: ColumnElement[bool]) -> list[Member]:
    rows = session.execute(
        select(Membership, Login, Role, Organisation, User)
        .join(Login, Login.id == Membership.login_id)
        .join(Role, Role.id == Membership.role_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(User, User.id == Membership.user_id)
        .where(*where)
        .order_by(Membership.id)
    )
    return [Member(*row) for row in rows]


def members(session: Session, ids: Iterable[UUID]) -> list[Member]:
    """The members of these memberships, in the order they were made."""
    return _members(session, Membership.id.in_(list(ids)))


def members_of_organisation(session: Session, organisation: UUID) -> list[Member]:
    """Everybody who has a login in an organisation."""
    return _members(session, Membership.organisation_id == organisation)


def members_of_login(session: Session, login: UUID) -> list[Member]:
    """Everywhere a login is a member, suspended memberships included."""
    return _members(session, Membership.login_id == login)


def member_of_user(session: Session, user: UUID) -> Member | None:
    """The member who is that user."""
    found = _members(session, Membership.user_id == user)
    return found[0] if found else None


def members_with_roles(
    session: Session, organisation: UUID, roles: Collection[str]
) -> list[Member]:
    """An organisation's members with one of these built-in roles."""
    return _members(
        session,
        Membership.organisation_id == organisation,
        Role.organisation_id.is_(None),
        Role.name.in_(roles),
    )


def membership_of(session: Session, organisation: UUID, login: UUID) -> Membership | None:
    """A login's place in an organisation."""
    return session.scalar(
        select(Membership).where(
            Membership.organisation_id == organisation, Membership.login_id == login
        )
    )


def offered(
    session: Session, login: UUID, acceptance_hash: bytes, *, lock: bool = False
) -> Membership | None:
    """The membership offered to a login by the link of that hash; locked as ``reset_link`` does."""
    statement = select(Membership).where(
        Membership.login_id == login, Membership.acceptance_hash == acceptance_hash
    )
    return session.scalar(statement.with_for_update() if lock else statement)


def logins_like(session: Session, organisation: UUID, q: str) -> Sequence[UUID]:
    """The organisation's logins whose e-mail contains a text."""
    statement = (
        select(Login.id)
        .join(Membership, Membership.login_id == Login.id)
        .where(
            Membership.organisation_id == organisation,
            Login.email.contains(q.lower(), autoescape=True),
        )
    )
    return session.scalars(statement).all()


def page_of_members(
    session: Session, organisation: UUID, q: str, limit: int, cursor: UUID | None
) -> list[Member]:
    """A page of an organisation's members, in the order they were made."""
    statement = select(Membership.id).where(Membership.organisation_id == organisation)
    if q:
        statement = statement.where(Membership.login_id.in_(logins_like(session, organisation, q)))
    if cursor is not None:
        statement = statement.where(Membership.id > cursor)
    return members(session, session.scalars(statement.order_by(Membership.id).limit(limit)))


def lock_organisation(session: Session, organisation: UUID) -> None:
    """Let nobody else who locks it change who its admins are until this transaction ends."""
    session.execute(
        select(Organisation.id)
        .where(Organisation.id == organisation)
        .with_for_update(key_share=True)
    )


def role_in_use(session: Session, role: UUID) -> bool:
    """Whether a member, a token or a user has a role."""
    holders = (Membership, ApiToken, User)
    return any(
        session.scalar(select(table.id).where(table.role_id == role).limit(1)) is not None
        for table in holders
    )


# --- sessions and links


def session_by_token(session: Session, token_hash: bytes) -> tuple[LoginSession, Login] | None:
    """The session with that token, and whose it is."""
    found = session.execute(
        select(LoginSession, Login)
        .join(Login, Login.id == LoginSession.login_id)
        .where(LoginSession.token_hash == token_hash)
    ).first()
    return (found[0], found[1]) if found else None


def end_sessions(session: Session, login: UUID, *, but: UUID | None = None) -> None:
    """End a login's sessions, all but one if that is named."""
    for row in session.scalars(select(LoginSession).where(LoginSession.login_id == login)):
        if row.id != but:
            session.delete(row)


def reset_link(
    session: Session, token_hash: bytes, *, lock: bool = False
) -> tuple[ResetLink, Login] | None:
    """The one-time link with that token and its login; locked against other writers when asked."""
    statement = (
        select(ResetLink, Login)
        .join(Login, Login.id == ResetLink.login_id)
        .where(ResetLink.token_hash == token_hash)
    )
    found = session.execute(statement.with_for_update() if lock else statement).first()
    return (found[0], found[1]) if found else None


def end_links(session: Session, login: UUID) -> None:
    """Make a login's one-time links useless."""
    for row in session.scalars(select(ResetLink).where(ResetLink.login_id == login)):
        session.delete(row)


def take_step(session: Session, login: UUID, step: int) -> bool:
    """Note the time step of a code; False if it, or a later one, was taken before."""
    done = session.execute(
        update(Login)
        .where(Login.id == login, Login.totp_step < step)
        .values(totp_step=step)
        .returning(Login.id)
        .execution_options(synchronize_session=False)
    )
    return done.first() is not None


# --- what is written on the way


def touch(
    session: Session, table: type[ApiToken | LoginSession], row: UUID, now: datetime,
    before: datetime,
) -> None:  # fmt: skip
    """Note that a token or session was used, unless that was noted since ``before``.

    Neither its revision nor its author changes: nobody has edited it.
    """
    late = or_(table.last_used_at.is_(None), table.last_used_at <= before)
    session.execute(
        update(table)
        .where(table.id == row, late)
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


def attempts(session: Session, keys: Iterable[str], now: datetime) -> list[Attempts]:
    """The counts of these keys, made where there are none, held for this transaction."""
    wanted = sorted(keys)  # in one order, or two transactions wait for each other
    fresh = [{"key": key, "failures": 0, "last_at": now} for key in wanted]
    session.execute(upsert(session, Attempts).values(fresh).on_conflict_do_nothing())
    statement = select(Attempts).where(Attempts.key.in_(wanted)).order_by(Attempts.key)
    return list(session.scalars(statement.with_for_update()))


def trim(session: Session, *, now: datetime, attempts_before: datetime) -> None:
    """Delete sessions and links that have ended, and failures nobody counts any more."""
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
    session.execute(delete(ResetLink).where(ResetLink.expires_at <= now))
    session.execute(delete(Attempts).where(Attempts.last_at < attempts_before))
