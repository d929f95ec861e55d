"""The systemd units: nothing runs as root, or has more of the machine than it needs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SERVED = ("bootz.service", "bootz-board.service", "bootz-masa.service")
MOST_EXPOSED = 20
"""Tenths of what `systemd-analyze security` counts, from 0 to 100."""


def settings(unit: Path) -> dict[str, list[str]]:
    """Return each setting with its values, whatever its section."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_there_are_all_units() -> None:
    assert {*SERVED} <= {unit.name for unit in UNITS}


@pytest.mark.systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_no_fault(unit: Path, tmp_path: Path) -> None:
    # The command is installed by the package; here it need only be a command.
    copy = tmp_path / unit.name.replace("@", "@kea4")
    copy.write_text(unit.read_text().replace("/usr/bin/bootz", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True
    )
    # Faults of other units of this machine are not ours.
    said = [line for line in done.stderr.splitlines() if copy.name in line]
    assert said == []


@pytest.mark.systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_little_of_the_machine_is_exposed(unit: Path) -> None:
    words = ("--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager")
    done = subprocess.run(
        ["systemd-analyze", "security", *words, str(unit)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_none_runs_as_root_or_can_become_it(unit: Path) -> None:
    found = settings(unit)
    (user,) = found["User"]
    assert user not in {"root", "0"}
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["CapabilityBoundingSet"] in ([""], ["CAP_NET_BIND_SERVICE"])


@pytest.mark.parametrize("name", SERVED)
def test_what_serves_says_so_and_is_watched(name: str) -> None:
    found = settings(DEPLOY / "systemd" / name)
    assert found["Type"] == ["notify"]
    assert int(found["WatchdogSec"][0]) > 0
    assert found["Restart"] == ["on-failure"]


@pytest.mark.parametrize("name", ["bootz-board.service", "bootz-dhcp-sync@.service"])
def test_what_needs_no_key_is_kept_from_them(name: str) -> None:
    found = settings(DEPLOY / "systemd" / name)
    assert "-/var/lib/bootz/site/keys" in found["InaccessiblePaths"]
    assert found["PrivateUsers"] == ["yes"]


def test_the_package_makes_each_user_and_purges_each_folder() -> None:
    made = (DEPLOY / "debian" / "bootz.postinst").read_text()
    purged = (DEPLOY / "debian" / "bootz.postrm").read_text()
    users = re.search(r"for name in (.*);", made)
    assert users is not None
    for unit in UNITS:
        found = settings(unit)
        assert found["User"][0] in users[1].split()
        for folder in found["StateDirectory"]:
            assert f"/var/lib/{folder}" in purged.split()
