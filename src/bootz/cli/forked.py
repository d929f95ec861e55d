"""Many calls of ``bootz`` from one warm process: each call is a fork that has its modules loaded.

For programs that make hundreds of calls: starting Python costs more than what most calls do. What
a call has to load, the process loads for the next ones. One line of JSON per call on stdin, one
per answer on stdout:

    {"words": ["router", "show", "r1"]}
    {"code": 0, "stdout": "...", "stderr": "..."}
"""

import gc
import importlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from typing import IO

from bootz.cli.main import run


def main() -> None:
    """Serve until stdin ends."""
    # Ctrl-C at a terminal reaches all of its processes; the caller's word is the end of stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        answer = _call([str(word) for word in json.loads(line)["words"]])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _call(words: Sequence[str]) -> dict[str, object]:
    with (
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as loaded,
    ):
        child = os.fork()
        if child == 0:
            _become(words, told, said, loaded)
        _, status = os.waitpid(child, 0)
        _load(_content(loaded).split())
        return {
            "code": os.waitstatus_to_exitcode(status),
            "stdout": _content(told),
            "stderr": _content(said),
        }


def _load(modules: Sequence[str]) -> None:
    """Load what a call has loaded, so that the next one finds it."""
    if not modules:
        return
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    # What was loaded is shared between all forks for as long as nothing touches it.
    gc.freeze()


def _become(words: Sequence[str], told: IO[bytes], said: IO[bytes], loaded: IO[bytes]) -> None:
    """Be the called command; never returns."""
    code = 70
    before = frozenset(sys.modules)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for kept, standard in ((nothing, 0), (told.fileno(), 1), (said.fileno(), 2)):
            os.dup2(kept, standard)
        code = run(words)
        sys.stdout.flush()
        sys.stderr.flush()
        own = (name for name in sys.modules if name.startswith("bootz.") and name not in before)
        loaded.write(" ".join(own).encode())
        loaded.flush()
    finally:
        # Not sys.exit: what the parent has registered to be done at its end is the parent's.
        os._exit(code)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
