"""The devices of the suite: a manufacturer of its own, and what a server must have on record.

maker/            the manufacturer; ``anchor.pem`` is its CA, for the server's vendor
rogue/            another manufacturer, of which the server must know nothing
devices/NAME/     a device as ``bootz router manufacture`` builds it
vouchers/*.vcj    a voucher for each device on record
inventory.json    what the server must have on record
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from bootz.device.card_folder import CardFolder, CardParts
from bootz.device.tpm.card import CardTpm, TpmDescription, TpmKind
from bootz.errors import ConfigError
from bootz.keystore.files import KeyKind, atomic_write, write_certificates
from bootz.manufacturer.room import Manufacturer
from bootz.model.identity import IdentityKind

NAME: Final = "Bootz Conformance"
PART: Final = "BOOTZ-CONFORMANCE"


@dataclass(frozen=True, slots=True)
class Row:
    """One device: how it proves itself, and what is on record of it."""

    name: str
    proof: IdentityKind = IdentityKind.IDEVID
    key: KeyKind = KeyKind.P256
    on_record: bool = True
    streaming: bool = True
    key_on_record: bool = True
    rogue: bool = False


ROWS: Final = (
    Row("p256"),
    Row("rsa", key=KeyKind.RSA_2048),
    Row("p384", key=KeyKind.P384),
    Row("ek", IdentityKind.TPM20_EK),
    Row("ppk", IdentityKind.TPM20_PPK),
    Row("tpm12", IdentityKind.TPM12_EK),
    Row("other"),
    Row("no-stream", streaming=False),
    Row("no-key", IdentityKind.TPM20_EK, key_on_record=False),
    Row("stranger", on_record=False),
    Row("rogue", on_record=False, rogue=True),
)
"""``rogue`` says the serial number of ``p256``, and another manufacturer vouches for it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A device, and what is to be put on record. ``ek`` and ``ppk`` are PEM files."""

    row: Row
    serial_number: str
    card: CardFolder
    voucher: Path | None = None
    ek: Path | None = None
    ppk: Path | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """All devices, by name, and their manufacturer: its name and its CA (DER)."""

    folder: Path
    vendor: str
    anchor: bytes = field(repr=False)
    entries: dict[str, Entry]


def make_material(
    folder: Path, pinned_domain_cert: bytes, tag: str, clock: Callable[[], datetime]
) -> Material:
    """Make devices and vouchers in a new folder.

    Args:
        folder: where; must be empty or absent.
        pinned_domain_cert: DER of the certificate of the server's owner that vouchers pin.
        tag: goes into the serial numbers, so that no server has them already.
        clock: aware UTC now.

    Raises:
        ConflictError: something is there already.
    """
    maker = Manufacturer.create(folder / "maker", f"{NAME} {tag}", kind=KeyKind.P256, clock=clock)
    rogue = Manufacturer.create(folder / "rogue", f"{NAME} {tag}", kind=KeyKind.P256, clock=clock)
    write_certificates(folder / "anchor.pem", [maker.anchor])
    (folder / "vouchers").mkdir()
    serials = {row.name: f"{tag}-{row.name}".upper() for row in ROWS}
    serials["rogue"] = serials["p256"]
    for row in ROWS:
        _build(folder, row, serials[row.name], rogue if row.rogue else maker)
        if row.on_record:
            voucher = maker.issue_voucher(serials[row.name], pinned_domain_cert, expires_on=None)
            atomic_write(folder / "vouchers" / f"{row.name}.vcj", voucher)
    made = _material(folder, serials, maker)
    atomic_write(folder / "inventory.json", json.dumps(_document(made), indent=1).encode())
    return made


def open_material(folder: Path, clock: Callable[[], datetime]) -> Material:
    """Open what ``make_material`` has made.

    Raises:
        ConfigError: it is malformed.
        UnknownChassis: there is none.
    """
    maker = Manufacturer.open(folder / "maker", clock=clock)
    try:
        document = json.loads((folder / "inventory.json").read_bytes())
        serials = {str(name): str(serial) for name, serial in document["devices"].items()}
        return _material(folder, serials, maker)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError("conformance-material-damaged", "malformed", where=str(folder)) from error


def _build(folder: Path, row: Row, serial: str, maker: Manufacturer) -> None:
    card = CardFolder(folder / "devices" / row.name)
    if row.proof is IdentityKind.IDEVID:
        issued = maker.issue_identity(serial, PART, kind=row.key)
        card.build(CardParts(issued.key, issued.chain, [maker.anchor]))
        return
    tpm = folder / f".{row.name}"
    tpm.mkdir(mode=0o700)
    CardTpm.manufacture(tpm, TpmDescription(TpmKind.SOFT, row.proof))
    card.build(CardParts(None, (), [maker.anchor], tpm))


def _material(folder: Path, serials: dict[str, str], maker: Manufacturer) -> Material:
    entries: dict[str, Entry] = {}
    for row in ROWS:
        card = CardFolder(folder / "devices" / row.name)
        keys = {name: card.path / "tpm" / f"{name}.pem" for name in ("ek", "ppk")}
        known = {n: path for n, path in keys.items() if row.key_on_record and path.exists()}
        voucher = folder / "vouchers" / f"{row.name}.vcj"
        entries[row.name] = Entry(
            row,
            serials[row.name],
            card,
            voucher if row.on_record else None,
            known.get("ek"),
            known.get("ppk"),
        )
    return Material(folder, maker.name, maker.anchor, entries)


def _document(material: Material) -> dict[str, object]:
    """Return what an operator of another server puts on record by hand."""
    return {
        "vendor": {"name": material.vendor, "ca": "anchor.pem"},
        "chassis": [
            {
                "serial_number": entry.serial_number,
                "part_number": PART,
                "boot_mode": "secure",
                "streaming": entry.row.streaming,
                "voucher": _relative(material, entry.voucher),
                "ek": _relative(material, entry.ek),
                "ppk": _relative(material, entry.ppk),
            }
            for entry in material.entries.values()
            if entry.row.on_record
        ],
        "devices": {name: entry.serial_number for name, entry in material.entries.items()},
    }


def _relative(material: Material, path: Path | None) -> str | None:
    return None if path is None else str(path.relative_to(material.folder))
