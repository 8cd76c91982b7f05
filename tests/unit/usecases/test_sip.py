"""SIP servers: one of them is the default."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import DuplicateName
from provisioning.usecases import sip
from provisioning.usecases.pages import Page


def defaults(core, actor):
    """The names of the servers that are the default."""
    return [row.name for row in sip.list_servers(core, actor, Page()) if row.is_default]


def test_another_server_becomes_the_default(core, actor):
    """Whoever becomes the default, by being made or changed, takes the former's place."""
    first = sip.add_server(core, actor, name="first", registrar="a.example.com")
    sip.add_server(core, actor, name="second", registrar="b.example.com")
    assert defaults(core, actor) == ["first"]
    sip.add_server(core, actor, name="third", registrar="c.example.com", is_default=True)
    assert defaults(core, actor) == ["third"]
    sip.change_server(core, actor, first.id, {"is_default": True})
    assert defaults(core, actor) == ["first"]


def test_refused_default_leaves_the_former(core, actor):
    """A server that cannot be made leaves the default as it was."""
    sip.add_server(core, actor, name="first", registrar="a.example.com")
    with pytest.raises(DuplicateName):
        sip.add_server(core, actor, name="first", registrar="b.example.com", is_default=True)
    assert defaults(core, actor) == ["first"]
