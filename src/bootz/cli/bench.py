"""``bootz bench``: what an onboarding costs the server, alone and beside another build."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from bootz.bench.plan import IdentityKey
from bootz.cli.base import EXISTING_FOLDER, FILE, FOLDER, RELEASE, one_of, verb
from bootz.cli.router.tpm import flow_option
from bootz.keystore.kinds import KeyKind
from bootz.wire.names import DialectName


@verb("bench")
@click.option(
    "--inventory",
    "inventories",
    type=int,
    multiple=True,
    help="Number of chassis in the inventory; repeatable. "
    "Default: 100, 10000 and 100000; 1000 with --against; as many as routers with --storm.",
)
@click.option(
    "--onboardings",
    default=1000,
    show_default=True,
    help="Onboardings to measure; with --against: of each build in each round.",
)
@click.option(
    "--routers",
    type=int,
    default=None,
    help="Number of different routers. Default: one per onboarding, at most the inventory; with "
    "--target all of --material.",
)
@click.option("--clients", default=2, show_default=True, help="Client processes.")
@click.option(
    "--concurrency",
    default=4,
    show_default=True,
    help="Concurrent onboardings in each client process.",
)
@click.option(
    "--workers", default=1, show_default=True, help="Processes of the server that serve routers."
)
@click.option(
    "--dialect",
    type=RELEASE,
    default=DialectName.CURRENT.value,
    show_default=True,
    help="Protocol dialect of the routers.",
)
@flow_option
@click.option(
    "--identity",
    type=one_of(IdentityKey),
    default=IdentityKey.RSA_2048.value,
    show_default=True,
    help="Type of key in the routers' IDevIDs.",
)
@click.option(
    "--tls-key",
    type=one_of(KeyKind),
    default=None,
    help="Type of the server's TLS key. Default: what `bootz init` makes.",
)
@click.option(
    "--owner-key",
    type=one_of(IdentityKey),
    default=None,
    help="Type of the owner's key, which signs answers. Default: what `bootz init` makes.",
)
@click.option(
    "--config-bytes",
    default=16384,
    show_default=True,
    help="Size of the configuration that each router gets.",
)
@click.option(
    "--max-cpu-ms",
    type=float,
    default=None,
    help="Fail if an onboarding costs more than this. Not with --against, --storm and --images.",
)
@click.option(
    "--keep",
    type=FOLDER,
    default=None,
    help="Create the sites in this folder and keep them.",
)
@click.option(
    "--against",
    metavar="PATH|REV",
    default=None,
    help="Compare with another build: a checkout, or a git revision of this program.",
)
@click.option(
    "--rounds",
    default=5,
    show_default=True,
    help="Rounds of --against, in each of which the builds take turns as A B B A, and of --images.",
)
@click.option(
    "--target",
    metavar="HOST:PORT",
    default=None,
    help="Measure a server that is running, ours or another's; needs --material and --pid.",
)
@click.option(
    "--material",
    type=EXISTING_FOLDER,
    default=None,
    help="Folder with the routers that --target knows, as --keep writes it.",
)
@click.option(
    "--pid",
    type=int,
    default=None,
    help="Process of --target, whose CPU is counted, with its children.",
)
@click.option(
    "--storm",
    type=int,
    metavar="ROUTERS",
    default=None,
    help="Let so many routers come in the same instant, each with one try.",
)
@click.option(
    "--images",
    type=int,
    metavar="MIB",
    default=None,
    help="Load an image of this size, four times at once in each of --rounds, and from nginx, too, "
    "if it is installed.",
)
@click.option("--one-address", is_flag=True, help="All routers of --storm have one address.")
@click.option(
    "--profile",
    type=FILE,
    default=None,
    help="Write a flame graph of the server (.svg; .json for speedscope; .txt), drawn by py-spy; "
    "for one --inventory, or with --target.",
)
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Measure the server with real routers on throwaway sites."""
    from bootz.cli.bench_run import run_bench
    from bootz.cli.ending import ends_like_ctrl_c

    given = frozenset(
        name
        for name in options
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    )
    with ends_like_ctrl_c():
        run_bench(context.obj, options, given)
