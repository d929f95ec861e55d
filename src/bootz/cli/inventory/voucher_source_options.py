"""The options of ``bootz vendor add`` and ``set`` about where vouchers come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import JsonValue

from bootz.cli.inventory.base import read_document
from bootz.server.operations.voucher_source import DEFAULT_LIFETIME_DAYS

_KEYS = ("cert_id", "token_file", "tls_roots", "lifetime_days")
_PATHS = frozenset({"token_file", "tls_roots"})

VOUCHER_SOURCE_OPTIONS = (
    click.option(
        "--ovgs", metavar="HOST:PORT", help="OVGS service that issues its vouchers; '' removes it."
    ),
    click.option("--cert-id", help="Id of this site's pinned domain certificate at that service."),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="File with the access token, mode 0600.",
    ),
    click.option(
        "--tls-roots",
        type=click.Path(path_type=Path),
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
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Instead of OVGS: folder in which its vouchers (.vcj, .tar) arrive.",
    ),
    click.option(
        "--voucher-source",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="All of these settings as YAML, including rarely used ones.",
    ),
)


def changed_source(
    source: Mapping[str, JsonValue] | None, options: Mapping[str, Any]
) -> dict[str, JsonValue] | None:
    """Return the document of a voucher source with everything that the options give.

    Raises:
        ConfigError: a file is not a document.
        BadParameter: OVGS and a folder are both named.
    """
    if options["voucher_source"] is not None:
        document: dict[str, Any] = read_document(options["voucher_source"])
        source = document
    ovgs, folder = options["ovgs"], options["voucher_folder"]
    if ovgs and folder is not None:
        raise click.BadParameter(
            "give either --ovgs or --voucher-folder", param_hint="--voucher-folder"
        )
    if folder is not None:
        return {"folder": str(folder.absolute())}
    if ovgs == "":
        return None
    given = {name: options[name] for name in _KEYS if options[name] is not None}
    if ovgs is None and not given:
        return None if source is None else dict(source)
    changed = {} if source is None else dict(source)
    if ovgs is not None:
        changed.pop("folder", None)
        changed["ovgs"] = ovgs
    for name, value in given.items():
        # The server may run in another directory than this command.
        changed[name] = str(value.absolute()) if name in _PATHS else value
        if name == "token_file":
            changed.pop("token_variable", None)
    return changed
