"""``bootz conformance server``: well-behaved and hostile devices against any Bootz server."""

from __future__ import annotations

from typing import Any

import click

from bootz.cli.base import FILE, FOLDER, RELEASE, Verb, one_of, together
from bootz.wire.names import FlowName

_CHOOSING = together(
    click.option(
        "--case",
        "patterns",
        multiple=True,
        metavar="NAME",
        help="Only these cases; * matches anything.",
    ),
    click.option(
        "--dialect",
        "dialects",
        type=RELEASE,
        multiple=True,
        help="Only cases of this Bootz release; repeatable.",
    ),
    click.option(
        "--flow",
        "flows",
        type=one_of(FlowName),
        multiple=True,
        help="Only cases of this flow; repeatable.",
    ),
    click.option(
        "--identity",
        "identities",
        type=click.Choice(["p256", "rsa", "p384", "ek", "ppk", "tpm12"]),
        multiple=True,
        help="Only devices that prove themselves in this way; repeatable.",
    ),
    click.option("--list", "listing", is_flag=True, help="List the cases without running them."),
    click.option("--slow", is_flag=True, help="Run the cases that wait for a time limit too."),
)

_JUDGING = together(
    click.option(
        "--exact/--any-refusal",
        default=True,
        show_default=True,
        help="Check the status code of a refusal; a device only needs to be refused.",
    ),
    click.option("--strict", is_flag=True, help="A case that cannot be judged fails the run."),
    click.option(
        "--timeout", default=30.0, show_default=True, help="Seconds allowed for one case."
    ),
)

_RESTARTING = together(
    click.option(
        "--restart-command",
        metavar="COMMAND",
        help="Restarts the server; adds the cases that replay what was right before a restart.",
    ),
    click.option(
        "--restart-prompt", is_flag=True, help="The same; asks you to restart the server by hand."
    ),
)

_REPORTING = together(
    click.option("--junit", type=FILE, help="Also write JUnit XML to this file."),
    click.option(
        "--html",
        type=FILE,
        help="Also write a page to hand to a vendor; what was sent is put beside it.",
    ),
)


@click.command("server", cls=Verb)
@click.option("--target", metavar="HOST:PORT", help="Address and port of the server.")
@click.option(
    "--compare",
    nargs=2,
    metavar="HOST:PORT HOST:PORT",
    help="Two servers, side by side, instead of --target.",
)
@click.option(
    "--material",
    "material_folders",
    type=FOLDER,
    multiple=True,
    metavar="DIR",
    help="Folder of test devices, for a server other than ours; created if missing. Give it twice "
    "with --compare where the two servers have different owners.",
)
@click.option(
    "--pinned-domain-cert",
    type=FILE,
    metavar="FILE",
    help="Certificate that the vouchers in new --material pin: that of the server's owner.",
)
@_CHOOSING
@_JUDGING
@_RESTARTING
@_REPORTING
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Run test devices against a server and print which cases it passes.

    A hostile device proves something only beside a well-behaved one that is served: else its
    case is not judged. Against a site of this program (--site) the devices are added to its
    inventory and removed again. For any other server create --material first, let its operator
    add what inventory.json lists, and run the command again. Exit code 0: cases passed, and none
    failed.
    """
    from bootz.cli.conformance.server_run import ServerOptions, run_suite

    passed = run_suite(context.obj, ServerOptions(**options))
    context.exit(0 if passed else 1)
