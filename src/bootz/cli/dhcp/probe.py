"""``bootz dhcp probe``: who answers on this link, with which octets, and would a router go on?"""

import asyncio
from collections.abc import Sequence

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.output import Column
from bootz.dhcp.probe import ProbeAnswer, alarms, probe
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family
from bootz.transport.dhcp_ports import interface_mac
from bootz.wire.dhcp_identity import DhcpIdentity, parse_mac

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
    type=click.Choice([family.value for family in Family]),
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

    Exit code 0: in one address family exactly one server answers, with a usable answer.
    """
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
    answers = asyncio.run(_all(interface, chosen, identity, wait))
    cli.output.rows(_COLUMNS, [_row(answer) for answer in answers])
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


async def _all(
    interface: str, families: Sequence[Family], identity: DhcpIdentity, wait: float
) -> tuple[ProbeAnswer, ...]:
    parts = await asyncio.gather(*(probe(interface, each, identity, wait) for each in families))
    return tuple(answer for part in parts for answer in part)


def _row(answer: ProbeAnswer) -> dict[str, object]:
    offer = answer.offer
    return {
        "family": offer.family,
        "server": offer.server_name,
        "sender": answer.sender,
        "address": "" if offer.address is None else f"{offer.address}/{offer.prefix_length}",
        "gateway": str(offer.gateway or ""),
        "name_servers": [str(server) for server in offer.name_servers],
        "seconds": offer.lease_time,
        "shape": offer.redirect.shape if offer.redirect else "",
        "uris": [str(uri) for uri in offer.uris()],
        "ignored": offer.ignored(),
        "boot_file": offer.boot_file,
        "verdict": answer.verdict,
        "detail": "" if answer.fault is None else str(answer.fault),
        "octets": offer.payload.hex(),
    }
