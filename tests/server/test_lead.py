"""What only the leader does begins, ends and begins again with its lock."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bootz.errors import Unavailable
from bootz.server.lead import Lead


class Lock:
    """A lock that others may have, and whose database may be away."""

    def __init__(self) -> None:
        self.free = True
        self.away = False
        self.released = False

    def hold(self) -> bool:
        if self.away:
            raise Unavailable("database-unavailable", "it does not answer")
        return self.free

    def release(self) -> None:
        self.released = True


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootz.server.lead._LOOK_S", 0.001)


def test_work_begins_with_the_lead_and_ends_when_it_is_lost() -> None:
    async def story() -> None:
        lock, begun, ended = Lock(), asyncio.Semaphore(0), asyncio.Semaphore(0)
        lead = Lead(lock)

        async def work() -> None:
            begun.release()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.release()

        lock.free = False
        running = asyncio.create_task(lead.run(work))
        while await lead.held():
            pass
        assert begun.locked()
        with capture_logs() as logs:
            lock.free = True
            await begun.acquire()
            lock.away = True
            await ended.acquire()
            lock.away = False
            await begun.acquire()
        told = [each["event"] for each in logs]
        assert told == ["lead-taken", "lead-lost", "lead-taken"]
        await lead.give_up()
        await ended.acquire()
        assert lock.released
        assert not await lead.held()
        running.cancel()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_what_fails_in_the_work_is_told_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootz.lasting.AGAIN_S", 0.0)

    async def story() -> None:
        begun = asyncio.Semaphore(0)

        async def work() -> None:
            begun.release()
            raise RuntimeError("a defect")

        running = asyncio.create_task(Lead(Lock()).run(work))
        for _ in range(3):
            await begun.acquire()
        running.cancel()

    with capture_logs() as logs:
        asyncio.run(asyncio.wait_for(story(), 30))
    # What ends a server that serves would be worse than work that waits.
    assert [each["event"] for each in logs] == ["upkeep-failed"]
    assert str(logs[0]["exc_info"]) == "a defect"
