"""Reading a file of an import, in whatever of its forms."""

from pathlib import Path
from typing import Final

from bootz.errors import ConfigError, Unavailable
from bootz.server.importing.csv_form import parse_csv
from bootz.server.importing.items import MAX_FILE_BYTES, FileForm, ReadFile, items_of
from bootz.server.importing.json_form import parse_json
from bootz.server.importing.yaml_form import parse_yaml

_SUFFIXES: Final = {
    ".yaml": FileForm.YAML,
    ".yml": FileForm.YAML,
    ".json": FileForm.JSON,
    ".csv": FileForm.CSV,
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
    text = read_text(path)
    where = str(path)
    try:
        match form:
            case FileForm.YAML:
                return items_of(*parse_yaml(text), where)
            case FileForm.JSON:
                return items_of(*parse_json(text), where)
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
    """Return a file's text, UTF-8 with or without a byte order mark.

    Raises:
        ConfigError: it is longer, or no UTF-8.
        Unavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unavailable("file-unreadable", str(error.strerror), where=str(path)) from error
    if len(data) > most:
        raise ConfigError("import-file-invalid", f"has over {most} bytes", where=str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            "import-file-invalid", "is not UTF-8", where=f"{path} line {line}"
        ) from None
