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
    help="Number of routers. Default: 8, with --chaos 500.",
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
@click.option(
    "--servers",
    type=click.IntRange(1, 9),
    default=1,
    show_default=True,
    help="Number of servers, on one PostgreSQL and behind a load balancer.",
)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql"]),
    default="sqlite",
    show_default=True,
    help="Where the site keeps its records. postgresql: a real one of the lab's own.",
)
@click.option(
    "--chaos",
    is_flag=True,
    help="Kill servers, the database and the voucher source at random while routers onboard, and "
    "show what that cost. Needs --database postgresql.",
)
@click.option(
    "--kills",
    type=click.IntRange(1, 100_000),
    help="With --chaos: kill so often, with new routers as long as that takes. Default: while one "
    "round of routers onboards.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="With --chaos: draws the victims."
)
@click.option("--hold", is_flag=True, help="Keep everything running afterwards, until Ctrl-C.")
@click.pass_context
def command(
    context: click.Context,
    *,
    routers: int | None,
    dialects: Sequence[str],
    image_kib: int,
    dhcp: str,
    keep: Path | None,
    story: str | None,
    hold: bool,
    board: bool,
    servers: int,
    database: str,
    chaos: bool,
    kills: int | None,
    seed: int,
) -> None:
    """Run the whole system on this machine, each party a process of its own, on loopback.

    A manufacturer issues identities and vouchers, an owner makes a site and serves it, routers
    are powered on together. Exit code 0: every router verified the chain, installed the image,
    applied the configuration, reported SUCCESS, and the server has that on record. With --chaos
    also: every acknowledged report is on record once, and no voucher was fetched twice.
    """
    if chaos or servers > 1 or database == "postgresql":
        if database != "postgresql":
            raise click.UsageError("several servers need --database postgresql")
        if story is not None or hold or board or dhcp != Dhcp.NONE.value:
            raise click.UsageError(
                "--database postgresql goes without --story, --hold, --board, --dhcp"
            )
        if kills is not None and not chaos:
            raise click.UsageError("--kills needs --chaos")
        from bootz.cli.lab_chaos import run_storm
        from bootz.lab.chaos.run import ChaosOptions

        options = ChaosOptions(
            routers=routers or (500 if chaos else 8),
            servers=servers,
            kills=kills if chaos else 0,
            image_bytes=image_kib << 10,
            seed=seed,
            dialects=dialects,
        )
        context.exit(0 if run_storm(context.obj, options, keep) else 1)
    from bootz.cli.lab_run import run_and_show, tell_story

    if story is not None:
        tell_story(context.obj, keep)
        return
    good = run_and_show(
        context.obj,
        routers or 8,
        dialects,
        image_kib,
        Dhcp(dhcp),
        keep,
        hold=hold or board,
        board=board,
    )
    context.exit(0 if good else 1)
