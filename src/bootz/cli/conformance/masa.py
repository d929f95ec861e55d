"""``bootz conformance masa``: every RPC, role and error of a voucher service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import EXISTING_FILE, FILE, Verb, together

if TYPE_CHECKING:
    from pathlib import Path

_ACCOUNT = "[service-account:]NAME=FILE"

_service_options = together(
    click.option(
        "--target",
        metavar="HOST:PORT",
        help="Address and port of the service. Default: a temporary MASA of this program.",
    ),
    click.option(
        "--ca", type=EXISTING_FILE, metavar="FILE", help="Roots of its TLS certificate, PEM."
    ),
    click.option(
        "--client-cert", type=EXISTING_FILE, metavar="FILE", help="Client certificate, PEM."
    ),
    click.option("--client-key", type=EXISTING_FILE, metavar="FILE", help="Its private key, PEM."),
    click.option("--plaintext", is_flag=True, help="Without TLS; on loopback only."),
    click.option(
        "--metadata-key", default="authorization", show_default=True, help="Carries the token."
    ),
    click.option(
        "--metadata-template",
        default="Bearer {token}",
        show_default=True,
        help="How the token is written there.",
    ),
    click.option("--org", help="Organisation id, which is the id of its root group."),
    click.option("--ien", help="Enterprise number of the components."),
    click.option(
        "--serial",
        "serials",
        multiple=True,
        help="Component in the root group alone; give four. They are moved, and moved back.",
    ),
    click.option(
        "--voucher-anchor",
        "anchors",
        type=EXISTING_FILE,
        multiple=True,
        metavar="FILE",
        help="CA that vouchers chain to, PEM; repeatable. Default: those of --ca.",
    ),
)

_account_options = together(
    click.option(
        "--admin", metavar=_ACCOUNT, help="ADMIN on the root group, and the file of its token."
    ),
    *(
        click.option(f"--{name}", metavar=_ACCOUNT, help=text)
        for name, text in (
            ("group-admin", "Account without a role; the suite makes it ADMIN of its group."),
            ("assigner", "Another one, for ASSIGNER."),
            ("requestor", "Another one, for REQUESTOR."),
            ("outsider", "Another one, for no role."),
            ("expired", "An account whose token has expired."),
            ("support", "An account of the manufacturer's staff."),
            ("foreign-admin", "ADMIN on the root group of --foreign-org."),
            ("foreign", "Account of --foreign-org without a role."),
        )
    ),
    click.option("--foreign-org", help="Id of another organisation."),
)


@click.command("masa", cls=Verb)
@_service_options
@_account_options
@click.option(
    "--case", "patterns", multiple=True, metavar="NAME", help="Only these; * matches anything."
)
@click.option("--list", "listing", is_flag=True, help="List the cases without running them.")
@click.option("--strict", is_flag=True, help="A case that cannot be judged fails the run.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds allowed for one case.")
@click.option("--junit", type=FILE, help="Also write JUnit XML to this file.")
@click.option(
    "--html",
    type=FILE,
    help="Also write a page to this file, and what was sent to the folder FILE-sent beside it.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    patterns: tuple[str, ...],
    listing: bool,
    strict: bool,
    timeout: float,
    junit: Path | None,
    html: Path | None,
    **options: Any,
) -> None:
    """Call an OVGS service in every role, and print which cases it passes.

    The suite makes a group of its own below the root group of a customer, and takes it away
    again. A refusal counts only beside the same call that is served; otherwise the case is not
    judged. Exit code 0: something passed and nothing failed.
    """
    from bootz.cli.conformance.masa_run import run_suite

    good = run_suite(
        context.obj,
        options,
        patterns,
        timeout,
        (junit, html),
        listing=listing,
        strict=strict,
    )
    context.exit(0 if good else 1)
