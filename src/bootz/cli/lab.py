"""``bootz lab``: the whole system on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FOLDER, RELEASE, one_of, verb
from bootz.lab.plan import MAX_ROUTERS, Dhcp

if TYPE_CHECKING:
    from pathlib import Path


@verb("lab")
@click.option(
    "--routers",
    type=click.IntRange(1, MAX_ROUTERS),
    default=8,
    show_default=True,
    help="Number of routers.",
)
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=RELEASE,
    help="Only routers of this dialect; repeatable. Default: all four.",
)
@click.option(
    "--image-kib",
    type=click.IntRange(1, 4 << 20),
    default=2048,
    show_default=True,
    help="Size of the software image.",
)
@click.option(
    "--dhcp",
    type=one_of(Dhcp),
    default=Dhcp.NONE.value,
    show_default=True,
    help="Let routers find their server by DHCP, on a network of the lab's own: from the lab's "
    "DHCP server, or from a real Kea. Needs permission to create network namespaces.",
)
@click.option(
    "--keep",
    type=FOLDER,
    metavar="DIR",
    help="Keep site, routers and logs in this new or empty folder.",
)
@click.option(
    "--story",
    type=click.Choice(["standby"]),
    help="Instead, show a scenario step by step. standby: the cards of a modular chassis, before, "
    "during and after onboarding; a replacement; a tampered card.",
)
@click.option(
    "--board",
    is_flag=True,
    help="Also serve the site's board, print an address that opens it once, and keep everything "
    "running afterwards.",
)
@click.option("--hold", is_flag=True, help="Keep everything running afterwards, until Ctrl-C.")
@click.pass_context
def command(
    context: click.Context,
    *,
    routers: int,
    dialects: Sequence[str],
    image_kib: int,
    dhcp: str,
    keep: Path | None,
    story: str | None,
    hold: bool,
    board: bool,
) -> None:
    """Run the whole system on this machine, each party a process of its own, on loopback.

    A manufacturer issues identities and vouchers, an owner makes a site and serves it, routers
    are powered on together. Exit code 0: every router verified the chain, installed the image,
    applied the configuration, reported SUCCESS, and the server has that on record.
    """
    from bootz.cli.lab_run import run_and_show, tell_story

    if story is not None:
        tell_story(context.obj, keep)
        return
    good = run_and_show(
        context.obj,
        routers,
        dialects,
        image_kib,
        Dhcp(dhcp),
        keep,
        hold=hold or board,
        board=board,
    )
    context.exit(0 if good else 1)
