"""Adds the manual page and the shells' completions to the package, written at each build from the
commands themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_COMMAND = ("-c", "from bootz.cli.main import main; main()")

_COMPLETIONS = {
    "bash": "share/bash-completion/completions/bootz",
    "zsh": "share/zsh/site-functions/_bootz",
    "fish": "share/fish/vendor_completions.d/bootz.fish",
}
"""Where each shell looks for them, below the prefix."""


class WrittenByCommands(BuildHookInterface):  # type: ignore[type-arg]
    """Runs the commands, and installs what they write beside the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the files and name them among those that are installed."""
        self._add(build_data, "share/man/man1/bootz.1", self._tool("generate_man.py"))
        for shell, path in _COMPLETIONS.items():
            self._add(build_data, path, (*_COMMAND, "completion", shell))

    def _tool(self, name: str) -> tuple[str, ...]:
        return (str(Path(self.root, "tools", name)),)

    def _add(self, build_data: dict[str, Any], path: str, words: tuple[str, ...]) -> None:
        root = Path(self.root)
        made = subprocess.run(  # noqa: S603 -- our own commands
            [sys.executable, *words],
            env=os.environ | {"PYTHONPATH": str(root / "src")},
            stdout=subprocess.PIPE,
            check=True,
        )
        page = root / "build" / path
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(made.stdout)
        build_data["shared_data"][str(page)] = path
