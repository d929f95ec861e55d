"""The options of ``bootz vendor add`` and ``set`` about where vouchers come from."""

from __future__ import annotations

import click

from bootz.cli.base import PATH
from bootz.server.operations.defaults import DEFAULT_LIFETIME_DAYS

VOUCHER_SOURCE_OPTIONS = (
    click.option(
        "--ovgs", metavar="HOST:PORT", help="OVGS service that issues its vouchers; '' removes it."
    ),
    click.option("--cert-id", help="Id of this site's pinned domain certificate at that service."),
    click.option(
        "--token-file",
        type=PATH,
        metavar="FILE",
        help="File with the access token, mode 0600.",
    ),
    click.option(
        "--tls-roots",
        type=PATH,
        metavar="FILE",
        help="Root CAs of its TLS certificate, PEM. Default: those of the system.",
    ),
    click.option(
        "--lifetime",
        "lifetime_days",
        type=click.IntRange(1, 36500),
        metavar="DAYS",
        help=f"Validity of requested vouchers in days. Default: {DEFAULT_LIFETIME_DAYS}.",
    ),
    click.option(
        "--voucher-folder",
        type=PATH,
        metavar="DIR",
        help="Instead of OVGS: folder in which its vouchers (.vcj, .tar) arrive.",
    ),
    click.option(
        "--voucher-source",
        type=PATH,
        metavar="FILE",
        help="All of these settings as YAML, including rarely used ones.",
    ),
)
