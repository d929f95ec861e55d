"""A real PostgreSQL of the lab's own, on a unix socket alone, with its defaults of durability."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from bootz.errors import Unavailable
from bootz.processes import last_words

_USER: Final = "postgres"
"""Debian's user for it: PostgreSQL does not run as root."""

_READY: Final = b"ready to accept connections"
_START_S: Final = 60.0
_TRIES: Final = 20
_PAUSE_S: Final = 0.2


class Cluster:
    """The database of all servers. A folder under the system's temporary one, gone afterwards."""

    name = "database"

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._user = _USER if os.geteuid() == 0 else None
        self._root = Path()
        self._programs = Path()

    @property
    def url(self) -> str:
        """As ``bootz init --database`` takes it."""
        return f"postgresql://bootz@/bootz?host={self._root}"

    async def create(self) -> None:
        """Make the cluster and its one database, and leave it running.

        Raises:
            Unavailable: ``process-failed``; PostgreSQL is not installed, or does not run.
        """
        self._programs = _programs()
        self._root = Path(tempfile.mkdtemp(prefix="bootz-lab-pg-"))
        if self._user is not None:
            try:
                user = pwd.getpwnam(self._user)
            except KeyError as error:
                raise Unavailable(
                    "process-failed", f"there is no user {self._user}", where="PostgreSQL"
                ) from error
            os.chown(self._root, user.pw_uid, user.pw_gid)
        words = ("-A", "trust", "-U", "bootz", "--locale=C", "--encoding=UTF8")
        await self._run("initdb", "-D", str(self._data), *words)
        await self.start()
        await self._run("createdb", "-h", str(self._root), "-U", "bootz", "bootz")

    @property
    def _data(self) -> Path:
        return self._root / "data"

    async def start(self) -> None:
        """Start it, and wait until it takes connections; after a kill it recovers first.

        Raises:
            Unavailable: ``process-failed``.
        """
        for _ in range(_TRIES):
            if await self._start():
                return
            # The memory of killed backends is in use until the last of them is gone.
            await asyncio.sleep(_PAUSE_S)
        said = await asyncio.to_thread(self._log.read_bytes)
        raise Unavailable("process-failed", last_words(said), where="PostgreSQL")

    async def _start(self) -> bool:
        process = self._process = await asyncio.create_subprocess_exec(
            str(self._programs / "postgres"),
            *("-D", str(self._data), "-k", str(self._root)),
            *("-c", "listen_addresses=", "-c", "max_connections=200"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            user=self._user,
            extra_groups=None if self._user is None else [],
            start_new_session=True,
        )
        ready = asyncio.Event()
        self._reading = asyncio.create_task(self._read(process, ready))
        waiting = asyncio.create_task(ready.wait())
        waited: set[asyncio.Future[Any]] = {waiting, self._reading}
        await asyncio.wait(waited, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not ready.is_set():
            await self.kill()
        return ready.is_set()

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        if process.stderr is None:
            raise RuntimeError("stderr is not a pipe")
        with self._log.open("ab") as writing:
            async for line in process.stderr:
                writing.write(line)
                writing.flush()
                if _READY in line:
                    ready.set()

    async def kill(self) -> None:
        """End the postmaster and all backends (SIGKILL)."""
        process = self._process
        if process is not None and process.returncode is None:
            # Each backend is in a session of its own.
            victims = [process.pid, *_children(process.pid)]
            for victim in victims:
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
        await self._gone()

    async def stop(self) -> None:
        """End it, with everything that was in it."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        await self._gone()
        await asyncio.to_thread(shutil.rmtree, self._root, ignore_errors=True)

    async def _gone(self) -> None:
        if self._process is not None:
            await self._process.wait()
        if self._reading is not None:
            await self._reading

    async def _run(self, program: str, *words: str) -> None:
        process = await asyncio.create_subprocess_exec(
            str(self._programs / program),
            *words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            user=self._user,
            extra_groups=None if self._user is None else [],
        )
        _, said = await process.communicate()
        if process.returncode:
            raise Unavailable("process-failed", last_words(said), where=program)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs; Debian keeps them out of the path."""
    folders = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdecimal()
    ]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name))
    found = shutil.which("postgres")
    if found is None:
        raise Unavailable(
            "process-failed", "it is not installed (Debian: postgresql)", where="PostgreSQL"
        )
    return Path(found).parent


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
