"""The operator's door beside the server: a process of its own, started again when it dies."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from bootz.processes import COMMAND, end_by_stdin

log = structlog.get_logger()

_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0
_STEADY_S: Final = 60.0
"""A door that ran so long may start again at once."""
_STOP_S: Final = 15.0


@asynccontextmanager
async def door_beside(root: Path, *words: str) -> AsyncIterator[None]:
    """Keep the door of a site running within the block; what it logs goes where ours does.

    ``words`` are further words of ``bootz board``. A door that cannot start does not stop the
    server: it is told in the log, and tried again.
    """
    keeper = asyncio.create_task(_keep(root, words))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def serve_beside(root: Path, served: Coroutine[Any, Any, None]) -> None:
    """Serve with the door of a site beside it."""
    async with door_beside(root):
        await served


async def _keep(root: Path, words: tuple[str, ...]) -> None:
    wait = _FIRST_WAIT_S
    while True:
        began = time.monotonic()
        code: int | None = None
        try:
            code = await _run(root, words)
        except Exception as error:
            # As of a machine without a free process or descriptor: it is tried again.
            log.error("door-not-started", detail=f"{type(error).__name__}: {error}")
        if time.monotonic() - began >= _STEADY_S:
            wait = _FIRST_WAIT_S
        log.error("door-ended", exit_code=code, again_in_seconds=wait)
        await asyncio.sleep(wait)
        wait = min(_LONGEST_WAIT_S, wait * 2)


async def _run(root: Path, words: tuple[str, ...]) -> int:
    # The door ends with its stdin: so it does not outlive a server that is killed.
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("--site", str(root), "board", "--until-stdin-ends", *words),
        stdin=subprocess.PIPE,
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        # Before it serves it hears no end of stdin, and perhaps waits for the database.
        with suppress(ProcessLookupError):
            process.terminate()
        await end_by_stdin(process, _STOP_S)
        raise
