"""TPMs and streams of routers: the options of ``manufacture`` and ``boot``."""

from __future__ import annotations

from typing import Final

import click

from bootz.cli.base import one_of, together
from bootz.device.kinds import TpmKind
from bootz.wire.names import FlowName

IDENTITIES: Final = ("idevid", "tpm20-ek", "tpm20-ppk", "tpm12")
"""The words of ``--identity``."""

flow_option: Final = click.option(
    "--flow",
    type=one_of(FlowName),
    default=FlowName.UNARY.value,
    show_default=True,
    help="Calls that the router uses: unary, the stream of v0.6, or that of v1.0.",
)

tpm_options: Final = together(
    click.option(
        "--identity",
        type=click.Choice(IDENTITIES),
        default=IDENTITIES[0],
        show_default=True,
        help="How the router proves its identity: an IDevID, or a TPM key without IDevID.",
    ),
    click.option(
        "--tpm",
        type=one_of(TpmKind),
        help="TPM in software, or swtpm. Default: none for an IDevID (a key file), else soft.",
    ),
)
"""Say what a router proves itself by."""
