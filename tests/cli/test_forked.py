"""A warm process that makes many calls for one caller."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

from bootz.processes import FORKED


def test_ctrl_c_at_the_terminal_is_left_to_the_caller() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FORKED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None

        def call() -> Any:
            process.stdin.write('{"words": ["reasons", "usage", "--output", "json"]}\n')
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        before = call()
        process.send_signal(signal.SIGINT)
        assert call() == before
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
