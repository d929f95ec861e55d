"""The manual page: whole, readable without a warning, and in the package."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
from cli.commands import every_command

ROOT = Path(__file__).parents[2]
EPOCH = 1_700_000_000


@pytest.fixture(scope="module")
def page() -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate_man.py")],
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _read(page: str, *command: str) -> str:
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.mandoc
def test_mandoc_finds_no_fault(page: str) -> None:
    assert _read(page, "mandoc", "-T", "lint") == ""


@pytest.mark.groff
def test_groff_finds_no_fault(page: str) -> None:
    assert _read(page, "groff", "-man", "-ww", "-z") == ""


@pytest.mark.mandoc
def test_every_command_and_option_is_in_it(page: str) -> None:
    text = " ".join(_read(page, "mandoc", "-T", "ascii", "-O", "width=400").split())
    # What is printed in bold comes as letter, backspace, letter.
    text = "".join(part[:-1] for part in text.split("\b")[:-1]) + text.split("\b")[-1]
    for words, command in every_command():
        assert " ".join(["bootz", *words]) in text
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.opts[0] in text, (words, parameter.opts)


def test_its_date_can_be_set(page: str) -> None:
    assert page.startswith(".TH BOOTZ 1 2023-11-14 ")


def test_the_package_brings_it(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("share/man/man1/bootz.1"))
        assert ".data/data/" in name
        assert b"bootz chassis add" in archive.read(name).replace(b"\\-", b"-")
