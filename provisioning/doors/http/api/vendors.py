"""The vendors whose phones are served, and those that are disabled."""

from __future__ import annotations

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Listing, Shown, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import dialects as usecases

ENDPOINTS = Endpoints()


class Vendor(Shown):
    """A vendor's dialect, or the reason why its folder is disabled."""

    id: str
    name: str
    enabled: bool
    reason: str = ""


class Model(Shown):
    """A model as vendor.toml describes it; what no source gives is null."""

    id: str
    kind: str
    names: list[str]
    lines: int | None
    keys: int | None
    handsets: int | None
    expansion_modules: int
    highest_trust: str
    cannot: list[str]


class FileRule(Shown):
    """A file the vendor's phones fetch."""

    pattern: str
    secret: bool
    proof: bool
    session: bool
    media_type: str


class VendorDetails(Vendor):
    """A vendor's dialect with its models and files."""

    models: list[Model]
    files: list[FileRule]


@ENDPOINTS.get("/vendors", Permission.READ)
def list_vendors(call: Call) -> Listing[Vendor]:
    """Every vendor folder, disabled ones with their reason."""
    return whole(Vendor(**_summary(each)) for each in usecases.list_vendors(call.core, call.actor))


@ENDPOINTS.get("/vendors/{vendor}", Permission.READ)
def read_vendor(call: Call, vendor: str) -> VendorDetails:
    """One vendor with its models and files."""
    state = usecases.read_vendor(call.core, call.actor, vendor)
    data = state.data
    return VendorDetails(
        **_summary(state),
        models=[
            Model(
                id=model.id,
                kind=model.kind,
                names=list(model.names),
                lines=model.lines,
                keys=model.keys,
                handsets=model.handsets,
                expansion_modules=model.expansion.modules if model.expansion else 0,
                highest_trust=model.highest_trust or data.highest_trust,
                cannot=list(model.cannot),
            )
            for model in (data.models if data else ())
            if data
        ],
        files=[FileRule.of(rule) for rule in (data.files if data else ())],
    )


def _summary(state: usecases.VendorState) -> dict[str, str | bool]:
    if state.data is None:
        return {"id": state.id, "name": state.id, "enabled": False, "reason": state.disabled}
    return {"id": state.id, "name": state.data.name, "enabled": True}
