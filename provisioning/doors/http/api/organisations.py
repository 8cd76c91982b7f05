"""Organisations, their sites and profiles."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from provisioning.domain.kinds import Package
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.store.organisations import Site as Row
from provisioning.usecases import organisations as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()

# --- organisations


class Organisation(Shown):
    """A tenant."""

    id: UUID
    name: str
    totp_required: bool
    """Whether its members need an authenticator to log in."""
    display_name: str
    """What its phones show; the name where it is empty."""
    address: str
    """Where emergency help goes for a site that says no place of its own."""
    legal_name: str
    number: str
    """Its number in a register."""
    package: str
    contract_until: date | None
    """The last day of the contract; while it runs a smaller package may be taken."""
    curing_until: date | None
    """The last day of a curing period; until then no smaller package may be taken."""
    licensing: bool
    """Whether phones on desks need licences, and the operator sets how many there are."""
    revision: int
    organisation_url: str = ""
    """The URL for DHCP and redirect services; it names the organisation and proves nothing."""


class NewOrganisation(Input):
    """A tenant to make."""

    name: Text


class OrganisationChange(Input):
    """What can be changed of a tenant; the last five are the operator's."""

    name: Text = absent()
    totp_required: bool = absent()
    display_name: Text = absent()
    address: Text = absent()
    package: Package = absent()
    legal_name: Text = absent()
    number: Text = absent()
    contract_until: date | None = absent()
    curing_until: date | None = absent()
    licensing: bool = absent()


@ENDPOINTS.get("/organisation", Permission.READ)
def read_organisation(call: Call) -> Organisation:
    """The organisation acted in."""
    row = usecases.current_organisation(call.core, call.actor)
    return Organisation.of(row, organisation_url=usecases.organisation_url(call.core, call.actor))


@ENDPOINTS.patch("/organisation", Permission.ACCOUNT)
def change_organisation(
    call: Call, body: OrganisationChange, revision: int | None = None
) -> Organisation:
    """Change the organisation acted in."""
    row = usecases.change_organisation(call.core, call.actor, body.sent(), revision)
    return Organisation.of(row, organisation_url=usecases.organisation_url(call.core, call.actor))


@ENDPOINTS.get("/organisations", Permission.OPERATE)
def list_organisations(call: Call, page: Page) -> Listing[Organisation]:
    """All organisations of the server."""
    rows = usecases.list_organisations(call.core, call.actor, page)
    return listing(rows, page, Organisation.of)


@ENDPOINTS.post("/organisations", Permission.OPERATE)
def add_organisation(call: Call, body: NewOrganisation) -> Organisation:
    """Make an organisation with its first site."""
    return Organisation.of(usecases.add_organisation(call.core, call.actor, body.name))


# --- sites


class Site(Shown):
    """A place: where emergency help goes, its networks and how much proof it asks for."""

    id: UUID
    name: str
    networks: list[str]
    minimum_trust: str
    allow_http: bool
    emergency_location: str
    effective_emergency_location: str
    """The site's own, or else the organisation's address."""
    emergency_caller_id: str
    sip_server_id: UUID | None
    revision: int


class SiteChange(Input):
    """What can be changed of a site."""

    name: Text = absent()
    networks: list[Text] = absent()
    """CIDR networks of its phones, for example 192.0.2.0/24."""
    minimum_trust: Text = absent()
    """The grade of proof its secret files ask for."""
    allow_http: bool = absent()
    """Whether phones that cannot use our HTTPS may be moved to plain HTTP."""
    emergency_location: Text = absent()
    emergency_caller_id: Text = absent()
    sip_server_id: UUID | None = absent()


class NewSite(SiteChange):
    """A site to make."""

    name: Text


@ENDPOINTS.get("/sites", Permission.READ)
def list_sites(call: Call, page: Page) -> Listing[Site]:
    """The organisation's sites."""
    rows = usecases.list_sites(call.core, call.actor, page)
    address = usecases.organisation_address(call.core, call.actor)
    return listing(rows, page, lambda row: _site(row, address))


@ENDPOINTS.post("/sites", Permission.WRITE)
def add_site(call: Call, body: NewSite) -> Site:
    """Make a site."""
    row = usecases.add_site(call.core, call.actor, **body.sent())
    return _site(row, usecases.organisation_address(call.core, call.actor))


@ENDPOINTS.get("/sites/{site}", Permission.READ)
def read_site(call: Call, site: UUID) -> Site:
    """One site."""
    row = usecases.read_site(call.core, call.actor, site)
    return _site(row, usecases.organisation_address(call.core, call.actor))


@ENDPOINTS.patch("/sites/{site}", Permission.WRITE)
def change_site(call: Call, site: UUID, body: SiteChange, revision: int | None = None) -> Site:
    """Change a site."""
    row = usecases.change_site(call.core, call.actor, site, body.sent(), revision)
    return _site(row, usecases.organisation_address(call.core, call.actor))


@ENDPOINTS.delete("/sites/{site}", Permission.WRITE, dry_run=True)
def delete_site(call: Call, site: UUID, revision: int | None = None) -> None:
    """Delete a site no device stands at."""
    usecases.delete_site(call.core, call.actor, site, revision)


def _site(row: Row, address: str) -> Site:
    return Site.of(row, effective_emergency_location=row.emergency_location or address)


# --- profiles


class Profile(Shown):
    """A named set of settings that devices share."""

    id: UUID
    name: str
    revision: int


class ProfileChange(Input):
    """What can be changed of a profile."""

    name: Text = absent()


class NewProfile(ProfileChange):
    """A profile to make."""

    name: Text


@ENDPOINTS.get("/profiles", Permission.READ)
def list_profiles(call: Call, page: Page) -> Listing[Profile]:
    """The organisation's profiles."""
    return listing(usecases.list_profiles(call.core, call.actor, page), page, Profile.of)


@ENDPOINTS.post("/profiles", Permission.WRITE)
def add_profile(call: Call, body: NewProfile) -> Profile:
    """Make a profile."""
    return Profile.of(usecases.add_profile(call.core, call.actor, body.name))


@ENDPOINTS.get("/profiles/{profile}", Permission.READ)
def read_profile(call: Call, profile: UUID) -> Profile:
    """One profile."""
    return Profile.of(usecases.read_profile(call.core, call.actor, profile))


@ENDPOINTS.patch("/profiles/{profile}", Permission.WRITE)
def change_profile(
    call: Call, profile: UUID, body: ProfileChange, revision: int | None = None
) -> Profile:
    """Rename a profile."""
    row = usecases.change_profile(call.core, call.actor, profile, body.sent(), revision)
    return Profile.of(row)


@ENDPOINTS.delete("/profiles/{profile}", Permission.WRITE, dry_run=True)
def delete_profile(call: Call, profile: UUID, revision: int | None = None) -> None:
    """Delete a profile no device has."""
    usecases.delete_profile(call.core, call.actor, profile, revision)
