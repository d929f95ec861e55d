"""``bootz masa bench`` as a person calls it, with small numbers."""

from __future__ import annotations

import json

import pytest

from bootz.cli.main import EXIT_USAGE, run


def test_issuing_is_measured_beside_the_bare_signature(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["masa", "bench", "--vouchers", "25", "--batch", "10", "--key", "p384"]
    assert run([*words, "--output", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["key"], row["vouchers"], row["batch"]) == ("p384", 25, 10)
    assert row["per_second"] > 0
    assert row["signature_ms"] > 0
    assert 0 < row["early_mib"] <= row["peak_mib"]
    assert 0 < row["resident_mib"] <= row["peak_mib"]


@pytest.mark.parametrize(
    "words", [("--vouchers", "0"), ("--batch", "0"), ("--batch", "1001"), ("--vouchers", "-1")]
)
def test_numbers_that_make_no_sense_are_refused(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["masa", "bench", *words]) == EXIT_USAGE
    assert words[0] in capsys.readouterr().err
