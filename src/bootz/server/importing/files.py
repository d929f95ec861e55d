"""Reading a file of an import, in whatever of its forms."""

import codecs
from pathlib import Path
from typing import Final

from bootz.errors import ConfigError, unreadable
from bootz.server.importing.csv_form import parse_csv
from bootz.server.importing.documents import items_of
from bootz.server.importing.items import MAX_FILE_BYTES, FileForm, ReadFile
from bootz.server.importing.json_form import parse_json
from bootz.server.importing.yaml_form import parse_yaml

_SUFFIXES: Final = {
    ".yaml": FileForm.YAML,
    ".yml": FileForm.YAML,
    ".json": FileForm.JSON,
    ".csv": FileForm.CSV,
}


_WORKBOOK: Final = "is a spreadsheet workbook; save the sheet as CSV UTF-8"
_OTHER_KINDS: Final = {
    codecs.BOM_UTF32_LE: "is UTF-32; save it as UTF-8",
    codecs.BOM_UTF32_BE: "is UTF-32; save it as UTF-8",
    b"PK\x03\x04": _WORKBOOK,
    b"\xd0\xcf\x11\xe0": _WORKBOOK,
}


def form_of(path: Path) -> FileForm | None:
    """Return the form that a file's name tells, None if it does not."""
    return _SUFFIXES.get(path.suffix.lower())


def read_import(path: Path, form: FileForm) -> ReadFile:
    """Return the entries of a file.

    Raises:
        ConfigError: ``import-file-invalid``; it is not of the form.
        Unavailable: it cannot be read.
    """
    return parse_import(read_text(path), form, str(path))


def parse_import(text: str, form: FileForm, where: str) -> ReadFile:
    """Return the entries of a text; ``where`` is how a person calls it.

    Raises:
        ConfigError: ``import-file-invalid``; it is not of the form.
    """
    try:
        match form:
            case FileForm.YAML:
                return items_of(*parse_yaml(text, packed=True), where)
            case FileForm.JSON:
                return items_of(*parse_json(text, packed=True), where)
            case FileForm.CSV:
                return parse_csv(text, where)
    except ConfigError as error:
        raise ConfigError(
            error.reason,
            error.detail,
            where=f"{where} {error.where}".strip(),
            expected=error.expected,
            seen=error.seen,
        ) from error


def read_text(path: Path, most: int = MAX_FILE_BYTES) -> str:
    """Return a file's text: UTF-8, or UTF-16 with a byte order mark.

    Raises:
        ConfigError: it is longer, or in another encoding.
        Unavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(data) > most:
        raise ConfigError("import-file-invalid", f"has over {most} bytes", where=str(path))
    return decode_text(data, str(path))


def decode_text(data: bytes, where: str) -> str:
    """Return the text of a file's bytes: UTF-8, or UTF-16 with a byte order mark.

    Raises:
        ConfigError: ``import-file-invalid``: it is in another encoding.
    """
    encoding = _encoding(data, where)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        words = "is not UTF-8: save it as such (in a spreadsheet: CSV UTF-8)"
        raise ConfigError(
            "import-file-invalid",
            words if encoding == "utf-8-sig" else "is not UTF-16, as its byte order mark says",
            where=f"{where} line {line}",
        ) from None


def _encoding(data: bytes, where: str) -> str:
    """Return a text's encoding as its first bytes tell it; UTF-8 without a mark.

    Raises:
        ConfigError: it is a file of another kind, which is named.
    """
    for start, words in _OTHER_KINDS.items():
        if data.startswith(start):
            raise ConfigError("import-file-invalid", words, where=where)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in data[:4]:
        raise ConfigError(
            "import-file-invalid",
            "is not a text file, or is UTF-16 without a byte order mark",
            where=where,
        )
    return "utf-8-sig"
