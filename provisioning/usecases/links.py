"""One-time links by which a login gets a password or a membership: an admin hands them over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.crypto.tokens import new_token, token_hash
from provisioning.store import members
from provisioning.store.database import Session
from provisioning.store.logins import ResetLink
from provisioning.store.organisations import Login, Membership
from provisioning.usecases.core import Core

RESET, JOIN = "/reset", "/join"
"""Where pages wait for a link: to choose a password, to take a membership on."""

INVITATION = timedelta(days=7)
FORGOTTEN = timedelta(days=1)
"""How long a link may be used, for a new login and for a forgotten password."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link just made, shown this once. It ends in its token: no log of ours has paths of pages."""

    url: str
    token: str
    expires_at: datetime


def new_link(core: Core, session: Session, login: Login, lifetime: timedelta) -> Link:
    """Make a login's one-time link; those made before end."""
    members.end_links(session, login.id)
    token = new_token()
    expires_at = core.clock() + lifetime
    session.add(ResetLink(login_id=login.id, token_hash=token_hash(token), expires_at=expires_at))
    return Link(f"{core.places.people}{RESET}/{token}", token, expires_at)


def offer(core: Core, membership: Membership) -> Link:
    """Make a membership one that its login has yet to take on, by the link."""
    token = new_token()
    expires_at = core.clock() + INVITATION
    membership.acceptance_hash, membership.acceptance_until = token_hash(token), expires_at
    return Link(f"{core.places.people}{JOIN}/{token}", token, expires_at)
