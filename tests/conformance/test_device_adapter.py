"""Adapters as programs: JSON lines, and what becomes of programs that do not keep to the form."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path

import pytest
from conformance.double import MANNERS
from conformance.lab import Lab

from bootz.conformance.device.adapter import BootOrder, Device, DeviceState
from bootz.conformance.device.cases import choose_cases
from bootz.conformance.device.json_lines import JsonLinesAdapter, serve_adapter
from bootz.conformance.device.report import why
from bootz.conformance.device.run import play_case
from bootz.errors import BootzError, ConfigError
from bootz.model.identity import IdentityKind

DOUBLE = (sys.executable, str(Path(__file__).parent / "double.py"))


@pytest.mark.parametrize("case_id", ["bootz-3.3/serial", "bootz-7.1", "bootz-8.1.3"])
def test_a_router_behind_a_program_passes(lab: Lab, tmp_path: Path, case_id: str) -> None:
    (case,) = choose_cases([case_id])

    async def story() -> None:
        program = [*DOUBLE, "sound", str(tmp_path), str(lab.maker)]
        async with JsonLinesAdapter(program) as adapter:
            verdict = await play_case(case, "current", adapter, lab.bench)
        assert verdict.passed, why(verdict, [verdict])

    lab.run(story)


@pytest.mark.parametrize("manner", [*MANNERS, "ends"])
def test_a_program_that_misbehaves_fails_the_case(lab: Lab, manner: str) -> None:
    (case,) = choose_cases(["bootz-1.3"])

    async def story() -> None:
        async with JsonLinesAdapter([*DOUBLE, manner]) as adapter:
            verdict = await play_case(case, "current", adapter, lab.bench)
        assert not verdict.passed
        cannot = "-cannot" if manner == "cannot" else ""
        assert verdict.error.startswith(f"conformance-adapter{cannot}: ")

    lab.run(story)


def test_a_program_that_is_none_or_is_late(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootz.conformance.device.json_lines._GRACE_S", 0)

    async def none() -> None:
        async with JsonLinesAdapter(["/nonexistent/adapter"]):
            raise AssertionError

    async def late() -> None:
        async with JsonLinesAdapter([sys.executable, "-c", "input(); input()"], seconds=0.1) as a:
            await a.describe(IdentityKind.IDEVID)

    for story in (none, late):
        with pytest.raises(BootzError) as caught:
            lab.run(story)
        assert caught.value.reason == "conformance-adapter"


class Scripted:
    """A device that answers without doing anything."""

    orders: list[BootOrder]

    def __init__(self) -> None:
        self.orders = []

    async def describe(self, identity: IdentityKind) -> Device:
        return Device("M", "S", cards=("S", "T"), ek=b"\x01\xff")

    async def reset(self) -> DeviceState:
        return DeviceState()

    async def boot(self, order: BootOrder) -> DeviceState:
        self.orders.append(order)
        return DeviceState(("BOOTZ_OK",), 3, "ab", "1", "text", ("p",), "")

    async def console(self, command: str, order: BootOrder) -> DeviceState:
        raise ConfigError("conformance-material", command, where="here")

    async def close(self) -> None:
        return


def test_serving_an_adapter() -> None:
    order = {"uri": "bootz://h", "dialect": "v0.3", "flow": "unary", "identity": "idevid"}
    order |= {"insecure": True, "seconds": 5.0}
    requests = [
        {"id": 1, "method": "describe", "params": {"identity": "idevid"}},
        {"id": 2, "method": "boot", "params": order},
        {"id": 3, "method": "console", "params": {"command": "show", **order}},
        {"id": 4, "method": "explode", "params": {}},
        {"id": 5, "method": "boot", "params": {"uri": 5}},
        {"id": 6},
    ]
    device, answers = Scripted(), io.BytesIO()
    lines = "".join(json.dumps(each) + "\n" for each in requests).encode() + b"no JSON\n"
    asyncio.run(serve_adapter(device, io.BytesIO(lines), answers))
    told = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert [each["id"] for each in told] == [1, 2, 3, 4, 5, 6, None]
    assert told[0]["result"]["ek"] == "Af8="
    assert told[0]["result"]["cards"] == ["S", "T"]
    assert told[1]["result"]["error_count"] == 3
    kinds = [each["error"]["kind"] for each in told[2:]]
    assert kinds == ["failed", "cannot", "failed", "failed", "failed"]
    assert device.orders == [
        BootOrder("bootz://h", "v0.3", "unary", IdentityKind.IDEVID, insecure=True, seconds=5.0)
    ]
