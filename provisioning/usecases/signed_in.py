"""A session that holds: who is signed in, and what they may do with it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from provisioning.crypto.passwords import verify_password
from provisioning.domain.errors import (
    Forbidden,
    MustEnrolTotp,
    WrongPassword,
)
from provisioning.domain.roles import known_permissions
from provisioning.store.authors import Author, written_by
from provisioning.store.database import Session
from provisioning.store.logins import LoginSession
from provisioning.store.members import Member
from provisioning.store.organisations import Login
from provisioning.usecases import attempts
from provisioning.usecases.actors import Actor, chosen_organisation, must_change
from provisioning.usecases.core import Core


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that holds: whose it is, and the membership it acts by, if there is one."""

    session: LoginSession
    login: Login
    member: Member | None
    source: str

    @property
    def totp_missing(self) -> bool:
        """Whether the organisation asks for an authenticator that the login has not."""
        required = self.member is not None and self.member.organisation.totp_required
        return required and self.login.totp_encrypted is None

    def require_own_password(self) -> None:
        """Raise MustChangePassword while the password is not the person's own choice."""
        if self.login.must_change:
            raise must_change()

    def actor(self) -> Actor:
        """Who acts; raises MustChangePassword, MustEnrolTotp, or Forbidden without membership."""
        self.require_own_password()
        if self.member is None:
            raise Forbidden(
                "This login is a member of no organisation, or suspended there.",
                remedy="Ask an admin of the organisation.",
            )
        if self.totp_missing:
            raise MustEnrolTotp(
                f"'{self.member.organisation.name}' asks for codes of an authenticator.",
                remedy="Set one up: POST /api/v1/session/totp.",
            )
        membership = self.member.membership
        return Actor(
            self.login.email,
            membership.organisation_id,
            known_permissions(self.member.role.permissions),
            user_id=membership.user_id,
            login_id=self.login.id,
            source=self.source,
        )

    def actor_in(self, core: Core, organisation: UUID | None) -> Actor:
        """Who acts, in the organisation an operator names; raises as ``actor`` does."""
        actor = self.actor()
        with core.database.read() as session:
            return chosen_organisation(session, actor, organisation)


def signed_by(session: Session, signed_in: SignedIn) -> None:
    """Say who makes the changes, also while they may do little else."""
    member = signed_in.member
    organisation = member.membership.organisation_id if member else None
    written_by(session, Author(signed_in.login.email, organisation, signed_in.source))


def require_password(core: Core, signed_in: SignedIn, password: str) -> None:
    """Raise WrongPassword unless it is the login's password; TooManyAttempts as in a login."""
    counted = attempts.of_login(core, signed_in.login.email, signed_in.source)
    begun = attempts.begin(core, counted)
    if not verify_password(signed_in.login.password_hash or None, password):
        raise WrongPassword(
            "The password is wrong.", remedy="Give the one you log in with.", field="password"
        )
    attempts.take_back(core, counted, begun)
