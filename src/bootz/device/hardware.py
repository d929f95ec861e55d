"""The router's hardware: a folder that survives power loss at any point.

    chassis.json             what the factory built: names, serial numbers, cards, settings
    cards/NAME/identity.key  a card's identity key (0600), identity.pem its IDevID chain,
    cards/NAME/vendor.pem    the vendor's trust anchors
    state.json               the record (``bootz.device.state``), replaced in one step
    disk/answers, disk/configurations, disk/images     files named by their SHA-256

A fixed form factor has one card, ``RP0``; a modular chassis has several.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from bootz.device.identity import CardIdentity, FileIdentity
from bootz.device.state import RouterState
from bootz.errors import ConfigError, ConflictError, Unavailable, UnknownChassis
from bootz.keystore.files import (
    PrivateKey,
    atomic_write,
    load_certificates,
    load_private_key,
    write_certificates,
    write_private_key,
)
from bootz.model.chassis import CardKind
from bootz.trust.certificates import AnchorSet, VendorCAs, load_certificate, spki_fingerprint

MAX_RECORD_BYTES = 16 << 20

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A card as the factory built it. ``name`` is its folder and its place: RP0, RP1, LC0."""

    name: str
    serial_number: str
    part_number: str = ""
    slot: str = ""
    kind: CardKind = CardKind.CONTROL


@dataclass(frozen=True, slots=True)
class ChassisRecord:
    """A chassis as the factory built it, with the settings that a console may change.

    ``strict_images``: only files that begin with the image magic are images.
    """

    manufacturer: str
    serial_number: str
    cards: tuple[CardRecord, ...]
    part_number: str = ""
    modular: bool = False
    secure_mode: bool = True
    strict_images: bool = False

    @property
    def active(self) -> CardRecord:
        """The card that asks: the first control card."""
        return next(card for card in self.cards if card.kind is CardKind.CONTROL)


@dataclass(frozen=True, slots=True)
class NewCard:
    """What the factory puts into a card; ``certificates`` and ``anchors`` are DER."""

    record: CardRecord
    key: PrivateKey
    certificates: Sequence[bytes]
    anchors: Sequence[bytes]


_CHASSIS = TypeAdapter(ChassisRecord)
_STATE = TypeAdapter(RouterState)


