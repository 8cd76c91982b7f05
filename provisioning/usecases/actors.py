"""Who acts, in which organisation, and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from provisioning.crypto.tokens import new_token, token_hash
from provisioning.domain import fields
from provisioning.domain.errors import (
    Forbidden,
    InvalidInput,
    MustChangePassword,
    NotFound,
    Unauthenticated,
)
from provisioning.domain.roles import Permission, known_permissions
from provisioning.store import access, members, queries
from provisioning.store.authors import Author, written_by
from provisioning.store.database import Session
from provisioning.store.devices import Device
from provisioning.store.locks import take_turn
from provisioning.store.members import Member
from provisioning.store.organisations import ApiToken, Organisation, Role
from provisioning.store.people import User
from provisioning.usecases.core import Core

USE_NOTED = timedelta(minutes=10)
"""How coarse the moment is at which a token was last used."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever a request comes from. ``organisation_id`` is None for an operator's token.

    ``user_id`` is the user they are in that organisation, if they are one, ``login_id`` their
    login; ``source`` is the address a request came from, ``device_id`` the phone that sent it.
    """

    name: str
    organisation_id: UUID | None
    permissions: frozenset[Permission]
    user_id: UUID | None = None
    login_id: UUID | None = None
    source: str = ""
    device_id: UUID | None = None
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
                f"This needs the permission '{permission}', which your role has not.",
                remedy="Use a login or token of a role that has it, for example admin.",
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
def changing(core: Core, actor: Actor, *, snapshot: bool = False) -> Iterator[Session]:
    """A transaction whose changes are the actor's; raises as ``Database.write`` does."""
    if actor.within is not None:
        yield actor.within
        actor.within.flush()
        return
    with core.database.write(snapshot=snapshot) as session:
        author = Author(actor.name, actor.organisation_id, actor.source, actor.device_id)
        written_by(session, author)
        yield session
        if actor.trial is not None:
            session.flush()
            actor.trial(session)


@contextmanager
def together(
    core: Core, actor: Actor, *, turn: str = "", snapshot: bool = False
) -> Iterator[Actor]:
    """The actor again, all of whose changes are one transaction: done as a whole or not at all.

    Where ``turn`` names something, it waits until nobody else is at it. Of a ``snapshot`` and
    raises as ``Database.write``.
    """
    with changing(core, actor, snapshot=snapshot) as session:
        if turn:
            take_turn(session, turn)
        yield replace(actor, within=session)


COMMAND_LINE = "command line"


def phone_actor(device: Device, source: str) -> Actor:
    """A phone that asks from an address, as whoever acts by it."""
    return Actor(
        f"phone {device.name or device.id}",
        device.organisation_id,
        frozenset({Permission.PBX}),
        source=source,
        device_id=device.id,
    )


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
    core: Core, actor: Actor, *, name: str, role: str, expires_at: datetime | None = None,
    user: UUID | None = None,
) -> str:  # fmt: skip
    """Make an API token and return it; raises as ``add_token`` does."""
    return add_token(core, actor, name=name, role=role, expires_at=expires_at, user=user).token


def add_token(
    core: Core, actor: Actor, *, name: str, role: str, expires_at: datetime | None = None,
    user: UUID | None = None,
) -> NewToken:  # fmt: skip
    """Make an API token, one that acts as a user if one is named; it is shown this once.

    Raises InvalidInput for an unknown role or a moment that has passed, Forbidden for a role
    with more rights than the actor's, and NotFound for an unknown user.
    """
    actor.require(Permission.TOKENS)
    title = fields.name("name", name)
    if expires_at is not None and expires_at <= core.clock():
        raise InvalidInput(
            "'expires_at' has passed.", remedy="Give a later moment.", field="expires_at"
        )
    token = new_token()
    with changing(core, actor) as session:
        row = role_to_give(session, actor, role)
        operator = Permission.OPERATE in row.permissions
        if user is not None and operator:
            raise InvalidInput(
                "An operator's token is nobody's.", remedy="Leave the user out.", field="user"
            )
        if user is not None:
            queries.get(session, User, actor.organisation, user)
        made = ApiToken(
            organisation_id=None if operator else actor.organisation,
            name=title,
            role_id=row.id,
            user_id=user,
            token_hash=token_hash(token),
            expires_at=expires_at,
        )
        session.add(made)
    return NewToken(made, row, token)


