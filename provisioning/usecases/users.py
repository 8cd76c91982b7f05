"""Users: the people of an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.crypto.passwords import check_pin_form, generate_pin
from provisioning.domain import fields
from provisioning.domain.errors import DuplicateExtension, DuplicateName
from provisioning.domain.roles import Permission
from provisioning.store import queries, usage
from provisioning.store.catalogue import CategoryOption
from provisioning.store.database import Session
from provisioning.store.people import SipAccount, User
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.core import Core
from provisioning.usecases.logins import add_login
from provisioning.usecases.memberships import forget_user, parting
from provisioning.usecases.pages import Page, page_of, row_of
from provisioning.usecases.roles import role_of_a_user
from provisioning.usecases.sip import first_account

_FIELDS: dict[str, Check] = {
    "first_name": lambda value: fields.name("first_name", value),
    "last_name": lambda value: fields.name("last_name", value, empty=True),
    "email": fields.email,
    "extension": fields.extension,
    "enabled": bool,
    "role_id": lambda value: value,
}


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user just made, with what was made for them.

    ``note`` is what the admin should know of the account, ``password`` what was generated for
    their login.
    """

    user: User
    account: SipAccount | None
    note: str
    password: str | None = None


def add_user(
    core: Core, actor: Actor, *, sip_account: Mapping[str, Any] | None = None,
    login: Mapping[str, Any] | None = None, **columns: Any,
) -> NewUser:  # fmt: skip
    """Make a user and, where it can be, their SIP account on the default server; a login if asked.

    Raises InvalidInput, DuplicateExtension or DuplicateName; nothing is stored then.
    """
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        user = User(organisation_id=actor.organisation, first_name="")
        change(user, columns, _FIELDS)
        fields.name("first_name", user.first_name)
        role_of_a_user(session, user.organisation_id, user.role_id)
        _check_unique(session, user)
        session.add(user)
        session.flush()
        account, note = first_account(core, session, user, given=sip_account)
        password = add_login(session, actor, user, login) if login is not None else None
        return NewUser(user, account, note, password)


def list_users(
    core: Core, actor: Actor, page: Page, *, option: UUID | str | None = None
) -> list[User]:
    """A page of the organisation's users, those in an option if one is named."""
    if option is None:
        return page_of(core, actor, User, page)
    actor.require(Permission.READ)
    with core.database.read() as session:
        row = queries.get(session, CategoryOption, actor.organisation, option)
        return queries.owned(
            session, User, actor.organisation,
            where=usage.in_option(row.id), q=page.q, limit=page.limit, cursor=page.cursor,
        )  # fmt: skip


def read_user(core: Core, actor: Actor, user: UUID | str) -> User:
    """One user; raises NotFound."""
    return row_of(core, actor, User, user)


def change_user(
    core: Core, actor: Actor, user: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> User:  # fmt: skip
    """Change a user; raises NotFound, InvalidInput, DuplicateExtension or StaleRevision."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, User, actor.organisation, user)
        expect(row, revision)
        disabling = row.enabled and changes.get("enabled") is False
        guard = parting(session, actor, row) if disabling else nullcontext()
        with guard, session.no_autoflush:
            change(row, changes, _FIELDS)
            role_of_a_user(session, row.organisation_id, row.role_id)
            _check_unique(session, row)
        return row


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
        with parting(session, actor, row):
            forget_user(session, row)
        queries.forget_values(session, row.id)
        session.delete(row)


def set_pin(core: Core, actor: Actor, user: UUID | str, pin: str | None) -> str:
    """Set a user's hotdesk PIN, or generate one; returns it, to be shown once.

    Raises InvalidInput for a PIN that is too short, a sequence or a repetition.
    """
    actor.require(Permission.WRITE)
    if pin is not None:
        check_pin_form(pin)
    chosen = pin or generate_pin()
    hashed = core.pins.hash(chosen)
    with changing(core, actor) as session:
        row = queries.get(session, User, actor.organisation, user)
        row.pin_hash = hashed
        row.pin_must_change = False
    return chosen


def clear_pin(core: Core, actor: Actor, user: UUID | str) -> None:
    """Take a user's PIN away: they cannot log in on phones."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        queries.get(session, User, actor.organisation, user).pin_hash = None
