"""Users: the people of an organisation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.crypto.passwords import check_pin_form, generate_pin
from provisioning.domain import fields, routing, rules
from provisioning.domain.errors import DuplicateExtension, DuplicateName, InvalidInput
from provisioning.domain.kinds import FallbackKind, Incoming, SessionEnd
from provisioning.domain.roles import Permission
from provisioning.store import groups, persons, queries, usage
from provisioning.store.catalogue import CallTarget, CategoryOption, CostCentre, Number
from provisioning.store.database import Session
from provisioning.store.people import SipAccount, User
from provisioning.store.persons import Option
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.logins import add_login
from provisioning.usecases.memberships import forget_user, parting
from provisioning.usecases.pages import Page
from provisioning.usecases.personal import keep_rules
from provisioning.usecases.pins import pin_digest
from provisioning.usecases.roles import role_of_a_user
from provisioning.usecases.seats import end_of_user
from provisioning.usecases.sip import first_account

_FIELDS: dict[str, Check] = {
    "first_name": lambda value: fields.name("first_name", value),
    "last_name": lambda value: fields.name("last_name", value, empty=True),
    "email": fields.email,
    "extension": fields.extension,
    "enabled": bool,
    "role_id": lambda value: value,
    "incoming": lambda value: fields.word("incoming", value, Incoming),
    "steps": routing.steps,
    "fallback": routing.fallback,
    "caller_id_number_id": lambda value: value,
    "cost_centre_id": lambda value: value,
}
_COLUMNS = {
    "caller_id": "caller_id_number_id",
    "cost_centre": "cost_centre_id",
    "role": "role_id",
}
"""The columns of fields that name a row by its id."""

_FACTS = {
    "email": rules.EMAIL,
    "incoming": rules.INCOMING,
    "fallback": rules.FALLBACK,
    "caller_ids": rules.CALLER_IDS,
}
"""What the rules over several values call the fields they look at."""

MOST_CALLER_IDS = 20


@dataclass(frozen=True, slots=True)
class Person:
    """A user with what of the organisation's is theirs: further caller ids in order, options."""

    user: User
    caller_ids: tuple[UUID, ...]
    options: tuple[Option, ...]

    @property
    def id(self) -> UUID:
        """The user's id, by which lists go on."""
        return self.user.id


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user just made, with what was made for them.

    ``note`` is what the admin should know of the account, ``password`` what was generated for
    their login.
    """

    person: Person
    account: SipAccount | None
    note: str
    password: str | None = None

    @property
    def user(self) -> User:
        """The user's row."""
        return self.person.user


def add_user(
    core: Core, actor: Actor, *, sip_account: Mapping[str, Any] | None = None,
    login: Mapping[str, Any] | None = None, **columns: Any,
) -> NewUser:  # fmt: skip
    """Make a user and, where it can be, their SIP account on the default server; a login if asked.

    Raises as ``change_user`` does; nothing is stored then.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        user = User(organisation_id=actor.organisation, first_name="", steps=[], fallback={})
        _change(session, user, columns)
        fields.name("first_name", user.first_name)
        role_of_a_user(session, user.organisation_id, user.role_id)
        session.add(user)
        session.flush()
        _set_caller_ids(session, user, columns)
        account, note = first_account(core, session, user, given=sip_account)
        password = add_login(session, actor, user, login) if login is not None else None
        keep_rules(core, session, user, _facts(columns))
        return NewUser(_persons(session, [user])[0], account, note, password)


def list_users(
    core: Core,
    actor: Actor,
    page: Page,
    *,
    newest_first: bool = False,
    option: UUID | str | None = None,
) -> list[Person]:
    """A page of the organisation's users, in the order they were made or the other way round.

    Those in an option if one is named; raises NotFound for an unknown one.
    """
    actor.require(Permission.READ)
    with core.database.read() as session:
        where = None
        if option is not None:
            row = queries.get(session, CategoryOption, actor.organisation, option)
            where = usage.in_option(row.id)
        rows = persons.users_page(
            session,
            actor.organisation,
            q=page.q,
            limit=page.limit,
            cursor=page.cursor,
            newest_first=newest_first,
            where=where,
        )
        return _persons(session, rows)


def read_user(core: Core, actor: Actor, user: UUID | str) -> Person:
    """One user; raises NotFound."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return _persons(session, [queries.get(session, User, actor.organisation, user)])[0]


def _persons(session: Session, rows: Sequence[User]) -> list[Person]:
    ids = [row.id for row in rows]
    numbers, options = groups.caller_ids(session, ids), persons.options(session, ids)
    return [
        Person(row, tuple(n.id for n in numbers.get(row.id, ())), options.get(row.id, ()))
        for row in rows
    ]


