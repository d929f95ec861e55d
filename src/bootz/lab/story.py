"""``bootz lab --story standby``: the three use cases of a modular chassis, told as they happen.

Everything said here was seen: each line follows an event of the router or an answer of the
server. The parties are the lab's own, processes that meet on the wire; the router is one more, and
cards go into it through the same door that ``bootz router insert`` uses.
"""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bootz.device.hardware import Hardware
from bootz.device.slots import exchange, insert
from bootz.errors import Unavailable
from bootz.lab.ground import LOOPBACK
from bootz.lab.parties.folders import Folders, Tell, folders_at
from bootz.lab.parties.manufacturer import build_routers, found_manufacturer, voucher_service
from bootz.lab.parties.owner import bootz_server, fetch_vouchers, fill_inventory, found_site
from bootz.lab.plan import Kind, PlannedRouter
from bootz.processes import COMMAND, MAX_LINE, Event, read_event

_CHASSIS: Final = "STORY1"
_ROUTER: Final = PlannedRouter(
    _CHASSIS, Kind("current", modular=True), {"RP0": "STORY1RP0", "RP1": "STORY1RP1"}
)
_LINE_CARD: Final = "STORY1LC0"
_NEW_STANDBY: Final = "STORY1NEW"
_TAMPERED: Final = "STORY1BAD"
_IMAGE_BYTES: Final = 24 << 20
"""Large enough that a card can be put in while the image is on its way."""

_EVENT_S: Final = 120.0
"""How long the story waits for what must happen next."""


async def play_standby(root: Path, tell: Tell) -> Sequence[Mapping[str, object]]:
    """Play the story in a new or empty folder; return what became of each card at its end.

    Raises:
        Unavailable: something did not happen that must, or a party could not be set up.
    """
    async with folders_at(root) as folders:
        return await _play(folders, tell)


async def _play(folders: Folders, tell: Tell) -> Sequence[Mapping[str, object]]:
    await found_manufacturer(folders, tell)
    await build_routers(folders, [_ROUTER], tell)
    pinned = await found_site(folders, LOOPBACK, tell)
    # The manufacturer knows every card that it ever built; the owner only what was bought.
    later = PlannedRouter(_CHASSIS, _ROUTER.kind, {"LC0": _LINE_CARD, "RP1": _NEW_STANDBY})
    bought = PlannedRouter(_CHASSIS, _ROUTER.kind, {**_ROUTER.slots, "LC0": _LINE_CARD})
    async with voucher_service(folders, [_ROUTER, later], pinned, LOOPBACK, tell) as source:
        await fill_inventory(folders, [bought], source, _IMAGE_BYTES, LOOPBACK, tell)
        await fetch_vouchers(folders, LOOPBACK, tell)
        line_card = await _make_card(folders, _LINE_CARD, "line")
        async with (
            bootz_server(folders, LOOPBACK, tell) as server,
            _powered(folders.routers / _CHASSIS, server.uri, folders.logs) as router,
        ):
            await _before_and_during(router, line_card, tell)
            await _afterwards(folders, router, tell)
            await _tampered(folders, router, tell)
            shown = await folders.run("router", "show", router.folder)
    return shown["cards"] if isinstance(shown, dict) else []


async def _before_and_during(router: "_Router", line_card: Path, tell: Tell) -> None:
    tell("")
    tell("USE CASE 1: both route processors are there before the first contact")
    seen = await router.until("contact")
    tell(f"  the router asks {seen['uri']} about its cards, STORY1RP0 and STORY1RP1")
    await router.until("verified")
    tell("  the answer is proven: voucher, owner certificate, signature and nonce hold for RP0")
    insert(router.hardware, "LC0", line_card)
    await router.until("card-verified", card="STORY1RP1")
    tell("  it brought one voucher, so RP1's was asked for by itself, over a connection verified")
    tell("  by the answer's trust anchor; RP1 verified it with anchors of its own")
    tell("")
    tell("USE CASE 2: a card is put in while the process runs")
    noticed = await router.until("card-waits", "card-seen", card=_LINE_CARD)
    if noticed["event"] == "card-waits":
        tell(f"  line card {_LINE_CARD} went into slot LC0: it waits until the process is done")
    else:
        tell(
            f"  line card {_LINE_CARD} went into slot LC0; this machine was faster than the "
            "insertion"
        )
    await router.until("status", status="BOOTZ_OK")
    tell("  image and configuration are installed, SUCCESS is reported: the router is operational")
    await router.until("card-verified", card=_LINE_CARD)
    tell("  its process began by itself, at the server that the configuration names")
    tell("  (ztp bootz-server …), verified by the stored trust anchor: it is in service")


