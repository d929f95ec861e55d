"""``bootz serve`` as its own process, listened to through its log."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class Served:
    """A running server; ``address`` is that of its Bootz door, ``told`` its event ``serving``."""

    def __init__(self, log: IO[str]) -> None:
        self._log = log
        self.told = self.wait_for("serving")
        self.address: str = self.told["bound"][0]

    @property
    def pair(self) -> tuple[str, int]:
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)

    def wait_for(self, name: str) -> dict[str, Any]:
        """Read the log up to an event."""
        for line in self._log:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == name:
                return event
        raise AssertionError(f"the server ended before {name!r}")


@contextmanager
def served(root: Path) -> Iterator[Served]:
    """Serve a site on a port of the system's choice."""
    command = [sys.executable, "-c", "from bootz.cli.main import main; main()"]
    process = subprocess.Popen(
        [*command, "--site", str(root), "serve", "--no-door", "--listen", "127.0.0.1:0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield Served(process.stderr)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
