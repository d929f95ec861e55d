"""Follow a night: print each router that changes its state, until all of a batch are done.

    BOOTZ_URL=… BOOTZ_TOKEN=… python follow_night.py batch=7

Exit code 1 where a router needs a person at the end.
"""

import asyncio
import os
import sys

from bootz.client import AsyncBootzClient, calls
from bootz.client.generated.models import ChassisState

DONE = {ChassisState.READY, ChassisState.FAILED, ChassisState.STUCK}


async def states(site: AsyncBootzClient, label: str) -> dict[str, tuple[ChassisState, str]]:
    """Return where each router of the batch stands, and what a person does next."""
    return {
        row.serial_number: (row.standing.state, row.standing.next_action)
        async for row in site.rows(calls.chassis_list(label=[label], limit=1000))
    }


async def follow(label: str) -> int:
    async with AsyncBootzClient(os.environ["BOOTZ_URL"], os.environ["BOOTZ_TOKEN"]) as site:
        seen: dict[str, tuple[ChassisState, str]] = {}
        # From here on, so that nothing that happens meanwhile is missed.
        last = (await site.send(calls.status_show())).last_event
        events = site.events(after=last)
        while True:
            now = await states(site, label)
            for serial, (state, action) in now.items():
                if seen.get(serial, ("", ""))[0] != state:
                    print(f"{serial}: {state.value}{f' - {action}' if action else ''}")
            seen = now
            if all(state in DONE for state, _ in now.values()):
                break
            await anext(events)
        return 0 if all(state is ChassisState.READY for state, _ in seen.values()) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(follow(sys.argv[1])))
