"""The OpenAPI 3.1 document, derived from the endpoints and their models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from provisioning import __version__
from provisioning.doors.http.api.entrance import OUR_HEADER
from provisioning.doors.http.api.incoming import media_types
from provisioning.doors.http.api.models import Content, Shown, absent
from provisioning.doors.http.api.registry import (
    Call,
    Endpoint,
    Endpoints,
    Entry,
    Parameter,
    Where,
)
from provisioning.doors.http.api.trials import Effects
from provisioning.doors.http.cookies import COOKIE
from provisioning.doors.http.errors import MEDIA_TYPE

_REFERENCE = "#/components/schemas/{model}"
_JSON = "application/json"
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag the change is based on; 412 if it is no longer that.",
    "schema": {"type": "string"},
}
_ORGANISATION = {
    "name": "X-Organisation",
    "in": "header",
    "description": "The organisation an operator acts in.",
    "schema": {"type": "string", "format": "uuid"},
}


class Problem(Shown):
    """What went wrong (RFC 9457), with a `code` that never changes its meaning."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    field: str = ""
    remedy: str = ""
    based_on: int = 0
    """With 412: the revision the change was based on."""
    revision: int = 0
    """With 412: the revision that holds."""
    current: dict[str, Any] = absent()
    """With 412: the thing as it is now."""
    sent: dict[str, Any] = absent()
    """With 412: what was sent, secrets left out."""
    seconds: int = 0
    """With 429: how long to wait."""
    tries_left: int = 0
    """With a wrong PIN: how often one may try before one has to wait."""
    name: str = ""
    """With a phone in use: by whom it is, where its place lets that be told."""


def document_endpoint(declared: Sequence[Endpoint]) -> Endpoint:
    """The endpoint that answers the document of the given endpoints and of itself."""
    own = Endpoints()

    @cache  # written when it is first asked for: a start need not wait for it
    def written() -> bytes:
        return json.dumps(document([*declared, endpoint]), ensure_ascii=False).encode()

    @own.get("/openapi.json", None)
    def openapi(call: Call) -> Content:  # noqa: ARG001 - every endpoint gets the call
        """The OpenAPI document."""
        return Content(written(), _JSON)

    (endpoint,) = own
    return endpoint


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document of the endpoints."""
    listed = list(endpoints)
    references, schemas = _schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in listed:
        paths.setdefault(endpoint.template, {})[endpoint.method.lower()] = _operation(
            endpoint, references
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Roost", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": f"Changes need the header '{OUR_HEADER}' too.",
                },
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _models(endpoint: Endpoint) -> list[type[BaseModel]]:
    trial = (Effects,) if endpoint.tried else ()
    candidates: tuple[Any, ...] = (endpoint.body, *_plain(endpoint.answer), *trial)
    return [item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)]


def _plain(answer: Any) -> tuple[Any, ...]:
    """The answers of an endpoint: one, or the members of a union."""
    return get_args(answer) if _is_union(answer) else (answer,)


def _is_union(answer: Any) -> bool:
    return not isinstance(answer, type) and bool(get_args(answer))


def _schemas(
    endpoints: Sequence[Endpoint],
) -> tuple[dict[type[BaseModel], dict[str, Any]], dict[str, Any]]:
    used = [item for endpoint in endpoints for item in _models(endpoint)]
    models: list[type[BaseModel]] = list(dict.fromkeys([Problem, *used]))
    wanted: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (model, "validation") for model in models
    ]
    found, whole = models_json_schema(wanted, ref_template=_REFERENCE)
    references = {model: found[(model, "validation")] for model in models}
    return references, whole.get("$defs", {})


def _operation(
    endpoint: Endpoint, references: dict[type[BaseModel], dict[str, Any]]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.view.__name__,
        "summary": endpoint.summary,
        "tags": [endpoint.subject],
        "responses": {
            **_answers(endpoint, references),
            "default": {
                "description": "The request was refused or failed.",
                "content": {MEDIA_TYPE: {"schema": references[Problem]}},
            },
        },
    }
    parameters = [_parameter(item) for item in endpoint.parameters]
    if endpoint.permission is None:
        operation["security"] = []
    elif endpoint.permission is Entry.SESSION:
        operation["security"] = [{"session": []}]
    else:
        operation["description"] = f"Needs the permission `{endpoint.permission}`."
        parameters.append(_ORGANISATION)
    if endpoint.revised or endpoint.listed:
        parameters.append(_IF_MATCH)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        schema = references[endpoint.body]
        content = {media_type: {"schema": schema} for media_type in media_types(endpoint.body)}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.takes is not None:
        content = {
            media_type: {"schema": {"type": "string", "contentMediaType": media_type}}
            for media_type in endpoint.takes.media_types
        }
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described = {"description": parameter.help} if parameter.help else {}
    return {
        "name": parameter.name,
        "in": str(parameter.where),
        "required": parameter.where is Where.PATH,
        "schema": parameter.adapter.json_schema(),
        **described,
    }


def _answers(
    endpoint: Endpoint, references: dict[type[BaseModel], dict[str, Any]]
) -> dict[str, Any]:
    """The answers by status; one that can be tried says with 200 what it would do."""
    usual = _answer(endpoint, references)
    answers = {str(int(endpoint.status)): usual}
    if endpoint.tried:
        schemas = [references[Effects]]
        if endpoint.status == HTTPStatus.OK:
            schemas.append(usual["content"][_JSON]["schema"])
        content = {_JSON: {"schema": {"anyOf": schemas}}}
        answers["200"] = {"description": "The answer, or what it would do.", "content": content}
    return answers


def _answer(
    endpoint: Endpoint, references: dict[type[BaseModel], dict[str, Any]]
) -> dict[str, Any]:
    if endpoint.status == HTTPStatus.NO_CONTENT:
        return {"description": "Done."}
    content: dict[str, Any] = {}
    for item in _plain(endpoint.answer):
        if item is Content:
            content["*/*"] = {}
        else:
            content[_JSON] = {"schema": references[item]}
    return {"description": "The answer.", "content": content}
