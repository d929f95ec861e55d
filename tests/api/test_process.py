"""The door as a process: it opens no key, ends with its server, and is brought back.

docs/operator-ids.md: O1, O3.
"""

from __future__ import annotations

import json
import os
import select
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootz.cli.main import run
from bootz.processes import COMMAND
from bootz.server.keys.door import renew_door
from bootz.server.site import open_site

_LOOPBACK = "127.0.0.1:0"
ANYWHERE = ("--listen", _LOOPBACK, "--image-http", _LOOPBACK, "--image-https", _LOOPBACK)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    assert run(["init", str(root), "--organization", "Example"]) == 0
    config = root / "bootz.yaml"
    document = yaml.safe_load(config.read_text()) or {}
    document["operator"] = {"listen": [_LOOPBACK]}
    config.write_text(yaml.safe_dump(document))
    return root


class Process:
    """A process of ours whose log is read line by line."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True)

    def until(self, event: str) -> dict[str, Any]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                told: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            if told.get("event") == event:
                return told
        raise AssertionError(f"it ended without {event}")


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for each in processes:
        each.process.kill()
        each.process.wait()
        assert each.process.stderr is not None
        each.process.stderr.close()


def healthy(address: str) -> bool:
    with urllib.request.urlopen(f"{address}/healthz", timeout=30) as answer:
        return bool(answer.status == 200)


def children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in told.split()]


def test_the_door_loads_nothing_that_opens_a_key(site: Path) -> None:
    script = f"""
import sys
sys.argv = ["bootz", "--site", {str(site)!r}, "board"]
import bootz.server.api.serving as serving
async def loaded(*_arguments, **_options):
    print([name for name in sys.modules if name.startswith("bootz.server.keys")])
serving.serve_door = loaded
from bootz.cli.main import main
main()
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert told.stdout.strip() == b"[]"


def test_a_door_serves_without_the_keys(site: Path, started: list[Process]) -> None:
    (site / "keys").rename(site.parent / "keys-elsewhere")
    door = Process("--site", str(site), "board")
    started.append(door)

    (address,) = door.until("door-serving")["addresses"]

    assert healthy(address)
    door.process.terminate()
    assert door.process.wait(timeout=30) == 0


def test_a_server_keeps_its_door_and_takes_it_along(site: Path, started: list[Process]) -> None:
    server = Process("--site", str(site), "serve", *ANYWHERE)
    started.append(server)
    (address,) = server.until("door-serving")["addresses"]
    assert healthy(address)
    (door,) = children(server.process.pid)

    os.kill(door, signal.SIGKILL)
    assert server.until("door-ended")["exit_code"] == -signal.SIGKILL
    (again,) = server.until("door-serving")["addresses"]
    assert healthy(again)

    (door,) = children(server.process.pid)
    watched = os.pidfd_open(door)
    try:
        server.process.kill()
        server.process.wait()
        ended, _, _ = select.select([watched], [], [], 60)
        assert ended
    finally:
        os.close(watched)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.net:0"])
def test_without_tls_it_listens_on_loopback_alone(
    site: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["--site", str(site), "board", "--listen", address]) == 2

    told = capsys.readouterr().err
    assert f"{address} is not loopback and needs operator.tls" in told
    # The words of a library are no help.
    assert "pydantic" not in told


def with_tls(site: Path) -> None:
    """Give the door a certificate of the site's trust anchor."""
    assert run(["--site", str(site), "keys", "door"]) == 0
    config = site / "bootz.yaml"
    document = yaml.safe_load(config.read_text())
    document["operator"]["tls"] = {"certificate": "door/door.pem", "key": "door/door.key"}
    config.write_text(yaml.safe_dump(document))


def shown(address: str) -> str:
    """Return the certificate that a new connection is shown (PEM)."""
    host, _, port = address.removeprefix("https://").rpartition(":")
    return ssl.get_server_certificate((host, int(port)))


def test_the_door_takes_over_a_renewed_certificate_without_a_restart(
    site: Path, started: list[Process]
) -> None:
    with_tls(site)
    door = Process("--site", str(site), "board")
    started.append(door)
    (address,) = door.until("door-serving")["addresses"]
    before = shown(address)
    assert before in (site / "door/door.pem").read_text()

    # Half a pair: the certificate of another key.
    right = (site / "door/door.pem").read_bytes()
    (site / "door/door.pem").write_bytes((site / "keys/tls/1.pem").read_bytes())
    assert door.until("door-certificate-not-taken")["reason"] == "site-config-invalid"
    assert shown(address) == before
    (site / "door/door.pem").write_bytes(right)
    door.until("door-certificate-taken")
    assert shown(address) == before

    # Another one under the same key, as a server issues it: the door is told by its log.
    moved = datetime.now(UTC) + timedelta(days=75)
    assert renew_door(open_site(site), moved).startswith("it ends at")
    door.until("door-certificate-taken")
    after = shown(address)
    assert after != before
    assert after in (site / "door/door.pem").read_text()


def test_the_door_tells_that_its_certificate_ends_soon(site: Path, started: list[Process]) -> None:
    config = site / "bootz.yaml"
    document = yaml.safe_load(config.read_text())
    config.write_text(
        yaml.safe_dump(document | {"tls": {"validity_days": 10, "renew_before_days": 1}})
    )
    with_tls(site)
    door = Process("--site", str(site), "board")
    started.append(door)
    assert door.until("door-certificate-due")["reason"] == "door-certificate-due"


def test_the_door_serves_tls_under_the_sites_trust_anchor(
    site: Path, started: list[Process]
) -> None:
    with_tls(site)
    door = Process("--site", str(site), "board")
    started.append(door)
    (address,) = door.until("door-serving")["addresses"]
    assert address.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(site / "keys/trust-anchor/1.pem"))

    # Each on a connection of its own: whether one is answered is no matter of chance.
    for _ in range(8):
        with urllib.request.urlopen(f"{address}/healthz", timeout=30, context=trusted) as answer:
            assert answer.headers["Strict-Transport-Security"]
    assert (site / "door/door.key").stat().st_mode & 0o777 == 0o600
    # Another anchor does not vouch for it.
    with pytest.raises(OSError, match="certificate verify failed"):
        urllib.request.urlopen(
            f"{address}/healthz", timeout=30, context=ssl.create_default_context()
        )
