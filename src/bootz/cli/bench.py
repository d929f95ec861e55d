"""``bootz bench``: what an onboarding costs the server, at several sizes of the inventory."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from bootz.bench.measure import OnProgress, measure
from bootz.bench.plan import BenchPlan, BenchResult, IdentityKey
from bootz.cli.base import Cli, verb
from bootz.cli.output import Column, stderr
from bootz.cli.router.tpm import flow_option
from bootz.errors import PolicyError
from bootz.wire.dialects import DIALECTS

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


@verb("bench")
@click.option(
    "--inventory",
    "inventories",
    type=int,
    multiple=True,
    default=(100, 10_000, 100_000),
    show_default=True,
    help="Number of chassis in the inventory; repeatable.",
)
@click.option("--onboardings", default=1000, show_default=True, help="Onboardings to measure.")
@click.option(
    "--routers",
    type=int,
    default=None,
    help="Number of different routers. Default: one per onboarding, at most the inventory.",
)
@click.option("--clients", default=2, show_default=True, help="Client processes.")
@click.option(
    "--concurrency",
    default=4,
    show_default=True,
    help="Concurrent onboardings in each client process.",
)
@click.option(
    "--dialect",
    type=click.Choice([dialect.name for dialect in DIALECTS]),
    default="current",
    show_default=True,
    help="Protocol dialect of the routers.",
)
@flow_option
@click.option(
    "--identity",
    type=click.Choice([kind.value for kind in IdentityKey]),
    default=IdentityKey.RSA_2048.value,
    show_default=True,
    help="Type of key in the routers' IDevIDs.",
)
@click.option(
    "--config-bytes",
    default=16384,
    show_default=True,
    help="Size of the configuration that each router gets.",
)
@click.option(
    "--max-cpu-ms", type=float, default=None, help="Fail if an onboarding costs more than this."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Create the sites in this folder and keep them.",
)
@click.pass_obj
def command(
    cli: Cli,
    inventories: tuple[int, ...],
    onboardings: int,
    routers: int | None,
    clients: int,
    concurrency: int,
    dialect: str,
    flow: str,
    identity: str,
    config_bytes: int,
    max_cpu_ms: float | None,
    keep: Path | None,
) -> None:
    """Measure the server with real routers on throwaway sites."""
    plans = [
        BenchPlan(
            inventory=inventory,
            onboardings=onboardings,
            routers=min(routers or onboardings, inventory),
            clients=clients,
            concurrency=concurrency,
            dialect=dialect,
            identity=IdentityKey(identity),
            config_bytes=config_bytes,
            flow=flow,
        )
        for inventory in inventories
    ]
    results = []
    for number, plan in enumerate(plans):
        with _folder(keep, f"{number}-{plan.inventory}") as folder, _shown(plan) as on_progress:
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
    if keep is not None:
        yield keep / name
        return
    with tempfile.TemporaryDirectory(prefix="bootz-bench-") as parent:
        yield Path(parent) / name


@contextmanager
def _shown(plan: BenchPlan) -> Iterator[OnProgress]:
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