class Hardware:
    """An opened hardware folder; files are read when they are asked for."""

    def __init__(self, folder: Path, record: ChassisRecord) -> None:
        self.folder = folder
        self.record = record
        self.images = folder / "disk" / "images"

    @classmethod
    def manufacture(
        cls, folder: Path, record: ChassisRecord, cards: Iterable[NewCard], state: RouterState
    ) -> "Hardware":
        """Build a router in a new or empty folder.

        Raises:
            ConflictError: something is there already.
            ConfigError: a key is not that of its certificate.
        """
        if folder.exists() and any(folder.iterdir()):
            raise ConflictError("file-exists", "the folder is not empty", where=str(folder))
        kept = tuple(cards)
        for card in kept:
            leaf = load_certificate(card.certificates[0])
            expected = spki_fingerprint(leaf.public_key())
            seen = spki_fingerprint(card.key.public_key())
            if expected != seen:
                raise ConfigError(
                    "hardware-identity",
                    "the identity key is not that of the identity certificate",
                    where=card.record.name,
                    expected=expected,
                    seen=seen,
                )
            AnchorSet.from_der(card.anchors)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for card in kept:
            place = folder / "cards" / card.record.name
            place.mkdir(mode=0o700, parents=True)
            write_private_key(place / "identity.key", card.key)
            write_certificates(place / "identity.pem", card.certificates)
            write_certificates(place / "vendor.pem", card.anchors)
        hardware = cls(folder, record)
        hardware.images.mkdir(parents=True)
        hardware.save_state(state)
        # Last, because this file is what makes the folder a router.
        hardware._save_record(record)
        return hardware

    @classmethod
    def open(cls, folder: Path) -> "Hardware":
        """Open a router's folder.

        Raises:
            UnknownChassis: there is no router.
            ConfigError: its description is damaged.
        """
        path = folder / "chassis.json"
        if not path.is_file():
            raise UnknownChassis("hardware-missing", "no router here", where=str(folder))
        record = _parse(_CHASSIS, path)
        if all(card.kind is not CardKind.CONTROL for card in record.cards):
            raise ConfigError("hardware-damaged", "there is no control card", where=str(path))
        return cls(folder, record)

    @contextmanager
    def powered(self) -> Iterator[None]:
        """Hold the router for one process; a killed process lets go of it.

        Raises:
            ConflictError: another process runs it.
        """
        descriptor = os.open(self.folder / "power", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ConflictError(
                    "hardware-busy", "another process runs this router", where=str(self.folder)
                ) from error
            yield
        finally:
            os.close(descriptor)

    def set_secure_mode(self, *, enabled: bool) -> None:
        """Keep whether the router starts Bootz at power-on (``ztp secure-mode``)."""
        self.record = replace(self.record, secure_mode=enabled)
        self._save_record(self.record)

    def certificates(self, card: CardRecord) -> tuple[bytes, ...]:
        """Return a card's IDevID with what leads to the vendor's CA, DER, leaf first."""
        return load_certificates(self._place(card) / "identity.pem")

    def identity(self, card: CardRecord) -> CardIdentity:
        """Return a card's identity; its key is checked for being private.

        Raises:
            BootzError: key or certificate cannot be read, or others may read the key.
        """
        place = self._place(card)
        load_private_key(place / "identity.key")
        return FileIdentity(place / "identity.pem", place / "identity.key", self.certificates(card))

    def vendor_anchors(self, card: CardRecord) -> VendorCAs:
        """Return the anchors that vouchers for this card must lead to."""
        return VendorCAs(AnchorSet.from_der(load_certificates(self._place(card) / "vendor.pem")))

    def load_state(self) -> RouterState:
        """Read the record.

        Raises:
            ConfigError: it is damaged.
        """
        return _parse(_STATE, self.folder / "state.json")

    def save_state(self, state: RouterState) -> None:
        """Replace the record in one step; on the disk when this returns."""
        atomic_write(self.folder / "state.json", _STATE.dump_json(state, indent=1), mode=0o600)

    def keep(self, folder: str, content: bytes) -> str:
        """Store bytes under their SHA-256 in ``answers`` or ``configurations``; return it."""
        digest = hashlib.sha256(content).hexdigest()
        place = self.folder / "disk" / folder
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(place / digest, content, mode=0o600)
        return digest

    def kept(self, folder: str, digest: str) -> bytes:
        """Return what ``keep`` stored.

        Raises:
            ConfigError: the file is gone or is not what it was.
        """
        path = self.folder / "disk" / folder / digest
        content = _read(path)
        if hashlib.sha256(content).hexdigest() != digest:
            raise ConfigError("hardware-damaged", "the file has changed", where=str(path))
        return content

    def sweep(self, state: RouterState) -> None:
        """Remove what the record does not name; harmless when it is interrupted."""
        named = {state.answer, state.report, state.running, state.startup}
        for folder in ("answers", "configurations"):
            for path in (self.folder / "disk" / folder).glob("*"):
                if path.name not in named:
                    path.unlink(missing_ok=True)
        image = state.image.sha256 if state.image else ""
        for path in self.images.glob("*"):
            if path.name != image:
                path.unlink(missing_ok=True)

    def reset(self) -> None:
        """Factory reset: configuration and history go, the software stays."""
        state = self.load_state().after_reset()
        self.save_state(state)
        self.sweep(state)
        shutil.rmtree(self.folder / "disk" / "misc", ignore_errors=True)

    def _place(self, card: CardRecord) -> Path:
        return self.folder / "cards" / card.name

    def _save_record(self, record: ChassisRecord) -> None:
        atomic_write(self.folder / "chassis.json", _CHASSIS.dump_json(record, indent=1))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise ConfigError("hardware-damaged", "the file is too large", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise Unavailable("file-unreadable", str(error), where=str(path)) from error


def _parse(form: TypeAdapter[_T], path: Path) -> _T:
    try:
        return form.validate_json(_read(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            "hardware-damaged", f"{place or 'document'}: {first['msg']}", where=str(path)
        ) from error