def role_to_give(session: Session, actor: Actor, name: str) -> Role:
    """The role of that name, for a token or a member.

    Raises InvalidInput for an unknown one, Forbidden for one with more rights than the actor's.
    """
    row = access.role_named(session, name, actor.organisation_id)
    if row is None:
        raise InvalidInput(
            f"There is no role '{name[:40]}'.",
            remedy="Give admin, member, pbx or a role of your own.",
            field="role",
        )
    require_rights(actor, known_permissions(row.permissions), f"The role '{name}'")
    return row


def require_rights(actor: Actor, permissions: Iterable[Permission], what: str) -> None:
    """Raise Forbidden where something has rights the actor has not."""
    more = sorted(set(permissions) - actor.permissions)
    if more:
        raise Forbidden(
            f"{what} has rights you have not: {', '.join(more)}.",
            remedy="Ask somebody who has them.",
        )


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


def authenticate(
    core: Core, token: str, organisation: UUID | None = None, source: str = ""
) -> Actor:
    """The actor behind a bearer token; raises Unauthenticated.

    ``organisation`` is the one an operator's token asks to act in. A person's token can do no more
    than that person, and nothing while their password has to be changed.
    """
    now = core.clock()
    with core.database.read() as session:
        found = access.api_token(session, token_hash(token))
        if found is None:
            raise _unauthenticated("The token is unknown.")
        row, role = found
        if row.revoked_at is not None:
            raise _unauthenticated("The token was revoked.")
        if row.expires_at is not None and row.expires_at <= now:
            raise _unauthenticated("The token has expired.")
        permissions = known_permissions(role.permissions)
        person = _person(session, row.user_id) if row.user_id else None
        if person is not None:
            permissions &= _of_person(person)
        elif row.user_id is not None and not session.get_one(User, row.user_id).enabled:
            raise _unauthenticated("The user this token is of is disabled.")
        actor = Actor(
            row.name,
            row.organisation_id,
            permissions,
            user_id=row.user_id,
            login_id=person.login.id if person else None,
            source=source,
        )
        actor = chosen_organisation(session, actor, organisation)
    if row.last_used_at is None or row.last_used_at + USE_NOTED <= now:
        with core.database.write() as session:
            members.touch(session, ApiToken, row.id, now, now - USE_NOTED)
    return actor


def _person(session: Session, user: UUID) -> Member | None:
    """The member who is that user; nobody is one by a membership they have not taken on."""
    found = members.member_of_user(session, user)
    return found if found is not None and found.accepted else None


def _of_person(person: Member) -> frozenset[Permission]:
    """What the person behind a token may do themselves."""
    if not person.usable:
        raise _unauthenticated("The person this token is of may not act here any more.")
    if person.login.must_change:
        raise must_change()
    return known_permissions(person.role.permissions)


def chosen_organisation(session: Session, actor: Actor, organisation: UUID | None) -> Actor:
    """The actor in the organisation they name; only operators may name another than their own.

    Raises Forbidden or NotFound.
    """
    if organisation is None or organisation == actor.organisation_id:
        return actor
    if not actor.may(Permission.OPERATE):
        raise Forbidden(
            "You act in your own organisation only.",
            remedy="Leave the header 'X-Organisation' out.",
        )
    if queries.by_id(session, Organisation, organisation) is None:
        raise NotFound(f"There is no organisation {organisation}.", remedy="List them.")
    return replace(actor, organisation_id=organisation, user_id=None)


def must_change() -> MustChangePassword:
    """The refusal of everything but a new password."""
    return MustChangePassword(
        "The password was set by somebody else and has to be changed first.",
        remedy="Log in and send the old and a new one: PUT /api/v1/session/password.",
    )


def _unauthenticated(what: str) -> Unauthenticated:
    return Unauthenticated(
        what, remedy="Make one with `provisioning token create --name NAME --role admin`."
    )
