"""The lab's day: found the parties, serve, power the routers on, and judge."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bootz.lab.fleet import Hear, power_on
from bootz.lab.ground import LOOPBACK, Ground, dhcp_server, link, why_not
from bootz.lab.outcome import LabOutcome, judge, latest_states
from bootz.lab.parties.folders import Folders, Tell, folders_at
from bootz.lab.parties.manufacturer import build_routers, found_manufacturer, voucher_service
from bootz.lab.parties.owner import (
    IMAGE,
    board,
    bootz_server,
    fetch_vouchers,
    fill_inventory,
    found_site,
)
from bootz.lab.plan import Dhcp, PlannedRouter

MAX_ATTEMPTS = 5
"""Power-on to success normally takes one; a few more, because two hundred come together."""

_JOURNAL_ROWS = 1000


@dataclass(frozen=True, slots=True)
class LabOptions:
    """What a person may choose; ``image_bytes`` is the size of the software image."""

    routers: tuple[PlannedRouter, ...]
    image_bytes: int
    dhcp: Dhcp = Dhcp.NONE
    board: bool = False
    """Whether the site's board is served beside the server."""


@dataclass(frozen=True, slots=True)
class StandingLab:
    """The lab after the routers have ended, while every service still runs."""

    outcomes: Sequence[LabOutcome]
    uri: str
    site: Path
    hints: tuple[str, ...]


Finish = Callable[[StandingLab], Awaitable[None]]
"""Called once; when it returns, everything is stopped."""


async def run_lab(
    root: Path, options: LabOptions, *, tell: Tell, hear: Hear, finish: Finish
) -> None:
    """Run the whole system once in a new or empty folder, and say what became of each router.

    Raises:
        BootzError: a party could not be set up; not that a router failed.
    """
    async with AsyncExitStack() as stack:
        folders = await stack.enter_async_context(folders_at(root))
        ground = LOOPBACK
        if options.dhcp is not Dhcp.NONE:
            why = why_not(options.dhcp)
            if why:
                tell(f"NO DHCP: the lab cannot create a network on this machine: {why}")
            else:
                ground = await stack.enter_async_context(link(options.routers, options.dhcp))
        await _run(folders, options, ground, tell, hear, finish)


async def _run(
    folders: Folders,
    options: LabOptions,
    ground: Ground,
    tell: Tell,
    hear: Hear,
    finish: Finish,
) -> None:
    routers = options.routers
    await found_manufacturer(folders, tell)
    await build_routers(folders, routers, tell)
    pinned = await found_site(folders, ground, tell)
    async with voucher_service(folders, routers, pinned, ground, tell) as source:
        await fill_inventory(folders, routers, source, options.image_bytes, ground, tell)
        await fetch_vouchers(folders, ground, tell)
        async with (
            bootz_server(folders, ground, tell) as server,
            dhcp_server(ground, folders.site, folders.logs),
            AsyncExitStack() as running,
        ):
            hints = ground.hints()
            if options.board:
                address = await running.enter_async_context(board(folders, tell))
                hints = (f"the board: {address}", *hints)
            if ground.dhcp is not Dhcp.NONE:
                tell(f"DHCP ({ground.dhcp.value}) leads routers to their server")
            tell(f"{len(routers)} routers are powered on")
            accounts = await power_on(
                ground.batches(routers),
                folders.routers,
                words=ground.router_words(server.uri),
                attempts=MAX_ATTEMPTS,
                hear=hear,
            )
            journal = await _journal(folders)
            outcomes = judge(routers, accounts, journal, image=IMAGE)
            await finish(StandingLab(outcomes, server.uri, folders.site, hints))


async def _journal(folders: Folders) -> Mapping[str, str]:
    rows = await folders.run("--site", folders.site, "attempts", "--number", str(_JOURNAL_ROWS))
    return latest_states(rows if isinstance(rows, list) else [])
