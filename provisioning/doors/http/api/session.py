"""A login's session: in and out, its organisation, its password and its authenticator."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from provisioning.domain.roles import known_permissions
from provisioning.doors.http.api.models import Input, Listing, Secret, Shown, Text, absent, whole
from provisioning.doors.http.api.registry import Call, Endpoints, Entry
from provisioning.usecases import memberships, totp
from provisioning.usecases import sessions as usecases
from provisioning.usecases.signed_in import SignedIn

ENDPOINTS = Endpoints()


class Session(Shown):
    """Who is logged in, and what they may do where they act."""

    login_id: UUID
    email: str
    organisation_id: UUID | None
    organisation: str
    """Where they act; empty for a login that is a member nowhere."""
    role: str
    permissions: list[str]
    user_id: UUID | None
    """The user they are there."""
    must_change: bool
    """Whether nothing but changing the password is possible."""
    totp: bool
    """Whether they have an authenticator."""
    totp_missing: bool
    """Whether nothing but setting one up is possible where they act."""
    expires_at: datetime


class Credentials(Input):
    """What somebody logs in with."""

    email: Text
    password: Secret
    code: Text = absent()
    """What the authenticator shows, for a login that has one."""


class ChosenOrganisation(Input):
    """Where to act from now on."""

    organisation: UUID


class OwnOrganisation(Shown):
    """An organisation a login may act in."""

    id: UUID
    name: str
    role: str
    current: bool


class NewPassword(Input):
    """A password to have from now on."""

    password: Secret
    """The one up to now."""
    new_password: Secret


class Reset(Input):
    """A password to have from now on, by a one-time link."""

    token: Text
    """What the link ends in."""
    password: Secret


class Offer(Input):
    """A membership to take on."""

    token: Text
    """What the link ends in."""


class Password(Input):
    """One's password once more."""

    password: Secret


class Code(Input):
    """What the authenticator shows."""

    code: Text


class Enrolment(Shown):
    """A secret for an authenticator, shown this once."""

    secret: str
    uri: str
    """The same as a URI, for a QR code."""


@ENDPOINTS.post("/session", None)
def open_session(call: Call, body: Credentials) -> Session:
    """Log in; the answer sets the cookie of the session."""
    token, signed_in = usecases.open_session(
        call.core,
        email=body.email,
        password=body.password,
        code=body.code or "",
        source=call.source,
        user_agent=call.user_agent,
    )
    call.cookie.token = token
    return _shown(signed_in)


@ENDPOINTS.get("/session", Entry.SESSION)
def read_session(call: Call) -> Session:
    """Who is logged in, and what they may do."""
    return _shown(call.signed_in)


@ENDPOINTS.delete("/session", Entry.SESSION)
def close_session(call: Call) -> None:
    """Log out."""
    usecases.close(call.core, call.signed_in)
    call.cookie.token = ""


@ENDPOINTS.put("/session/password", Entry.SESSION)
def change_password(call: Call, body: NewPassword) -> Session:
    """Change one's password; one's other sessions end."""
    return _shown(
        usecases.change_password(call.core, call.signed_in, body.password, body.new_password)
    )


@ENDPOINTS.post("/session/reset", None, HTTPStatus.NO_CONTENT)
def reset_password(call: Call, body: Reset) -> None:
    """Set a new password by the one-time link an admin gave; one's sessions end."""
    usecases.reset_password(call.core, body.token, body.password, call.source)


@ENDPOINTS.get("/session/organisation", Entry.SESSION)
def list_own_organisations(call: Call) -> Listing[OwnOrganisation]:
    """Where one may act."""
    current = call.signed_in.member
    return whole(
        OwnOrganisation.of(
            member.organisation,
            role=member.role.name,
            current=current is not None and current.membership.id == member.membership.id,
        )
        for member in usecases.list_organisations(call.core, call.signed_in)
    )


@ENDPOINTS.put("/session/organisation", Entry.SESSION)
def choose_organisation(call: Call, body: ChosenOrganisation) -> Session:
    """Act in another of one's organisations from now on."""
    return _shown(usecases.choose_organisation(call.core, call.signed_in, body.organisation))


@ENDPOINTS.post("/session/memberships", Entry.SESSION, HTTPStatus.NO_CONTENT)
def accept_membership(call: Call, body: Offer) -> None:
    """Take on the membership that the link an admin handed over offers to one's login."""
    memberships.accept(call.core, call.signed_in, body.token)


@ENDPOINTS.post("/session/totp", Entry.SESSION)
def enrol_totp(call: Call) -> Enrolment:
    """Begin with an authenticator; a code confirms it."""
    return Enrolment.of(totp.enrol(call.core, call.signed_in))


@ENDPOINTS.put("/session/totp", Entry.SESSION)
def confirm_totp(call: Call, body: Code) -> Session:
    """Confirm the authenticator by a code; from now on logging in needs one."""
    return _shown(totp.confirm(call.core, call.signed_in, body.code))


@ENDPOINTS.post("/session/totp/removal", Entry.SESSION, HTTPStatus.OK)
def remove_totp(call: Call, body: Password) -> Session:
    """Do without the authenticator."""
    return _shown(totp.remove(call.core, call.signed_in, body.password))


def _shown(signed_in: SignedIn) -> Session:
    login, member = signed_in.login, signed_in.member
    return Session(
        login_id=login.id,
        email=login.email,
        organisation_id=member.organisation.id if member else None,
        organisation=member.organisation.name if member else "",
        role=member.role.name if member else "",
        permissions=sorted(known_permissions(member.role.permissions)) if member else [],
        user_id=member.membership.user_id if member else None,
        must_change=login.must_change,
        totp=login.totp_encrypted is not None,
        totp_missing=signed_in.totp_missing,
        expires_at=signed_in.session.expires_at,
    )
