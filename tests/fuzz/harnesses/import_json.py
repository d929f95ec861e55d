"""Inventories in JSON."""

from bootz.server.importing.files import decode_text, parse_import
from bootz.server.importing.items import FileForm


def enter(data: bytes) -> None:
    parse_import(decode_text(data, "file"), FileForm.JSON, "file")
