"""What ``bootz lab --servers N --chaos`` does: runs it, and prints what the storm cost."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bootz.cli.base import Cli
from bootz.cli.lab_run import lab_folder
from bootz.cli.output import Column, OutputFormat, stderr
from bootz.lab.board import LabBoard
from bootz.lab.chaos.run import ChaosOptions, run_chaos
from bootz.lab.chaos.verdict import StormVerdict

_COLUMNS: Final = (Column("what"), Column("count", right=True), Column("note"))
_FAULTS_SHOWN: Final = 20


def run_storm(cli: Cli, options: ChaosOptions, keep: Path | None) -> bool:
    """Run the lab with several servers, and print the table; return whether nothing was lost."""
    console = stderr()
    shown = LabBoard((), console)

    def tell(text: str) -> None:
        console.print(text, soft_wrap=True)

    with lab_folder(keep) as root:
        verdict = asyncio.run(run_chaos(root, options, tell=tell, hear=shown.hear))
    _show(cli, verdict)
    return verdict.ok


def _show(cli: Cli, verdict: StormVerdict) -> None:
    if cli.output.form is not OutputFormat.TABLE:
        cli.output.document(verdict.record())
        return
    cli.output.rows(_COLUMNS, verdict.rows())
    _tell(cli, verdict.faults)


def _tell(cli: Cli, faults: Sequence[str]) -> None:
    for fault in faults[:_FAULTS_SHOWN]:
        cli.output.warning(fault)
    if len(faults) > _FAULTS_SHOWN:
        cli.output.warning(f"and {len(faults) - _FAULTS_SHOWN} more")
