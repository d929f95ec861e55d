"""Run by tests as a process of its own: records calls and says each one that is acknowledged."""

from __future__ import annotations

import asyncio
import sys

from store.world import call

from bootz.server.store.database import open_database
from bootz.server.store.journal import SqlJournal


async def run(url: str, chassis: int, name: str, count: int) -> None:
    database = open_database(url)
    journal = SqlJournal(database)
    journal.start()

    async def one(number: int) -> None:
        nonce = f"{name}-{number}"
        await journal.record(call(nonce_digest=nonce, chassis_key=chassis))
        print(nonce, flush=True)

    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(worker() for _ in range(8)))
    await journal.close()
    database.close()


if __name__ == "__main__":
    url, chassis, name, count = sys.argv[1:]
    asyncio.run(run(url, int(chassis), name, int(count)))
