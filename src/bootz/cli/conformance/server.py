"""``bootz conformance server``: well-behaved and hostile devices against any Bootz server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, FOLDER, Verb

if TYPE_CHECKING:
    from pathlib import Path


@click.command("server", cls=Verb)
@click.option("--target", metavar="HOST:PORT", help="Address and port of the server.")
@click.option(
    "--material",
    "material_folder",
    type=FOLDER,
    metavar="DIR",
    help="Folder of test devices, for a server other than ours; created if missing.",
)
@click.option(
    "--pinned-domain-cert",
    type=FILE,
    metavar="FILE",
    help="Certificate that the vouchers in new --material pin: that of the server's owner.",
)
@click.option(
    "--case",
    "patterns",
    multiple=True,
    metavar="NAME",
    help="Only these cases; * matches anything.",
)
@click.option("--list", "listing", is_flag=True, help="List the cases without running them.")
@click.option("--slow", is_flag=True, help="Run the cases that wait for the 10-second limit too.")
@click.option(
    "--exact/--any-refusal",
    default=True,
    show_default=True,
    help="Check the status code of a refusal; a device only needs to be refused.",
)
@click.option("--timeout", default=30.0, show_default=True, help="Seconds allowed for one case.")
@click.option("--junit", type=FILE, help="Also write JUnit XML to this file.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    target: str | None,
    material_folder: Path | None,
    pinned_domain_cert: Path | None,
    patterns: Sequence[str],
    listing: bool,
    slow: bool,
    exact: bool,
    timeout: float,
    junit: Path | None,
) -> None:
    """Run test devices against a server and print which cases it passes.

    Against a site of this program (--site) the devices are added to its inventory and removed
    again. For any other server create --material first, let its operator add what inventory.json
    lists, and run the command again. Exit code 0: every case passed.
    """
    from bootz.cli.conformance.server_run import run_suite

    passed = run_suite(
        context.obj,
        target,
        material_folder,
        pinned_domain_cert,
        patterns,
        junit,
        timeout,
        listing=listing,
        slow=slow,
        exact=exact,
    )
    context.exit(0 if passed else 1)
