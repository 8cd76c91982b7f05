"""The OpenAPI document: valid, complete, and derived from what is served."""

from __future__ import annotations

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from provisioning.domain.settings import SETTINGS
from provisioning.doors.http.api.application import api_application, endpoints
from provisioning.doors.http.errors import STATUSES, problem

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
async def document(client):
    """The document as a client without a token gets it."""
    async with client.get("/api/v1/openapi.json") as reply:
        assert reply.status == 200
        assert reply.content_type == "application/json"
        return await reply.json()


async def test_document_is_valid(document):
    """The document is a valid OpenAPI 3.1 document."""
    assert document["openapi"].startswith("3.1.")
    validate(document, cls=OpenAPIV31SpecValidator)


async def test_document_has_every_route(document, core):
    """The operations of the document are exactly those the router serves."""
    served = {
        (route.method, route.resource.canonical)
        for route in api_application(core).router.routes()
        if route.method != "HEAD"
    }
    written = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert written == served
    assert len(written) == len(endpoints())


async def test_every_operation_says_what_it_does(document):
    """Every operation has a summary of one sentence and an id of its own."""
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert all(each["summary"].endswith(".") for each in operations)
    assert len({each["operationId"] for each in operations}) == len(operations)


async def test_problem_schema_holds_every_problem(document):
    """The problem schema has every member that a problem document can have."""
    known = set(document["components"]["schemas"]["Problem"]["properties"])
    for rule in STATUSES:
        assert set(problem(rule("What.", remedy="Do.", field="x"))) <= known


async def test_settings_schema_is_the_table(document, api):
    """The body that sets values, and the list of settings, have the keys of the settings table."""
    keys = [setting.key for setting in SETTINGS]
    assert list(document["components"]["schemas"]["NewValues"]["properties"]) == keys
    listed = (await api("GET", "/settings")).json["items"]
    assert [item["key"] for item in listed] == keys


async def test_every_input_refuses_unknown_fields(document):
    """No JSON body takes a field that its schema does not name."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody")
            if body and "application/json" in body["content"]:
                name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert schemas[name]["additionalProperties"] is False, name
