"""``bootz bench --images``: real downloads of a small file, and nginx beside it where it is."""

from __future__ import annotations

import json
import shutil

import pytest

from bootz.cli.main import EXIT_USAGE, run


def test_downloads_are_measured_in_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--images", "2", "--rounds", "2", "--output", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    servers = ["bootz", "nginx"] if shutil.which("nginx", path="/usr/sbin:/usr/bin") else ["bootz"]
    assert [(row["server"], row["scheme"]) for row in rows] == [
        (server, scheme) for server in servers for scheme in ("http", "https")
    ]
    assert all((row["mib"], len(row["rounds"])) == (2, 2) for row in rows)
    assert all(0 <= row["least"] <= row["cpu_s_per_gib"] <= row["most"] for row in rows)


@pytest.mark.parametrize("words", [["--images", "0"], ["--images", "1", "--rounds", "0"]])
def test_what_makes_no_sense_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *words]) == EXIT_USAGE
    assert "bench-plan-invalid" in capsys.readouterr().err
