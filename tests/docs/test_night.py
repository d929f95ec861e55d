"""docs/night.md: every line of it runs, and ends with a go."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/night.md"


@pytest.mark.curl
def test_every_line_of_the_page_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert len(blocks) == 4
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "go: 2 chassis" in done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert '"go":true' in last.replace(" ", "")
