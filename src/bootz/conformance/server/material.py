"""The devices of the suite: manufacturers of its own, and what a server must have on record.

PARTY-KIND/       a manufacturer with a CA of that kind (``maker-p256``, ``maker-rsa``, ...)
anchors.pem       the CAs of the maker, one of each kind; neighbour.pem that of the neighbour
devices/NAME/     a device as ``bootz router manufacture`` builds it
vouchers/*.vcj    a voucher for each device on record
inventory.json    what the server must have on record

An IDevID comes from a CA of the kind of its own key, because some servers choose a hash by the
signature of the CA and not by the key (``common/signature`` of openconfig/bootz does).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bootz.device.card_folder import CardFolder, CardParts
from bootz.device.tpm.card import CardTpm, TpmDescription, TpmKind
from bootz.errors import ConfigError
from bootz.keystore.files import KeyKind, atomic_write, write_certificates
from bootz.manufacturer.room import Manufacturer
from bootz.model.identity import IdentityKind

NAME: Final = "Bootz Conformance"
PART: Final = "BOOTZ-CONFORMANCE"
MODULAR: Final = "modular"
"""The name of the one chassis that has two cards."""

KEY_KINDS: Final = MappingProxyType(
    {"p256": KeyKind.P256, "rsa": KeyKind.RSA_2048, "p384": KeyKind.P384}
)
"""The kinds of IDevIDs, and of the CAs that issue them."""

_FORM: Final = 2
"""Of ``inventory.json``; raised when its devices change."""


class Party(Enum):
    """Who vouches for a device: the manufacturer on record, one of which the server must know
    nothing, or another manufacturer on record.
    """

    MAKER = "maker"
    ROGUE = "rogue"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True)
class Row:
    """One device: how it proves itself, and what is on record of it.

    ``serial_of`` is another device whose serial number it says; ``chassis`` the modular chassis
    that it is a card of, empty for a fixed form factor.
    """

    name: str
    proof: IdentityKind = IdentityKind.IDEVID
    kind: str = "p256"
    party: Party = Party.MAKER
    on_record: bool = True
    voucher: bool = True
    streaming: bool = True
    key_on_record: bool = True
    serial_of: str = ""
    chassis: str = ""


def _idevids(kind: str) -> tuple[Row, ...]:
    return (
        Row(kind, kind=kind),
        Row(f"{kind}-other", kind=kind),
        Row(f"{kind}-stranger", kind=kind, on_record=False),
        Row(f"{kind}-rogue", kind=kind, party=Party.ROGUE, on_record=False, serial_of=kind),
    )


ROWS: Final = (
    *(row for kind in KEY_KINDS for row in _idevids(kind)),
    Row("namesake"),
    Row("neighbour", party=Party.NEIGHBOUR, serial_of="namesake"),
    Row("ek", IdentityKind.TPM20_EK),
    Row("ppk", IdentityKind.TPM20_PPK),
    Row("tpm12", IdentityKind.TPM12_EK),
    Row("no-stream", streaming=False),
    Row("no-key", IdentityKind.TPM20_EK, key_on_record=False),
    Row("no-voucher", voucher=False),
    Row("active", kind="p384", chassis=MODULAR),
    Row("standby", kind="p384", chassis=MODULAR),
)
"""A rogue says the serial number of a device on record. The neighbour has that of the namesake,
and both are on record, each of its own manufacturer.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A device, and what is to be put on record. ``ek`` and ``ppk`` are PEM files."""

    row: Row
    vendor: str
    serial_number: str
    card: CardFolder
    voucher: Path | None = None
    ek: Path | None = None
    ppk: Path | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """All devices by name, and the CAs (DER) of each vendor that is on record."""

    folder: Path
    anchors: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    entries: Mapping[str, Entry]
    modular_serial: str

    def chassis(self) -> list[tuple[str, list[Entry]]]:
        """Return what is on record: serial number of each chassis, and its cards."""
        on_record = [each for each in self.entries.values() if each.row.on_record]
        fixed = [(each.serial_number, [each]) for each in on_record if not each.row.chassis]
        cards = [each for each in on_record if each.row.chassis]
        return [*fixed, (self.modular_serial, cards)]


_Makers = Mapping[tuple[Party, str], Manufacturer]


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
    makers: dict[tuple[Party, str], Manufacturer] = {}
    for party, kind in _parties():
        makers[party, kind] = Manufacturer.create(
            folder / f"{party.value}-{kind}",
            _vendor(tag, party) if kind == "p256" else f"{_vendor(tag, party)} {kind.upper()}",
            kind=KEY_KINDS[kind],
            clock=clock,
        )
    write_certificates(folder / "anchors.pem", _anchors(makers, Party.MAKER))
    write_certificates(folder / "neighbour.pem", _anchors(makers, Party.NEIGHBOUR))
    (folder / "vouchers").mkdir()
    serials = {row.name: f"{tag}-{row.serial_of or row.name}".upper() for row in ROWS}
    for row in ROWS:
        maker = makers[row.party, row.kind]
        _build(folder, row, serials[row.name], maker)
        if row.on_record and row.voucher:
            voucher = maker.issue_voucher(serials[row.name], pinned_domain_cert, expires_on=None)
            atomic_write(folder / "vouchers" / f"{row.name}.vcj", voucher)
    made = _material(folder, tag, serials, makers)
    document = json.dumps(_document(made, tag), indent=1)
    atomic_write(folder / "inventory.json", document.encode())
    return made


def open_material(folder: Path, clock: Callable[[], datetime]) -> Material:
    """Open what ``make_material`` has made.

    Raises:
        ConfigError: it is malformed, or of another version of this program.
        UnknownChassis: there is none.
    """
    try:
        document = json.loads((folder / "inventory.json").read_bytes())
        if document.get("form") != _FORM:
            raise ConfigError(
                "conformance-material-damaged",
                "made by another version of this program",
                where=str(folder),
                expected=f'"form": {_FORM} in inventory.json',
                seen=str(document.get("form", "none")),
            )
        tag = str(document["tag"])
        serials = {row.name: str(document["devices"][row.name]) for row in ROWS}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError("conformance-material-damaged", "malformed", where=str(folder)) from error
    makers = {
        (party, kind): Manufacturer.open(folder / f"{party.value}-{kind}", clock=clock)
        for party, kind in _parties()
    }
    return _material(folder, tag, serials, makers)


def _parties() -> list[tuple[Party, str]]:
    return list(dict.fromkeys((row.party, row.kind) for row in ROWS))


def _vendor(tag: str, party: Party) -> str:
    """Return a vendor's name; the rogue calls itself as the maker does."""
    return f"{NAME} {tag} Neighbour" if party is Party.NEIGHBOUR else f"{NAME} {tag}"


