"""The options by which an operator who has a PKI names its files (``init``, ``keys import``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from bootz.cli.base import PATH, together

_F = TypeVar("_F", bound=Callable[..., Any])


def _file(*names: str, help_text: str) -> Callable[[_F], _F]:
    return click.option(*names, type=PATH, metavar="FILE", help=help_text)


key_file_options = together(
    _file(
        "--pinned-domain-cert",
        help_text="Certificate that vouchers pin, PEM or DER. Its key can be stored elsewhere.",
    ),
    _file(
        "--pinned-domain-key",
        help_text="Its private key: then the owner certificate is issued and rotated here.",
    ),
    _file(
        "--owner-cert",
        help_text="Owner certificate, followed by intermediates up to the pinned one.",
    ),
    click.option(
        "--owner-key",
        metavar="FILE|URI",
        help="Its private key: PEM file of mode 0600, or a PKCS#11 URI (RFC 7512).",
    ),
    _file(
        "--owner-key-passphrase-file",
        "owner_passphrase_file",
        help_text="Passphrase file of an encrypted --owner-key, which then stays in its place.",
    ),
    _file(
        "--owner-p256-cert",
        help_text="P-256 owner certificate beside the first, for routers that verify it "
        "(`owner_key: p256`), followed by intermediates.",
    ),
    click.option(
        "--owner-p256-key",
        metavar="FILE|URI",
        help="Its private key, as --owner-key.",
    ),
    _file(
        "--owner-p256-key-passphrase-file",
        "owner_p256_passphrase_file",
        help_text="Passphrase file of an encrypted --owner-p256-key.",
    ),
    _file("--trust-anchor", help_text="CA of the server's TLS certificate; routers get it."),
    _file(
        "--trust-anchor-key",
        help_text="Its private key: then the TLS certificate is issued and renewed here.",
    ),
    _file(
        "--tls-cert",
        help_text="TLS certificate of the server, followed by intermediates up to the "
        "trust anchor.",
    ),
    _file("--tls-key", help_text="Its key."),
)
"""Add the options; their names are the fields of ``KeyFiles``."""


def image_option(function: _F) -> _F:
    """Add ``--image``."""
    return click.option(
        "--image",
        "images",
        multiple=True,
        type=PATH,
        metavar="FILE",
        help="Image file of the reference's configuration: FILE is put into the image store and "
        "served from there; repeatable.",
    )(function)
