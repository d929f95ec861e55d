"""The lab's day: found the parties, serve, power the routers on, and judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootz.lab import parties
from bootz.lab.fleet import Hear, batches, power_on
from bootz.lab.outcome import Outcome, judge
from bootz.lab.plan import PlannedRouter
from bootz.processes import run_command

MAX_ATTEMPTS = 5
"""Power-on to success normally takes one; a few more, because two hundred come together."""

_JOURNAL_ROWS = 1000


@dataclass(frozen=True, slots=True)
class LabOptions:
    """What a person may choose; ``image_bytes`` is the size of the software image."""

    routers: tuple[PlannedRouter, ...]
    image_bytes: int


async def run_lab(
    root: Path, options: LabOptions, *, tell: parties.Tell, hear: Hear
) -> Sequence[Outcome]:
    """Run the whole system once in a new or empty folder, and return what became of each router.

    Raises:
        BootzError: a party could not be set up; not that a router failed.
    """
    folders = parties.make_folders(root)
    routers = options.routers
    await parties.found_manufacturer(folders, tell)
    await parties.build_routers(folders, routers, tell)
    pinned = await parties.found_site(folders, tell)
    async with parties.voucher_service(folders, routers, pinned, tell) as source:
        await parties.fill_inventory(folders, routers, source, options.image_bytes, tell)
        await parties.fetch_vouchers(folders, tell)
        async with parties.bootz_server(folders, tell) as server:
            tell(f"{len(routers)} routers are powered on")
            accounts = await power_on(
                batches(routers),
                folders.routers,
                words=("--uri", server.uri),
                attempts=MAX_ATTEMPTS,
                hear=hear,
            )
            journal = await _journal(folders)
    return judge(routers, accounts, journal, image=parties.IMAGE)


async def _journal(folders: parties.Folders) -> Mapping[str, str]:
    """Return the state of each router's latest attempt, as the server has it on record."""
    rows = await run_command("--site", folders.site, "attempts", "--number", str(_JOURNAL_ROWS))
    states: dict[str, str] = {}
    for row in rows if isinstance(rows, list) else []:
        # The newest comes first.
        states.setdefault(str(row.get("serial_number")), str(row.get("state")))
    return states
