"""The manufacturer: its voucher service, its factory, and what it knows of owners and cards."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from bootz.lab.ground import Ground
from bootz.lab.parties.folders import Folders, Tell, first_of, write_private
from bootz.lab.plan import MANUFACTURER, PART_NUMBER, PlannedRouter
from bootz.processes import service

IEN: Final = "32473"
"""The enterprise number for examples (RFC 5612)."""

ORGANISATION: Final = "lab"
FACTORY_IMAGE: Final = ("lab-os", "1.0")
VOUCHER_LIFE: Final = timedelta(days=30)


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
