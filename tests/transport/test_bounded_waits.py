"""Waits that are bounded one after the other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bootz.transport.bounded_waits import BoundedWaits


def run(story: Callable[[BoundedWaits], Awaitable[None]]) -> None:
    async def told() -> None:
        waits = BoundedWaits()
        try:
            await story(waits)
        finally:
            waits.end()

    asyncio.run(told())


async def for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def test_what_ends_in_time_is_left_alone() -> None:
    async def story(waits: BoundedWaits) -> None:
        for _ in range(3):
            with waits.within(3600):
                await asyncio.sleep(0)

    run(story)


def test_what_takes_too_long_ends_in_a_timeout() -> None:
    async def story(waits: BoundedWaits) -> None:
        with pytest.raises(TimeoutError), waits.within(0):
            await for_ever()

    run(story)


def test_a_short_wait_counts_after_a_long_one_and_after_a_timeout() -> None:
    async def story(waits: BoundedWaits) -> None:
        with waits.within(3600):
            await asyncio.sleep(0)
        for _ in range(2):
            with pytest.raises(TimeoutError), waits.within(0):
                await for_ever()
        with waits.within(3600):
            await asyncio.sleep(0)

    run(story)


def test_a_timer_that_comes_too_early_looks_again() -> None:
    async def story(waits: BoundedWaits) -> None:
        soon = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, soon.set)
        with waits.within(0.01):
            await asyncio.sleep(0)
        # The timer of the wait before comes in this one, and is not its end.
        with waits.within(3600):
            await soon.wait()
        with pytest.raises(TimeoutError), waits.within(0):
            await for_ever()

    run(story)


def test_a_wait_can_be_ended_at_once() -> None:
    async def story(waits: BoundedWaits) -> None:
        waits.lose()
        asyncio.get_running_loop().call_soon(waits.lose)
        with pytest.raises(TimeoutError), waits.within(3600):
            await for_ever()

    run(story)


def test_a_task_that_is_cancelled_is_not_told_of_a_timeout() -> None:
    async def story(_: BoundedWaits) -> None:
        async def waiting() -> None:
            with BoundedWaits().within(3600):
                await for_ever()

        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(story)


def test_a_task_that_is_cancelled_as_its_time_ends_is_cancelled() -> None:
    async def story(_: BoundedWaits) -> None:
        begun: list[BoundedWaits] = []

        async def waiting() -> None:
            begun.append(BoundedWaits())
            with begun[0].within(3600):
                await for_ever()

        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        begun[0].lose()
        # After the timer, and before the task hears of it.
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(story)


def test_other_errors_pass() -> None:
    async def story(waits: BoundedWaits) -> None:
        with pytest.raises(ValueError, match="mine"), waits.within(3600):
            raise ValueError("mine")

    run(story)


def test_it_belongs_to_a_task() -> None:
    async def outside() -> None:
        done = asyncio.get_running_loop().create_future()

        def make() -> None:
            try:
                BoundedWaits()
            except RuntimeError as error:
                done.set_result(str(error))

        asyncio.get_running_loop().call_soon(make)
        assert await done == "no task waits"

    asyncio.run(outside())
