"""Numbers, cost centres and call targets of an organisation."""

from __future__ import annotations

from uuid import UUID

from provisioning.domain.kinds import TargetKind
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import catalogue as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()

# --- numbers


class OwnNumber(Shown):
    """A number of the organisation, the only source for caller ids."""

    id: UUID
    number: str
    """E.164 with its plus sign."""
    label: str
    is_default: bool
    """Whether it goes out where a user has none of their own."""
    free: bool
    users: list[UUID]
    """Who calls out with it; empty where it is free."""
    revision: int


class OwnNumberChange(Input):
    """What can be changed of a number."""

    number: Text = absent()
    """E.164 with its plus sign; blanks, dashes and brackets are taken out."""
    label: Text = absent()
    is_default: bool = absent()


class NewOwnNumber(OwnNumberChange):
    """A number to make."""

    number: Text


@ENDPOINTS.get("/numbers", Permission.READ)
def list_numbers(call: Call, page: Page) -> Listing[OwnNumber]:
    """The organisation's numbers and who uses them."""
    return listing(usecases.list_numbers(call.core, call.actor, page), page, _number)


@ENDPOINTS.post("/numbers", Permission.WRITE)
def add_number(call: Call, body: NewOwnNumber) -> OwnNumber:
    """Make a number."""
    return _number(usecases.add_number(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/numbers/{number}", Permission.READ)
def read_number(call: Call, number: UUID) -> OwnNumber:
    """One number."""
    return _number(usecases.read_number(call.core, call.actor, number))


@ENDPOINTS.patch("/numbers/{number}", Permission.WRITE)
def change_number(
    call: Call, number: UUID, body: OwnNumberChange, revision: int | None = None
) -> OwnNumber:
    """Change a number; whoever has it calls out with the new one."""
    return _number(usecases.change_number(call.core, call.actor, number, body.sent(), revision))


@ENDPOINTS.delete("/numbers/{number}", Permission.WRITE, dry_run=True)
def delete_number(call: Call, number: UUID, revision: int | None = None) -> None:
    """Delete a number nobody uses."""
    usecases.delete_number(call.core, call.actor, number, revision)


def _number(used: usecases.UsedNumber) -> OwnNumber:
    return OwnNumber.of(used.row, free=not used.users, users=list(used.users))


# --- cost centres


class CostCentre(Shown):
    """Where calls are charged."""

    id: UUID
    name: str
    code: str
    """Dialled before a number; empty for none."""
    users: int
    """How many belong to it."""
    revision: int


class CostCentreChange(Input):
    """What can be changed of a cost centre."""

    name: Text = absent()
    code: Text = absent()


class NewCostCentre(CostCentreChange):
    """A cost centre to make."""

    name: Text


@ENDPOINTS.get("/cost-centres", Permission.READ)
def list_cost_centres(call: Call, page: Page) -> Listing[CostCentre]:
    """The organisation's cost centres."""
    return listing(usecases.list_cost_centres(call.core, call.actor, page), page, _cost_centre)


@ENDPOINTS.post("/cost-centres", Permission.WRITE)
def add_cost_centre(call: Call, body: NewCostCentre) -> CostCentre:
    """Make a cost centre."""
    return _cost_centre(usecases.add_cost_centre(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/cost-centres/{cost_centre}", Permission.READ)
def read_cost_centre(call: Call, cost_centre: UUID) -> CostCentre:
    """One cost centre."""
    return _cost_centre(usecases.read_cost_centre(call.core, call.actor, cost_centre))


@ENDPOINTS.patch("/cost-centres/{cost_centre}", Permission.WRITE)
def change_cost_centre(
    call: Call, cost_centre: UUID, body: CostCentreChange, revision: int | None = None
) -> CostCentre:
    """Change a cost centre; its users' keys dial the new code."""
    return _cost_centre(
        usecases.change_cost_centre(call.core, call.actor, cost_centre, body.sent(), revision)
    )


@ENDPOINTS.delete("/cost-centres/{cost_centre}", Permission.WRITE, dry_run=True)
def delete_cost_centre(
    call: Call, cost_centre: UUID, confirm: bool = False, revision: int | None = None
) -> None:
    """Delete a cost centre; `confirm` takes it from the users who have it."""
    usecases.delete_cost_centre(
        call.core, call.actor, cost_centre, revision, confirm=confirm or call.trying
    )


def _cost_centre(charged: usecases.ChargedTo) -> CostCentre:
    return CostCentre.of(charged.row, users=charged.users)


# --- call targets


class CallTarget(Shown):
    """A named thing of the PBX that calls can go to."""

    id: UUID
    kind: str
    name: str
    number: str
    """What is dialled for it; without one no key can point to it."""
    revision: int


class CallTargetChange(Input):
    """What can be changed of a call target; its kind stays."""

    name: Text = absent()
    number: Text = absent()


class NewCallTarget(CallTargetChange):
    """A call target to make."""

    kind: TargetKind
    name: Text


@ENDPOINTS.get("/call-targets", Permission.READ)
def list_call_targets(call: Call, page: Page, kind: Text = "") -> Listing[CallTarget]:
    """The organisation's call targets, those of one kind if it is named."""
    rows = usecases.list_targets(call.core, call.actor, page, kind=kind)
    return listing(rows, page, CallTarget.of)


@ENDPOINTS.post("/call-targets", Permission.WRITE)
def add_call_target(call: Call, body: NewCallTarget) -> CallTarget:
    """Make a call target."""
    return CallTarget.of(usecases.add_target(call.core, call.actor, **body.sent()))


@ENDPOINTS.get("/call-targets/{target}", Permission.READ)
def read_call_target(call: Call, target: UUID) -> CallTarget:
    """One call target."""
    return CallTarget.of(usecases.read_target(call.core, call.actor, target))


@ENDPOINTS.patch("/call-targets/{target}", Permission.WRITE)
def change_call_target(
    call: Call, target: UUID, body: CallTargetChange, revision: int | None = None
) -> CallTarget:
    """Change a call target; keys that point to it dial its new number."""
    row = usecases.change_target(call.core, call.actor, target, body.sent(), revision)
    return CallTarget.of(row)


@ENDPOINTS.delete("/call-targets/{target}", Permission.WRITE, dry_run=True)
def delete_call_target(call: Call, target: UUID, revision: int | None = None) -> None:
    """Delete a call target that no key and no user's routing points to."""
    usecases.delete_target(call.core, call.actor, target, revision)
