"""``bootz bench`` as a person calls it: a real server, real clients, small numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootz.cli.main import run

SMALL = ("--onboardings", "4", "--clients", "2", "--concurrency", "2", "--config-bytes", "500")


@pytest.mark.parametrize(
    ("dialect", "flow", "identity"),
    [
        ("current", "unary", "p256"),
        ("v0.1.0", "unary", "rsa-2048"),
        ("v0.3", "unary", "p256"),
        ("current", "stream", "p256"),
        ("current", "stream-v1", "rsa-2048"),
    ],
)
def test_onboardings_are_measured(
    dialect: str, flow: str, identity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "--inventory", "3", *SMALL, "--dialect", dialect, "--identity", identity]
    assert run([*words, "--flow", flow, "--output", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["inventory"], row["routers"], row["onboardings"]) == (3, 3, 4)
    assert (row["dialect"], row["flow"]) == (dialect, flow)
    assert 0 < row["p50_ms"] <= row["p99_ms"]
    assert row["per_second"] > 0
    assert 0 < row["resident_mib"] <= row["resident_peak_mib"]


def test_too_much_cpu_and_a_folder_in_use_are_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "--inventory", "2", *SMALL, "--keep", str(tmp_path)]
    assert run([*words, "--max-cpu-ms", "-1"]) == 1
    told = capsys.readouterr()
    assert "bench-too-slow" in told.err
    assert "2" in told.out
    assert (tmp_path / "0-2" / "serve.log").exists()
    assert run(words) == 1
    assert "bench-plan-invalid" in capsys.readouterr().err


def test_numbers_that_make_no_sense_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--onboardings", "0"]) == 1
    assert "--onboardings" in capsys.readouterr().err
