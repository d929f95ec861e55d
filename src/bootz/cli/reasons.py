"""``bootz reasons``: every reason code, what it means, and what a person does next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import Cli, verb
from bootz.cli.names import REASON
from bootz.cli.output import Column

if TYPE_CHECKING:
    from bootz.reasons.reason import Reason

_COLUMNS = (Column("code"), Column("fault"), Column("meaning"), Column("action", "NEXT"))


@verb("reasons")
@click.argument("code", required=False, type=REASON)
@click.pass_obj
def command(cli: Cli, code: str | None) -> None:
    """Explain a reason CODE as errors, logs and the journal name it; without one, list all."""
    import difflib

    from bootz.reasons import REASONS

    if code is None:
        cli.output.rows(_COLUMNS, [_row(REASONS[name]) for name in sorted(REASONS)])
        return
    row = REASONS.get(code.strip().lower())
    if row is None:
        near = difflib.get_close_matches(code, REASONS, n=3)
        hint = f"; near it: {', '.join(near)}" if near else "; `bootz reasons` lists all"
        raise click.UsageError(f"there is no reason {code!r}{hint}")
    cli.output.record(_row(row))


def _row(row: Reason) -> dict[str, object]:
    return {
        "code": row.code,
        "fault": row.fault.value,
        "meaning": row.meaning,
        "action": row.action,
    }
