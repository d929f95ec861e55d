"""The API's description is shipped, is what the code says, and is whole.

docs/operator-ids.md: O10.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from api.conftest import World

from bootz.server.api.app import openapi_document

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("tool", ["write_openapi", "write_client"])
def test_what_is_shipped_is_what_the_code_says(tool: str) -> None:
    done = subprocess.run(
        [sys.executable, f"tools/{tool}.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_door_answers_with_what_is_shipped(world: World) -> None:
    assert world.client.get("/api/v1/openapi.json").json() == openapi_document()


def test_every_operation_says_how_it_fails() -> None:
    document = openapi_document()

    assert document["openapi"].startswith("3.1")
    names = [told["operationId"] for path in document["paths"].values() for told in path.values()]
    assert len(names) == len(set(names))
    for path in document["paths"].values():
        for told in path.values():
            assert {"400", "401", "429", "503"} <= set(told["responses"])
            for status, answer in told["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]


def test_every_reference_resolves() -> None:
    document = openapi_document()

    def check(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                place: Any = document
                for step in value["$ref"].removeprefix("#/").split("/"):
                    place = place[step]
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)

    check(document)
