"""The bell of a running router: hands and consoles ring it after they have changed something.

It is a named pipe in the router's folder. A ring says only "look again": what happened stands in
files that are replaced whole, so a ring that is lost, or rung twice, does no harm. A named
pipe knows no maximum length of its path, as a socket does, and a killed process leaves none over.
"""

import asyncio
import errno
import os
from pathlib import Path

from bootz.errors import ConflictError

_NAME = "bell"


class Bell:
    """The router's end; open it in an event loop, before looking for the first time."""

    def __init__(self, folder: Path) -> None:
        path = folder / _NAME
        if not path.is_fifo():
            try:
                os.mkfifo(path, 0o600)
            except FileExistsError as error:
                raise ConflictError(
                    "hardware-damaged", "the bell is not a named pipe", where=str(path)
                ) from error
        # Opened for both ends: with no writer left it would be readable all the time.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rung = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._pipe, self._heard)

    def close(self) -> None:
        """There is no reader any more."""
        self._loop.remove_reader(self._pipe)
        os.close(self._pipe)

    async def wait(self, seconds: float | None = None) -> bool:
        """Return True at the next ring, or False after ``seconds``; None waits without end."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True

    def _heard(self) -> None:
        try:
            while os.read(self._pipe, 4096):
                pass
        except BlockingIOError:
            self._rung.set()


def ring(folder: Path) -> bool:
    """Tell the running router to look again; return whether one is running."""
    try:
        pipe = os.open(folder / _NAME, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.ENOENT}:
            return False
        raise
    try:
        os.write(pipe, b"!")
    except BlockingIOError:
        # So many have rung already that the pipe is full.
        return True
    finally:
        os.close(pipe)
    return True
