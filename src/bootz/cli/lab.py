"""``bootz lab``: the whole system on this machine."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from bootz.cli.base import Cli, verb
from bootz.cli.output import Column, OutputFormat, stderr
from bootz.lab.board import Board
from bootz.lab.outcome import Outcome
from bootz.lab.plan import MAX_ROUTERS, plan_routers
from bootz.lab.run import LabOptions, run_lab
from bootz.wire.dialects import DIALECTS

_COLUMNS = (
    Column("router"),
    Column("dialect"),
    Column("kind"),
    Column("serial"),
    Column("attempts", right=True),
    Column("image"),
    Column("configuration", "CONFIGURATION"),
    Column("status"),
    Column("seconds", right=True),
    Column("why"),
)


@verb("lab")
@click.option(
    "--routers",
    type=click.IntRange(1, MAX_ROUTERS),
    default=8,
    show_default=True,
    help="How many are powered on together.",
)
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice([row.name for row in DIALECTS]),
    help="Only routers of this dialect; repeatable. Default: of all four.",
)
@click.option(
    "--image-kib",
    type=click.IntRange(1, 4 << 20),
    default=2048,
    show_default=True,
    help="The size of the software image.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep everything in this new or empty folder: site, routers, logs.",
)
@click.pass_context
def command(
    context: click.Context,
    *,
    routers: int,
    dialects: Sequence[str],
    image_kib: int,
    keep: Path | None,
) -> None:
    """Run the whole system on this machine, each party a process of its own, on loopback.

    A manufacturer issues identities and vouchers, an owner makes a site and serves it, routers
    are powered on together. Exit code 0: every router verified the chain, installed the image,
    applied the configuration, reported SUCCESS, and the server has that on record.
    """
    cli: Cli = context.obj
    options = LabOptions(plan_routers(routers, dialects), image_kib << 10)
    console = stderr()
    board = Board(options.routers, console)

    def tell(text: str) -> None:
        console.print(text)

    async def run(root: Path) -> Sequence[Outcome]:
        with board.shown():
            return await run_lab(root, options, tell=tell, hear=board.hear)

    with _folder(keep) as root:
        outcomes = asyncio.run(run(root))
    show(cli, outcomes)
    context.exit(0 if all(outcome.ok for outcome in outcomes) else 1)


def show(cli: Cli, outcomes: Sequence[Outcome]) -> None:
    """Print the closing table, or the document."""
    records = [outcome.record() for outcome in outcomes]
    if cli.output.form is not OutputFormat.TABLE:
        cli.output.document(
            {
                "ok": all(outcome.ok for outcome in outcomes),
                "succeeded": sum(outcome.ok for outcome in outcomes),
                "routers": records,
            }
        )
        return
    cli.output.rows(
        _COLUMNS,
        [
            {**record, "configuration": str(record["configuration_sha256"])[:12]}
            for record in records
        ],
    )
    good = sum(outcome.ok for outcome in outcomes)
    cli.output.message(f"{good} of {len(outcomes)} routers are in managed state")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="bootz-lab-") as folder:
        yield Path(folder)
