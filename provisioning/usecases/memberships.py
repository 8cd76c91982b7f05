"""Who has a login in an organisation, with which role, and who they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.crypto.tokens import token_hash
from provisioning.domain import fields
from provisioning.domain.errors import (
    Conflict,
    DuplicateName,
    InvalidInput,
    LastAdmin,
    NotFound,
    OwnerIsFixed,
)
from provisioning.domain.kinds import MemberState
from provisioning.domain.roles import ADMIN, ADMINS, OWNER, Permission, known_permissions
from provisioning.store import access, members, queries
from provisioning.store.base import now
from provisioning.store.database import Session
from provisioning.store.members import Member
from provisioning.store.organisations import Login, Membership
from provisioning.store.people import User
from provisioning.usecases.actors import Actor, changing, require_rights, role_to_give
from provisioning.usecases.changes import expect
from provisioning.usecases.core import Core
from provisioning.usecases.links import INVITATION, Link, new_link, offer
from provisioning.usecases.pages import Page
from provisioning.usecases.signed_in import SignedIn, signed_by


@dataclass(frozen=True, slots=True)
class Invited:
    """A member just made.

    The link of a new login sets its password; by that of a login that was there before, its person
    takes the membership on.
    """

    member: Member
    link: Link | None


def list_members(core: Core, actor: Actor, page: Page) -> list[Member]:
    """A page of the organisation's members; ``q`` is searched in their e-mails."""
    actor.require(Permission.ACCOUNT)
    with core.database.read() as session:
        return members.page_of_members(session, actor.organisation, page.q, page.limit, page.cursor)


def list_all_members(core: Core, actor: Actor) -> list[Member]:
    """Every member of the organisation, in the order they were made."""
    actor.require(Permission.ACCOUNT)
    with core.database.read() as session:
        return members.members_of_organisation(session, actor.organisation)


def read_member(core: Core, actor: Actor, membership: UUID) -> Member:
    """One member; raises NotFound."""
    actor.require(Permission.ACCOUNT)
    with core.database.read() as session:
        return _found(session, actor, membership)


def _found(session: Session, actor: Actor, membership: UUID) -> Member:
    row = queries.get(session, Membership, actor.organisation, membership)
    return members.members(session, [row.id])[0]


# --- inviting


def add_member(core: Core, actor: Actor, *, email: str, role: str, **given: UUID | None) -> Invited:
    """Make whoever has this e-mail a member; a new login gets a one-time link for its password.

    A login that is there already may be somebody else's who gave that e-mail first, and nobody has
    proven it to be theirs. So it gets rights here only when whoever was handed the link takes them
    on, logged in; unless an operator makes it a member.
    ``user`` says which user of the organisation they are; left out, the one with that e-mail.
    Raises InvalidInput, Conflict, NotFound, or Forbidden for a role with rights one has not.
    """
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        address = _address(email)
        login = access.login_by_email(session, address)
        new = login is None
        if login is None:
            login = Login(email=address, password_hash="")
            session.add(login)
            session.flush()
        elif members.membership_of(session, actor.organisation, login.id) is not None:
            raise DuplicateName(
                f"{login.email} is a member already.",
                remedy="Change that membership instead.",
                field="email",
            )
        if "user" in given:
            user = _free_user(session, actor, given["user"])
        else:
            same = queries.user_by_email(session, actor.organisation, address)
            user = _free_user(session, actor, same.id if same else None)
        row = join(session, actor, login, role=role, user=user)
        link = None
        if new:
            link = new_link(core, session, login, INVITATION)
        elif not actor.may(Permission.OPERATE):
            link = offer(core, row)
        return Invited(members.members(session, [row.id])[0], link)


def _address(email: str) -> str:
    address = fields.email(email)
    if address is None:
        raise InvalidInput(
            "A login needs an e-mail.", remedy="Give one such as ada@example.com.", field="email"
        )
    return address


def join(
    session: Session, actor: Actor, login: Login, *, role: str, user: UUID | None
) -> Membership:
    """Make a login, which is none yet, a member; raises as ``role_to_give``, or OwnerIsFixed."""
    row = Membership(
        organisation_id=actor.organisation,
        login_id=login.id,
        role_id=_role(session, actor, role),
        user_id=user,
    )
    session.add(row)
    session.flush()
    return row


def _role(session: Session, actor: Actor, name: str) -> UUID:
    if name == OWNER:
        raise _fixed()
    return role_to_give(session, actor, name).id


def _free_user(session: Session, actor: Actor, user: UUID | None) -> UUID | None:
    if user is None:
        return None
    row = queries.get(session, User, actor.organisation, user)
    if (other := members.member_of_user(session, row.id)) is not None:
        raise Conflict(
            f"{row.name} has the login {other.login.email} already.",
            remedy="Take the user from that membership first.",
            field="user",
        )
    return row.id


def accept(core: Core, signed_in: SignedIn, token: str) -> Member:
    """Take on the membership that a link offers to one's login; raises NotFound."""
    signed_in.require_own_password()
    with core.database.write() as session:
        signed_by(session, signed_in)
        row = _offered(core, session, signed_in, token, lock=True)
        row.acceptance_hash = row.acceptance_until = None
        session.flush()
        return members.members(session, [row.id])[0]


def read_offer(core: Core, signed_in: SignedIn, token: str) -> Member:
    """The membership that a link offers to one's login, not taken on yet; raises NotFound."""
    signed_in.require_own_password()
    with core.database.read() as session:
        return members.members(session, [_offered(core, session, signed_in, token).id])[0]


