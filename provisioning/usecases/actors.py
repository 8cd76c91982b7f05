"""Who acts, in which organisation, and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from provisioning.crypto.tokens import new_token, token_hash
from provisioning.domain import fields
from provisioning.domain.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from provisioning.domain.roles import Permission
from provisioning.store import access, queries
from provisioning.store.authors import Author, written_by
from provisioning.store.database import Session
from provisioning.store.locks import take_turn
from provisioning.store.organisations import ApiToken, Organisation, Role
from provisioning.usecases.core import Core


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever a request comes from. ``organisation_id`` is None for an operator's token.

    ``user_id`` is the user they are in that organisation, if they are one, ``login_id`` their
    login; ``source`` is the address a request came from.
    """

    name: str
    organisation_id: UUID | None
    permissions: frozenset[Permission]
    user_id: UUID | None = None
    login_id: UUID | None = None
    source: str = ""
    within: Session | None = field(default=None, repr=False, compare=False)
    """The transaction the actor's changes are part of, instead of one each."""
    trial: Callable[[Session], None] | None = field(default=None, repr=False, compare=False)
    """What looks at a change that is only tried; it ends the transaction by raising."""

    def may(self, permission: Permission) -> bool:
        """Whether the actor holds a permission."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the actor holds the permission."""
        if not self.may(permission):
            raise Forbidden(
                f"This token does not carry the permission '{permission}'.",
                remedy="Use a token of a role that does, for example admin.",
            )

    @property
    def organisation(self) -> UUID:
        """The organisation acted in; raises Forbidden for a token that has none."""
        if self.organisation_id is None:
            raise Forbidden(
                "An operator's token acts in no organisation by itself.",
                remedy="Name one with the header 'X-Organisation: <id>'.",
            )
        return self.organisation_id


@contextmanager
def changing(core: Core, actor: Actor) -> Iterator[Session]:
    """A transaction whose changes are the actor's; raises as ``Database.write`` does."""
    if actor.within is not None:
        yield actor.within
        actor.within.flush()
        return
    with core.database.write() as session:
        written_by(session, Author(actor.name, actor.organisation_id, actor.source))
        yield session
        if actor.trial is not None:
            session.flush()
            actor.trial(session)


@contextmanager
def together(core: Core, actor: Actor, *, turn: str = "") -> Iterator[Actor]:
    """The actor again, all of whose changes are one transaction: done as a whole or not at all.

    Where ``turn`` names something, it waits until nobody else is at it.
    """
    with changing(core, actor) as session:
        if turn:
            take_turn(session, turn)
        yield replace(actor, within=session)


COMMAND_LINE = "command line"


def local_actor(organisation: UUID | None) -> Actor:
    """Whoever runs commands on the server itself: every right there is."""
    return Actor(COMMAND_LINE, organisation, frozenset(Permission))


@dataclass(frozen=True, slots=True)
class NewToken:
    """An API token just made: its row, its role, and the token itself, shown this once."""

    row: ApiToken
    role: Role
    token: str


def create_token(
    core: Core, actor: Actor, *, name: str, role: str, expires_at: datetime | None = None
) -> str:
    """Make an API token and return it; raises as ``add_token`` does."""
    return add_token(core, actor, name=name, role=role, expires_at=expires_at).token


def add_token(
    core: Core, actor: Actor, *, name: str, role: str, expires_at: datetime | None = None
) -> NewToken:
    """Make an API token; it is shown this once and stored hashed.

    Raises InvalidInput for an unknown role or a moment that has passed, and Forbidden for a role
    with more rights than the actor's.
    """
    actor.require(Permission.TOKENS)
    title = fields.name("name", name)
    if expires_at is not None and expires_at <= core.clock():
        raise InvalidInput(
            "'expires_at' has passed.", remedy="Give a later moment.", field="expires_at"
        )
    token = new_token()
    with changing(core, actor) as session:
        row = access.role_named(session, role, actor.organisation_id)
        if row is None:
            raise InvalidInput(
                f"There is no role '{role[:40]}'.",
                remedy="Give admin, member, pbx or a role of your own.",
                field="role",
            )
        if not {Permission(item) for item in row.permissions} <= actor.permissions:
            raise Forbidden(
                f"The role '{role}' has rights this token has not.",
                remedy="Ask somebody who has them.",
            )
        operator = Permission.OPERATE in row.permissions
        made = ApiToken(
            organisation_id=None if operator else actor.organisation,
            name=title,
            role_id=row.id,
            token_hash=token_hash(token),
            expires_at=expires_at,
        )
        session.add(made)
    return NewToken(made, row, token)


def list_roles(core: Core, actor: Actor) -> list[Role]:
    """The roles a token can have: the built-in ones and the organisation's own."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return access.roles(session, actor.organisation_id)


def list_tokens(core: Core, actor: Actor) -> list[tuple[ApiToken, Role]]:
    """The organisation's tokens with their roles, revoked ones included."""
    actor.require(Permission.TOKENS)
    with core.database.read() as session:
        return access.tokens(session, actor.organisation_id)


def revoke_token(core: Core, actor: Actor, token_id: UUID) -> None:
    """End a token; ending it twice changes nothing."""
    actor.require(Permission.TOKENS)
    with changing(core, actor) as session:
        row = queries.by_id(session, ApiToken, token_id)
        if row is None or row.organisation_id != actor.organisation_id:
            raise NotFound(f"There is no token {token_id}.", remedy="List them to see the ids.")
        row.revoked_at = row.revoked_at or core.clock()


def authenticate(core: Core, token: str, organisation: UUID | None = None) -> Actor:
    """The actor behind a bearer token; raises Unauthenticated.

    ``organisation`` is the one an operator's token asks to act in.
    """
    with core.database.read() as session:
        found = access.api_token(session, token_hash(token))
        if found is None:
            raise _unauthenticated("The token is unknown.")
        row, role = found
        if row.revoked_at is not None:
            raise _unauthenticated("The token was revoked.")
        if row.expires_at is not None and row.expires_at <= core.clock():
            raise _unauthenticated("The token has expired.")
        permissions = frozenset(Permission(item) for item in role.permissions)
        own = row.organisation_id
        if organisation is not None and organisation != own:
            if Permission.OPERATE not in permissions or own is not None:
                raise Forbidden(
                    "This token acts in its own organisation only.",
                    remedy="Leave the header 'X-Organisation' out.",
                )
            if queries.by_id(session, Organisation, organisation) is None:
                raise NotFound(f"There is no organisation {organisation}.", remedy="List them.")
            own = organisation
        return Actor(row.name, own, permissions)


def _unauthenticated(what: str) -> Unauthenticated:
    return Unauthenticated(
        what, remedy="Make one with `provisioning token create --name NAME --role admin`."
    )
