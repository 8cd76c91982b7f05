"""Labels of phones: sheets to print, and new ones for those that were lost."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Content, Shown
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases.labels import codes as usecases

ENDPOINTS = Endpoints()

_PDF = "application/pdf"


class Label(Shown):
    """Where a phone's label leads."""

    url: str


@ENDPOINTS.get("/sites/{site}/labels", Permission.READ)
def read_site_labels(call: Call, site: UUID) -> Content:
    """A PDF with the label of each phone of a site at which people log in."""
    return Content(usecases.site_labels(call.core, call.actor, site), _PDF)


@ENDPOINTS.get("/stations/{station}/label", Permission.READ)
def read_station_label(call: Call, station: UUID) -> Content:
    """A PDF with the label of one phone."""
    return Content(usecases.station_label(call.core, call.actor, station), _PDF)


@ENDPOINTS.post("/stations/{station}/label", Permission.WRITE, HTTPStatus.OK)
def renew_station_label(call: Call, station: UUID) -> Label:
    """Give a phone a new label; the old one leads nowhere from now on."""
    return Label(url=usecases.renew_label(call.core, call.actor, station))
