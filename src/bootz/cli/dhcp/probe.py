"""``bootz dhcp probe``: who answers on this link, with which octets, and would a router go on?"""

from __future__ import annotations

import click

from bootz.cli.base import Cli, Verb, one_of
from bootz.cli.output import Column
from bootz.errors import ConfigError
from bootz.protocol.dhcp_words import Family

_COLUMNS = (
    Column("family"),
    Column("server"),
    Column("sender"),
    Column("address"),
    Column("name_servers", "NAME-SERVERS"),
    Column("shape"),
    Column("uris", "SERVERS"),
    Column("verdict"),
    Column("octets"),
)


@click.command("probe", cls=Verb)
@click.option(
    "--interface", required=True, metavar="IF", help="Interface on which to send requests."
)
@click.option("--mac", help="The router's MAC address. Default: the interface's.")
@click.option("--serial", required=True, help="The router's serial number, its client-id.")
@click.option("--vendor", default="", help="Sent in the vendor class.")
@click.option("--platform", default="", help="Sent in the vendor class.")
@click.option(
    "--duid",
    type=click.Choice(["serial", "serial-nul", "mac"]),
    default="serial",
    show_default=True,
    help="Type of DUID that the router sends.",
)
@click.option(
    "--family",
    "families",
    multiple=True,
    type=one_of(Family),
    help="Default: both.",
)
@click.option(
    "--wait",
    default=5.0,
    show_default=True,
    help="Seconds to wait for answers, per address family.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    interface: str,
    mac: str | None,
    serial: str,
    vendor: str,
    platform: str,
    duid: str,
    families: tuple[str, ...],
    wait: float,
) -> None:
    """Send what a router would send, and show every server that answers; nothing is leased.

    Where there is a site, it keeps what was met, and `bootz chassis check` tells it.

    Exit code 0: in one address family exactly one server answers, with a usable answer.
    """
    import asyncio

    from bootz.cli.dhcp.probing import answer_row, ask_all, keep
    from bootz.dhcp.probe import alarms
    from bootz.transport.dhcp_ports import interface_mac
    from bootz.wire.dhcp_identity import DhcpIdentity, parse_mac

    cli: Cli = context.obj
    if wait <= 0:
        raise ConfigError("usage", "must be above 0", where="--wait")
    try:
        octets = parse_mac(mac) if mac else interface_mac(interface)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--mac") from error
    trailer = b"\0" if duid == "serial-nul" else b""
    identity = DhcpIdentity(octets, serial, vendor, platform, duid == "mac", trailer)
    chosen = tuple(map(Family, dict.fromkeys(families))) or tuple(Family)
    answers = asyncio.run(ask_all(interface, chosen, identity, wait))
    keep(cli, serial, interface, chosen, answers)
    cli.output.rows(_COLUMNS, [answer_row(answer) for answer in answers])
    for answer in answers:
        for told in (*answer.offer.warnings, *answer.offer.ignored()):
            cli.output.warning(f"{answer.offer.server_name}: {told}")
        if answer.offer.boot_file:
            told = (
                f"offers a boot file, which routers in secure mode ignore: {answer.offer.boot_file}"
            )
            cli.output.warning(f"{answer.offer.server_name}: {told}")
        if answer.fault is not None:
            cli.output.error(answer.fault)
    found = alarms(answers)
    for alarm in found:
        cli.output.warning(f"ALARM: {alarm}")
    for family in chosen:
        if not any(answer.offer.family is family for answer in answers):
            cli.output.message(f"no server answers over {family.value}")
    usable = any(answer.fault is None for answer in answers)
    context.exit(0 if usable and not found else 1)
