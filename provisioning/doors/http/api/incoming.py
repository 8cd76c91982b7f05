"""From a request's texts and bytes to what its endpoint's function takes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import BaseModel, ValidationError

from provisioning.domain.errors import (
    InvalidInput,
    MalformedJson,
    StaleRevision,
    Unauthenticated,
    UnsupportedMediaType,
)
from provisioning.doors.http.api.models import Form, Input, Takes, Upload
from provisioning.doors.http.api.registry import DRY_RUN, Endpoint, Parameter, Where
from provisioning.usecases.pages import Page

_REVISION = re.compile(r'"([0-9]{1,9})"')
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
_BASIC = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE)
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request without its HTTP; header values are empty where the header is missing."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""
    media_type: str = ""
    if_match: str = ""
    authorization: str = ""
    organisation: str = ""
    session: str = ""
    requested_with: str = ""
    source: str = ""
    user_agent: str = ""
    accept: str = ""


def bearer_token(incoming: Incoming) -> str:
    """The token of the header Authorization (RFC 6750 section 2.1); raises Unauthenticated.

    It may also be the password of Basic: PBXs know no other way. Basic is never asked for, so
    that no browser keeps a token and sends it by itself.
    """
    sent = incoming.authorization.strip()
    found = _BEARER.fullmatch(sent) or _BEARER.fullmatch(f"bearer {_basic_password(sent)}")
    if found is None:
        raise Unauthenticated(
            "The request has no bearer token.",
            remedy="Send the header 'Authorization: Bearer TOKEN'; "
            "`provisioning token create --name NAME --role admin` makes one.",
        )
    return found[1]


def _basic_password(authorization: str) -> str:
    """The password of a header of Basic (RFC 7617 section 2); empty where there is none."""
    found = _BASIC.fullmatch(authorization)
    try:
        decoded = base64.b64decode(found[1] if found else "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


def wanted_organisation(incoming: Incoming) -> UUID | None:
    """The organisation an operator's token asks to act in."""
    if not incoming.organisation:
        return None
    try:
        return UUID(incoming.organisation)
    except ValueError:
        raise InvalidInput(
            "The header 'X-Organisation' is no id.",
            remedy="Give the UUID that GET /api/v1/organisations shows.",
            field="X-Organisation",
        ) from None


def only_tries(endpoint: Endpoint, found: dict[str, Any]) -> bool:
    """Whether the arguments ask for a dry run; takes that out of them."""
    return endpoint.tried and bool(found.pop(DRY_RUN.name, False))


def arguments(endpoint: Endpoint, incoming: Incoming) -> dict[str, Any]:
    """The arguments of the endpoint's function, besides the call.

    Raises InvalidInput, MalformedJson, UnsupportedMediaType or StaleRevision.
    """
    found = dict(_parameters(endpoint, incoming))
    if endpoint.paged:
        paging = {name: found.pop(name) for name in Page.__slots__ if name in found}
        found["page"] = Page(**paging)
    if endpoint.body is not None:
        found["body"] = _body(endpoint.body, incoming)
    if endpoint.takes is not None:
        found["upload"] = _upload(endpoint.takes, incoming)
    revision = _revision(endpoint, incoming.if_match)
    if endpoint.revised:
        found["revision"] = revision
    return found


# --- path and query


def _parameters(endpoint: Endpoint, incoming: Incoming) -> list[tuple[str, Any]]:
    known = {item.name for item in endpoint.parameters if item.where is Where.QUERY}
    for name in incoming.query:
        if name not in known:
            raise InvalidInput(
                f"There is no parameter '{name[:40]}' here.",
                remedy=f"It takes: {', '.join(sorted(known)) or 'none'}.",
                field=name[:40],
            )
    return [
        (item.name, _value(item, source[item.name]))
        for item in endpoint.parameters
        for source in (incoming.path if item.where is Where.PATH else incoming.query,)
        if item.name in source
    ]


def _value(parameter: Parameter, text: str) -> Any:
    try:
        return parameter.adapter.validate_python(text)
    except ValidationError as error:
        raise InvalidInput(
            f"The parameter '{parameter.name}' is not allowed as it is: {_reason(error)}.",
            remedy="The OpenAPI document says what it takes.",
            field=parameter.name,
        ) from None


# --- body


def _body(model: type[BaseModel], incoming: Incoming) -> BaseModel:
    taken = media_types(model)
    came_as = incoming.media_type or taken[0]
    if came_as not in taken:
        raise UnsupportedMediaType(
            f"The body came as '{came_as[:60]}'.",
            remedy=f"Send it with the header 'Content-Type: {taken[0]}'.",
        )
    if came_as == _FORM:
        return _form(model, incoming.body)
    try:
        return model.model_validate_json(incoming.body or b"{}")
    except ValidationError as error:
        raise _invalid(model, error) from None


def _upload(takes: Takes, incoming: Incoming) -> Upload:
    if incoming.media_type not in takes.media_types:
        raise UnsupportedMediaType(
            f"The body came as '{incoming.media_type[:60] or 'nothing said'}'.",
            remedy=f"Send it with the header 'Content-Type: {' or '.join(takes.media_types)}'.",
        )
    return Upload(incoming.body)


def media_types(model: type[BaseModel]) -> tuple[str, ...]:
    """In what a body can come, the usual one first."""
    kinds = model.__mro__
    if Form not in kinds:
        return (_JSON,)
    return (_JSON, _FORM) if Input in kinds else (_FORM,)


def _form(model: type[BaseModel], body: bytes) -> BaseModel:
    try:
        text = body.decode().strip()
        sent = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise InvalidInput(
            "The form cannot be read.", remedy="Send it in UTF-8, with at most 1000 fields."
        ) from None
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise _invalid(model, error) from None


def _invalid(model: type[BaseModel], error: ValidationError) -> InvalidInput:
    """The first fault as our own error; what was sent is not repeated, it may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return MalformedJson(
            f"The body is no JSON: {_reason(error)}.", remedy="Send one JSON object."
        )
    field = ".".join(str(part) for part in first["loc"])[:100]
    if first["type"] == "extra_forbidden":
        return InvalidInput(
            f"There is no field '{field}' here.",
            remedy=f"There are: {', '.join(sorted(model.model_fields))}.",
            field=field,
        )
    if first["type"] == "missing":
        return InvalidInput(f"The field '{field}' is missing.", remedy="Send it.", field=field)
    where = f"The field '{field}'" if field else "The body"
    return InvalidInput(
        f"{where} is not allowed as it is: {_reason(error)}.",
        remedy="The OpenAPI document says what it takes.",
        field=field,
    )


def _reason(error: ValidationError) -> str:
    message = error.errors(include_url=False, include_input=False)[0]["msg"]
    return message[:1].lower() + message[1:200].rstrip(".")


# --- preconditions


def _revision(endpoint: Endpoint, if_match: str) -> int | None:
    """The revision a change is based on (RFC 9110 section 13.1.1); None where any will do."""
    if if_match in ("", "*") or endpoint.method == "GET":
        return None
    if endpoint.listed:
        return None  # compared with the list itself, when its turn has come
    if not endpoint.revised:
        raise StaleRevision(
            "This has no revision that 'If-Match' could name.", remedy="Leave the header out."
        )
    found = _REVISION.fullmatch(if_match.strip())
    if found is None:
        raise StaleRevision(
            "The header 'If-Match' names no revision.",
            remedy='Send the ETag as it came, for example "3" with its quotes.',
        )
    return int(found[1])
