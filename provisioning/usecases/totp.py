"""Authenticators: a second proof at the login, for who wants it or whose organisation asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provisioning.crypto.totp import accepted_step, new_secret, provisioning_uri
from provisioning.domain.errors import CodeRequired, Conflict, InvalidInput, WrongCredentials
from provisioning.store import queries
from provisioning.store.organisations import Login
from provisioning.usecases.core import Core
from provisioning.usecases.purposes import PURPOSE_TOTP
from provisioning.usecases.signed_in import SignedIn, require_password, signed_by

ISSUER = "Roost"
"""What an authenticator shows above the e-mail."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret for an authenticator, shown this once."""

    secret: str
    uri: str


def wrong() -> WrongCredentials:
    """One answer for an unknown e-mail, a wrong password and a wrong code."""
    return WrongCredentials(
        "The e-mail, the password or the code is wrong.",
        remedy="Check them; an admin can give you a one-time link to set a new password.",
    )


def judge(core: Core, login: Login, code: str, asked: Callable[[], None]) -> int | None:
    """The time step of a login's code; None for a login without an authenticator.

    ``asked`` is called before CodeRequired is raised: nothing was wrong so far. Raises
    WrongCredentials for a code that is wrong or was taken before.
    """
    if login.totp_encrypted is None:
        return None
    if not code.strip():
        asked()
        raise CodeRequired(
            "This login needs the code of its authenticator too.",
            remedy="Send it as 'code' with e-mail and password.",
            field="code",
        )
    secret = core.cipher.decrypt(login.totp_encrypted, PURPOSE_TOTP)
    step = accepted_step(secret, code, core.clock(), login.totp_step)
    if step is None:
        raise wrong()
    return step


def enrol(core: Core, signed_in: SignedIn) -> Enrolment:
    """Begin with an authenticator: its secret counts once a code has confirmed it.

    Raises Conflict where there is one already, and MustChangePassword.
    """
    signed_in.require_own_password()
    secret = new_secret()
    with core.database.write() as session:
        signed_by(session, signed_in)
        row = queries.by_id(session, Login, signed_in.login.id)
        if row is None or row.totp_encrypted is not None:
            raise Conflict(
                "This login has an authenticator already.",
                remedy="Remove it first: POST /api/v1/session/totp/removal.",
            )
        row.totp_pending = core.cipher.encrypt(secret, PURPOSE_TOTP)
    return Enrolment(secret, provisioning_uri(secret, signed_in.login.email, ISSUER))


def confirm(core: Core, signed_in: SignedIn, code: str) -> SignedIn:
    """Show that the authenticator works; from now on a login needs its code.

    Raises Conflict where none was begun, InvalidInput for a wrong code.
    """
    signed_in.require_own_password()
    with core.database.write() as session:
        signed_by(session, signed_in)
        row = session.get_one(Login, signed_in.login.id)
        if row.totp_pending is None:
            raise Conflict(
                "No authenticator was begun.", remedy="Begin: POST /api/v1/session/totp."
            )
        secret = core.cipher.decrypt(row.totp_pending, PURPOSE_TOTP)
        step = accepted_step(secret, code, core.clock(), row.totp_step)
        if step is None:
            raise InvalidInput(
                "The code is wrong.",
                remedy="Send the one it shows now; check the clock of its device.",
                field="code",
            )
        row.totp_encrypted, row.totp_pending, row.totp_step = row.totp_pending, None, step
    return SignedIn(signed_in.session, row, signed_in.member, signed_in.source)


def remove(core: Core, signed_in: SignedIn, password: str) -> SignedIn:
    """Do without the authenticator from now on; raises WrongPassword or TooManyAttempts."""
    signed_in.require_own_password()
    require_password(core, signed_in, password)
    with core.database.write() as session:
        signed_by(session, signed_in)
        row = session.get_one(Login, signed_in.login.id)
        row.totp_encrypted = row.totp_pending = None
    return SignedIn(signed_in.session, row, signed_in.member, signed_in.source)
