"""``bootz conformance device``: a Bootz server with a script, for any router."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import EXISTING_FILE, EXISTING_FOLDER, FILE, RELEASE, Verb
from bootz.wire.names import DialectName

if TYPE_CHECKING:
    from pathlib import Path


@click.command("device", cls=Verb)
@click.option(
    "--case",
    "patterns",
    multiple=True,
    metavar="ID",
    help="Case or group of cases (bootz-3, bootz-3.3, 'bootz-*.1'). Default: all.",
)
@click.option("--list", "listing", is_flag=True, help="List the cases without running them.")
@click.option(
    "--dialect",
    "dialects",
    type=RELEASE,
    multiple=True,
    default=[DialectName.CURRENT.value],
    show_default=True,
    help="Bootz release of the device; with several, every case runs in each.",
)
@click.option(
    "--adapter",
    metavar="COMMAND",
    help="Program that controls the device. Default: an emulated router.",
)
@click.option(
    "--vendor-ca", type=EXISTING_FILE, multiple=True, help="CA of the device's manufacturer (PEM)."
)
@click.option(
    "--voucher-signer",
    type=EXISTING_FILE,
    help="The manufacturer's voucher signer (PEM, then its chain).",
)
@click.option("--voucher-key", type=EXISTING_FILE, help="Private key of --voucher-signer.")
@click.option(
    "--voucher-dir",
    type=EXISTING_FOLDER,
    help="Folder with existing vouchers; file names do not matter.",
)
@click.option(
    "--pinned-domain-cert", type=EXISTING_FILE, help="Certificate that those vouchers pin."
)
@click.option(
    "--owner-certificate",
    type=EXISTING_FILE,
    help="Owner certificate, issued below the pinned one.",
)
@click.option("--owner-key", type=EXISTING_FILE, help="Private key of --owner-certificate.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, help="Port of the Bootz server. Default: any free port.")
@click.option(
    "--advertise", help="Host name or address given to the device. Default: that of --listen."
)
@click.option(
    "--router-interface",
    default="MgmtEth0/RP0/CPU0/0",
    show_default=True,
    help="Interface of the router that bootz-7 names.",
)
@click.option(
    "--interface",
    metavar="IF",
    help="Interface of this machine that the router is on: serve it DHCP, the cases and images "
    "with the vouchers of the site, and say what to type on the router.",
)
@click.option("--chassis", metavar="SERIAL", help="Chassis of the site, with --interface.")
@click.option(
    "--quiet-time",
    default=60.0,
    show_default=True,
    help="Seconds for which nothing must come, where a case wants that, with --interface.",
)
@click.option("--vendor-config", type=EXISTING_FILE, help="Configuration that the device accepts.")
@click.option(
    "--config-marker", default="", help="Text in it that the running configuration then shows."
)
@click.option(
    "--bad-vendor-config", type=EXISTING_FILE, help="Configuration that the device must refuse."
)
@click.option("--image", type=EXISTING_FILE, help="Software image that the device is not running.")
@click.option("--image-name", default="conformance", show_default=True, help="Its name.")
@click.option(
    "--image-version", default="", help="Version of that image, as the device reports it."
)
@click.option("--timeout", "seconds", default=120.0, show_default=True, help="Seconds, per phase.")
@click.option("--case-timeout", "own_seconds", multiple=True, metavar="ID=SECONDS", help="For one.")
@click.option("--strict", is_flag=True, help="A case that cannot be judged fails the run.")
@click.option("--junit", type=FILE, help="JUnit file.")
@click.option("--html", type=FILE, help="Page with every case, to hand on.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    patterns: Sequence[str],
    listing: bool,
    dialects: Sequence[str],
    junit: Path | None,
    html: Path | None,
    own_seconds: Sequence[str],
    strict: bool,
    **options: Any,
) -> None:
    """Run the acceptance cases against a router.

    A case with a fault counts only where the same device has taken a good answer in the same
    run; otherwise it is not judged. Exit code 0: something passed and nothing failed.
    """
    from bootz.cli.conformance.device_run import run_suite

    passed = run_suite(
        context.obj,
        patterns,
        dialects,
        (junit, html),
        own_seconds,
        options,
        listing=listing,
        strict=strict,
    )
    context.exit(0 if passed else 1)
