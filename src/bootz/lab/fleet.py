"""Powers the routers on: one process for each kind, which tells every step as a line of JSON."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bootz.errors import Unavailable
from bootz.lab.plan import Kind, PlannedRouter, by_kind
from bootz.processes import COMMAND, MAX_LINE, Event, last_words, read_event

_WAITS: Final = ("--retry-wait", "1", "--report-wait", "0.5", "--image-wait", "0.5")

Hear = Callable[[str, Event], None]
"""Told each event of a router, with its serial number."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The routers that one process runs."""

    kind: Kind
    routers: tuple[PlannedRouter, ...]
    prefix: tuple[str, ...] = ()
    """Words before the command, such as those that enter a namespace."""


def by_kind_batches(routers: Sequence[PlannedRouter]) -> tuple[Batch, ...]:
    """Return one batch for each kind."""
    return tuple(Batch(kind, group) for kind, group in by_kind(routers))


async def power_on(
    todo: Sequence[Batch],
    folder: Path,
    *,
    words: Sequence[str],
    attempts: int,
    hear: Hear,
    reports: int = 10,
) -> Mapping[str, Mapping[str, object]]:
    """Run all batches together; return each router's own account, by serial number.

    Args:
        todo: the batches.
        folder: where the hardware is.
        words: how routers find their server, as words of ``bootz router boot``.
        attempts: how often each may try.
        reports: how often each may report.
        hear: is told every step.

    Raises:
        Unavailable: ``process-failed``; a process died without an account.
    """
    accounts: dict[str, Mapping[str, object]] = {}
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(_run(batch, folder, words, (attempts, reports), hear))
            for batch in todo
        ]
    for task in running:
        for account in task.result():
            accounts[str(account["serial_number"])] = account
    return accounts


async def _run(
    batch: Batch, folder: Path, words: Sequence[str], tries: tuple[int, int], hear: Hear
) -> list[Mapping[str, object]]:
    process = await asyncio.create_subprocess_exec(
        *batch.prefix,
        *COMMAND,
        "router",
        "boot",
        *(str(folder / router.serial_number) for router in batch.routers),
        *words,
        "--dialect",
        batch.kind.dialect,
        "--flow",
        batch.kind.flow,
        "--max-attempts",
        str(tries[0]),
        "--report-attempts",
        str(tries[1]),
        *_WAITS,
        "--progress",
        "json-lines",
        "--output",
        "json",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit=MAX_LINE,
    )
    try:
        told, said = await asyncio.gather(_all_of(process.stdout), _events(process.stderr, hear))
        await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if not told.strip():
        raise Unavailable("process-failed", last_words(said), where=f"routers {batch.kind.dialect}")
    account = json.loads(told)
    return account if isinstance(account, list) else [account]


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


async def _events(stream: asyncio.StreamReader | None, hear: Hear) -> bytes:
    """Hand on each event, and return what was said beside them."""
    words = bytearray()
    if stream is not None:
        async for line in stream:
            event = read_event(line)
            serial = event.get("serial_number")
            if isinstance(serial, str):
                hear(serial, event)
            else:
                words += line[: MAX_LINE - len(words)]
    return bytes(words)
