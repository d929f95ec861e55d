"""``bootz chassis render``: what the router of a chassis would get, before it asks."""

from __future__ import annotations

from contextlib import closing

import click

from bootz.cli.base import RELEASE, Cli, Verb
from bootz.cli.names import serial_argument, which_vendor


@click.command("render", cls=Verb)
@serial_argument
@which_vendor
@click.option(
    "--dialect",
    "--release",
    "dialect",
    type=RELEASE,
    help="Protocol dialect of the router. Default: that of its release in the inventory.",
)
@click.option(
    "--card",
    "cards",
    multiple=True,
    metavar="SERIAL",
    help="Only this card; repeatable. Default: all cards of the chassis.",
)
@click.option(
    "--reached-at",
    metavar="ADDRESS:PORT",
    help="Address at which the router reaches the server. Default: the first in `listen`.",
)
@click.pass_obj
def render_command(
    cli: Cli,
    serial: str,
    vendor: str | None,
    dialect: str | None,
    cards: tuple[str, ...],
    reached_at: str | None,
) -> None:
    """Print what a router would get, field by field as it is on the wire; it may contain secrets.

    The real answer also has the nonce of the request and a signature.
    """
    from bootz.cli.inventory.chassis.preview import make_preview, reached_address
    from bootz.wire.preview import preview_payload

    site = cli.site()
    address = reached_address(reached_at, site.config)
    with closing(site.database()) as database:
        shown = make_preview(site, database, serial, vendor, dialect, cards, address)
    for warning in shown.warnings:
        cli.output.warning(warning)
    cli.output.document(preview_payload(shown.preview.body))
