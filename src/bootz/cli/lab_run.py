"""What ``bootz lab`` does: runs the lab with a board, and prints how it ended."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootz.cli.base import Cli
from bootz.cli.output import Column, OutputFormat, stderr
from bootz.lab.board import LabBoard
from bootz.lab.outcome import LabOutcome
from bootz.lab.plan import Dhcp, plan_routers
from bootz.lab.run import LabOptions, StandingLab, run_lab
from bootz.lab.story import play_standby

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


def run_and_show(
    cli: Cli,
    routers: int,
    dialects: Sequence[str],
    image_kib: int,
    dhcp: Dhcp,
    keep: Path | None,
    *,
    hold: bool,
    board: bool = False,
) -> bool:
    """Run the lab and print how it ended; return whether every router is in managed state."""
    options = LabOptions(plan_routers(routers, dialects), image_kib << 10, dhcp, board)
    console = stderr()
    shown = LabBoard(options.routers, console)

    def tell(text: str) -> None:
        # An address must stay in one piece.
        console.print(text, soft_wrap=True)

    outcomes: list[LabOutcome] = []

    async def finish(standing: StandingLab) -> None:
        shown.close()
        outcomes.extend(standing.outcomes)
        _show(cli, outcomes)
        if hold:
            await _held(cli, standing)

    async def run(root: Path) -> None:
        with shown.shown():
            await run_lab(root, options, tell=tell, hear=shown.hear, finish=finish)

    with lab_folder(keep) as root:
        asyncio.run(run(root))
    return all(outcome.ok for outcome in outcomes)


def tell_story(cli: Cli, keep: Path | None) -> None:
    """Play the story of a modular chassis, and print its cards."""
    with lab_folder(keep) as root:
        cards = asyncio.run(play_standby(root, cli.output.message))
    cli.output.rows(_CARDS, cards)


async def _held(cli: Cli, standing: StandingLab) -> None:
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


def _show(cli: Cli, outcomes: Sequence[LabOutcome]) -> None:
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
def lab_folder(keep: Path | None) -> Iterator[Path]:
    """Return the folder to keep, else one that is removed at exit."""
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="bootz-lab-") as folder:
        yield Path(folder)
