"""Requests made from the OpenAPI document, and whether the answers are as it says."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import closing
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from provisioning.doors.http.api.application import endpoints
from provisioning.doors.http.api.incoming import media_types
from provisioning.doors.http.api.openapi import document
from provisioning.doors.http.api.registry import Endpoint

Faults = dict[tuple[str, str], str]
"""What was wrong with answers, by operation and kind of fault: the first of each."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def cases(siege: Any, operation: APIOperation, endpoint: Endpoint) -> st.SearchStrategy[Case]:
    """Requests as the document allows them and others, most of them to what is there.

    Some have a body that is taken, so that the answers to what was done are seen too.
    """
    good, bad = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    real = siege.path(endpoint)
    kinds = [operation.as_strategy(good)]
    if endpoint.body is not None:
        body, media_type = siege.valid(endpoint), media_types(endpoint.body)[0]
        kinds.append(
            operation.as_strategy(good, path_parameters=real, body=body, media_type=media_type)
        )
    if real:
        kinds.append(operation.as_strategy(good, path_parameters=real))
    if operation.query or operation.body:
        kinds.append(operation.as_strategy(bad, path_parameters=real))
    return st.one_of(kinds)


def run(siege: Any, examples: int) -> None:
    """Send requests to every operation; fail with every answer that is not as it should be."""
    ids = st.sampled_from(sorted(siege.ids.values()))
    schemathesis.openapi.format("uuid", ids | st.uuids().map(str))
    schemathesis.openapi.media_type("text/csv", st.binary(max_size=200))
    schema = schemathesis.openapi.from_dict(document(endpoints()))
    declared = {endpoint.view.__name__: endpoint for endpoint in endpoints()}
    faults: Faults = {}
    with closing(requests.Session()) as session:
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for found in schema.get_all_operations():
            operation = found.ok()
            endpoint = declared[operation.definition.raw["operationId"]]
            attack(siege, session, operation, endpoint, examples, faults)
    assert not faults, "\n\n".join(f"{where}: {what}" for where, what in faults.items())


def attack(
    siege: Any,
    session: requests.Session,
    operation: APIOperation,
    endpoint: Endpoint,
    examples: int,
    faults: Faults,
) -> None:
    """Send an operation that many requests, the same ones in every run."""

    @seed(zlib.crc32(operation.label.encode()))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(siege, operation, endpoint), st.booleans(), st.booleans())
    def one(case: Case, operator: bool, bare: bool) -> None:
        if bare:
            case.headers = {}  # a random If-Match is 412, and nothing behind it is met
        headers = siege.headers(endpoint, operator=operator)
        try:
            case.call_and_validate(siege.url, session, headers=headers, checks=CHECKS)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                fault = f"{failure} {case.as_curl_command()}"[:1500]
                faults.setdefault((operation.label, type(failure).__name__), fault)
        if endpoint.method != "GET":
            siege.saved.restore()

    one()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_answers_are_as_the_document_says(siege):
    """No request is answered 5xx, or otherwise than the document says."""
    await asyncio.to_thread(run, siege, 1)


@pytest.mark.soak
async def test_answers_are_as_the_document_says_for_long(siege):
    """The same with many more requests."""
    await asyncio.to_thread(run, siege, 60)
