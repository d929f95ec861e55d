"""Leaves out, on a laptop that lacks a real part, the tests that meet it, and says so.

In CI (``CI`` is set) no part is left out: one that is missing fails its tests. Recorded data of
others that are not ours to ship are another thing: a fresh clone has none, wherever it is tested.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from once import read_each_key_once, share_compiled_statements
from store.cluster import Cluster

# How long an example takes is a question of the machine, not of what it shows.
settings.register_profile(
    "untimed", settings.default, deadline=None, suppress_health_check=(HealthCheck.too_slow,)
)
settings.load_profile("untimed")

share_compiled_statements()
read_each_key_once()

OIDC_PYTHON = Path(__file__).parents[1] / ".venv" / "oidc" / "bin" / "python"
"""Of the environment that the OpenID Connect provider has, by ``make .venv/oidc.stamp``."""

PARTS = {
    "kea": "kea-dhcp4",
    "swtpm": "swtpm",
    "softhsm": "softhsm2-util",
    "postgresql": "postgres",
    "prometheus": "promtool",
    "oidc": str(OIDC_PYTHON),
    "curl": "curl",
    "zsh": "zsh",
    "fish": "fish",
    "mandoc": "mandoc",
    "groff": "groff",
    "systemd": "systemd-analyze",
    "chromium": "chromium",
    "haproxy": "haproxy",
    "age": "age",
}
"""Mark of the tests, and the command without which they cannot run."""

RECORDED = Path(__file__).parents[2] / "shared" / "vectors"
"""What others recorded and is not ours to ship: beside the checkout, where there is some at all."""

_FOLDERS = ["/usr/sbin", "/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]


def _missing() -> set[str]:
    path = os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS])
    missing = {mark for mark, command in PARTS.items() if shutil.which(command, path=path) is None}
    if os.environ.get("CI"):
        missing.clear()
    return missing if RECORDED.is_dir() else missing | {"recorded"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = _missing()
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in missing)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage: what collecting makes is there until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_report_header() -> str | None:
    missing = _missing()
    if not missing:
        return None
    return f"left out, because it is not here: {', '.join(sorted(missing))}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL for all tests that take it."""
    running = Cluster()
    yield running
    running.stop()