def _offered(
    core: Core, session: Session, signed_in: SignedIn, token: str, *, lock: bool = False
) -> Membership:
    row = members.offered(session, signed_in.login.id, token_hash(token), lock=lock)
    if row is None or row.acceptance_until is None or row.acceptance_until <= core.clock():
        raise NotFound(
            "The link is unknown, is for another login, was used, or is too old.",
            remedy="Log in with the e-mail that was invited, or ask for a new invitation.",
        )
    return row


# --- changing and leaving


def change_member(
    core: Core, actor: Actor, membership: UUID, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Member:  # fmt: skip
    """Change a member's role, state or user.

    Raises NotFound, InvalidInput, Forbidden where they have more rights than the actor, LastAdmin,
    OwnerIsFixed, or StaleRevision.
    """
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        member = _may_change(session, actor, membership)
        row = member.membership
        expect(row, revision)
        with keeping_an_admin(session, actor.organisation):
            if "role" in changes and changes["role"] != member.role.name:
                row.role_id = _role(session, actor, changes["role"])
            if "state" in changes:
                row.state = fields.word("state", changes["state"], MemberState)
            if "user" in changes and changes["user"] != row.user_id:
                _end_tokens(session, member)
                row.user_id = _free_user(session, actor, changes["user"])
        return members.members(session, [row.id])[0]


def delete_member(core: Core, actor: Actor, membership: UUID, revision: int | None = None) -> None:
    """End a membership; a login that has no other goes with it. Raises as ``change_member``."""
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        member = _may_change(session, actor, membership)
        expect(member.membership, revision)
        with keeping_an_admin(session, actor.organisation):
            _end(session, member)


def _may_change(session: Session, actor: Actor, membership: UUID) -> Member:
    member = _found(session, actor, membership)
    require_no_more(actor, member)
    return member


def require_no_more(actor: Actor, member: Member) -> None:
    """Raise OwnerIsFixed, or Forbidden where a member has more rights than the actor."""
    if _is_owner(member):
        raise _fixed()
    require_rights(actor, known_permissions(member.role.permissions), "This member")


def _end_tokens(session: Session, member: Member) -> None:
    """End the tokens of the user a member was: they could do no more than the member.

    Those of a user who is only offered to somebody are theirs alone.
    """
    if member.user is not None and member.accepted:
        access.revoke_tokens_of(session, member.user.id, now())


def _end(session: Session, member: Member) -> None:
    _end_tokens(session, member)
    session.delete(member.membership)
    session.flush()
    if not members.members_of_login(session, member.login.id):
        session.delete(member.login)


@contextmanager
def parting(session: Session, actor: Actor, user: User) -> Iterator[None]:
    """The block disables or deletes a user, and with them what their login may do here.

    Raises OwnerIsFixed, LastAdmin, or Forbidden where they have more rights than the actor.
    """
    member = members.member_of_user(session, user.id)
    if member is not None:
        require_no_more(actor, member)
    with keeping_an_admin(session, user.organisation_id):
        yield


def forget_user(session: Session, actor: Actor, user: User) -> None:
    """End the membership of a user who is about to go; raises Forbidden for who may end none."""
    member = members.member_of_user(session, user.id)
    if member is not None:
        actor.require(Permission.ACCOUNT)
        _end(session, member)


@contextmanager
def keeping_an_admin(session: Session, organisation: UUID) -> Iterator[None]:
    """Refuse changes of the block that leave the organisation without the admin it had."""
    members.lock_organisation(session, organisation)
    had = _has_admin(session, organisation)
    yield
    session.flush()
    if had and not _has_admin(session, organisation):
        raise last_admin()


def last_admin() -> LastAdmin:
    """The refusal of what would leave nobody who can log in as an admin."""
    return LastAdmin(
        "This is the organisation's last admin who can log in.",
        remedy="Make somebody else admin first.",
    )


def _has_admin(session: Session, organisation: UUID) -> bool:
    found = members.members_with_roles(session, organisation, ADMINS)
    return any(member.usable for member in found)


# --- the owner


def _is_owner(member: Member) -> bool:
    return member.role.organisation_id is None and member.role.name == OWNER


def _fixed() -> OwnerIsFixed:
    return OwnerIsFixed(
        "The owner of an organisation is not changed here.",
        remedy="On the server: provisioning organisation owner EMAIL.",
        field="role",
    )


def set_owner(core: Core, actor: Actor, email: str) -> Member:
    """Make a member the owner; the former one becomes an admin. Raises NotFound.

    Only whoever operates the server may. A membership that was only offered is taken on by that.
    """
    actor.require(Permission.OPERATE)
    with changing(core, actor) as session:
        members.lock_organisation(session, actor.organisation)
        login = access.login_by_email(session, email.strip())
        row = members.membership_of(session, actor.organisation, login.id) if login else None
        if row is None:
            raise NotFound(
                f"{email[:100]} is no member of this organisation.",
                remedy="Make them one first: provisioning login add EMAIL --role admin.",
            )
        for former in members.members_with_roles(session, actor.organisation, [OWNER]):
            former.membership.role_id = role_to_give(session, actor, ADMIN).id
        row.role_id = role_to_give(session, actor, OWNER).id
        row.state = MemberState.ACTIVE
        row.acceptance_hash = row.acceptance_until = None
        session.flush()
        return members.members(session, [row.id])[0]
