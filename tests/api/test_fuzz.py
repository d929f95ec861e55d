"""The whole API under a schema-driven fuzzer: no answer of 500, and none that is not described.

``make check-api`` runs it for longer: ``API_EXAMPLES`` requests of each operation.

docs/operator-ids.md: O18.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from api.conftest import World, opened_world
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bootz.server.api.app import openapi_document
from bootz.server.api.auth.roles import OperatorRole

EXAMPLES = int(os.environ.get("API_EXAMPLES", "4"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    (path, method)
    for path, methods in openapi_document()["paths"].items()
    for method in methods
    # A stream without end has no answer to judge; one that revokes tokens would revoke our own.
    if not path.endswith(("/stream", "/revoke"))
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Any]]:
    """A site with something of each noun, so that paths with an id are found; and its schema."""
    with opened_world(tmp_path_factory.mktemp("fuzz")) as world:
        for number in range(1, 4):
            world.chassis(f"FX{number}", hostname=f"r{number}")
        body = {"name": "base", "vendor_config": "hostname {{ chassis.hostname }}"}
        world.call(OperatorRole.OPERATOR, "POST", "/profiles", json=body)
        yield world, schemathesis.openapi.from_asgi("/api/v1/openapi.json", world.client.app)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda each: str(each))
def test_every_answer_is_described(site: tuple[World, Any], path: str, method: str) -> None:
    world, schema = site
    headers = {"Authorization": f"Bearer {world.tokens[OperatorRole.ADMIN]}"}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method.upper()].as_strategy())
    def check(case: Any) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)

    check()