def _anchors(makers: _Makers, party: Party) -> tuple[bytes, ...]:
    return tuple(maker.anchor for (each, _), maker in makers.items() if each is party)


def _build(folder: Path, row: Row, serial: str, maker: Manufacturer) -> None:
    card = CardFolder(folder / "devices" / row.name)
    if row.proof is IdentityKind.IDEVID:
        issued = maker.issue_identity(serial, PART, kind=KEY_KINDS[row.kind])
        card.build(CardParts(issued.key, issued.chain, [maker.anchor]))
        return
    tpm = folder / f".{row.name}"
    tpm.mkdir(mode=0o700)
    CardTpm.manufacture(tpm, TpmDescription(TpmKind.SOFT, row.proof))
    card.build(CardParts(None, (), [maker.anchor], tpm))


def _material(folder: Path, tag: str, serials: Mapping[str, str], makers: _Makers) -> Material:
    entries: dict[str, Entry] = {}
    for row in ROWS:
        card = CardFolder(folder / "devices" / row.name)
        keys = {name: card.path / "tpm" / f"{name}.pem" for name in ("ek", "ppk")}
        known = {n: path for n, path in keys.items() if row.key_on_record and path.exists()}
        voucher = folder / "vouchers" / f"{row.name}.vcj"
        entries[row.name] = Entry(
            row,
            _vendor(tag, row.party),
            serials[row.name],
            card,
            voucher if row.on_record and row.voucher else None,
            known.get("ek"),
            known.get("ppk"),
        )
    anchors = {
        _vendor(tag, party): _anchors(makers, party) for party in (Party.MAKER, Party.NEIGHBOUR)
    }
    return Material(folder, anchors, entries, f"{tag}-{MODULAR}".upper())


def _document(material: Material, tag: str) -> dict[str, object]:
    """Return what an operator of another server puts on record by hand."""
    files = ("anchors.pem", "neighbour.pem")
    return {
        "form": _FORM,
        "tag": tag,
        "vendors": [
            {"name": name, "ca": file} for name, file in zip(material.anchors, files, strict=True)
        ],
        "chassis": [
            {
                "vendor": cards[0].vendor,
                "serial_number": serial,
                "part_number": PART,
                "boot_mode": "secure",
                "streaming": cards[0].row.streaming,
                "cards": [
                    {
                        "serial_number": card.serial_number,
                        "part_number": PART,
                        "voucher": _relative(material, card.voucher),
                        "ek": _relative(material, card.ek),
                        "ppk": _relative(material, card.ppk),
                    }
                    for card in cards
                ],
            }
            for serial, cards in material.chassis()
        ],
        "devices": {name: entry.serial_number for name, entry in material.entries.items()},
    }


def _relative(material: Material, path: Path | None) -> str | None:
    return None if path is None else str(path.relative_to(material.folder))
