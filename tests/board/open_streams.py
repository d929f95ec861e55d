"""The door as a process, and streams of it that are open: for what measures beside them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootz.processes import COMMAND


@contextmanager
def door(site: Path) -> Iterator[tuple[str, int]]:
    """Run ``bootz board`` for a site; yield its address and its process."""
    ready = site.parent / "door.json"
    words = ("--site", str(site), "board", "--listen", "127.0.0.1:0", "--ready-file", str(ready))
    with (site.parent / "door.log").open("wb") as log:
        process = subprocess.Popen([*COMMAND, *words], stderr=log, stdin=subprocess.DEVNULL)
    try:
        while not ready.exists():
            assert process.poll() is None, (site.parent / "door.log").read_text()
            time.sleep(0.01)
        yield f"http://{json.loads(ready.read_text())['door'][0]}", process.pid
    finally:
        process.terminate()
        process.wait(30)


class OpenStreams:
    """Open streams of events: each is read, in a thread of its own for all of them."""

    def __init__(self, base: str, path: str, header: str, count: int) -> None:
        self.octets = 0
        self._host, _, port = base.removeprefix("http://").rpartition(":")
        self._port, self._count = int(port), count
        self._request = f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode()
        self._open = threading.Semaphore(0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> OpenStreams:
        self._thread.start()
        for _ in range(self._count):
            self._open.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        async def read() -> None:
            reader, writer = await asyncio.open_connection(self._host, self._port)
            writer.write(self._request)
            assert b"200" in await reader.readline()
            self._open.release()
            while chunk := await reader.read(1 << 16):
                self.octets += len(chunk)

        async def all_of_them() -> None:
            await asyncio.gather(*(read() for _ in range(self._count)))

        self._task = self._loop.create_task(all_of_them())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()
