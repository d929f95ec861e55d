"""What the options of ``bootz vendor`` make of where vouchers come from."""

from collections.abc import Mapping
from typing import Any

import click
from pydantic import JsonValue

from bootz.cli.inventory.base import read_document

_KEYS = ("cert_id", "token_file", "tls_roots", "lifetime_days")


_PATHS = frozenset({"token_file", "tls_roots"})


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
