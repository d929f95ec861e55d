"""What a command prints: tables for a person, JSON or YAML for a program, from the same rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from bootz.cli.table import lay_out

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bootz.errors import BootzError


_PLAIN: Final = frozenset({str, int, bool, float, type(None)})
_MOST_FITTED: Final = 200
"""Rows of a table that is fitted to the terminal; of more no cell is folded, which costs much."""


class OutputFormat(Enum):
    """The forms of ``--output``."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class Column(NamedTuple):
    """A column of a table: the rows' key, and its title for a person."""

    key: str
    title: str = ""
    right: bool = False


def columns(*keys: str) -> list[Column]:
    """Return columns whose titles are their keys."""
    return [Column(key) for key in keys]


class Output:
    """Prints in the format that was asked for; the same keys in all three."""

    def __init__(self, form: OutputFormat) -> None:
        self.form = form

    def rows(self, columns: Sequence[Column], rows: Iterable[Mapping[str, object]]) -> None:
        """Print a list: the columns as a table, or all keys of all rows as a document."""
        kept = list(rows)
        if self.form is not OutputFormat.TABLE:
            self.document(kept)
            return
        titles = [column.title or column.key.replace("_", " ").upper() for column in columns]
        cells = [[_cell(row.get(column.key)) for column in columns] for row in kept]
        right = [column.right for column in columns]
        if len(cells) > _MOST_FITTED:
            write_text("\n".join(lay_out(titles, cells, right)))
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for title, at_the_right in zip(titles, right, strict=True):
            table.add_column(title, justify="right" if at_the_right else "left", overflow="fold")
        for texts in cells:
            table.add_row(*(Text(text) for text in texts))
        _print(table)

    def record(self, record: Mapping[str, object]) -> None:
        """Print one thing: a line per key, or the document."""
        if self.form is not OutputFormat.TABLE:
            self.document(record)
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for key, value in record.items():
            table.add_row(key.replace("_", " "), Text("\n".join(_lines(value))))
        _print(table)

    def document(self, value: object) -> None:
        """Print a document; YAML where a table was asked for, because it has no columns."""
        plain = _plain(value)
        write_text(_as_json(plain) if self.form is OutputFormat.JSON else _as_yaml(plain))

    def message(self, text: str) -> None:
        """Tell the person something; never data."""
        from rich.text import Text

        stderr().print(Text(text))

    def warning(self, text: str) -> None:
        """Tell the person something that must be seen."""
        from rich.text import Text

        stderr().print(Text.assemble(("warning: ", "bold yellow"), text))

    def error(self, error: BootzError) -> None:
        """Tell the person what failed, where, and what to do next."""
        if self.form is OutputFormat.JSON:
            import json

            sys.stderr.write(json.dumps({"error": error_record(error)}) + "\n")
            return
        from rich.text import Text

        console = stderr()
        console.print(Text.assemble(("error: ", "bold red"), str(error)))
        if error.expected or error.seen:
            console.print(Text(f"  expected: {error.expected or '-'}; seen: {error.seen or '-'}"))
        console.print(Text(f"  reason: {error.reason}. {error.row.meaning}"))
        console.print(Text(f"  next: {error.remedy}"))


def _as_json(plain: object) -> str:
    import json

    return json.dumps(plain, indent=2, ensure_ascii=False)


def _as_yaml(plain: object) -> str:
    """Return YAML in which a text of several lines stands as it is, so that it can be read."""
    import yaml

    class LineByLine(yaml.SafeDumper):
        pass

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    LineByLine.add_representer(str, represent_text)
    shown = yaml.dump(plain, Dumper=LineByLine, sort_keys=False, allow_unicode=True, width=1000)
    return shown.rstrip("\n")


def error_record(error: BootzError) -> dict[str, str]:
    """Return an error as machines get it."""
    return {
        "reason": error.reason,
        "detail": error.detail,
        "where": error.where,
        "expected": error.expected,
        "seen": error.seen,
        "meaning": error.row.meaning,
        "next": error.remedy,
    }


def _print(table: Table) -> None:
    """Print a table; into a file without the blanks that fill its last column."""
    console = stdout()
    with console.capture() as captured:
        console.print(table)
    text = captured.get()
    if not console.is_terminal:
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    sys.stdout.write(text)
    sys.stdout.flush()


def stdout() -> Console:
    """Return a console for data; without a terminal it is wide, so that no cell is folded."""
    return _console(sys.stdout)


def stderr() -> Console:
    """Return a console for messages."""
    return _console(sys.stderr)


def _console(file: object) -> Console:
    from rich.console import Console

    terminal = bool(getattr(file, "isatty", bool)())
    return Console(
        file=file,  # type: ignore[arg-type]
        width=None if terminal else 400,
        highlight=False,
        soft_wrap=not terminal,
    )


def write_text(text: str) -> None:
    """Write one text to stdout as it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if type(value) in _PLAIN:
        return value
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case Enum():
            return _plain(value.value)
        case os.PathLike():
            return os.fspath(value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case Iterable():
            return [_plain(item) for item in value]
    raise RuntimeError(f"{type(value).__name__} has no plain form")


def _lines(value: object) -> list[str]:
    """Return a value as lines: things in a list stand one below the other."""
    plain = _plain(value)
    if isinstance(plain, list) and any(isinstance(item, dict) for item in plain):
        return [_cell(item) for item in plain]
    return [_cell(plain)]


def _cell(value: object) -> str:
    if type(value) is str:
        return printable(value) or "-"
    match _plain(value):
        case None:
            return "-"
        case bool() as flag:
            return "yes" if flag else "no"
        case list() as items:
            return ", ".join(_cell(item) for item in items) or "-"
        case dict() as pairs:
            return ", ".join(f"{key}={_cell(item)}" for key, item in pairs.items()) or "-"
        case "":
            return "-"
        case other:
            return printable(str(other))


def printable(text: str) -> str:
    """Return a text whose characters cannot move the cursor; it may be a stranger's."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text
    )
