"""The program as other processes: commands that end, and services that say when they serve.

Whoever plays several parties on one machine starts them like this, so that they share nothing.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from bootz.errors import Unavailable

COMMAND: Final = (sys.executable, "-c", "from bootz.cli.main import main; main()")
"""The ``bootz`` command of the Python that runs."""

FORKED: Final = "from bootz.cli.forked import main; main()"
"""The same, for many calls of one caller (``WarmCommand``)."""

MAX_LINE: Final = 1 << 20
"""Bytes of one line that a process may say."""

MAX_ANSWER: Final = 32 << 20
"""Bytes of one command's answer."""

_START_S: Final = 60
_STOP_S: Final = 45

Event = Mapping[str, object]


async def run_command(
    *arguments: str | Path,
    prefix: Sequence[str] = (),
    where: str = "",
    answers: Container[int] = (0,),
) -> object:
    """Run ``bootz`` with ``--output json`` and return what it prints, parsed; None for nothing.

    Args:
        arguments: the words after ``bootz``.
        prefix: words before it, such as ``ip netns exec NAME``.
        where: what the command is for, in an error.
        answers: the exit codes that come with an answer; with any other the command has failed.

    Raises:
        Unavailable: ``process-failed``; with the command's own last words.
    """
    words = [str(argument) for argument in arguments]
    process = await asyncio.create_subprocess_exec(
        *prefix,
        *COMMAND,
        *words,
        "--output",
        "json",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        told, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode not in answers or (process.returncode and not told.strip()):
        raise Unavailable("process-failed", last_words(said), where=where or " ".join(words[:2]))
    return json.loads(told) if told.strip() else None


class WarmCommand:
    """Calls of ``bootz``, each in a fork of one process that has its modules loaded already.

    An async context manager; one call at a time.

    Args:
        program: another Python program that speaks as ``bootz.cli.forked`` does.
    """

    def __init__(self, *, program: str = FORKED) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> "WarmCommand":
        await self._start()
        return self

    async def _start(self) -> asyncio.subprocess.Process:
        # A group of its own, so that a call that is given up ends with the process.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            self._program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=MAX_ANSWER,
            process_group=0,
        )
        return self._process

    async def __aexit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            await end_by_stdin(process, _STOP_S)

    async def __call__(self, *words: str, answers: Container[int] = (0,)) -> object:
        """Call it with ``--output json`` and return what it prints, parsed; None for nothing.

        ``answers`` are the exit codes that come with an answer.

        Raises:
            Unavailable: ``process-failed``; with the command's own last words.
        """
        told = await self.text(*words, "--output", "json", answers=answers)
        return json.loads(told) if told.strip() else None

    async def text(self, *words: str, answers: Container[int] = (0,)) -> str:
        """Call it and return what it prints.

        Raises:
            Unavailable: ``process-failed``; with the command's own last words.
        """
        async with self._turn:
            line = await self._ask(json.dumps({"words": words}).encode() + b"\n")
        answer = read_event(line)
        told, said = str(answer.get("stdout", "")), str(answer.get("stderr", ""))
        code = answer.get("code")
        if code not in answers or (code and not told.strip()):
            raise Unavailable(
                "process-failed", last_words(said.encode()), where=" ".join(words[:2])
            )
        return told

    async def _ask(self, line: bytes) -> bytes:
        process = self._process or await self._start()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("its pipes were not made")
        try:
            process.stdin.write(line)
            await process.stdin.drain()
            return await process.stdout.readline()
        except BaseException:
            # Its answer would be taken for that of the next call.
            self._process = None
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise


async def end_by_stdin(process: asyncio.subprocess.Process, seconds: float) -> None:
    """End a process that ends with its stdin; it is killed if it takes longer than that."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def last_words(said: bytes) -> str:
    """Return what a failed command said on stderr, on one line."""
    lines = said.decode(errors="replace").strip().splitlines()
    error = next((read_event(line.encode()).get("error") for line in lines[-1:]), None)
    if isinstance(error, dict):
        return f"{error.get('where') or ''} {error.get('detail')} ({error.get('reason')})".strip()
    return " ".join(line.strip() for line in lines[-4:])[:600] or "it printed nothing"


def read_event(line: bytes) -> Event:
    """Return a line of JSON as an event; any other line is an event without a name."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


@asynccontextmanager
async def service(
    *arguments: str | Path, log: Path, prefix: Sequence[str] = (), says: str = "serving"
) -> AsyncIterator[Event]:
    """Run ``bootz`` until the block ends; yields its event ``says`` once it serves.

    Its log goes to the file. It is asked to stop (SIGTERM), and killed if it does not.

    Raises:
        Unavailable: ``process-failed``; it ended, or did not come up within a minute.
    """
    words = [str(argument) for argument in arguments]
    process = await asyncio.create_subprocess_exec(
        *prefix,
        *COMMAND,
        *words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        limit=MAX_LINE,
    )
    serving: asyncio.Future[Event] = asyncio.get_running_loop().create_future()

    def hear(event: Event) -> None:
        if event.get("event") == says and not serving.done():
            serving.set_result(event)

    reading = asyncio.create_task(_keep_log(process, log, hear))
    try:
        waited: set[asyncio.Future[Any]] = {serving, reading}
        await asyncio.wait(waited, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            said = await asyncio.to_thread(log.read_bytes)
            raise Unavailable("process-failed", last_words(said), where=" ".join(words[:4]))
        yield serving.result()
    finally:
        await _stop(process)
        await reading


async def _keep_log(
    process: asyncio.subprocess.Process, log: Path, hear: Callable[[Event], None]
) -> None:
    """Write each line of a process to a file, and hand it on; until the process ends."""
    if process.stderr is None:
        raise RuntimeError("stderr is not a pipe")
    with log.open("wb") as writing:
        async for line in process.stderr:
            writing.write(line)
            writing.flush()
            hear(read_event(line))


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
