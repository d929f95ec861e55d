"""Many calls of ``bootz`` from one warm process: each call is a fork that has all modules loaded.

For programs that make hundreds of calls: starting Python again costs more than what most calls do.
One line of JSON per call on stdin, one per answer on stdout:

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

from bootz.cli.main import NOUNS, run


def main() -> None:
    """Serve until stdin ends; the words after the command are nouns to load beforehand."""
    for noun in sys.argv[1:]:
        importlib.import_module(NOUNS[noun][0])
    gc.collect()
    # What was loaded is shared between all forks for as long as nothing writes to it.
    gc.freeze()
    # Ctrl-C at a terminal reaches all of its processes; the caller's word is the end of stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        answer = _call([str(word) for word in json.loads(line)["words"]])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _call(words: Sequence[str]) -> dict[str, object]:
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            _become(words, told, said)
        _, status = os.waitpid(child, 0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "stdout": _content(told),
            "stderr": _content(said),
        }


def _become(words: Sequence[str], told: IO[bytes], said: IO[bytes]) -> None:
    """Be the called command; never returns."""
    code = 70
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for kept, standard in ((nothing, 0), (told.fileno(), 1), (said.fileno(), 2)):
            os.dup2(kept, standard)
        code = run(words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # Not sys.exit: what the parent has registered to be done at its end is the parent's.
        os._exit(code)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
