"""A PostgreSQL of our own, on a unix socket only, for as long as the tests run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg


def programs() -> Path:
    """Return where Debian keeps the newest version's programs, which are not in the path."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return max(folders, key=lambda folder: int(folder.parent.name))


def _database(url: str) -> str:
    return url.removeprefix("postgresql://bootz@/").partition("?")[0]


class Cluster:
    """A running cluster; ``url`` makes a fresh database."""

    def __init__(self, *, durable: bool = False) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="bootz-pg-"))
        self._count = 0
        self._bin = programs()
        # PostgreSQL does not run as root.
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            user = pwd.getpwnam("postgres")
            os.chown(self.root, user.pw_uid, user.pw_gid)
        self.data = self.root / "data"
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "bootz", "--no-sync")
        # What tests write may be lost with the machine; what is measured may not.
        options = f"-c listen_addresses= -k {self.root} -c fsync={'on' if durable else 'off'}"
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.root / "log", "-o", options, "start")

    def url(self, template: str | None = None) -> str:
        """Make a database, with everything that the one of another URL has."""
        self._count += 1
        name = f"site{self._count}"
        like = "" if template is None else f" TEMPLATE {_database(template)}"
        self._say(f"CREATE DATABASE {name}{like}")
        return f"postgresql://bootz@/{name}?host={self.root}"

    def drop(self, url: str) -> None:
        """Remove the database of a URL."""
        self._say(f"DROP DATABASE {_database(url)}")

    def load(self, url: str, dump: Path) -> None:
        """Run a dump in a database that ``url`` made."""
        script = self.root / dump.name
        shutil.copy(dump, script)
        script.chmod(0o644)
        options = ("-v", "ON_ERROR_STOP=1", "-q", "-h", self.root, "-U", "bootz")
        self._run("psql", *options, "-d", _database(url), "-f", script)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.root, ignore_errors=True)

    def _say(self, statement: str) -> None:
        with psycopg.connect(f"postgresql://bootz@/postgres?host={self.root}") as connection:
            connection.autocommit = True
            connection.execute(statement)

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [*self._as, str(self._bin / program), *map(str, arguments)],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
