"""A list of chassis and the shell's completion look at the database without its library."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from operations.shell import Shell

from bootz.server.glance import glance
from bootz.server.store.database import open_database, plain
from bootz.server.store.listing import listed_chassis, listed_names


def _filled(shell: Shell) -> None:
    shell.ok("vendor", "add", "Zeta", "--ca", str(shell.root / "acme.der"))
    shell.ok("profile", "add", "edge")
    words = ("--hostname", "r1", "--part-number", "P", "--release", "v0.3", "--profile", "edge")
    shell.ok("chassis", "add", "S1", "--vendor", "Acme", "--label", "site=oslo", *words)
    cards = ("--modular", "--card", "M-RP0:RP0", "--card", "M-LC0:LC0")
    shell.ok("chassis", "add", "", "--vendor", "Zeta", *cards, "--boot-mode", "insecure")


def test_it_sees_what_the_store_says(shell: Shell) -> None:
    _filled(shell)
    database = open_database(f"sqlite:///{shell.root}/bootz.db")
    with database.read() as connection:
        stored = listed_chassis(plain(connection))
    database.close()
    with glance(shell.root) as execute:
        assert execute is not None
        assert list(listed_chassis(execute)) == stored
        names = {
            kind: list(listed_names(execute, kind))
            for kind in ("vendor", "profile", "image", "serial")
        }
    assert names == {
        "vendor": [("Acme",), ("Zeta",)],
        "profile": [("edge",)],
        "image": [],
        "serial": [("M-LC0",), ("M-RP0",), ("S1",)],
    }


def test_a_list_by_a_look_is_that_of_the_opened_site(shell: Shell) -> None:
    _filled(shell)
    quick = shell.json("chassis", "list")
    expected = {
        "state": "expected",
        "since": None,
        "attempt": 0,
        "reason": "",
        "detail": "",
        "next": "",
    }
    assert quick == [
        {
            "vendor": "Acme",
            "serial_number": "S1",
            "part_number": "P",
            "hostname": "r1",
            "cards": 1,
            "boot_mode": "secure",
            "release": "v0.3",
            "profile": "edge",
            "labels": {"site": "oslo"},
            **expected,
        },
        {
            "vendor": "Zeta",
            "serial_number": "",
            "part_number": "",
            "hostname": "",
            "cards": 2,
            "boot_mode": "INSECURE",
            "release": None,
            "profile": None,
            "labels": {},
            **expected,
        },
    ]
    assert shell.json("chassis", "list", "--vendor", "acme inc") == quick[:1]
    assert shell.json("chassis", "list", "--profile", "EDGE") == quick[:1]
    assert shell.json("chassis", "list", "--profile", "") == quick[1:]
    assert shell.json("chassis", "list", "--label", "Site=oslo") == quick[:1]
    # A URL that it leaves to the settings leads to the same list.
    with (shell.root / "bootz.yaml").open("a") as file:
        file.write("database: {url: 'sqlite:///bootz.db', password_file: none}\n")
    (shell.root / "none").touch(mode=0o600)
    (shell.root / "none").write_text("secret")
    with glance(shell.root) as execute:
        assert execute is None
    assert shell.json("chassis", "list") == quick


@pytest.mark.parametrize(
    "settings",
    [
        "database: {url: 'postgresql://localhost/bootz'}",
        "database: {url: 'sqlite:///:memory:'}",
        "database: {url: 'sqlite:///bootz.db?mode=memory'}",
        "database: {url: 'sqlite:///'}",
        "database: {url: 7}",
        "database: [url]",
        "database: {url: 'sqlite:///bootz.db', pool: 1}",
        "database: {url: 'sqlite:///none.db'}",
        "database: {url: 'sqlite:///bootz.yaml'}",
        "progress: {image_minutes: 9}",
        "[",
        "- a",
    ],
)
def test_what_is_not_usual_is_left_to_the_site(shell: Shell, settings: str) -> None:
    (shell.root / "bootz.yaml").write_text(settings)
    with glance(shell.root) as execute:
        assert execute is None


def test_tables_of_another_version_are_left_to_the_site(shell: Shell) -> None:
    shell.change("UPDATE meta SET value = value + 1 WHERE key = 'schema'")
    with glance(shell.root) as execute:
        assert execute is None
    # Newer tables that say this program works on them are read, the slow way.
    assert shell.json("chassis", "list") == []
    shell.change("UPDATE meta SET value = 1000 WHERE key = 'oldest_program'")
    assert shell.refused("chassis", "list") == "database-version"


def test_a_table_that_cannot_be_read_is_told(shell: Shell) -> None:
    with sqlite3.connect(shell.root / "bootz.db") as connection:
        connection.execute("DROP TABLE card")
    assert shell.refused("chassis", "list") == "database-unavailable"


def test_it_changes_nothing(shell: Shell) -> None:
    with glance(shell.root) as execute:
        assert execute is not None
        with pytest.raises(Exception, match="readonly"):
            execute("DELETE FROM vendor", {})


def test_a_list_loads_neither_the_database_s_library_nor_the_settings(shell: Shell) -> None:
    program = (
        "import sys, json; from bootz.cli.main import run; code = run(sys.argv[1:]); "
        "heavy = {'sqlalchemy', 'pydantic', 'cryptography', 'asyncio', 'structlog', 'jinja2'}; "
        "print(json.dumps([code, sorted(heavy & set(sys.modules))]))"
    )
    words = ["--site", str(shell.root), "chassis", "list"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_names_of_folders_need_not_be_plain(shell: Shell, tmp_path: Path) -> None:
    site = tmp_path / "a %41 # ? site"
    site.mkdir()
    (site / "bootz.yaml").touch()
    open_database(f"sqlite:///{shell.root}/bootz.db").close()
    (site / "bootz.db").write_bytes((shell.root / "bootz.db").read_bytes())
    with glance(site) as execute:
        assert execute is not None
        assert list(listed_names(execute, "vendor")) == [("Acme",)]
