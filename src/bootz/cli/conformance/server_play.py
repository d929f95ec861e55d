"""Plays the cases of a run with a bar on the terminal, and restarts the server between them."""

import asyncio
import shlex
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bootz.cli.output import stderr
from bootz.conformance.server.suite import ServerCase, ServerRun, ServerVerdict
from bootz.device.grpc_client import Dialer, Timeouts
from bootz.errors import Unavailable
from bootz.wire.uri import BootzUri

Restart = Callable[[], Awaitable[None]]
"""Restarts the server, and returns once it answers again."""

_T = TypeVar("_T")

_BACK_S = 60.0
_RETRY_S = 0.2
_COMMAND_S = 120.0


def restart_by(command: str, uri: BootzUri) -> Restart:
    """Return what restarts the server with a command; no shell reads it.

    Raises (when it is called):
        Unavailable: the command fails, or the server does not come back.
    """

    async def restart() -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *shlex.split(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            code: int | str = await asyncio.wait_for(process.wait(), _COMMAND_S)
        except TimeoutError:
            process.kill()
            code = f"still running after {_COMMAND_S:g} s"
        except (OSError, ValueError) as error:
            code = str(error)
        if code != 0:
            raise Unavailable(
                "conformance-restart-failed",
                "the command that restarts the server failed",
                where="--restart-command",
                expected="exit code 0",
                seen=str(code),
            )
        await _answers_again(uri)

    return restart


def ask_for_restart(uri: BootzUri) -> Restart:
    """Return what asks a person to restart the server.

    Raises (when it is called):
        Unavailable: the server does not come back.
    """

    async def restart() -> None:
        await asyncio.to_thread(
            click.prompt,
            "Restart the server now, then press Enter",
            "",
            show_default=False,
            err=True,
            prompt_suffix="",
        )
        await _answers_again(uri)

    return restart


async def _answers_again(uri: BootzUri) -> None:
    """Return once a connection to the server stands."""
    dialer = Dialer(Timeouts(5, 5))
    try:
        async with asyncio.timeout(_BACK_S):
            while True:
                try:
                    async with dialer.dial(uri, None):
                        return
                except Unavailable:
                    await asyncio.sleep(_RETRY_S)
    except TimeoutError as error:
        raise Unavailable(
            "conformance-restart-failed",
            f"the server does not answer {_BACK_S:g} s after its restart",
            where=uri.authority,
        ) from error


async def play_all(
    run: ServerRun, cases: Sequence[ServerCase], restart: Restart | None
) -> list[ServerVerdict]:
    """Play cases one after the other; those that need a restart of the server last."""
    before = [case for case in cases if case.prepare is None]
    after = [case for case in cases if case.prepare is not None]
    verdicts = await _with_bar("playing", before, run.judge)
    if restart is None or not after:
        return verdicts
    flaws = await _with_bar("preparing", after, run.prepare)
    unfit = {case.name: flaw for case, flaw in zip(after, flaws, strict=True) if flaw}
    try:
        await restart()
    except Unavailable as error:
        # What was judged before is worth having.
        unfit = {case.name: str(error) for case in after}

    async def judge(case: ServerCase) -> ServerVerdict:
        flaw = unfit.get(case.name, "")
        return run.unprepared(case, flaw) if flaw else await run.judge(case)

    return verdicts + await _with_bar("after the restart", after, judge)


async def _with_bar(
    word: str, cases: Sequence[ServerCase], work: Callable[[ServerCase], Awaitable[_T]]
) -> list[_T]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    results: list[_T] = []
    with Progress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task(word, total=len(cases))
        for case in cases:
            results.append(await work(case))
            bar.advance(task)
    return results
