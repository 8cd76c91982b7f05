"""Licences: how many an organisation owns of each kind, and who holds them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from provisioning.domain import fields
from provisioning.domain.errors import (
    DuplicateName,
    Forbidden,
    InvalidInput,
    LicencesExhausted,
    MobileOnly,
    NeedsProLicence,
    StillInUse,
)
from provisioning.domain.kinds import LicenceKind, StationKind
from provisioning.domain.roles import Permission
from provisioning.store import queries, usage
from provisioning.store.catalogue import Licence, LicenceHolder
from provisioning.store.database import Session
from provisioning.store.devices import Station
from provisioning.store.organisations import Organisation
from provisioning.store.people import User
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.catalogue import counted
from provisioning.usecases.changes import expect
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page

MOST_OWNED = 1_000_000
ON_A_DESK = frozenset({StationKind.DESK_PHONE, StationKind.HANDSET, StationKind.ATA_PORT})
"""The kinds of station that a Mobile licence excludes and a Pro licence is for."""


@dataclass(frozen=True, slots=True)
class HeldLicence:
    """A licence and who holds it."""

    row: Licence
    users: tuple[UUID, ...]

    @property
    def id(self) -> UUID:
        """The licence's id, by which lists go on."""
        return self.row.id


def list_licences(core: Core, actor: Actor, page: Page) -> list[HeldLicence]:
    """What the organisation owns, and who holds what."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        rows = queries.owned(
            session, Licence, actor.organisation, q=page.q, limit=page.limit, cursor=page.cursor
        )
        return _held(session, rows)


def read_licence(core: Core, actor: Actor, licence: UUID | str) -> HeldLicence:
    """One licence and who holds it; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _held(session, [queries.get(session, Licence, actor.organisation, licence)])[0]


def _held(session: Session, rows: Sequence[Licence]) -> list[HeldLicence]:
    holders = usage.licence_holders(session, [row.id for row in rows])
    return [HeldLicence(row, tuple(holders[row.id])) for row in rows]


# --- what is owned


def add_licence(
    core: Core, actor: Actor, *, kind: str, quantity: int, add_on: str = ""
) -> HeldLicence:
    """Say that the organisation owns licences of a kind, or an add-on of that name.

    Raises InvalidInput, DuplicateName, and Forbidden where the operator sells them.
    """
    with changing(core, actor) as session:
        _may_own(session, actor)
        word = fields.word("kind", kind, LicenceKind)
        name = fields.name("add_on", add_on, empty=True)
        if (word == LicenceKind.ADD_ON) != bool(name):
            raise InvalidInput(
                "An add-on has a name, and nothing else has one.",
                remedy='Give "add_on" with the kind add-on only.',
                field="add_on",
            )
        if usage.licence_of(session, actor.organisation, word, name) is not None:
            raise DuplicateName(
                f"The organisation has licences '{name or word}' already.",
                remedy="Change their quantity.",
                field="add_on" if name else "kind",
            )
        row = Licence(
            organisation_id=actor.organisation, kind=word, add_on=name, quantity=_count(quantity)
        )
        session.add(row)
        return HeldLicence(row, ())


def change_licence(
    core: Core, actor: Actor, licence: UUID | str, quantity: int, revision: int | None = None
) -> HeldLicence:
    """Change how many are owned; raises LicencesExhausted where more are held than that."""
    with changing(core, actor) as session:
        _may_own(session, actor)
        row = _locked(session, actor, licence)
        expect(row, revision)
        held = _held(session, [row])[0]
        if len(held.users) > _count(quantity):
            raise LicencesExhausted(
                f"The licence '{_title(row)}' is held by {counted(len(held.users), 'user')}.",
                remedy=f"Take {len(held.users) - quantity} back first.",
                field="quantity",
            )
        row.quantity = quantity
        return held


def delete_licence(
    core: Core, actor: Actor, licence: UUID | str, revision: int | None = None
) -> None:
    """Delete a licence nobody holds; raises StillInUse."""
    with changing(core, actor) as session:
        _may_own(session, actor)
        row = _locked(session, actor, licence)
        expect(row, revision)
        held = _held(session, [row])[0]
        if held.users:
            raise StillInUse(
                f"The licence '{_title(row)}' is held by {counted(len(held.users), 'user')}.",
                remedy="Take it from them first.",
            )
        session.delete(row)


