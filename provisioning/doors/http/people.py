"""The people's listener: the API and the pages, on one address."""

from __future__ import annotations

from aiohttp import web

from provisioning.doors.http.api.application import api_application
from provisioning.doors.http.portal.application import add_pages
from provisioning.usecases.core import Core


def people_application(core: Core) -> web.Application:
    """The application that serves people and their programs."""
    application = api_application(core)
    add_pages(application, core)
    return application
