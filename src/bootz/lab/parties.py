"""Sets the parties up, each in a folder of its own, with the commands a person would use.

masa/     the manufacturer's voucher service, the root of its identities and vouchers
maker/    its factory: identities of routers
site/     the owner: keys, inventory, image store
routers/  one folder of hardware for each router
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from bootz.errors import ConflictError, Unavailable, unwritable
from bootz.lab.ground import Ground
from bootz.lab.plan import MANUFACTURER, PART_NUMBER, PlannedRouter
from bootz.processes import WarmCommand, run_command, service

IEN: Final = "32473"
"""The enterprise number for examples (RFC 5612)."""

ORGANISATION: Final = "lab"
IMAGE: Final = ("lab-os", "2.0")
FACTORY_IMAGE: Final = ("lab-os", "1.0")
GUEST: Final = "guest"
"""Whose link opens the board."""
_RACK: Final = 8
"""Routers in a rack; the board groups by it."""
VOUCHER_LIFE: Final = timedelta(days=30)


_IMAGE_HEADER: Final = b"BOOTZ-IMAGE lab-os 2.0\n"
_CONFIG: Final = """\
hostname {{ chassis.hostname }}
!
interface MgmtEth0/RP0/CPU0/0
 description {{ variables.site }} {{ chassis.serial_number }}
 ipv4 address dhcp
!
"""

Tell = Callable[[str], None]
"""Told each step in words for a person."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where each party lives, and how the lab calls ``bootz`` for it."""

    root: Path
    command: WarmCommand = field(repr=False)

    async def run(self, *words: str | Path, prefix: Sequence[str] = ()) -> object:
        """Call ``bootz`` and return what it prints, parsed; ``prefix`` are words before it.

        Raises:
            Unavailable: ``process-failed``; with the command's own last words.
        """
        if prefix:
            return await run_command(*words, prefix=prefix)
        return await self.command(*map(str, words))

    @property
    def masa(self) -> Path:
        """The voucher service."""
        return self.root / "masa"

    @property
    def maker(self) -> Path:
        """The factory."""
        return self.root / "maker"

    @property
    def site(self) -> Path:
        """The owner's site."""
        return self.root / "site"

    @property
    def routers(self) -> Path:
        """The hardware."""
        return self.root / "routers"

    @property
    def vendor_ca(self) -> Path:
        """The manufacturer's CA, PEM: of identities, vouchers, and the voucher service's TLS."""
        return self.masa / "keys" / "root.pem"

    @property
    def logs(self) -> Path:
        """What the processes said."""
        return self.root / "logs"


@dataclass(frozen=True, slots=True)
class LabVoucherSource:
    """Where the site fetches vouchers; the token is in a file."""

    address: str
    cert_id: str
    token_file: Path
    tls_roots: Path

    @property
    def words(self) -> tuple[str | Path, ...]:
        """It as words of ``bootz vendor add``."""
        return (
            "--ovgs",
            self.address,
            "--cert-id",
            self.cert_id,
            "--token-file",
            self.token_file,
            "--tls-roots",
            self.tls_roots,
        )


@dataclass(frozen=True, slots=True)
class Server:
    """A running Bootz server, by the URI that routers are given."""

    uri: str


@asynccontextmanager
async def folders_at(root: Path) -> AsyncIterator[Folders]:
    """Lay out a new or empty folder; ``bootz`` can be called for the parties while this is open.

    Raises:
        ConflictError: something is there already.
        Unavailable: it cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise ConflictError("file-exists", "the folder is not empty", where=str(root))
        (root / "logs").mkdir()
        (root / "routers").mkdir()
    except OSError as error:
        raise unwritable(root, error) from error
    async with WarmCommand() as command:
        yield Folders(root, command)


async def found_manufacturer(folders: Folders, tell: Tell) -> None:
    """Make the manufacturer: its voucher service, and its factory."""
    tell("the manufacturer creates its keys")
    await folders.run("manufacturer", "init", folders.maker, "--name", MANUFACTURER)
    # One CA vouches for identities and vouchers.
    await folders.run(
        *("masa", "init", folders.masa, "--ien", IEN, "--manufacturer", folders.maker)
    )


async def build_routers(folders: Folders, routers: Sequence[PlannedRouter], tell: Tell) -> None:
    """Manufacture every router: identity, trust anchors, the factory's software."""
    tell(f"the factory builds {len(routers)} routers")
    fixed = [router for router in routers if not router.kind.modular]
    for identity in dict.fromkeys(router.kind.identity for router in fixed):
        serials = [r.serial_number for r in fixed if r.kind.identity == identity]
        # One alone is built in the folder that is named.
        target = folders.routers / serials[0] if len(serials) == 1 else folders.routers
        words = [word for serial in serials for word in ("--serial", serial)]
        await _manufacture(folders, target, "--identity", identity, *words)
    for router in routers:
        if router.kind.modular:
            cards = [
                w for slot, serial in router.slots.items() for w in ("--card", f"{slot}={serial}")
            ]
            target = folders.routers / router.serial_number
            await _manufacture(
                folders, target, "--serial", router.serial_number, "--modular", *cards
            )


