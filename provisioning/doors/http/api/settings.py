"""The settings table, the values that stand at a level, and what holds for a user."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, RootModel

from provisioning.domain.roles import Permission
from provisioning.domain.settings import SETTINGS, Kind
from provisioning.domain.settings import Setting as Definition
from provisioning.doors.http.api.files import Origin, origin_of
from provisioning.doors.http.api.models import Listing, Shown, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import settings as usecases

ENDPOINTS = Endpoints()

_TYPES = {
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "boolean",
    Kind.LIST: "array",
    Kind.NUMBERS: "array",
    Kind.ADDRESSES: "array",
}
"""The JSON types of values; those of other kinds are strings."""


class Setting(Shown):
    """A setting phones can have: its form, its default and where it may stand."""

    key: str
    kind: str
    default: Any
    help: str
    scope: str
    class_: str
    """`normal`, `place`, `secret` or `personal`."""
    levels: list[str]
    choices: list[str]
    minimum: int
    maximum: int
    member: str | None
    """Who changes it for themselves: null nobody, empty everybody, else those with this right."""


class SettingValue(Shown):
    """A value as it stands at a level."""

    key: str
    value: Any
    locked: bool
    """Whether later levels cannot override it."""
    set_by: str
    set_at: datetime


def schema_of(setting: Definition) -> dict[str, Any]:
    """The JSON schema of a setting's value."""
    plain: dict[str, Any] = {"type": _TYPES.get(setting.kind, "string")}
    if setting.kind is Kind.CHOICE:
        plain["enum"] = list(setting.choices)
    elif setting.kind is Kind.LIST:
        plain |= {"items": {"enum": list(setting.choices)}, "uniqueItems": True}
    elif setting.kind in (Kind.NUMBERS, Kind.ADDRESSES):
        plain |= {"items": {"type": "string"}, "maxItems": setting.maximum}
    elif setting.kind is Kind.INTEGER:
        plain |= {"minimum": setting.minimum, "maximum": setting.maximum}
    elif setting.kind is Kind.TEXT:
        plain |= {"minLength": setting.minimum, "maxLength": setting.maximum}
    return plain


def _schema(setting: Definition) -> dict[str, Any]:
    plain = schema_of(setting)
    locked = {
        "type": "object",
        "properties": {"value": plain, "locked": {"type": "boolean"}},
        "additionalProperties": False,
    }
    return {"description": setting.help, "anyOf": [plain, locked]}


def _of_the_table(schema: dict[str, Any]) -> None:
    schema["properties"] = {setting.key: _schema(setting) for setting in SETTINGS}
    schema["additionalProperties"] = False


class NewValues(RootModel[dict[str, Any]]):
    """Values by key, each as such or as `{"value": …, "locked": …}`."""

    model_config = ConfigDict(json_schema_extra=_of_the_table)


@ENDPOINTS.get("/settings", Permission.READ)
def list_settings(call: Call) -> Listing[Setting]:  # noqa: ARG001 - the table is everybody's
    """Every setting there is."""
    return whole(Setting.of(setting) for setting in SETTINGS)


@ENDPOINTS.get("/settings/{level}/{owner}", Permission.READ)
def list_setting_values(call: Call, level: str, owner: str) -> Listing[SettingValue]:
    """The values that stand at a level."""
    return whole(map(SettingValue.of, usecases.list_values(call.core, call.actor, level, owner)))


@ENDPOINTS.put("/settings/{level}/{owner}", Permission.WRITE, listed=True)
def set_setting_values(
    call: Call, level: str, owner: str, body: NewValues
) -> Listing[SettingValue]:
    """Set values at a level, all of those sent or none; others stay."""
    rows = usecases.set_values(call.core, call.actor, level, owner, body.root)
    return whole(map(SettingValue.of, rows))


@ENDPOINTS.delete("/settings/{level}/{owner}/{key}", Permission.WRITE)
def delete_setting_value(call: Call, level: str, owner: str, key: str) -> None:
    """Take a value away, so that an earlier level's holds again."""
    usecases.delete_value(call.core, call.actor, level, owner, key)


@ENDPOINTS.get("/users/{user}/effective", Permission.READ)
def read_user_values(call: Call, user: UUID) -> Listing[Origin]:
    """The value that holds for each setting of a user, before any phone's own."""
    found = usecases.effective_for_user(call.core, call.actor, user)
    return whole(origin_of(call, held) for held in found)
