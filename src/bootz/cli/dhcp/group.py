"""``bootz dhcp``: routers find their server, and the operator can prove it before power-on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from bootz.cli.base import FILE, Cli, noun, one_of
from bootz.cli.output import Column, write_text
from bootz.dhcp.lab_faults import FAULTS
from bootz.errors import ConfigError
from bootz.protocol.dhcp_words import Family

if TYPE_CHECKING:
    from pathlib import Path

LEASE_FILE: Final = "dhcp-leases.jsonl"

_EVENT_COLUMNS: Final = (
    Column("at"),
    Column("event"),
    Column("family"),
    Column("device"),
    Column("client"),
    Column("address"),
    Column("relay"),
    Column("uris", "REDIRECT"),
    Column("detail"),
    Column("redirect", "OCTETS"),
)

command = noun(
    "dhcp",
    "DHCP: write, check and test the configuration that leads routers to their server.",
    elsewhere={verb: f"bootz.cli.dhcp.{verb}:command" for verb in ("check", "probe")},
)


@command.command("render")
@click.argument("form", type=click.Choice(["kea4", "kea6", "isc", "dnsmasq"]))
@click.option(
    "--interface", default="", metavar="IF", help="Interface on which the server listens (Kea)."
)
@click.option(
    "--control-socket", default="", metavar="PATH", help="Control socket of the server (Kea)."
)
@click.option("--dhcpv6", is_flag=True, help="ISC: write the configuration of dhcpd -6.")
@click.pass_context
def render(
    context: click.Context, /, form: str, interface: str, control_socket: str, *, dhcpv6: bool
) -> None:
    """Write a DHCP server's configuration for all chassis, to stdout.

    A chassis that cannot be served, or has an address or name that another has too, is left out
    and named on stderr, with exit code 1.
    """
    import json

    from bootz.cli.dhcp.plan import read_sound_plan
    from bootz.dhcp.render_kea import render_kea
    from bootz.dhcp.render_text import render_dnsmasq, render_isc

    cli: Cli = context.obj
    one = Family.IPV6 if form == "kea6" or (form == "isc" and dhcpv6) else Family.IPV4
    sound = read_sound_plan(cli, tuple(Family) if form == "dnsmasq" else (one,))
    match form:
        case "kea4" | "kea6":
            config = render_kea(sound.plan, one, socket=control_socket, interface=interface)
            write_text(json.dumps(config, indent=2))
        case "isc":
            write_text(render_isc(sound.plan, one).rstrip("\n"))
        case _:
            write_text(render_dnsmasq(sound.plan).rstrip("\n"))
    context.exit(1 if sound.faults else 0)


@command.command("sync")
@click.argument("form", type=click.Choice(["kea4", "kea6"]))
@click.option(
    "--kea",
    "place",
    metavar="PATH|URL",
    help="Control channel of Kea. Default: that of bootz.yaml.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would change; Kea tests it.")
@click.option(
    "--write",
    is_flag=True,
    help="Let Kea save its configuration file; otherwise a restart loses the change.",
)
@click.pass_obj
def sync(cli: Cli, form: str, place: str | None, *, dry_run: bool, write: bool) -> None:
    """Sync the site's reservations into a running Kea; reservations of others are left
    unchanged.
    """
    from bootz.cli.dhcp.plan import read_plan
    from bootz.dhcp.kea_control import kea_channel
    from bootz.dhcp.sync import sync_kea

    settings = cli.site().config.dhcp
    family = Family.IPV4 if form == "kea4" else Family.IPV6
    found = place or (settings.kea4 if family is Family.IPV4 else settings.kea6)
    if not found:
        raise ConfigError("usage", f"name the control channel: --kea, or dhcp.{form}", where="sync")
    channel = kea_channel(found, family)
    result = sync_kea(channel, read_plan(cli), family, dry_run=dry_run, write=write)
    cli.output.record({"kea": channel.name, **asdict(result)})
    if result.applied and not result.written:
        cli.output.message("A restart of Kea loses this, unless you sync with --write.")


@command.command("serve")
@click.option(
    "--interface",
    "interfaces",
    multiple=True,
    required=True,
    metavar="IF",
    help="Interface to serve; repeatable. No other interface is served.",
)
@click.option(
    "--family",
    "families",
    multiple=True,
    type=one_of(Family),
    help="Default: both.",
)
@click.option(
    "--always-send", is_flag=True, help="Send option 143/136 even if it was not requested."
)
@click.option(
    "--fault", type=click.Choice(FAULTS), help="Inject a fault, to see how routers react."
)
@click.option(
    "--lease-file",
    type=FILE,
    metavar="FILE",
    help=f"File for the events. Default: {LEASE_FILE} in the site.",
)
@click.pass_obj
def serve(
    cli: Cli,
    interfaces: tuple[str, ...],
    families: tuple[str, ...],
    fault: str | None,
    lease_file: Path | None,
    *,
    always_send: bool,
) -> None:
    """Serve the site's chassis only, until SIGTERM: a DHCP server for labs.

    SIGHUP reads the inventory again. Each transaction is a line of JSON on stderr and in the
    file that `bootz dhcp leases` lists.
    """
    import asyncio

    from bootz.cli.dhcp.plan import read_plan
    from bootz.cli.dhcp.serve import serve_lab
    from bootz.dhcp.lab_server import LabServerOptions

    options = LabServerOptions(
        tuple(map(Family, dict.fromkeys(families))) or tuple(Family), always_send, fault or ""
    )
    path = lease_file or cli.site().root / LEASE_FILE
    asyncio.run(serve_lab(lambda: read_plan(cli), options, interfaces, path))


@command.command("leases")
@click.option(
    "--lease-file",
    type=FILE,
    metavar="FILE",
    help=f"Default: {LEASE_FILE} in the site.",
)
@click.option("--all", "everything", is_flag=True, help="All events, oldest first.")
@click.pass_obj
def leases(cli: Cli, lease_file: Path | None, *, everything: bool) -> None:
    """List what `bootz dhcp serve` handed out: of each device the last, with the octets sent."""
    from bootz.dhcp.leases import read_leases

    events = [dict(each) for each in read_leases(lease_file or cli.site().root / LEASE_FILE)]
    if not everything:
        last = {
            (event.get("device"), event.get("family")): event
            for event in events
            if event.get("device")
        }
        events = list(last.values())
    cli.output.rows(_EVENT_COLUMNS, events)
