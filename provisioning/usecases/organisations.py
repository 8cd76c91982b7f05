"""Organisations and their sites; what a new server begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.crypto.passwords import generate_password, hash_password
from provisioning.crypto.tokens import new_token, token_hash
from provisioning.domain import fields
from provisioning.domain.errors import DuplicateName, InvalidInput, StillInUse
from provisioning.domain.roles import BUILT_IN, Permission
from provisioning.domain.trust import GRADES
from provisioning.store import access, inventory, queries
from provisioning.store.catalogue import Category
from provisioning.store.database import Session
from provisioning.store.organisations import Login, Membership, Organisation, Profile, Role, Site
from provisioning.store.people import SipServer
from provisioning.usecases import windows
from provisioning.usecases.actors import Actor, changing
from provisioning.usecases.changes import Check, change, expect
from provisioning.usecases.company import change_company
from provisioning.usecases.core import Core
from provisioning.usecases.pages import Page, page_of, row_of
from provisioning.usecases.purposes import PURPOSE_ORGANISATION

FIRST_ORGANISATION = "main"
FIRST_SITE = "main"
DEPARTMENT = "department"
"""The name of the category every organisation has."""


def _new_organisation(core: Core, session: Session, name: str) -> Organisation:
    token = new_token()
    row = Organisation(
        name=name,
        token_hash=token_hash(token),
        token_encrypted=core.cipher.encrypt(token, PURPOSE_ORGANISATION),
    )
    session.add(row)
    session.flush()
    session.add(Site(organisation_id=row.id, name=FIRST_SITE))
    session.add(Category(organisation_id=row.id, name=DEPARTMENT, built_in=True))
    return row


def add_organisation(core: Core, actor: Actor, name: str) -> Organisation:
    """Make an organisation with its first site; raises DuplicateName."""
    actor.require(Permission.OPERATE)
    title = fields.name("name", name)
    with changing(core, actor) as session:
        if access.organisation_by_name(session, title):
            raise _duplicate("organisation", title)
        return _new_organisation(core, session, title)


def list_organisations(core: Core, actor: Actor, page: Page | None = None) -> list[Organisation]:
    """All organisations of the server, or a page of them."""
    actor.require(Permission.OPERATE)
    with core.database.read() as session:
        if page is None:
            return access.organisations(session)
        return queries.listed(session, Organisation, q=page.q, limit=page.limit, cursor=page.cursor)


def current_organisation(core: Core, actor: Actor) -> Organisation:
    """The organisation acted in."""
    actor.require(Permission.READ)
    with core.database.read() as session:
        return session.get_one(Organisation, actor.organisation)


def change_organisation(
    core: Core, actor: Actor, changes: Mapping[str, Any], revision: int | None = None
) -> Organisation:
    """Change the profile or package of the organisation acted in.

    Raises DuplicateName, StaleRevision, DowngradeRefused, and Forbidden for what is the operator's.
    """
    actor.require(Permission.ACCOUNT)
    with changing(core, actor) as session:
        row = session.get_one(Organisation, actor.organisation)
        expect(row, revision)
        with session.no_autoflush:
            change_company(row, changes, actor, core.clock().date())
            other = access.organisation_by_name(session, row.name)
        if other is not None and other.id != row.id:
            raise _duplicate("organisation", row.name)
        return row


def organisation_address(core: Core, actor: Actor) -> str:
    """Where emergency help goes for a site that says no place of its own."""
    with core.database.read() as session:
        return session.get_one(Organisation, actor.organisation).address


def organisation_url(core: Core, actor: Actor) -> str:
    """The URL to give to DHCP and redirect services: it names the organisation, proves nothing."""
    row = current_organisation(core, actor)
    return (
        f"{core.places.https}/o/{core.cipher.decrypt(row.token_encrypted, PURPOSE_ORGANISATION)}/"
    )


def _duplicate(kind: str, name: str) -> DuplicateName:
    return DuplicateName(
        f"There is already a {kind} '{name}'.", remedy="Choose another name.", field="name"
    )


# --- sites and profiles


def _trust_word(value: str) -> str:
    if value not in GRADES:
        raise InvalidInput(
            f"{value!r:.40} is no grade of trust.",
            remedy="Give one of " + ", ".join(GRADES) + ".",
            field="minimum_trust",
        )
    return value


_SITE_FIELDS: dict[str, Check] = {
    "name": lambda value: fields.name("name", value),
    "networks": lambda value: fields.networks("networks", value),
    "minimum_trust": _trust_word,
    "allow_http": bool,
    "emergency_location": lambda v: fields.name("emergency_location", v, longest=500, empty=True),
    "emergency_caller_id": lambda v: fields.dialled("emergency_caller_id", v),
    "sip_server_id": lambda value: value,
}


def list_sites(core: Core, actor: Actor, page: Page) -> list[Site]:
    """A page of the organisation's sites."""
    return page_of(core, actor, Site, page)


def read_site(core: Core, actor: Actor, site: UUID | str) -> Site:
    """One site; raises NotFound."""
    return row_of(core, actor, Site, site)


