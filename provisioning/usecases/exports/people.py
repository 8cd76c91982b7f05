"""What is set for people and what calls can go to, for any PBX; and their voicemail PINs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from provisioning.domain.errors import TooManyAttempts
from provisioning.domain.patience import OF_A_MAILBOX
from provisioning.domain.roles import Permission
from provisioning.store import queries
from provisioning.store import roster as rosters
from provisioning.store.catalogue import CallTarget, Category, CategoryOption, CostCentre, Number
from provisioning.store.changes import FeedChange, after, end_of
from provisioning.store.people import SipServer, User
from provisioning.store.sheets import all_of
from provisioning.usecases import attempts
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.exports.persons import Person, persons
from provisioning.usecases.pages import LONGEST_PAGE, Page

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What an organisation has that people and their calls refer to."""

    servers: list[SipServer]
    numbers: list[Number]
    targets: list[CallTarget]
    cost_centres: list[CostCentre]
    categories: list[Category]
    options: list[CategoryOption]


@dataclass(frozen=True, slots=True)
class Changes:
    """A part of the feed; ``more`` says that there is more behind it already."""

    items: list[FeedChange]
    next: str
    more: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a PIN is right, or how many seconds until one is looked at again."""

    valid: bool
    retry_after: int = 0


def list_people(core: Core, actor: Actor, page: Page) -> tuple[list[Person], dict[UUID, SipServer]]:
    """A page of the organisation's people, and the SIP servers their accounts are on."""
    actor.require(Permission.PBX)
    with core.database.read() as session:
        users = queries.owned(
            session, User, actor.organisation, q=page.q, limit=page.limit, cursor=page.cursor
        )
        found = rosters.roster(session, actor.organisation, users=users)
    return list(persons(found, core.cipher)), found.servers


def read_person(core: Core, actor: Actor, user: UUID | str) -> tuple[Person, dict[UUID, SipServer]]:
    """One of the people; raises NotFound."""
    actor.require(Permission.PBX)
    with core.database.read() as session:
        row = queries.get(session, User, actor.organisation, user)
        found = rosters.roster(session, actor.organisation, users=[row])
    (person,) = persons(found, core.cipher)
    return person, found.servers


def read_catalogue(core: Core, actor: Actor) -> Catalogue:
    """Everything people and their calls refer to."""
    actor.require(Permission.PBX)
    with core.database.read() as session:

        def everything(table: type[R]) -> list[R]:
            return all_of(session, table, actor.organisation)

        return Catalogue(
            servers=everything(SipServer),
            numbers=everything(Number),
            targets=everything(CallTarget),
            cost_centres=everything(CostCentre),
            categories=everything(Category),
            options=everything(CategoryOption),
        )


def changes(core: Core, actor: Actor, *, since: str = "", limit: int = LONGEST_PAGE) -> Changes:
    """The changes behind a cursor in order; without one, where the feed stands now.

    Raises InvalidInput, or CursorExpired for a place that is no longer known.
    """
    actor.require(Permission.PBX)
    with core.database.read() as session:
        if not since:
            return Changes([], end_of(session, actor.organisation), more=False)
        found = after(session, actor.organisation, since, limit + 1)
    items = found[:limit]
    return Changes(items, items[-1].cursor if items else since, more=len(found) > limit)


def check_voicemail_pin(core: Core, actor: Actor, *, extension: str, pin: str) -> Verdict:
    """Whether a PIN opens the mailbox of an extension.

    Who has no mailbox or no PIN is never let in. Every try counts before it is looked at, so
    that many at once are no way round the waiting.
    """
    actor.require(Permission.PBX)
    with core.database.read() as session:
        user = queries.user_by_extension(session, actor.organisation, extension)
        people = rosters.roster(session, actor.organisation, users=[user] if user else [])
    owner = next(persons(people, core.cipher), None)
    opens = owner is not None and owner.user.enabled and owner.has_mailbox
    if user is None or not opens or user.voicemail_pin_hash is None:
        core.pins.verify(None, pin)
        return Verdict(valid=False)
    counted = {f"voicemail:{user.id}": OF_A_MAILBOX}
    try:
        attempts.begin(core, counted)
    except TooManyAttempts as error:
        return Verdict(valid=False, retry_after=error.seconds)
    valid = core.pins.verify(user.voicemail_pin_hash, pin)
    if valid:
        attempts.take_back(core, counted)
    return Verdict(valid=valid)
