"""The keys that stand at a level."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from provisioning.domain import keys as domain
from provisioning.domain.keys import Area, KeyType
from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import keys as usecases

ENDPOINTS = Endpoints()

Number = Annotated[int, Field(ge=0, le=10_000)]


class Key(Shown):
    """A key: where it sits and what it does."""

    area: str
    module: int
    """0 on the phone itself, else the expansion module."""
    position: int
    """Counted from 1 over all pages of its area and module."""
    type: str
    value: str
    """The number, slot or URL it is for."""
    label: str
    line: int
    """The line it uses, from 1."""


class NewKey(Input):
    """A key to set."""

    area: Area = absent()
    module: Number = absent()
    position: Number
    type: KeyType
    value: Text = absent()
    label: Text = absent()
    line: Number = absent()


class NewKeys(Input):
    """The keys of a level; those not among them go."""

    items: Annotated[list[NewKey], Field(max_length=5000)]


@ENDPOINTS.get("/keys/{level}/{owner}", Permission.READ)
def list_keys(call: Call, level: str, owner: str) -> Listing[Key]:
    """The keys that stand at a level."""
    return whole(map(shown_key, usecases.list_keys(call.core, call.actor, level, owner)))


@ENDPOINTS.put("/keys/{level}/{owner}", Permission.WRITE, listed=True)
def replace_keys(call: Call, level: str, owner: str, body: NewKeys) -> Listing[Key]:
    """Make these the keys of a level."""
    keys = [usecases.read_key(item.sent()) for item in body.items]
    return whole(map(shown_key, usecases.replace_keys(call.core, call.actor, level, owner, keys)))


def shown_key(key: domain.Key) -> Key:
    """A key as it is shown."""
    at = key.address
    return Key.of(key, area=at.area, module=at.module, position=at.position, type=key.type)
