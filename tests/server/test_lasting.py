"""What works in the background outlives a defect: it is told once, and begun again."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import bootz.lasting
from bootz.cli.site import door_process
from bootz.cli.site.workers.child import LACKING, hear_parent
from bootz.lasting import Defects, lasting
from bootz.transport.acceptor import Acceptor
from bootz.transport.admission import Admission
from bootz.transport.limits import ListenerLimits

MOST_S = 30.0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootz.lasting, "AGAIN_S", 0.0)


def play(story: Callable[[], Awaitable[None]]) -> list[str]:
    """Run a story, and return the events that were logged."""

    async def bounded() -> None:
        async with asyncio.timeout(MOST_S):
            await story()

    with capture_logs() as logs:
        asyncio.run(bounded())
    return [each["event"] for each in logs]


def test_what_fails_is_begun_again_and_told_once() -> None:
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 4:
            raise RuntimeError(f"defect number {begun}")
        if begun == 4:
            raise LookupError("another one")

    assert play(lambda: lasting("work-failed", work)) == ["work-failed", "work-failed"]
    assert begun == 5


def test_it_ends_when_it_is_cancelled() -> None:
    async def story() -> None:
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

        task = asyncio.create_task(lasting("work-failed", work))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert play(story) == []


def test_failures_of_one_group_differ_by_what_is_within(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(bootz.lasting.time, "monotonic", lambda: now)
    defects = Defects("group-failed", part="a")
    groups = [ExceptionGroup("tasks", [each]) for each in (KeyError(1), KeyError(2), OSError())]
    with capture_logs() as logs:
        for group in groups:
            defects.tell(group)
        now = 601.0
        defects.tell(groups[0])
    assert [each["exc_info"] for each in logs] == [groups[0], groups[2], groups[0]]
    assert all(each["part"] == "a" for each in logs)


def test_a_door_that_the_system_cannot_start_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def story() -> None:
        tries = asyncio.Semaphore(0)

        async def refused(*_words: object, **_options: object) -> None:
            tries.release()
            raise BlockingIOError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(door_process, "_FIRST_WAIT_S", 0.0)
        monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
        async with door_process.door_beside(tmp_path):
            for _ in range(3):
                await tries.acquire()

    assert play(story)[:4] == ["door-not-started", "door-ended"] * 2


def test_a_child_that_hears_nothing_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        reading, writing = os.pipe()
        ended = asyncio.Event()

        def fails(_serials: object) -> None:
            raise RuntimeError("a defect")

        with os.fdopen(reading) as stdin, os.fdopen(writing, "wb") as parent:
            monkeypatch.setattr("sys.stdin", stdin)
            parent.write(json.dumps({"event": LACKING, "serials": ["A"]}).encode() + b"\n")
            parent.flush()
            await hear_parent(fails, ended.set)
        assert ended.is_set()

    assert play(story) == ["parent-not-heard"]


def test_a_connection_whose_handshake_fails_by_a_defect_leaves_its_place() -> None:
    async def story() -> None:
        served = asyncio.Event()
        begun = 0

        async def before() -> None:
            nonlocal begun
            begun += 1
            if begun == 1:
                raise RuntimeError("a defect")

        class Greeting(asyncio.Protocol):
            def __init__(self, place: Admission) -> None:
                self._place = place

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                served.set()
                transport.close()

            def connection_lost(self, exc: Exception | None) -> None:
                self._place.leave()

        limits = ListenerLimits(max_message_bytes=100, max_connections=1)
        acceptor = Acceptor(Greeting, limits=limits, context=None, before_handshake=before)
        ((host, port),) = await acceptor.start([("127.0.0.1", 0)])
        try:
            # The first is closed, and the only place is free for the second.
            for _ in range(2):
                reading, writing = await asyncio.open_connection(host, port)
                writing.write(b"x")
                assert await _end_of(reading) == b""
                writing.close()
            assert served.is_set()
        finally:
            await acceptor.stop()
            await acceptor.finish(1.0)

    assert play(story) == ["handshake-failed"]


async def _end_of(reading: asyncio.StreamReader) -> bytes:
    try:
        return await reading.read()
    except ConnectionError:
        # What was not read when it was closed.
        return b""
