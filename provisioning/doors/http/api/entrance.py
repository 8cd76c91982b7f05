"""Who asks: a bearer token, or the cookie of a session; and what an endpoint wants of them."""

from __future__ import annotations

from provisioning.domain.errors import Forbidden, MissingHeader
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.incoming import Incoming, bearer_token, wanted_organisation
from provisioning.doors.http.api.registry import Call, Endpoint, Entry
from provisioning.usecases import sessions
from provisioning.usecases.actors import Actor, authenticate
from provisioning.usecases.core import Core

OUR_HEADER = "X-Requested-With"
"""What a change by cookie has to carry, with any value.

A page of another site cannot send it without our leave (CORS asks first, and we never answer). A
bearer token needs none: no browser sends it by itself.
"""


def admitted(core: Core, endpoint: Endpoint, incoming: Incoming) -> Call:
    """The call of whoever may make it.

    Raises Unauthenticated, Forbidden, MissingHeader, MustChangePassword or MustEnrolTotp.
    """
    source, agent = incoming.source, incoming.user_agent
    if endpoint.permission is None:
        nobody = Actor("anybody", None, frozenset(), source=source)
        return Call(core, nobody, source=source, user_agent=agent, accept=incoming.accept)
    if incoming.session and not incoming.authorization:
        return _by_session(core, endpoint, incoming)
    token = bearer_token(incoming)
    actor = authenticate(core, token, wanted_organisation(incoming), source)
    if not isinstance(endpoint.permission, Permission):
        raise Forbidden(
            "This is about a login's session, which a token is not.",
            remedy="Log in: POST /api/v1/session.",
        )
    actor.require(endpoint.permission)
    return Call(core, actor, source=source, user_agent=agent, accept=incoming.accept)


def _by_session(core: Core, endpoint: Endpoint, incoming: Incoming) -> Call:
    source, agent = incoming.source, incoming.user_agent
    if endpoint.method != "GET" and not incoming.requested_with:
        raise MissingHeader(
            f"A change by a session's cookie has no header '{OUR_HEADER}'.",
            remedy=f"Send '{OUR_HEADER}: fetch', or use a bearer token.",
            field=OUR_HEADER,
        )
    session = sessions.resume(core, incoming.session, source)
    if endpoint.permission is Entry.SESSION:
        nobody = Actor(session.login.email, None, frozenset(), source=source)
        return Call(core, nobody, session, source, agent, incoming.accept)
    actor = session.actor_in(core, wanted_organisation(incoming))
    if isinstance(endpoint.permission, Permission):
        actor.require(endpoint.permission)
    return Call(core, actor, session, source, agent, incoming.accept)