async def _manufacture(folders: Folders, target: Path, *words: str) -> None:
    await folders.run(
        "router",
        "manufacture",
        target,
        "--manufacturer",
        folders.maker,
        "--part-number",
        PART_NUMBER,
        "--image",
        *FACTORY_IMAGE,
        *words,
    )


async def found_site(folders: Folders, ground: Ground, tell: Tell) -> Path:
    """Make the owner's site with its keys; return the file of the pinned domain certificate."""
    tell("the owner creates a site")
    made = await folders.run(
        "init", folders.site, "--organization", "Lab owner", *ground.site_words
    )
    return Path(str(made["pinned_domain_cert"] if isinstance(made, Mapping) else ""))


@asynccontextmanager
async def voucher_service(
    folders: Folders, routers: Sequence[PlannedRouter], pinned: Path, ground: Ground, tell: Tell
) -> AsyncIterator[LabVoucherSource]:
    """Register owner and serial numbers, and serve."""
    tell("the manufacturer registers the owner, and serves vouchers")
    owner = await register_owner(folders, pinned)
    await register_cards(folders, routers)
    async with service(
        "masa",
        "serve",
        "--masa",
        folders.masa,
        "--grpc",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        log=folders.logs / "masa.log",
        prefix=ground.prefix,
    ) as serving:
        yield owner.at(first_of(serving, "grpc"), folders)


@dataclass(frozen=True, slots=True)
class RegisteredOwner:
    """An owner at the manufacturer: its certificate there, and the file with its token."""

    cert_id: str
    token_file: Path

    def at(self, address: str, folders: Folders) -> LabVoucherSource:
        """Return where it fetches vouchers."""
        return LabVoucherSource(address, self.cert_id, self.token_file, folders.vendor_ca)


async def register_owner(folders: Folders, pinned: Path) -> RegisteredOwner:
    """Register the owner, whose certificate is ``pinned``, at the voucher service."""
    token = secrets.token_urlsafe(32)
    expires = datetime.now(UTC) + 2 * VOUCHER_LIFE
    made = await _register(
        folders,
        organisations=[{"name": ORGANISATION}],
        users=[
            {
                "name": "site",
                "org": ORGANISATION,
                "type": "service-account",
                "token": token,
                "roles": {ORGANISATION: "REQUESTOR"},
            }
        ],
        certificates=[{"group": ORGANISATION, "certificate": str(pinned), "expires": expires}],
    )
    token_file = folders.site / "ovgs.token"
    write_private(token_file, token.encode())
    return RegisteredOwner(first_of(made, "certificate_ids"), token_file)


async def register_cards(folders: Folders, routers: Sequence[PlannedRouter]) -> None:
    """Register the cards of routers, with what the factory knows of their TPMs, for the owner."""
    await _register(
        folders,
        components=[
            {"ien": IEN, "serial": serial, "org": ORGANISATION, **_tpm_keys(folders, router)}
            for router in routers
            for serial in router.cards
        ],
    )


async def _register(folders: Folders, **register: object) -> object:
    path = folders.root / "register.yaml"
    write_private(path, yaml.safe_dump(register, sort_keys=False).encode())
    return await folders.run("masa", "import", path, "--masa", folders.masa)


def _tpm_keys(folders: Folders, router: PlannedRouter) -> dict[str, str]:
    """Return what the factory tells the voucher service of a TPM: where its public keys are.

    In OVGS an endorsement key is that of a TPM 1.2 (docs/protocol/ovgs.md#model).
    """
    keys = folders.routers / router.serial_number / "cards" / "RP0" / "tpm"
    if router.kind.identity == "tpm20-ppk":
        return {"platform_primary_key": str(keys / "ppk.pem")}
    return {} if router.kind.identity == "idevid" else {"endorsement_key": str(keys / "ek.pem")}


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


def first_of(told: object, key: str) -> str:
    """Return the first of a list that a process told.

    Raises:
        Unavailable: it did not tell.
    """
    listed = told.get(key) if isinstance(told, Mapping) else None
    if not isinstance(listed, list) or not listed:
        raise Unavailable("process-failed", f"it does not report its {key}", where=key)
    return str(listed[0])


def _write_image(path: Path, size: int) -> None:
    """Write an image: a header that tells the emulated router what it is, then bytes of chance."""
    with path.open("wb") as writing:
        writing.write(_IMAGE_HEADER)
        left = size - len(_IMAGE_HEADER)
        while left > 0:
            chunk = secrets.token_bytes(min(left, 1 << 20))
            writing.write(chunk)
            left -= len(chunk)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user can read; a token is in it."""
    path.touch(mode=0o600)
    path.write_bytes(content)