async def _afterwards(folders: Folders, router: "_Router", tell: Tell) -> None:
    tell("")
    tell("USE CASE 3: the standby is replaced, by a card that the owner does not know")
    card = await _make_card(folders, _NEW_STANDBY, "control")
    exchange(router.hardware, "RP1", card, folders.root / "card-STORY1RP1")
    refused = await router.until("card-shut-down", card=_NEW_STANDBY)
    tell(f"  the server refuses ({refused['reason']}); the router shuts the card down and works on")
    at_site = ("--site", folders.site)
    waiting = await folders.run(*at_site, "chassis", "replacements", "list")
    for row in waiting if isinstance(waiting, list) else []:
        tell(
            f"  $ bootz chassis replacements list: {row['serial_number']} in slot {row['slot']} "
            f"in place of {row['replaces']}, asked for by {row['proven_serial']}"
        )
    await folders.run(*at_site, "chassis", "replacements", "accept", _NEW_STANDBY)
    tell(f"  $ bootz chassis replacements accept {_NEW_STANDBY}")
    await router.until("card-verified", card=_NEW_STANDBY)
    tell("  the server has fetched the voucher from the manufacturer, and the router asked again:")
    tell(f"  {_NEW_STANDBY} is verified and in service")


async def _tampered(folders: Folders, router: "_Router", tell: Tell) -> None:
    tell("")
    tell("AND ONE MORE: a line card whose key is not that of its identity")
    card = await _make_card(folders, _TAMPERED, "line", "--tampered")
    insert(router.hardware, "LC1", card)
    shut = await router.until("card-shut-down", card=_TAMPERED)
    tell(f"  slot LC1 is shut down ({shut['reason']}), and the router works on with the others")


async def _make_card(folders: Folders, serial: str, kind: str, *more: str) -> Path:
    card = folders.root / f"card-{serial}"
    await folders.run(
        "router",
        "card",
        card,
        "--manufacturer",
        folders.maker,
        "--serial",
        serial,
        "--kind",
        kind,
        *more,
    )
    return card


class _Router:
    """A router that runs in a process of its own, and what it has told so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hardware = Hardware.open(folder)
        self._events: list[Event] = []
        self._taken: set[int] = set()
        self._news = asyncio.Condition()
        self._ended = False

    async def hear(self, stream: asyncio.StreamReader, log: Path) -> None:
        """Take what the process says, until it ends."""
        with log.open("wb") as writing:
            async for line in stream:
                writing.write(line)
                writing.flush()
                async with self._news:
                    self._events.append(read_event(line))
                    self._news.notify_all()
        async with self._news:
            self._ended = True
            self._news.notify_all()

    async def until(self, *names: str, **fields: str) -> Event:
        """Return the earliest event of these names and fields that was not returned yet.

        Raises:
            Unavailable: it does not happen.
        """
        try:
            async with asyncio.timeout(_EVENT_S), self._news:
                while True:
                    for at, event in enumerate(self._events):
                        fits = event.get("event") in names and fields.items() <= event.items()
                        if fits and at not in self._taken:
                            self._taken.add(at)
                            return event
                    if self._ended:
                        raise Unavailable("process-failed", "the router has ended", where=names[0])
                    await self._news.wait()
        except TimeoutError as error:
            raise Unavailable(
                "process-failed", f"the router did not report {names[0]}", where=str(self.folder)
            ) from error


@asynccontextmanager
async def _powered(folder: Path, uri: str, logs: Path) -> AsyncIterator[_Router]:
    """Power a router on, and keep it on until the block ends."""
    router = _Router(folder)
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "router", "boot", str(folder), "--uri", uri, "--stay", "--card-wait", "1"),
        *("--retry-wait", "1", "--progress", "json-lines", "--output", "json"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        limit=MAX_LINE,
    )
    if process.stderr is None:
        raise RuntimeError("stderr is not a pipe")
    hearing = asyncio.create_task(router.hear(process.stderr, logs / "router.log"))
    try:
        yield router
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await hearing
        await process.wait()
