"""From a request's texts and bytes to what its endpoint's function takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from provisioning.domain.errors import (
    InvalidInput,
    MalformedJson,
    StaleRevision,
    Unauthenticated,
    UnsupportedMediaType,
)
from provisioning.doors.http.api.registry import DRY_RUN, Endpoint, Parameter, Where
from provisioning.usecases.pages import Page

_REVISION = re.compile(r'"([0-9]{1,9})"')
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
_JSON = "application/json"


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
    accept: str = ""


def bearer_token(incoming: Incoming) -> str:
    """The token of the header Authorization (RFC 6750 section 2.1); raises Unauthenticated."""
    found = _BEARER.fullmatch(incoming.authorization.strip())
    if found is None:
        raise Unauthenticated(
            "The request has no bearer token.",
            remedy="Send the header 'Authorization: Bearer TOKEN'; "
            "`provisioning token create --name NAME --role admin` makes one.",
        )
    return found[1]


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
    if incoming.media_type not in ("", _JSON):
        raise UnsupportedMediaType(
            f"The body came as '{incoming.media_type[:60]}'.",
            remedy=f"Send JSON with the header 'Content-Type: {_JSON}'.",
        )
    try:
        return model.model_validate_json(incoming.body or b"{}")
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
