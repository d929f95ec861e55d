"""The router's hardware: a folder that survives power loss at any point.

    chassis.json      what is there: names, serial numbers, slots with their cards, settings
    cards/PLACE/      a card (``bootz.device.card_folder``)
    state.json        the record (``bootz.device.state``), replaced in one step
    disk/answers, disk/configurations, disk/images     files named by their SHA-256
    disk/ztp.log      what the router did, a line of JSON for each event
    disk/misc         the file system that the console sees as /misc
    disk/rootfs       every other file that a configuration names, such as disk0:/ta.cert

A fixed form factor has one card, ``RP0``; a modular chassis has slots. ``chassis.json`` is the
physical world, which hands change while the router runs (``bootz.device.slots``), so every
change of it is made under a lock and replaces it whole; ``state.json`` is the router's alone.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from bootz.device.card_folder import CardFolder, CardParts
from bootz.device.identity import CardIdentity
from bootz.device.state import RouterState
from bootz.errors import ConfigError, ConflictError, UnknownChassis, unreadable
from bootz.keystore.files import PrivateKey, atomic_write
from bootz.model.chassis import CardKind
from bootz.trust.certificates import VendorCAs

MAX_RECORD_BYTES = 16 << 20
MAX_LOG_BYTES = 1 << 20

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class BuiltCard:
    """A card where it is: ``name`` is that of its slot (RP0, RP1, LC0).

    ``place`` names its folder, and is a new one each time a card is put in, so that the router
    can tell a card that was pulled and put back from one that stayed. ``powered`` is a switch.
    """

    name: str
    serial_number: str
    part_number: str = ""
    slot: str = ""
    kind: CardKind = CardKind.CONTROL
    place: str = ""
    powered: bool = True

    @property
    def token(self) -> str:
        """What tells this insertion of the card from every other."""
        return self.place or self.name


@dataclass(frozen=True, slots=True)
class BuiltChassis:
    """A chassis with what is in its slots, and the settings that a console may change.

    ``slots`` are all of a modular chassis, empty or not. ``strict_images``: only files that begin
    with the image magic are images. ``legacy``: vouchers may come by chains of the forms that
    docs/accepted.md lists under that word. ``hardware_tam``: there is a trust anchor module,
    without which Bootz does not start (docs/protocol/workflow.md W1).
    """

    manufacturer: str
    serial_number: str
    cards: tuple[BuiltCard, ...]
    part_number: str = ""
    modular: bool = False
    secure_mode: bool = True
    strict_images: bool = False
    slots: tuple[str, ...] = ()
    hardware_tam: bool = True
    legacy: bool = False

    @property
    def active(self) -> BuiltCard:
        """The card that asks: the first control card that has power."""
        return next(card for card in self.cards if card.kind is CardKind.CONTROL and card.powered)

    @property
    def running(self) -> tuple[BuiltCard, ...]:
        """The cards that have power, the active one first."""
        active = self.active
        return (active, *(card for card in self.cards if card.powered and card is not active))

    def card_in(self, slot: str) -> BuiltCard | None:
        """Return the card in a slot, None if it is empty."""
        return next((card for card in self.cards if card.name == slot), None)


@dataclass(frozen=True, slots=True)
class NewCard:
    """What the factory puts into a card; but for ``record`` as in ``CardParts``."""

    record: BuiltCard
    key: PrivateKey | None
    certificates: Sequence[bytes]
    anchors: Sequence[bytes]
    tpm: Path | None = None

    @property
    def parts(self) -> CardParts:
        """What goes into the card's folder."""
        return CardParts(self.key, self.certificates, self.anchors, self.tpm)


_CHASSIS = TypeAdapter(BuiltChassis)
_STATE = TypeAdapter(RouterState)


