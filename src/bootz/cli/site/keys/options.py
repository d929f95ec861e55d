"""The options by which an operator who has a PKI names its files (``init``, ``keys import``)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def _file(*names: str, help_text: str) -> Callable[[_F], _F]:
    return click.option(*names, type=click.Path(path_type=Path), metavar="FILE", help=help_text)


def key_file_options(function: _F) -> _F:
    """Add the options; their names are the fields of ``KeyFiles``."""
    for option in reversed(
        (
            _file(
                "--pinned-domain-cert",
                help_text="The certificate that vouchers pin, PEM or DER. Its key may stay away.",
            ),
            _file(
                "--pinned-domain-key",
                help_text="Its key: then the owner certificate is issued and rotated here.",
            ),
            _file(
                "--owner-cert",
                help_text="The owner certificate, then those between it and the pinned one.",
            ),
            click.option(
                "--owner-key",
                metavar="FILE|URI",
                help="Its key: PEM of mode 0600, or a PKCS#11 URI (RFC 7512).",
            ),
            _file(
                "--owner-key-passphrase-file",
                "owner_passphrase_file",
                help_text="Opens an encrypted --owner-key, which then stays where it is.",
            ),
            _file("--trust-anchor", help_text="The CA of the server's TLS, which routers get."),
            _file(
                "--trust-anchor-key",
                help_text="Its key: then the TLS certificate is issued and renewed here.",
            ),
            _file("--tls-cert", help_text="The server's TLS certificate, and up to the anchor."),
            _file("--tls-key", help_text="Its key."),
        )
    ):
        function = option(function)
    return function
