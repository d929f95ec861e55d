"""What ``bootz bench`` prints while it measures, and in the end."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from bootz.bench.measure import measure
from bootz.bench.plan import BenchPlan, BenchResult, IdentityKey, OnProgress
from bootz.cli.base import Cli
from bootz.cli.output import Column, stderr
from bootz.errors import PolicyError

_COLUMNS = (
    Column("inventory", right=True),
    Column("routers", right=True),
    Column("onboardings", right=True),
    Column("cpu_ms", "CPU MS", right=True),
    Column("per_second", "PER SECOND", right=True),
    Column("p50_ms", "P50 MS", right=True),
    Column("p99_ms", "P99 MS", right=True),
    Column("resident_mib", "MIB", right=True),
    Column("resident_peak_mib", "PEAK MIB", right=True),
)


def measure_and_show(
    cli: Cli,
    inventories: Sequence[int],
    options: dict[str, Any],
    max_cpu_ms: float | None,
    keep: Path | None,
) -> None:
    """Measure with each size of the inventory, and print what an onboarding cost.

    Raises:
        PolicyError: ``bench-too-slow``: it cost more than ``max_cpu_ms``.
    """
    onboardings, routers = options["onboardings"], options["routers"]
    given = options | {"identity": IdentityKey(options["identity"])}
    plans = [
        BenchPlan(**given | {"inventory": size, "routers": min(routers or onboardings, size)})
        for size in inventories
    ]
    results = []
    for number, plan in enumerate(plans):
        with (
            _folder(keep, f"{number}-{plan.inventory}") as folder,
            _progress(plan) as on_progress,
        ):
            results.append(measure(plan, folder, on_progress))
    cli.output.rows(_COLUMNS, [_row(result) for result in results])
    for result in results:
        if max_cpu_ms is not None and result.cpu_ms > max_cpu_ms:
            raise PolicyError(
                "bench-too-slow",
                "an onboarding costs too much CPU time",
                where=f"inventory of {result.plan.inventory}",
                expected=f"at most {max_cpu_ms} ms",
                seen=f"{result.cpu_ms:.2f} ms",
            )


def _row(result: BenchResult) -> dict[str, object]:
    """Return a row of the table; documents have more keys."""
    plan = result.plan
    return {
        "inventory": plan.inventory,
        "routers": plan.routers,
        "onboardings": plan.onboardings,
        "clients": plan.clients,
        "concurrency": plan.concurrency,
        "dialect": plan.dialect,
        "flow": plan.flow,
        "identity": plan.identity,
        "config_bytes": plan.config_bytes,
        "cpu_ms": round(result.cpu_ms, 2),
        "per_second": round(result.per_second, 1),
        "p50_ms": round(result.p50 * 1000, 1),
        "p99_ms": round(result.p99 * 1000, 1),
        "seconds": round(result.seconds, 2),
        "resident_mib": round(result.resident / (1 << 20), 1),
        "resident_peak_mib": round(result.resident_peak / (1 << 20), 1),
    }


@contextmanager
def _folder(keep: Path | None, name: str) -> Iterator[Path]:
    """Return the folder of one measurement; removed at exit unless it is to be kept."""
    if keep is not None:
        yield keep / name
        return
    with tempfile.TemporaryDirectory(prefix="bootz-bench-") as parent:
        yield Path(parent) / name


@contextmanager
def _progress(plan: BenchPlan) -> Iterator[OnProgress]:
    """A bar for each step on the terminal; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield lambda _words, _done, _whole: None
        return
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as bar:
        tasks = {}

        def told(words: str, done: int, whole: int) -> None:
            if words not in tasks:
                tasks[words] = bar.add_task(f"{plan.inventory}: {words}", total=whole)
            bar.update(tasks[words], completed=done, total=whole)

        yield told
