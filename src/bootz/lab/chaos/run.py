"""The lab's storm: found the parties, serve a site with several servers, kill, count."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from bootz.lab.chaos.balancer import Balancer
from bootz.lab.chaos.cluster import Cluster
from bootz.lab.chaos.mortal import Mortal, Service
from bootz.lab.chaos.storm import Storm
from bootz.lab.chaos.verdict import Heard, StormRecord, StormVerdict, judge_storm
from bootz.lab.fleet import Hear, by_kind_batches, power_on
from bootz.lab.ground import LOOPBACK
from bootz.lab.outcome import LabOutcome, judge, latest_states
from bootz.lab.parties.folders import Folders, Tell, first_of, folders_at
from bootz.lab.parties.manufacturer import (
    RegisteredOwner,
    build_routers,
    found_manufacturer,
    register_cards,
    register_owner,
)
from bootz.lab.parties.owner import IMAGE, fill_inventory, import_chassis
from bootz.lab.plan import PlannedRouter, plan_routers
from bootz.processes import Event

_MAX_TRIES: Final = 1000
"""Attempts, and reports, of one router: a storm is no reason to give up."""

_CARD_TRIES: Final = 3
"""Times that a router asks again, in calm, about cards that it shut down in the storm."""

_PAGE: Final = 1000
"""Attempts that one command lists."""

_ISSUED: Final = 100_000


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """What a person may choose.

    ``kills`` is how often something is killed, in as many rounds of new routers as that takes;
    0 for a lab without a storm, None for as long as one round takes.
    """

    routers: int
    servers: int
    kills: int | None
    image_bytes: int
    seed: int
    dialects: Sequence[str] = ()


async def run_chaos(root: Path, options: ChaosOptions, *, tell: Tell, hear: Hear) -> StormVerdict:
    """Run it in a new or empty folder, and return what the storm cost.

    Raises:
        BootzError: a party could not be set up, or did not come up again; not that a router
            failed.
    """
    chance = random.Random(options.seed)  # noqa: S311 -- nothing is secret here
    async with AsyncExitStack() as stack:
        folders = await stack.enter_async_context(folders_at(root))
        site = await stack.enter_async_context(_Site.standing(folders, options, chance, tell))
        heard, kills = Heard(), Counter[str]()

        def hear_all(serial: str, event: Event) -> None:
            heard.hear(serial, event)
            hear(serial, event)

        outcomes: list[LabOutcome] = []
        first = 1
        while True:
            routers = plan_routers(options.routers, options.dialects, first=first)
            first += len(routers)
            await site.take_in(routers, options.image_bytes)
            left = None if options.kills is None else options.kills - kills.total()
            storm = Storm(site.mortals, left, chance)
            tell(f"{len(routers)} routers are powered on; kills so far: {kills.total()}")
            accounts = await _ride_out(storm, site, routers, hear_all)
            kills += storm.tally
            await _ask_again(site, routers, heard, hear_all)
            outcomes += judge(routers, accounts, await site.states(), image=IMAGE)
            if options.kills is None or kills.total() >= options.kills:
                return judge_storm(outcomes, heard, await site.record(), kills)


async def _ride_out(
    storm: Storm, site: "_Site", routers: Sequence[PlannedRouter], hear: Hear
) -> Mapping[str, Mapping[str, object]]:
    """Power routers on in a storm, and let it end when all are up."""
    raging = asyncio.create_task(storm.run())
    booting = asyncio.create_task(_power_on(site, routers, hear))
    try:
        await asyncio.wait({raging, booting}, return_when=asyncio.FIRST_COMPLETED)
        if raging.done():
            # It has killed often enough, or failed: then this raises.
            raging.result()
        return await booting
    finally:
        for task in (raging, booting):
            task.cancel()
        ended, _ = await asyncio.gather(raging, booting, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended


async def _ask_again(
    site: "_Site", routers: Sequence[PlannedRouter], heard: Heard, hear: Hear
) -> None:
    """Let routers ask about cards once more that they shut down because no server answered.

    One that stays on does so by itself, later and later; the lab's are powered on again, in calm.
    """
    for _ in range(_CARD_TRIES):
        lacking = [router for router in routers if not heard.shut.keys().isdisjoint(router.cards)]
        if not lacking:
            return
        await _power_on(site, lacking, hear)


async def _power_on(
    site: "_Site", routers: Sequence[PlannedRouter], hear: Hear
) -> Mapping[str, Mapping[str, object]]:
    return await power_on(
        by_kind_batches(routers),
        site.folders.routers,
        words=("--uri", "bootz://{}:{}".format(*site.door)),
        attempts=_MAX_TRIES,
        reports=_MAX_TRIES,
        hear=hear,
    )


class _Site:
    """A site with several servers, its database, and the manufacturer's voucher service."""

    def __init__(
        self,
        folders: Folders,
        tell: Tell,
        *,
        cluster: Cluster,
        masa: Service,
        servers: Sequence[Service],
        door: tuple[str, int],
    ) -> None:
        self.folders = folders
        self.door = door
        """Where routers find a server: the load balancer."""
        self.mortals: tuple[Mortal, ...] = (*servers, cluster, masa)
        self._tell = tell
        self._owner: RegisteredOwner | None = None
        self._masa = masa

    @classmethod
    @asynccontextmanager
    async def standing(
        cls,
        folders: Folders,
        options: ChaosOptions,
        chance: random.Random,
        tell: Tell,
    ) -> AsyncIterator["_Site"]:
        """Found everything, and serve while the block runs."""
        async with AsyncExitStack() as stack:
            doors, images = Balancer(chance), Balancer(chance)
            door = await stack.enter_async_context(doors.listening())
            image_door = await stack.enter_async_context(images.listening())
            await found_manufacturer(folders, tell)
            masa = _masa(folders)
            stack.push_async_callback(masa.stop)
            await masa.start()
            masa.words = _fixed(masa, grpc="--grpc", http="--http")
            tell("PostgreSQL starts")
            cluster = Cluster(folders.logs / "database.log")
            stack.push_async_callback(cluster.stop)
            await cluster.create()
            tell(f"the owner creates a site with {options.servers} servers")
            roots = await _found(folders, cluster, options.servers, image_door)
            servers = []
            for number, root in enumerate(roots, 1):
                log = folders.logs / f"server{number}.log"
                server = Service(f"server {number}", ("--site", root, "serve", "--no-door"), log)
                stack.push_async_callback(server.stop)
                await server.start()
                server.words = _fixed(
                    server,
                    bound="--listen",
                    image_http="--image-http",
                    image_https="--image-https",
                )
                servers.append(server)
            doors.servers = [_address(server, "bound") for server in servers]
            images.servers = [_address(server, "image_http") for server in servers]
            yield cls(folders, tell, cluster=cluster, masa=masa, servers=servers, door=door)

    async def take_in(self, routers: Sequence[PlannedRouter], image_bytes: int) -> None:
        """Build routers, and put them on the record of both sides; no voucher is fetched yet."""
        folders = self.folders
        await build_routers(folders, routers, self._tell)
        if self._owner is not None:
            await register_cards(folders, routers)
            await import_chassis(folders, routers, LOOPBACK)
            return
        self._owner = await register_owner(folders, _pinned(folders))
        await register_cards(folders, routers)
        source = self._owner.at(first_of(self._masa.told, "grpc"), folders)
        await fill_inventory(folders, routers, source, image_bytes, LOOPBACK, self._tell)

    async def states(self) -> Mapping[str, str]:
        """Return the state of each router's latest attempt, by its name in the inventory."""
        return latest_states(await self._attempts())

    async def record(self) -> StormRecord:
        """Return what is on record on both sides."""
        at_site = ("--site", self.folders.site)
        stored = await self._rows(*at_site, "voucher", "list")
        issued = await self._rows(
            *("masa", "voucher", "list", "--masa", self.folders.masa, "--limit", str(_ISSUED))
        )
        return StormRecord(
            await self._attempts(),
            Counter(str(row.get("serial_number")) for row in stored),
            Counter(str(row.get("serial")) for row in issued),
        )

    async def _attempts(self) -> list[Mapping[str, object]]:
        found: list[Mapping[str, object]] = []
        words: tuple[str, ...] = ()
        while True:
            page = await self._rows(
                *("--site", self.folders.site, "attempts", "--number", str(_PAGE)), *words
            )
            found += page
            if len(page) < _PAGE:
                return found
            words = ("--before", str(page[-1].get("id")))

    async def _rows(self, *words: str | Path) -> list[Mapping[str, object]]:
        rows = await self.folders.run(*words)
        return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _masa(folders: Folders) -> Service:
    words = ("masa", "serve", "--masa", folders.masa, "--grpc", "127.0.0.1:0")
    log = folders.logs / "masa.log"
    return Service("voucher source", (*words, "--http", "127.0.0.1:0"), log)


