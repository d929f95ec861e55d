"""Adds the manual page to the package, written at each build from the commands themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPage(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``tools/generate_man.py`` and installs what it writes."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the page and name it among the files that are installed beside the package."""
        root = Path(self.root)
        made = subprocess.run(  # noqa: S603 -- our own tool
            [sys.executable, str(root / "tools" / "generate_man.py")],
            env=os.environ | {"PYTHONPATH": str(root / "src")},
            stdout=subprocess.PIPE,
            check=True,
        )
        page = root / "build" / "bootz.1"
        page.parent.mkdir(exist_ok=True)
        page.write_bytes(made.stdout)
        build_data["shared_data"][str(page)] = "share/man/man1/bootz.1"
