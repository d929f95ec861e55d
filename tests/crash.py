"""Kill -9 at every step of a command: each change of a file, each statement to a database."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

_FILE_EVENTS = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def killed_runs(words: list[str], folder: Path, *, every: int = 1) -> Iterator[int]:
    """Run ``bootz`` again and again, each time killed a step later; yields after each kill.

    Ends when a run comes to its end, which must be exit code 0. ``every`` skips steps.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "bootz.cli.site.making",
            "bootz.cli.inventory.importing",
            "bootz.cli.router.powering",
            "bootz.server.keys.rotation",
        ]
    )
    step = 1
    while True:
        process = context.Process(target=_run, args=(words, str(folder), step))
        process.start()
        process.join(60)
        code = process.exitcode
        process.close()
        if code == 0:
            assert step > 3, "it was never killed"
            return
        assert code == -signal.SIGKILL, f"ended with {code}"
        yield step
        step += every


def _run(words: list[str], folder: str, fatal: int) -> None:
    from sqlalchemy import Engine, event

    from bootz.cli.main import run

    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(name: str, arguments: tuple[object, ...]) -> None:
        changes = name in _FILE_EVENTS or (name == "open" and _writes(arguments))
        if changes and str(arguments[0]).startswith(folder):
            step()

    sys.addaudithook(audit)
    event.listen(Engine, "before_cursor_execute", lambda *_: step())
    event.listen(Engine, "commit", lambda *_: step())
    with open(os.devnull, "w") as sink, redirect_stdout(sink), redirect_stderr(sink):
        code = run(words)
    os._exit(code)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & _WRITES)
