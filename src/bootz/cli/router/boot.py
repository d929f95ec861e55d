"""``bootz router boot``: powers routers on, several at once in one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import PATH, RELEASE, Verb
from bootz.cli.router.dhcp import source_options
from bootz.cli.router.tpm import flow_option
from bootz.wire.names import DialectName

if TYPE_CHECKING:
    from pathlib import Path


@click.command("boot", cls=Verb)
@click.argument(
    "folders",
    metavar="DIR...",
    nargs=-1,
    required=True,
    type=PATH,
)
@source_options
@click.option(
    "--dialect",
    "--release",
    "dialect",
    type=RELEASE,
    default=DialectName.CURRENT.value,
    show_default=True,
    help="Dialect of the router: its name, an IOS XR release, or a version of openconfig/bootz.",
)
@flow_option
@click.option("--insecure", is_flag=True, help="Send no nonce and do not verify ownership.")
@click.option(
    "--retry-wait", default=10.0, show_default=True, help="Average pause between attempts."
)
@click.option(
    "--max-attempts", default=0, show_default=True, help="0: no limit. One attempt tries every URI."
)
@click.option(
    "--report-wait",
    default=1.0,
    show_default=True,
    help="Average of the first pause; doubled each time.",
)
@click.option(
    "--report-attempts",
    default=0,
    show_default=True,
    help="0: no limit.",
)
@click.option(
    "--card-wait",
    default=10.0,
    show_default=True,
    help="Average pause before a refused card is asked for again; doubled each time.",
)
@click.option("--stay", is_flag=True, help="Keep running: handle cards and the console.")
@click.option("--connect-timeout", default=10.0, show_default=True, help="Seconds.")
@click.option("--call-timeout", default=30.0, show_default=True, help="Seconds.")
@click.option(
    "--image-stall",
    default=30.0,
    show_default=True,
    help="Seconds without data before a download is aborted.",
)
@click.option(
    "--image-tries", default=5, show_default=True, help="Tries in a row that bring no new data."
)
@click.option(
    "--image-wait",
    default=2.0,
    show_default=True,
    help="Average of the first pause between those tries; doubled each time.",
)
@click.option(
    "--progress",
    type=click.Choice(["text", "json-lines", "none"]),
    default="text",
    show_default=True,
    help="Format of the progress on stderr.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    folders: Sequence[Path],
    **options: Any,
) -> None:
    """Power on routers, all at once. Exit code 0: each is up (BOOTZ_OK, or no Bootz to run).

    With --stay they keep running until Ctrl-C or SIGTERM, and handle events: cards that are
    inserted, replaced or switched (`bootz router insert`), and orders from `bootz router console`.
    """
    from bootz.cli.router.powering import power_on

    context.exit(0 if power_on(context.obj, folders, options) else 1)