def change_user(
    core: Core, actor: Actor, user: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Person:  # fmt: skip
    """Change a user.

    Raises NotFound, also for a number, cost centre or call target that is not the organisation's,
    InvalidInput, DuplicateExtension, DuplicateName, SettingsDisagree or StaleRevision.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, User, actor.organisation, user)
        expect(row, revision)
        disabling = row.enabled and changes.get("enabled") is False
        if disabling:
            end_of_user(core, session, row, SessionEnd.DISABLED)
        guard = parting(session, actor, row) if disabling else nullcontext()
        with guard, session.no_autoflush:
            _change(session, row, changes)
            role_of_a_user(session, row.organisation_id, row.role_id)
        _set_caller_ids(session, row, changes)
        session.flush()
        keep_rules(core, session, row, _facts(changes))
        return _persons(session, [row])[0]


def _facts(changes: Iterable[str]) -> Collection[str]:
    return [_FACTS[name] for name in changes if name in _FACTS]


# --- single fields


def _change(session: Session, row: User, changes: Mapping[str, Any]) -> None:
    """Set the user's columns to their checked values, once all they name is known to be there."""
    given = {_COLUMNS.get(name, name): changes[name] for name in changes if name != "caller_ids"}
    change(row, given, _FIELDS)
    _check_unique(session, row)
    organisation = row.organisation_id
    if given.get("caller_id_number_id") is not None:
        row.caller_id_number_id = queries.get(
            session, Number, organisation, given["caller_id_number_id"]
        ).id
    if given.get("cost_centre_id") is not None:
        row.cost_centre_id = queries.get(
            session, CostCentre, organisation, given["cost_centre_id"]
        ).id
    for target in routing.step_targets(row.steps if "steps" in given else ()):
        queries.get(session, CallTarget, organisation, target)
    if given.get("fallback"):
        _check_fallback(session, row)


def _check_fallback(session: Session, row: User) -> None:
    """Refuse a fallback to nobody, to oneself, or to a call target of another kind."""
    named, kind = row.fallback.get("id", ""), routing.target_kind(row.fallback)
    if row.fallback["kind"] == FallbackKind.USER:
        if queries.get(session, User, row.organisation_id, named).id == row.id:
            raise InvalidInput(
                "Calls cannot fall back to the user they did not reach.",
                remedy="Name another user, or voicemail.",
                field="fallback.id",
            )
    elif kind is not None:
        target = queries.get(session, CallTarget, row.organisation_id, named)
        if target.kind != kind:
            raise InvalidInput(
                f"'{target.name}' is no {kind} but a {target.kind}.",
                remedy=f'Write "kind": "{target.kind}", or the id of a {kind}.',
                field="fallback.kind",
            )


def _set_caller_ids(session: Session, row: User, changes: Mapping[str, Any]) -> None:
    if "caller_ids" not in changes:
        return
    wanted = list(changes["caller_ids"])
    if len(set(wanted)) != len(wanted) or len(wanted) > MOST_CALLER_IDS:
        raise InvalidInput(
            "'caller_ids' names a number twice, or too many.",
            remedy=f"Give at most {MOST_CALLER_IDS} different numbers, in order.",
            field="caller_ids",
        )
    numbers = [queries.get(session, Number, row.organisation_id, item).id for item in wanted]
    persons.set_caller_ids(session, row, numbers)


def _check_unique(session: Session, user: User) -> None:
    if user.extension:
        other = queries.user_by_extension(session, user.organisation_id, user.extension)
        if other is not None and other.id != user.id:
            raise DuplicateExtension(
                f"The extension {user.extension} is {other.name}'s.",
                remedy="Choose another, or change theirs first.",
                field="extension",
            )
    if user.email:
        same = queries.user_by_email(session, user.organisation_id, user.email)
        if same is not None and same.id != user.id:
            raise DuplicateName(
                f"The e-mail {user.email} is {same.name}'s.",
                remedy="Choose another.",
                field="email",
            )


def delete_user(core: Core, actor: Actor, user: UUID | str, revision: int | None = None) -> None:
    """Delete a user with their accounts and assignments; their phones fall to the guest file."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, User, actor.organisation, user)
        expect(row, revision)
        end_of_user(core, session, row, SessionEnd.DISABLED)
        with parting(session, actor, row):
            forget_user(session, actor, row)
        for other in persons.falling_back_to(session, row):
            other.fallback = {}
        queries.forget_values(session, row.id)
        session.delete(row)


# --- PINs


def set_pin(
    core: Core, actor: Actor, user: UUID | str, pin: str | None, *, must_change: bool = False
) -> str:
    """Set a user's hotdesk PIN, or generate one; returns it, to be shown once.

    Wherever they sit by the former one, they are logged out.
    With ``must_change`` no phone takes it before its user has changed it.
    Raises InvalidInput for a PIN that is too short, a sequence or a repetition.
    """
    actor.require(Permission.WRITE)
    if pin is not None:
        check_pin_form(pin)
    chosen = pin or generate_pin()
    hashed = core.pins.hash(chosen)
    with changing(core, actor) as session:
        row = queries.get(session, User, actor.organisation, user)
        end_of_user(core, session, row, SessionEnd.PIN)
        row.pin_hash = hashed
        row.pin_digest_encrypted = pin_digest(core, session, row, chosen)
        row.pin_must_change = must_change
    return chosen


def clear_pin(core: Core, actor: Actor, user: UUID | str) -> None:
    """Take a user's PIN away: they cannot log in on phones, and are logged out everywhere."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, User, actor.organisation, user)
        end_of_user(core, session, row, SessionEnd.PIN)
        row.pin_hash = row.pin_digest_encrypted = None


def set_voicemail_pin(core: Core, actor: Actor, user: UUID | str, pin: str) -> bool:
    """Set a user's voicemail PIN, or none with an empty text; returns whether they have one.

    Without one the mailbox cannot be reached from elsewhere. Raises InvalidInput.
    """
    actor.require(Permission.WRITE)
    chosen = fields.voicemail_pin(pin)
    hashed = core.pins.hash(chosen) if chosen else None
    with changing(core, actor) as session:
        queries.get(session, User, actor.organisation, user).voicemail_pin_hash = hashed
    return hashed is not None