def _may_own(session: Session, actor: Actor) -> None:
    """With licensing switched on the operator says what is owned, else an admin does."""
    actor.require(Permission.WRITE)
    organisation = session.get_one(Organisation, actor.organisation)
    if organisation.licensing and not actor.may(Permission.OPERATE):
        raise Forbidden(
            "Licensing is switched on: the operator sets how many licences are owned.",
            remedy="Ask the operator of this server.",
        )


def _locked(session: Session, actor: Actor, licence: UUID | str) -> Licence:
    row = queries.get(session, Licence, actor.organisation, licence)
    usage.locked_licences(session, [row.id])
    return row


def _count(quantity: int) -> int:
    if not 0 <= quantity <= MOST_OWNED:
        raise InvalidInput(
            f"{quantity} is no quantity of licences.",
            remedy=f"Give 0 to {MOST_OWNED}.",
            field="quantity",
        )
    return quantity


def _title(row: Licence) -> str:
    return row.add_on or row.kind


# --- who holds what


def user_licences(core: Core, actor: Actor, user: UUID | str) -> list[HeldLicence]:
    """The licences a user holds."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, User, actor.organisation, user)
        return _held(session, usage.licences_of(session, row.id))


def set_user_licences(
    core: Core, actor: Actor, user: UUID | str, licences: Sequence[UUID]
) -> list[HeldLicence]:
    """Make these the licences a user holds.

    Raises NotFound, LicencesExhausted, MobileOnly or NeedsProLicence; nothing is changed then.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        person = queries.get(session, User, actor.organisation, user)
        ids = {queries.get(session, Licence, actor.organisation, item).id for item in licences}
        wanted = usage.locked_licences(session, list(ids))
        before = {row.kind for row in usage.licences_of(session, person.id)}
        held = usage.held_by(session, person.id)
        for licence in wanted:
            if licence.id not in held:
                _hand_out(session, licence, person)
        for licence_id, row in held.items():
            if licence_id not in ids:
                session.delete(row)
        session.flush()
        after = {licence.kind for licence in wanted}
        if LicenceKind.MOBILE in after - before or LicenceKind.PRO in before - after:
            for station in usage.stations_of_user(session, person.id):
                check_seat(session, station, [person])
        return _held(session, wanted)


def _hand_out(session: Session, licence: Licence, person: User) -> None:
    held = len(usage.licence_holders(session, [licence.id])[licence.id])
    if held >= licence.quantity:
        raise LicencesExhausted(
            f"No licence '{_title(licence)}' is free: {licence.quantity} owned, {held} held.",
            remedy="Take one from somebody, or have more.",
            field="licences",
        )
    session.add(
        LicenceHolder(
            organisation_id=person.organisation_id, licence_id=licence.id, user_id=person.id
        )
    )


def check_seat(
    session: Session, station: Station, people: Collection[User], *, kind: str = ""
) -> None:
    """Raise MobileOnly or NeedsProLicence where somebody's licence does not fit the station.

    A softphone needs no licence. ``kind`` is what the station is about to be, if it changes.
    """
    if (kind or station.kind) not in ON_A_DESK:
        return
    ids = [user.id for user in people]
    mobile = usage.holders_of(session, ids, LicenceKind.MOBILE)
    pro = usage.holders_of(session, ids, LicenceKind.PRO)
    licensing = session.get_one(Organisation, station.organisation_id).licensing
    for user in people:
        check_desk(user, mobile=user.id in mobile, pro=user.id in pro, licensing=licensing)


def check_desk(user: User, *, mobile: bool, pro: bool, licensing: bool) -> None:
    """Raise MobileOnly or NeedsProLicence where somebody may have no phone on a desk.

    ``mobile`` and ``pro`` are the licences they hold; ``licensing`` whether one is needed.
    """
    if mobile:
        raise MobileOnly(
            f"{user.name} has a Mobile licence, which has no phone on a desk.",
            remedy="Give them a Pro licence instead, or no such phone.",
            field="users",
        )
    if licensing and not pro:
        raise NeedsProLicence(
            f"{user.name} has no Pro licence, which a phone on a desk needs.",
            remedy=f"PUT /api/v1/users/{user.id}/licences with one first.",
            field="users",
        )
