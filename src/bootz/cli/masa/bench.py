"""``bootz masa bench``: what a voucher costs, beside the bare signature."""

from __future__ import annotations

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.manufacturer import KEY_KINDS
from bootz.cli.output import Column, stderr

_COLUMNS = (
    Column("key"),
    Column("vouchers", right=True),
    Column("batch", right=True),
    Column("per_second", "PER SECOND", right=True),
    Column("cpu_ms", "CPU MS", right=True),
    Column("signature_ms", "SIGNATURE MS", right=True),
    Column("early_mib", "MIB AT 10 %", right=True),
    Column("resident_mib", "MIB AT END", right=True),
    Column("peak_mib", "PEAK MIB", right=True),
)


@click.command("bench", cls=Verb)
@click.option("--vouchers", default=10_000, show_default=True, help="Number of vouchers to issue.")
@click.option("--batch", default=100, show_default=True, help="Vouchers per call.")
@click.option(
    "--key",
    "kinds",
    type=click.Choice(list(KEY_KINDS)),
    multiple=True,
    default=tuple(KEY_KINDS),
    show_default=True,
    help="Type of the signing key; repeatable.",
)
@click.pass_obj
def bench_command(cli: Cli, vouchers: int, batch: int, kinds: tuple[str, ...]) -> None:
    """Let a temporary MASA issue vouchers over OVGS, and measure it from outside."""
    import tempfile
    from pathlib import Path

    from rich.progress import Progress

    from bootz.bench.vouchers import measure_vouchers
    from bootz.cli.ending import ends_like_ctrl_c

    rows: list[dict[str, object]] = []
    for kind in kinds:
        with (
            ends_like_ctrl_c(),
            tempfile.TemporaryDirectory(prefix="bootz-bench-") as parent,
            Progress(console=stderr(), transient=True) as progress,
        ):
            task = progress.add_task(f"issuing with {kind}", total=vouchers)
            result = measure_vouchers(
                Path(parent) / "masa",
                vouchers=vouchers,
                batch=batch,
                kind=KEY_KINDS[kind],
                on_progress=lambda done, task=task, bar=progress: bar.update(  # type: ignore[misc]
                    task, completed=done
                ),
            )
        rows.append(
            {
                "key": kind,
                "vouchers": result.vouchers,
                "batch": result.batch,
                "per_second": round(result.per_second, 1),
                "cpu_ms": round(result.cpu_ms, 3),
                "signature_ms": round(result.signature_ms, 3),
                "early_mib": _mib(result.resident_early),
                "resident_mib": _mib(result.resident),
                "peak_mib": _mib(result.resident_peak),
            }
        )
    cli.output.rows(_COLUMNS, rows)


def _mib(size: int) -> float:
    return round(size / (1 << 20), 1)
