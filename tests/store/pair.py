"""Two PostgreSQL clusters on one machine: one is written to, and the other follows it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine, text
from store.cluster import programs

_STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


_ADDRESSES = ("127.77.0.1", "127.77.0.2")


class Pair:
    """A cluster and its standby; ``lose`` and ``promote`` make the standby the first.

    Args:
        silent: they are reached by TCP, and the first is lost as a machine is whose power goes: it
            answers nothing more, and no connection to it ends. Needs a network namespace of its
            own, with ``iptables``.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self.root = Path(tempfile.mkdtemp(prefix="bootz-pair-"))
        self._bin = programs()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._folders = [self.root / "a", self.root / "b"]
        for folder in (self.root, *self._folders):
            folder.mkdir(exist_ok=True)
            if self._as:
                user = pwd.getpwnam("postgres")
                os.chown(folder, user.pw_uid, user.pw_gid)
        self._first, self._second = self._folders
        self._run("initdb", "-D", self._first / "data", "-A", "trust", "-U", "bootz")
        self._start(self._first)
        self._run("createdb", "-h", self._host(self._first), "-U", "bootz", "site")
        self.follow()

    @property
    def url(self) -> str:
        """The database, wherever it is written to; as a site's settings have it."""
        hosts = ",".join(map(self._host, self._folders))
        return f"postgresql://bootz@/site?host={hosts}&target_session_attrs=read-write"

    def follow(self) -> None:
        """Make the second a standby, from nothing; a commit waits for it from then on."""
        data = self._second / "data"
        if data.exists():
            self._kill(self._second)
            shutil.rmtree(data)
            # The new one must not take the process that was killed for one that still runs.
            for left in self._second.glob(".s.PGSQL.*"):
                left.unlink()
        self._filter("-F")
        copy = (
            "-h",
            self._host(self._first),
            "-U",
            "bootz",
            "-D",
            data,
            "-X",
            "stream",
            "-R",
            "-c",
            "fast",
        )
        self._run("pg_basebackup", *copy)
        self._start(self._second)
        self._say("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._say("SELECT pg_reload_conf()")

    def in_step(self) -> bool:
        """Whether a commit reaches the standby before anyone is told."""
        return bool(self._say(_STREAMING))

    def lose(self) -> None:
        """End the first, with all its backends (SIGKILL), or all packets from and to it."""
        if self._silent:
            address = self._host(self._first)
            self._filter("-A", "INPUT", "-d", address, "-j", "DROP")
            self._filter("-A", "INPUT", "-s", address, "-j", "DROP")
        else:
            self._kill(self._first)

    def _kill(self, folder: Path) -> None:
        with suppress(OSError):
            pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for victim in (pid, *map(int, children)):
                os.kill(victim, signal.SIGKILL)

    def _filter(self, *words: str) -> None:
        if self._silent:
            subprocess.run(["iptables", "-w", *words], check=True)

    def _host(self, folder: Path) -> str:
        return _ADDRESSES[self._folders.index(folder)] if self._silent else str(folder)

    def promote(self) -> None:
        """Let the second take over; commits wait for no standby until there is one again."""
        self._run("pg_ctl", "-D", self._second / "data", "-w", "promote")
        self._first, self._second = self._second, self._first
        self._say("ALTER SYSTEM SET synchronous_standby_names = ''")
        self._say("SELECT pg_reload_conf()")

    def stop(self) -> None:
        for folder in self._folders:
            with suppress(subprocess.CalledProcessError):
                self._run("pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.root, ignore_errors=True)

    def _start(self, folder: Path) -> None:
        address = self._host(folder) if self._silent else ""
        options = f"-c listen_addresses={address} -k {folder}"
        words = ("-w", "-t", "120", "-l", folder / "log", "-o", options)
        self._run("pg_ctl", "-D", folder / "data", *words, "start")

    def _say(self, statement: str) -> object:
        engine = create_engine(
            f"postgresql+psycopg://bootz@/postgres?host={self._host(self._first)}"
        )
        try:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                result = connection.execute(text(statement))
                return result.scalar() if result.returns_rows else None
        finally:
            engine.dispose()

    def _run(self, program: str, *arguments: object) -> None:
        quiet = subprocess.DEVNULL
        subprocess.run(
            [*self._as, str(self._bin / program), *map(str, arguments)],
            check=True,
            cwd="/",
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
        )
