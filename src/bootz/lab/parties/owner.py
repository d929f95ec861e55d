"""The owner: its site, what is on its record, its server and its board."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from bootz.lab.ground import Ground
from bootz.lab.parties.folders import Folders, Tell, first_of
from bootz.lab.parties.manufacturer import IEN, LabVoucherSource
from bootz.lab.plan import MANUFACTURER, PART_NUMBER, PlannedRouter
from bootz.processes import service

IMAGE: Final = ("lab-os", "2.0")
GUEST: Final = "guest"
"""Whose link opens the board."""
_RACK: Final = 8
"""Routers in a rack; the board groups by it."""


_IMAGE_HEADER: Final = b"BOOTZ-IMAGE lab-os 2.0\n"
_CONFIG: Final = """\
hostname {{ chassis.hostname }}
!
interface MgmtEth0/RP0/CPU0/0
 description {{ variables.site }} {{ chassis.serial_number }}
 ipv4 address dhcp
!
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running Bootz server, by the URI that routers are given."""

    uri: str


async def found_site(folders: Folders, ground: Ground, tell: Tell) -> Path:
    """Make the owner's site with its keys; return the file of the pinned domain certificate."""
    tell("the owner creates a site")
    made = await folders.run(
        "init", folders.site, "--organization", "Lab owner", *ground.site_words
    )
    return Path(str(made["pinned_domain_cert"] if isinstance(made, Mapping) else ""))


async def fill_inventory(
    folders: Folders,
    routers: Sequence[PlannedRouter],
    source: LabVoucherSource,
    image_bytes: int,
    ground: Ground,
    tell: Tell,
) -> None:
    """Put image, vendor, profile and every chassis on the owner's record."""
    tell("the owner fills the inventory")
    at_site = ("--site", folders.site)
    await folders.run(
        *at_site,
        "vendor",
        "add",
        MANUFACTURER,
        "--ien",
        IEN,
        "--ca",
        folders.vendor_ca,
        *source.words,
    )
    image = folders.root / "lab-os-2.0.img"
    await asyncio.to_thread(_write_image, image, image_bytes)
    name, version = IMAGE
    await folders.run(*at_site, "image", "add", image, "--name", name, "--version", version)
    await import_chassis(folders, routers, ground)


async def import_chassis(
    folders: Folders, routers: Sequence[PlannedRouter], ground: Ground
) -> None:
    """Put the profile of the lab and these chassis on record."""
    inventory = folders.root / "inventory.yaml"
    inventory.write_text(yaml.safe_dump(_inventory(routers, ground), sort_keys=False))
    await folders.run("--site", folders.site, "import", inventory)


def _inventory(routers: Sequence[PlannedRouter], ground: Ground) -> dict[str, object]:
    name, version = IMAGE
    profile = {
        "name": "lab",
        "image": {"name": name, "version": version},
        "vendor_config": _CONFIG,
        "variables": {"site": "lab"},
    }
    chassis = [_chassis(router, ground, at) for at, router in enumerate(routers)]
    return {"profiles": [profile], "chassis": chassis}


def _chassis(router: PlannedRouter, ground: Ground, at: int) -> dict[str, object]:
    chassis: dict[str, object] = {
        "vendor": MANUFACTURER,
        "serial_number": router.serial_number,
        "part_number": PART_NUMBER,
        "hostname": router.hostname,
        "profile": "lab",
        "labels": {"site": "lab", "rack": f"r{at // _RACK + 1}"},
    }
    if router.kind.dialect == "v0.3":
        chassis["release"] = "v0.3"
    if address := ground.addresses.get(router.serial_number):
        chassis["dhcp"] = {"ipv4": address}
    if router.kind.modular:
        chassis["modular"] = True
        chassis["cards"] = [
            {
                "serial_number": serial,
                "slot": slot,
                "kind": "line" if slot[:2] == "LC" else "control",
            }
            for slot, serial in router.slots.items()
        ]
    return chassis


async def fetch_vouchers(folders: Folders, ground: Ground, tell: Tell) -> None:
    """Have the owner fetch what is missing from the manufacturer."""
    tell("the owner fetches vouchers")
    await folders.run("--site", folders.site, "voucher", "fetch", prefix=ground.prefix)


@asynccontextmanager
async def bootz_server(folders: Folders, ground: Ground, tell: Tell) -> AsyncIterator[Server]:
    """Serve the owner's site."""
    tell("the owner's server starts")
    log = folders.logs / "server.log"
    async with service(
        "--site", folders.site, "serve", "--no-door", log=log, prefix=ground.prefix
    ) as serving:
        yield Server(f"bootz://{first_of(serving, 'bound')}")


@asynccontextmanager
async def board(folders: Folders, tell: Tell) -> AsyncIterator[str]:
    """Serve the site's board on loopback; yields an address that logs in once."""
    made = await folders.run("--site", folders.site, "user", "add", GUEST, "--role", "admin")
    secret = str(made["link"]) if isinstance(made, Mapping) else ""
    log = folders.logs / "board.log"
    words = ("--site", folders.site, "board", "--listen", "127.0.0.1:0")
    async with service(*words, log=log, says="door-serving") as serving:
        address = f"{first_of(serving, 'addresses')}/board/login?link={secret}"
        tell(f"the board is open: {address}")
        yield address


def _write_image(path: Path, size: int) -> None:
    """Write an image: a header that tells the emulated router what it is, then bytes of chance."""
    with path.open("wb") as writing:
        writing.write(_IMAGE_HEADER)
        left = size - len(_IMAGE_HEADER)
        while left > 0:
            chunk = secrets.token_bytes(min(left, 1 << 20))
            writing.write(chunk)
            left -= len(chunk)
