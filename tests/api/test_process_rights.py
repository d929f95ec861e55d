"""The door as a user who may not read the keys: each route answers, and no key can be opened.

docs/operator-ids.md: O2.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bootz.cli.main import run
from bootz.processes import COMMAND

OPENAPI = Path(__file__).parents[2] / "src/bootz/server/api/openapi.json"
WITHOUT_LOGIN = ("/healthz", "/readyz")
# Root without these is a user like any other where files belong to someone else.
RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def status(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


@pytest.mark.skipif(
    os.geteuid() != 0 and not os.environ.get("CI"),
    reason="only root can give the keys to another user",
)
def test_who_may_not_read_the_keys_can_serve_every_route(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    assert run(["init", str(site), "--organization", "Example"]) == 0
    capsys.readouterr()
    words = ["token", "add", "all", "--role", "admin", "--output", "json"]
    assert run(["--site", str(site), *words]) == 0
    token = json.loads(capsys.readouterr().out)["secret"]
    keys = site / "keys"
    for path in (*keys.rglob("*"), keys):
        os.chown(path, 65534, 65534)
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert subprocess.run([*RIGHTS, "ls", keys], capture_output=True).returncode != 0

    door = subprocess.Popen(
        [*RIGHTS, *COMMAND, "--site", site, "board", "--listen", "127.0.0.1:0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert door.stderr is not None
        told = next(line for line in door.stderr if '"door-serving"' in line)
        (address,) = json.loads(told)["addresses"]
        plain = [
            path
            for path, verbs in json.loads(OPENAPI.read_text())["paths"].items()
            if "get" in verbs and "{" not in path and not path.endswith("/stream")
        ]
        answers = {path: status(f"{address}{path}", token) for path in [*plain, *WITHOUT_LOGIN]}
    finally:
        door.kill()
        door.communicate()

    assert len(plain) > 15
    assert {path: code for path, code in answers.items() if code != 200} == {}
