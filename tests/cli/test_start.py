"""The command starts fast: a help text loads nothing that it does not print."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cli.commands import every_command
from click.formatting import HelpFormatter

from bootz.cli.main import help_width

HEAVY = (
    *("aiohttp", "alembic", "cryptography", "dns", "google", "grpclib", "h2", "jinja2"),
    *("pydantic", "pydantic_core", "rich", "sqlalchemy", "structlog", "uvloop", "yaml"),
    *("asyncio", "http", "json", "logging", "multiprocessing", "pathlib", "socket", "sqlite3"),
    *("ssl", "subprocess", "tempfile", "bootz.reasons", "bz2", "lzma", "shutil"),
)
"""What no help needs; click loads none of it, but for ``shutil`` where it has to find a width."""

_LOADED = """
import contextlib, io, sys
from bootz.cli.main import run

heavy, *commands = sys.stdin.read().splitlines()
told = {}
for words in commands:
    with contextlib.redirect_stdout(io.StringIO()) as help:
        code = run(words.split())
    assert code == 0 and help.getvalue().startswith("Usage: bootz "), words
    told[words] = [name for name in heavy.split() if name in sys.modules]
import json
json.dump(told, sys.stdout)
"""


def _loaded(heavy: tuple[str, ...], commands: list[str]) -> dict[str, list[str]]:
    given = "\n".join([" ".join(heavy), *commands])
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], input=given, capture_output=True, text=True, check=True
    )
    loaded: dict[str, list[str]] = json.loads(done.stdout)
    return loaded


def test_no_help_loads_what_only_the_work_needs() -> None:
    commands = [
        " ".join([*words, help_option])
        for words, _ in every_command()
        for help_option in ("--help", "-h")
    ]
    loaded = _loaded(HEAVY, commands)
    assert list(loaded) == commands
    assert {words: names for words, names in loaded.items() if names} == {}


@pytest.mark.parametrize("columns", [None, "", "0", "-5", "wide", "20", "51", "79", "200"])
def test_a_help_text_is_as_wide_as_click_would_make_it(
    columns: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    assert help_width() == HelpFormatter().width
