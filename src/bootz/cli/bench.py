"""``bootz bench``: what an onboarding costs the server, at several sizes of the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bootz.bench.plan import IdentityKey
from bootz.cli.base import FOLDER, RELEASE, Cli, one_of, verb
from bootz.cli.router.tpm import flow_option
from bootz.wire.names import DialectName

if TYPE_CHECKING:
    from pathlib import Path


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
    type=RELEASE,
    default=DialectName.CURRENT.value,
    show_default=True,
    help="Protocol dialect of the routers.",
)
@flow_option
@click.option(
    "--identity",
    type=one_of(IdentityKey),
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
    type=FOLDER,
    default=None,
    help="Create the sites in this folder and keep them.",
)
@click.pass_obj
def command(
    cli: Cli,
    /,
    inventories: tuple[int, ...],
    max_cpu_ms: float | None,
    keep: Path | None,
    **options: Any,
) -> None:
    """Measure the server with real routers on throwaway sites."""
    from bootz.cli.bench_run import measure_and_show

    measure_and_show(cli, inventories, options, max_cpu_ms, keep)