def add_site(core: Core, actor: Actor, **columns: Any) -> Site:
    """Make a site; raises DuplicateName or InvalidInput."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = Site(organisation_id=actor.organisation, name="")
        change(row, columns, _SITE_FIELDS)
        _unique_name(session, Site, actor.organisation, row)
        _known_server(session, actor.organisation, row.sip_server_id)
        session.add(row)
        return row


def change_site(
    core: Core, actor: Actor, site: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Site:  # fmt: skip
    """Change a site; raises NotFound, DuplicateName, InvalidInput or StaleRevision."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Site, actor.organisation, site)
        expect(row, revision)
        with session.no_autoflush:
            change(row, changes, _SITE_FIELDS)
            _unique_name(session, Site, actor.organisation, row)
            _known_server(session, actor.organisation, row.sip_server_id)
        return row


def delete_site(core: Core, actor: Actor, site: UUID | str, revision: int | None = None) -> None:
    """Delete a site that no device stands at; raises StillInUse, also for the last site."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Site, actor.organisation, site)
        expect(row, revision)
        if queries.rows_with(session, "device", site_id=row.id):
            raise StillInUse(
                f"Devices stand at the site '{row.name}'.", remedy="Move them to another first."
            )
        others = [
            site
            for site in queries.owned(session, Site, actor.organisation, limit=2)
            if site.id != row.id
        ]
        if not others:
            raise StillInUse(
                f"'{row.name}' is the only site.", remedy="An organisation keeps at least one."
            )
        for device in inventory.retired_with(session, site_id=row.id):
            device.site_id = others[0].id
        session.flush()
        queries.forget_values(session, row.id)
        session.delete(row)


def list_profiles(core: Core, actor: Actor, page: Page) -> list[Profile]:
    """A page of the organisation's profiles."""
    return page_of(core, actor, Profile, page)


def read_profile(core: Core, actor: Actor, profile: UUID | str) -> Profile:
    """One profile; raises NotFound."""
    return row_of(core, actor, Profile, profile)


def add_profile(core: Core, actor: Actor, name: str) -> Profile:
    """Make a profile; raises DuplicateName."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = Profile(organisation_id=actor.organisation, name=fields.name("name", name))
        _unique_name(session, Profile, actor.organisation, row)
        session.add(row)
        return row


def change_profile(
    core: Core, actor: Actor, profile: UUID | str, changes: Mapping[str, Any],
    revision: int | None = None,
) -> Profile:  # fmt: skip
    """Rename a profile; raises NotFound, DuplicateName or StaleRevision."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Profile, actor.organisation, profile)
        expect(row, revision)
        with session.no_autoflush:
            row.name = fields.name("name", changes.get("name", row.name))
            _unique_name(session, Profile, actor.organisation, row)
        return row


def delete_profile(
    core: Core, actor: Actor, profile: UUID | str, revision: int | None = None
) -> None:
    """Delete a profile no device has; raises StillInUse."""
    actor.require(Permission.WRITE)
    with changing(core, actor) as session:
        row = queries.get(session, Profile, actor.organisation, profile)
        expect(row, revision)
        if queries.rows_with(session, "device", profile_id=row.id):
            raise StillInUse(
                f"Devices have the profile '{row.name}'.", remedy="Give them another first."
            )
        for device in inventory.retired_with(session, profile_id=row.id):
            device.profile_id = None
        session.flush()
        queries.forget_values(session, row.id)
        session.delete(row)


def _unique_name(
    session: Session, table: type[Site | Profile], organisation: UUID, row: Site | Profile
) -> None:
    other = queries.named(session, table, organisation, row.name)
    if other is not None and other.id != row.id:
        raise _duplicate(row.__tablename__, row.name)


def _known_server(session: Session, organisation: UUID, server: UUID | None) -> None:
    if server is not None:
        queries.get(session, SipServer, organisation, server)


# --- the first start


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The first login; ``password`` is set when it was made up and must be shown once."""

    email: str
    password: str | None


def prepare(core: Core, *, email: str, password: str | None) -> FirstAdmin | None:
    """Give a new server its roles, first organisation and first admin; later starts add nothing.

    Returns the first admin when it was made just now.
    """
    with core.database.write() as session:
        _sync_roles(session)
        for trust in queries.trusts_without_screens(session):
            windows.give_screen_token(core, trust)
        if access.any_login(session):
            return None
        organisation = access.organisation_by_name(session, FIRST_ORGANISATION)
        if organisation is None:
            organisation = _new_organisation(core, session, FIRST_ORGANISATION)
        chosen = password or generate_password()
        login = Login(
            email=(fields.email(email) or email).lower(),
            password_hash=hash_password(chosen),
            must_change=password is None,
        )
        session.add(login)
        session.flush()
        owner = access.role_named(session, "owner", None)
        assert owner is not None  # noqa: S101 - made by _sync_roles above
        session.add(
            Membership(organisation_id=organisation.id, login_id=login.id, role_id=owner.id)
        )
        return FirstAdmin(login.email, None if password else chosen)


def _sync_roles(session: Session) -> None:
    """Make the built-in roles' rows say what the code says."""
    there = {row.name: row for row in access.roles(session, None)}
    for role in BUILT_IN:
        wanted = sorted(str(permission) for permission in role.permissions)
        row = there.get(role.name)
        if row is None:
            session.add(Role(name=role.name, permissions=wanted))
        elif row.permissions != wanted:
            row.permissions = wanted
    session.flush()
