"""The README's walk-through, run as it stands; and what its pages point to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("bootz serve", "bootz watch")
"""Commands that end when somebody ends them, each with a word by which it is known to run."""


def walkthrough() -> list[str]:
    """Return the commands of the README's console blocks, here-documents with theirs."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    commands: list[str] = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            commands.append(line.removeprefix("$ "))
        else:
            commands[-1] += f"\n{line}"
    return commands


@contextmanager
def running(command: str, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a command until the block ends; the block begins once it has said something."""
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "watch" in command or '"event": "serving"' in line:
                break
        else:
            pytest.fail("".join(lines))
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()


def test_the_walk_through_works_as_written(tmp_path: Path) -> None:
    # The bootz of this Python, as an activated environment would have it.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    environment.pop("BOOTZ_SITE", None)
    said: dict[str, str] = {}

    def run_from(commands: list[str]) -> None:
        for number, command in enumerate(commands):
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                environment[name] = value.replace("$PWD", str(tmp_path))
            elif command.startswith(SERVICES):
                with running(command, tmp_path, environment):
                    run_from(commands[number + 1 :])
                return
            else:
                done = subprocess.run(
                    ["bash", "-euc", command],
                    cwd=tmp_path,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
                said[command] = done.stdout

    run_from(walkthrough())
    (boot,) = (text for command, text in said.items() if command.startswith("bootz router boot"))
    assert "BOOTZ_OK" in boot
    (show,) = (text for command, text in said.items() if "--configuration" in command)
    assert "hostname edge-1" in show
    (attempts,) = (text for command, text in said.items() if command.startswith("bootz attempts"))
    assert "success" in attempts


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda page: page.name
)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []
