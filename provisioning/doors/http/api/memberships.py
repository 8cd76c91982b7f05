"""Who has a login in the organisation, and what admins do about their passwords."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.members import Member
from provisioning.usecases import logins
from provisioning.usecases import memberships as usecases
from provisioning.usecases.links import Link as Made
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class Membership(Shown):
    """A login's place in the organisation."""

    id: UUID
    login_id: UUID
    email: str
    role: str
    user_id: UUID | None
    """The user they are here."""
    state: str
    accepted: bool
    """Whether they have taken the membership on; until then it lets nobody in."""
    must_change: bool
    """Whether they have to change their password before anything else."""
    totp: bool
    """Whether they have an authenticator."""
    created_at: datetime
    revision: int


class Link(Shown):
    """A one-time link that sets a login's password or takes a membership on, shown this once."""

    url: str
    token: str
    expires_at: datetime


class NewMembership(Input):
    """Somebody to make a member."""

    email: Text
    role: Text
    user: UUID | None = absent()
    """The user they are; left out, the one with that e-mail."""


class MadeMembership(Membership):
    """A member just made."""

    link: Link | None
    """For a new login, which has no password yet, or for one that has to take the membership on."""


class MembershipChange(Input):
    """What can be changed of a member."""

    role: Text = absent()
    state: Text = absent()
    user: UUID | None = absent()


class LoginChange(Input):
    """What can be changed of a member's login."""

    must_change: bool


@ENDPOINTS.get("/memberships", Permission.ACCOUNT)
def list_memberships(call: Call, page: Page) -> Listing[Membership]:
    """Who has a login in the organisation."""
    return listing(usecases.list_members(call.core, call.actor, page), page, _shown)


@ENDPOINTS.post("/memberships", Permission.ACCOUNT)
def add_membership(call: Call, body: NewMembership) -> MadeMembership:
    """Make somebody a member, with a one-time link to hand over.

    By it a new login gets its password; who has a login already takes the membership on by it.
    """
    made = usecases.add_member(call.core, call.actor, **body.sent())
    shown = _shown(made.member).model_dump()
    return MadeMembership(**shown, link=_link(made.link) if made.link else None)


@ENDPOINTS.get("/memberships/{membership}", Permission.ACCOUNT)
def read_membership(call: Call, membership: UUID) -> Membership:
    """One member."""
    return _shown(usecases.read_member(call.core, call.actor, membership))


@ENDPOINTS.patch("/memberships/{membership}", Permission.ACCOUNT)
def change_membership(
    call: Call, membership: UUID, body: MembershipChange, revision: int | None = None
) -> Membership:
    """Change a member's role, state or user."""
    changed = usecases.change_member(call.core, call.actor, membership, body.sent(), revision)
    return _shown(changed)


@ENDPOINTS.delete("/memberships/{membership}", Permission.ACCOUNT)
def delete_membership(call: Call, membership: UUID, revision: int | None = None) -> None:
    """End a membership; a login that has no other goes with it."""
    usecases.delete_member(call.core, call.actor, membership, revision)


@ENDPOINTS.patch("/logins/{login}", Permission.ACCOUNT)
def change_login(call: Call, login: UUID, body: LoginChange) -> None:
    """Make a member change their password at the next login."""
    logins.require_change(call.core, call.actor, login, must_change=body.must_change)


@ENDPOINTS.post("/logins/{login}/reset-link", Permission.ACCOUNT)
def make_reset_link(call: Call, login: UUID) -> Link:
    """Make a link by which a member sets a new password, once."""
    return _link(logins.make_reset_link(call.core, call.actor, login))


@ENDPOINTS.delete("/logins/{login}/totp", Permission.ACCOUNT)
def remove_login_totp(call: Call, login: UUID) -> None:
    """Let a member who lost their authenticator in without."""
    logins.remove_totp(call.core, call.actor, login)


def _shown(member: Member) -> Membership:
    return Membership.of(
        member.membership,
        email=member.login.email,
        role=member.role.name,
        accepted=member.accepted,
        must_change=member.login.must_change,
        totp=member.login.totp_encrypted is not None,
    )


def _link(made: Made) -> Link:
    return Link.of(made)
