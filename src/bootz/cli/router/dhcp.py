"""The options of ``bootz router boot`` on where routers learn their servers: typed, or DHCP."""

from __future__ import annotations

from typing import Final

import click

from bootz.cli.base import one_of, together
from bootz.protocol.dhcp_words import Family, NameServerPolicy

DUIDS: Final = ("serial", "serial-nul", "mac")
"""How a router may name itself in DHCPv6; the words of ``--dhcp-duid``."""

source_options: Final = together(
    click.option(
        "--uri",
        "uris",
        multiple=True,
        metavar="bootz://HOST:PORT",
        help="Bootstrap server; repeatable, tried in order. Instead of it: --dhcp-interface.",
    ),
    click.option(
        "--dhcp-interface",
        "dhcp_interfaces",
        multiple=True,
        metavar="IF",
        help="Learn the servers by DHCP on this interface; one for each DIR, in the same order.",
    ),
    click.option(
        "--dhcp-family",
        "dhcp_families",
        multiple=True,
        type=one_of(Family),
        help="Address families in the order of attempts. Default: ipv4, then ipv6.",
    ),
    click.option(
        "--dhcp-name-servers",
        type=one_of(NameServerPolicy),
        default=NameServerPolicy.FAIL.value,
        show_default=True,
        help="What to do with several name-servers: fail, or use the first.",
    ),
    click.option(
        "--dhcp-duid",
        type=click.Choice(DUIDS),
        default="serial",
        show_default=True,
        help="Type of DUID that the router sends.",
    ),
    click.option(
        "--dhcp-vendor-classes", is_flag=True, help="Send option 124 in addition to option 60."
    ),
    click.option("--dhcp-strict", is_flag=True, help="Accept only the list format of RFC 8572."),
    click.option(
        "--dhcp6-prefix-length",
        type=click.IntRange(1, 128),
        default=128,
        show_default=True,
        help="Prefix length of DHCPv6 addresses, if no router advertises the prefix.",
    ),
    click.option(
        "--dhcp-time-scale", default=1.0, show_default=True, help="Factor for all DHCP timers."
    ),
)
"""Say where routers learn their servers."""
