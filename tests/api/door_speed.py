"""What lists, imports and preflights of the door cost: ``make speed-door``."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.conftest import World, opened_world

from bootz.server.api.auth.roles import OperatorRole

LISTS = (
    "/chassis?limit=100",
    "/chassis?limit=100&offset=90000",
    "/chassis?limit=100&ordering=-hostname",
    "/chassis?limit=100&label=site=7",
    "/chassis?limit=100&q=FX0999",
    "/chassis?limit=100&state=expected",
    "/chassis?limit=100&state=failed",
    "/preflight?limit=1000&server=false",
)


def cpu_of(world: World, method: str, path: str, **options: Any) -> float:
    """Return seconds of CPU that a call took."""
    began = time.process_time()
    answer = world.call(OperatorRole.OPERATOR, method, path, **options)
    assert answer.status_code == 200, answer.text
    return time.process_time() - began


def main(count: int) -> None:
    """Fill a site in SQLite with so many chassis by one import, and print what calls cost."""
    with TemporaryDirectory() as folder, opened_world(Path(folder)) as world:
        rows = "".join(f"Acme,FX{number:06d},r{number},{number % 40}\n" for number in range(count))
        table = f"vendor,serial_number,hostname,label:site\n{rows}".encode()
        spent = cpu_of(
            world, "POST", "/imports", content=table, headers={"Content-Type": "text/csv"}
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"import of {count} chassis: {spent:.1f} s CPU, peak {peak} MiB")
        for path in LISTS:
            best = min(cpu_of(world, "GET", path) for _ in range(3))
            print(f"GET {path}: {best * 1000:.0f} ms CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
