"""Asking the server for vouchers by the API and the command line, which open no key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from api.conftest import World

from bootz.cli.main import run
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.vouchers.fetches import MAX_OPEN, FetchFault, begin_fetch, end_fetch


def ask(world: World, role: OperatorRole = OperatorRole.OPERATOR, **body: Any) -> Any:
    return world.call(role, "POST", "/vouchers/fetches", json=body)


def test_a_request_is_followed_to_its_end(world: World) -> None:
    world.chassis("FX1", labels={"batch": "7"})
    assert ask(world, OperatorRole.VIEWER).json()["reason"] == "role-insufficient"
    made = ask(world, label="batch=7", serial_numbers=["fx1"])
    assert made.status_code == 202, made.text
    told = made.json()
    assert (told["state"], told["asked_by"], told["label"]) == (
        "asked",
        "token:operator",
        "batch=7",
    )
    # One for the same cards is joined, as long as it is open.
    assert ask(world, label="batch=7", serial_numbers=["fx1"]).json()["id"] == told["id"]
    with world.database.write() as connection:
        begin_fetch(connection, told["id"], cards=1, now=world.now)
    assert world.get(f"/vouchers/fetches/{told['id']}")["state"] == "working"
    fault = FetchFault("FX1", "Acme", "voucher-refused", "not sold")
    with world.database.write() as connection:
        end_fetch(connection, told["id"], stored=0, faults=[fault], now=world.now)
    ended = world.get(f"/vouchers/fetches/{told['id']}")
    assert (ended["state"], ended["reason"]) == ("failed", "voucher-refused")
    assert ended["faults"][0]["detail"] == "not sold"
    again = ask(world, label="batch=7", serial_numbers=["fx1"]).json()["id"]
    assert again != told["id"]
    assert [each["id"] for each in world.get("/vouchers/fetches")["results"]] == [
        again,
        told["id"],
    ]
    assert world.call(OperatorRole.VIEWER, "GET", "/vouchers/fetches/99").status_code == 404


def test_what_cannot_be_asked_for_is_refused(world: World) -> None:
    world.chassis("FX1")
    assert ask(world, vendor="Nobody").json()["reason"] == "vendor-not-found"
    assert ask(world, serial_numbers=["ZZ"]).json()["reason"] == "voucher-card-unknown"
    for number in range(MAX_OPEN):
        assert ask(world, label=f"batch={number}").status_code == 202
    refused = ask(world, label="batch=more")
    assert (refused.status_code, refused.json()["reason"]) == (409, "voucher-fetches-too-many")


def test_the_command_line_asks_and_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = str(tmp_path / "site")

    def ok(*words: str) -> Any:
        assert run(["--site", site, *words, "--output", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert run(["init", site]) == 0
    capsys.readouterr()
    made = ok("voucher", "fetch", "--by-server", "--label", "batch=7")
    assert (made["id"], made["state"], made["cards_meant"]) == (1, "asked", "batch=7")
    assert made["asked_by"].startswith("cli:")
    assert [each["id"] for each in ok("voucher", "fetches")] == [1]
    assert ok("voucher", "fetches", "1")["faults"] == []
    assert run(["--site", site, "voucher", "fetch", "--label", "batch=7"]) == 2
    assert run(["--site", site, "voucher", "fetches", "2"]) == 1
