"""Calls of one warm process."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bootz.processes import WarmCommand

PROGRAM = """
import json, os, signal, sys
for line in sys.stdin:
    words = json.loads(line)["words"]
    if words[0] == "hang":
        with open(words[1], "w") as told:
            told.write(str(os.getpid()))
        signal.pause()
    print(json.dumps({"code": 0, "stdout": words[0], "stderr": ""}), flush=True)
"""


async def give_up_a_call(tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    async with WarmCommand(program=PROGRAM) as command:
        hanging = asyncio.create_task(command.text("hang", str(told)))
        pid = int(await asyncio.to_thread(told.read_text))
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging

        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert await command.text("next") == "next"


def test_a_call_that_is_given_up_ends_and_the_next_one_gets_its_own_answer(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(give_up_a_call(tmp_path), 60))
