"""Processes that are killed without a warning, and started again with the same words."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from bootz.errors import Unavailable
from bootz.processes import COMMAND, MAX_LINE, Event, last_words, read_event

_START_S: Final = 120.0
"""Seconds until a process must serve; the machine may be busy with hundreds of routers."""

_STOP_S: Final = 45.0


class Mortal(Protocol):
    """Something that can die."""

    @property
    def name(self) -> str:
        """What it is, in the tally."""

    async def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            Unavailable: ``process-failed``.
        """

    async def kill(self) -> None:
        """End it as the kernel does (SIGKILL), with all its children; wait until it is gone."""

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""


class Service:
    """A ``bootz`` command that serves; belongs to one event loop.

    Args:
        name: what it is, in the tally.
        words: the words after ``bootz``.
        log: its log, of all its lives.
    """

    def __init__(self, name: str, words: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.words = tuple(map(str, words))
        self.told: Event = {}
        """Its event ``serving``."""
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            Unavailable: ``process-failed``; it ended, or did not come up in time.
        """
        process = self._process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *self.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            limit=MAX_LINE,
            start_new_session=True,
        )
        serving: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(process, serving))
        waited: set[asyncio.Future[Any]] = {serving, self._reading}
        await asyncio.wait(waited, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await self.kill()
            said = await asyncio.to_thread(self._log.read_bytes)
            raise Unavailable("process-failed", last_words(said), where=self.name)
        self.told = serving.result()

    async def _read(
        self, process: asyncio.subprocess.Process, serving: "asyncio.Future[Event]"
    ) -> None:
        if process.stderr is None:
            raise RuntimeError("stderr is not a pipe")
        with self._log.open("ab") as writing:
            async for line in process.stderr:
                writing.write(line)
                writing.flush()
                event = read_event(line)
                if event.get("event") == "serving" and not serving.done():
                    serving.set_result(event)

    async def kill(self) -> None:
        """End it (SIGKILL), with all its children."""
        if self._process is not None and self._process.returncode is None:
            # It may have ended by itself a moment ago.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._gone()

    async def stop(self) -> None:
        """Ask it to end; kill it if it does not."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self._process.wait()
            except TimeoutError:
                await self.kill()
        await self._gone()

    async def _gone(self) -> None:
        if self._process is not None:
            await self._process.wait()
        if self._reading is not None:
            await self._reading