async def _found(
    folders: Folders, cluster: Cluster, count: int, images: tuple[str, int]
) -> tuple[Path, ...]:
    """Make the folders of the servers: the first with new keys, the others join it."""
    words = (
        *("--organization", "Lab owner", "--database", cluster.url, *LOOPBACK.site_words),
        *("--images-url", "http://{}:{}".format(*images)),
    )
    await folders.run("init", folders.site, *words)
    keys = folders.site / "keys"
    brought = (
        *("--pinned-domain-cert", _pinned(folders)),
        *("--owner-cert", keys / "owner" / "1.pem", "--owner-key", keys / "owner" / "1.key"),
        *("--trust-anchor", keys / "trust-anchor" / "1.pem"),
        *("--trust-anchor-key", keys / "trust-anchor" / "1.key"),
    )
    roots = [folders.site]
    for number in range(2, count + 1):
        root = folders.root / f"site{number}"
        await folders.run("init", root, "--join", *words, *brought)
        roots.append(root)
    for root in roots:
        _set(root / "bootz.yaml", folders.site / "images")
    return tuple(roots)


def _set(path: Path, images: Path) -> None:
    """Name the load balancer and the shared folder of images in a server's settings."""
    settings = yaml.safe_load(path.read_text())
    settings.setdefault("images", {})["folder"] = str(images)
    settings.setdefault("transport", {})["proxy_protocol_from"] = ["127.0.0.1"]
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


def _pinned(folders: Folders) -> Path:
    return folders.site / "keys" / "pinned-domain" / "1.pem"


def _fixed(service: Service, **options: str) -> tuple[str, ...]:
    """Return the words with the addresses that the system chose, for the lives to come."""
    words = list(service.words)
    for key, option in options.items():
        address = first_of(service.told, key)
        if option in words:
            words[words.index(option) + 1] = address
        else:
            words += [option, address]
    return tuple(words)


def _address(service: Service, key: str) -> tuple[str, int]:
    host, _, port = first_of(service.told, key).rpartition(":")
    return host, int(port)