class Hardware:
    """An opened hardware folder; files are read when they are asked for."""

    def __init__(self, folder: Path, record: BuiltChassis) -> None:
        self.folder = folder
        self.record = record
        self.disk = folder / "disk"
        self.images = self.disk / "images"

    @classmethod
    def manufacture(
        cls, folder: Path, record: BuiltChassis, cards: Iterable[NewCard], state: RouterState
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
            card.parts.check(card.record.name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for card in kept:
            CardFolder(folder / "cards" / card.record.token).build(card.parts)
        hardware = cls(folder, record)
        hardware.images.mkdir(parents=True)
        hardware.save_state(state)
        # Last, because this file is what makes the folder a router.
        hardware._keep_record(record)
        return hardware

    @classmethod
    def open(cls, folder: Path) -> "Hardware":
        """Open a router's folder.

        Raises:
            UnknownChassis: there is no router.
            ConfigError: its description is damaged.
        """
        return cls(folder, _read_record(folder))

    def reload(self) -> BuiltChassis:
        """Look at the chassis again: hands may have changed it.

        Raises:
            ConfigError: its description is damaged.
        """
        self.record = _read_record(self.folder)
        return self.record

    def change(self, change: Callable[[BuiltChassis], BuiltChassis]) -> BuiltChassis:
        """Change the chassis as it is now, in one step, whoever else is at it.

        Raises:
            ConfigError: its description is damaged.
        """
        with self._locked("chassis.lock", fcntl.LOCK_EX):
            changed = change(self.reload())
            self._keep_record(changed)
        return changed

    def _keep_record(self, record: BuiltChassis) -> None:
        atomic_write(self.folder / "chassis.json", _CHASSIS.dump_json(record, indent=1))
        self.record = record

    @contextmanager
    def powered(self) -> Iterator[None]:
        """Hold the router for one process; a killed process lets go of it.

        Raises:
            ConflictError: another process runs it.
        """
        with self._locked("power", fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        descriptor = os.open(self.folder / name, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, how)
            except BlockingIOError as error:
                raise ConflictError(
                    "hardware-busy", "another process runs this router", where=str(self.folder)
                ) from error
            yield
        finally:
            os.close(descriptor)

    def set_secure_mode(self, *, enabled: bool) -> None:
        """Keep whether the router starts Bootz at power-on (``ztp secure-mode``)."""
        self.change(lambda record: replace(record, secure_mode=enabled))

    def card(self, card: BuiltCard) -> CardFolder:
        """Return a card's own hardware."""
        return CardFolder(self.folder / "cards" / card.token, legacy=self.record.legacy)

    def certificates(self, card: BuiltCard) -> tuple[bytes, ...]:
        """Return a card's IDevID with what leads to the vendor's CA, DER, leaf first."""
        return self.card(card).certificates()

    def identity(self, card: BuiltCard) -> CardIdentity:
        """Return a card's identity; its key is checked for being private.

        Raises:
            BootzError: key or certificate cannot be read, or others may read the key.
        """
        return self.card(card).identity()

    def vendor_anchors(self, card: BuiltCard) -> VendorCAs:
        """Return the anchors that vouchers for this card must lead to."""
        return self.card(card).vendor_anchors()

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
        place = self.disk / folder
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(place / digest, content, mode=0o600)
        return digest

    def kept(self, folder: str, digest: str) -> bytes:
        """Return what ``keep`` stored.

        Raises:
            ConfigError: the file is gone or is not what it was.
        """
        path = self.disk / folder / digest
        content = _read(path)
        if hashlib.sha256(content).hexdigest() != digest:
            raise ConfigError("hardware-damaged", "the file has changed", where=str(path))
        return content

    def sweep(self, state: RouterState) -> None:
        """Remove what the record does not name; harmless when it is interrupted."""
        named = {state.answer, state.report, state.running, state.startup}
        if state.no_dhcp is not None:
            named |= {state.no_dhcp.running, state.no_dhcp.startup}
        for folder in ("answers", "configurations"):
            for path in (self.disk / folder).glob("*"):
                if path.name not in named:
                    path.unlink(missing_ok=True)
        image = state.image.sha256 if state.image else ""
        for path in self.images.glob("*"):
            if path.name != image:
                path.unlink(missing_ok=True)

    def log(self, at: datetime, event: str, fields: Mapping[str, object]) -> None:
        """Add a line to the router's log, of which the latest megabytes are kept."""
        path = self.disk / "ztp.log"
        line = json.dumps({"at": at.isoformat(timespec="milliseconds"), "event": event, **fields})
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            full = file.tell() > MAX_LOG_BYTES
        if full:
            path.replace(self.disk / "ztp.log.1")

    def log_lines(self) -> list[str]:
        """Return the lines of the log, the oldest first."""
        path = self.disk / "ztp.log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def forget_log(self) -> None:
        """Remove the router's log."""
        for name in ("ztp.log", "ztp.log.1"):
            (self.disk / name).unlink(missing_ok=True)

    def reset(self) -> None:
        """Factory reset: configuration and history go, the software stays."""
        state = self.load_state().after_reset()
        self.save_state(state)
        for card in self.reload().cards:
            self.card(card).remove_owner()
        self.sweep(state)
        for place in ("misc", "rootfs"):
            shutil.rmtree(self.disk / place, ignore_errors=True)


def _read_record(folder: Path) -> BuiltChassis:
    path = folder / "chassis.json"
    if not path.is_file():
        raise UnknownChassis("hardware-missing", "there is no router here", where=str(folder))
    record = _parse(_CHASSIS, path)
    if all(card.kind is not CardKind.CONTROL or not card.powered for card in record.cards):
        raise ConfigError("hardware-damaged", "there is no control card", where=str(path))
    return record


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise ConfigError("hardware-damaged", "the file is too large", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def _parse(form: TypeAdapter[_T], path: Path) -> _T:
    try:
        return form.validate_json(_read(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            "hardware-damaged", f"{place or 'document'}: {first['msg']}", where=str(path)
        ) from error
