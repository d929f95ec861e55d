"""``bootz lab``: the whole system on this machine."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from bootz.cli.base import Cli, verb
from bootz.cli.output import Column, OutputFormat, stderr
from bootz.lab.board import Board
from bootz.lab.ground import Dhcp
from bootz.lab.outcome import Outcome
from bootz.lab.plan import MAX_ROUTERS, plan_routers
from bootz.lab.run import LabOptions, Standing, run_lab
from bootz.lab.story import play_standby
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

_CARDS = (Column("slot"), Column("serial_number", "SERIAL"), Column("kind"), Column("state"))


@verb("lab")
@click.option(
    "--routers",
    type=click.IntRange(1, MAX_ROUTERS),
    default=8,
    show_default=True,
    help="Number of routers.",
)
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice([row.name for row in DIALECTS]),
    help="Only routers of this dialect; repeatable. Default: all four.",
)
@click.option(
    "--image-kib",
    type=click.IntRange(1, 4 << 20),
    default=2048,
    show_default=True,
    help="Size of the software image.",
)
@click.option(
    "--dhcp",
    type=click.Choice([each.value for each in Dhcp]),
    default=Dhcp.NONE.value,
    show_default=True,
    help="Let routers find their server by DHCP, on a network of the lab's own: from the lab's "
    "DHCP server, or from a real Kea. Needs permission to create network namespaces.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep site, routers and logs in this new or empty folder.",
)
@click.option(
    "--story",
    type=click.Choice(["standby"]),
    help="Instead, show a scenario step by step. standby: the cards of a modular chassis, before, "
    "during and after onboarding; a replacement; a tampered card.",
)
@click.option("--hold", is_flag=True, help="Keep everything running afterwards, until Ctrl-C.")
@click.pass_context
def command(
    context: click.Context,
    *,
    routers: int,
    dialects: Sequence[str],
    image_kib: int,
    dhcp: str,
    keep: Path | None,
    story: str | None,
    hold: bool,
) -> None:
    """Run the whole system on this machine, each party a process of its own, on loopback.

    A manufacturer issues identities and vouchers, an owner makes a site and serves it, routers
    are powered on together. Exit code 0: every router verified the chain, installed the image,
    applied the configuration, reported SUCCESS, and the server has that on record.
    """
    cli: Cli = context.obj
    if story is not None:
        _tell_story(cli, keep)
        return
    options = LabOptions(plan_routers(routers, dialects), image_kib << 10, Dhcp(dhcp))
    console = stderr()
    board = Board(options.routers, console)

    def tell(text: str) -> None:
        console.print(text)

    outcomes: list[Outcome] = []

    async def finish(standing: Standing) -> None:
        board.close()
        outcomes.extend(standing.outcomes)
        show(cli, outcomes)
        if hold:
            await _held(cli, standing)

    async def run(root: Path) -> None:
        with board.shown():
            await run_lab(root, options, tell=tell, hear=board.hear, finish=finish)

    with _folder(keep) as root:
        asyncio.run(run(root))
    context.exit(0 if all(outcome.ok for outcome in outcomes) else 1)


def _tell_story(cli: Cli, keep: Path | None) -> None:
    with _folder(keep) as root:
        cards = asyncio.run(play_standby(root, cli.output.message))
    cli.output.rows(_CARDS, cards)


async def _held(cli: Cli, standing: Standing) -> None:
    """Keep the lab up until the user ends it, and say what can be done until then."""
    cli.output.message(
        f"everything keeps running until Ctrl-C; the server's address is {standing.uri}"
    )
    for hint in (f"bootz --site {standing.site} attempts", *standing.hints):
        cli.output.message(f"  {hint}")
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()


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
    cli.output.message(f"{good} of {len(outcomes)} routers were onboarded")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="bootz-lab-") as folder:
        yield Path(folder)
