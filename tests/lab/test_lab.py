"""The whole system on this machine, as a newcomer runs it."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
from pathlib import Path

import pytest

from bootz.cli.main import run
from bootz.lab.ground import link
from bootz.lab.plan import Dhcp, plan_routers


def test_every_router_of_every_dialect_comes_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "lab"
    code = run(["lab", "--image-kib", "64", "--keep", str(folder), "--output", "json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    told = json.loads(captured.out)
    assert (told["ok"], told["succeeded"]) == (True, 8)
    rows = told["routers"]
    assert sorted(row["dialect"] for row in rows) == sorted(
        ["v0.1.0", "2023-11", "v0.3", "current"] * 2
    )
    assert {row["status"] for row in rows} == {"BOOTZ_OK"}
    assert {row["server_state"] for row in rows} == {"success"}
    assert {row["image"] for row in rows} == {"lab-os 2.0"}
    # Each router has a configuration of its own.
    assert len({row["configuration_sha256"] for row in rows}) == 8
    # The parties' keys are of each alone, and readable by nobody else.
    keys = list(folder.rglob("*.key"))
    assert len(keys) >= 8
    assert {stat.S_IMODE(key.stat().st_mode) & 0o077 for key in keys} == {0}
    # What the lab wrote for the parties to read holds a token, and no one else may read it.
    assert stat.S_IMODE((folder / "register.yaml").stat().st_mode) == 0o600


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious").write_text("kept")
    assert run(["lab", "--keep", str(tmp_path), "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["error"]["reason"] == "file-exists"
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.kea
@pytest.mark.parametrize("server", ["lab", "kea"])
def test_routers_find_their_server_by_dhcp(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--routers", "2", "--dialect", "current", "--image-kib", "64", "--dhcp", server)
    code = run(["lab", *words, "--keep", str(tmp_path / "lab"), "--output", "json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert f"DHCP ({server}) leads routers to their server" in captured.err
    assert json.loads(captured.out)["succeeded"] == 2


@pytest.mark.kea
def test_the_probe_s_port_is_ready_for_the_command_that_is_told() -> None:
    async def story() -> None:
        async with link(plan_routers(1, ()), Dhcp.LAB) as ground:
            (hint,) = ground.hints()
            assert hint.endswith("bootz dhcp probe --interface mgmt0 --serial LAB00001")
            enter = hint.split(" bootz ")[0].split()
            asking = [*enter, "ip", "-brief", "link", "show", "up", "dev", "mgmt0"]
            assert "mgmt0" in subprocess.run(asking, capture_output=True, text=True).stdout

    asyncio.run(story())
