"""What was pulled from a source, in words that NetBox and Nautobot share; and its copy on disk."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError

from bootz.errors import UnknownChassis, unreadable
from bootz.keystore.files import atomic_write

MAX_DEVICES: Final = 50_000
MAX_PULLED_BYTES: Final = 256 << 20
_STRICT: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class SourceName:
    """Something that a device refers to: its name for people, and its slug where it has one."""

    name: str = ""
    slug: str = ""

    def is_called(self, word: str) -> bool:
        """Return whether a word means this, by name or slug, whatever the case."""
        folded = word.strip().casefold()
        return bool(folded) and folded in {self.name.casefold(), self.slug.casefold()}


@dataclass(frozen=True, slots=True)
class PulledModule:
    """A module in a bay; the source does not say whether it is a card."""

    id: str
    bay: str
    position: str
    serial: str
    part_number: str


@dataclass(frozen=True, slots=True)
class PulledInterface:
    """A management interface; ``module`` is the id of the module it is on, empty for none."""

    name: str
    mac: str
    module: str = ""


@dataclass(frozen=True, slots=True)
class PulledDevice:
    """A device as the source has it. Addresses are with their prefix lengths."""

    id: str
    url: str
    name: str
    serial: str
    status: SourceName
    tags: tuple[SourceName, ...] = ()
    manufacturer: SourceName = SourceName()
    model: SourceName = SourceName()
    part_number: str = ""
    role: SourceName = SourceName()
    platform: SourceName = SourceName()
    site: SourceName = SourceName()
    location: SourceName = SourceName()
    places: tuple[SourceName, ...] = ()
    """The location and all above it."""
    rack: SourceName = SourceName()
    asset_tag: str = ""
    primary_ip4: str = ""
    primary_ip6: str = ""
    vc_name: str = ""
    vc_position: int | None = None
    software: str = ""
    context: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    custom: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    modules: tuple[PulledModule, ...] = ()
    interfaces: tuple[PulledInterface, ...] = ()

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.name or self.serial or f"device {self.id}"


def with_parts(
    devices: Sequence[PulledDevice],
    modules: Mapping[str, Sequence[PulledModule]],
    interfaces: Iterable[tuple[str, PulledInterface]],
) -> Iterator[PulledDevice]:
    """Return devices with their modules and interfaces, which are by the device's id."""
    ports: dict[str, list[PulledInterface]] = {}
    for owner, port in interfaces:
        ports.setdefault(owner, []).append(port)
    for device in devices:
        yield replace(
            device,
            modules=tuple(sorted(modules.get(device.id, ()), key=lambda each: (each.bay, each.id))),
            interfaces=tuple(
                sorted(ports.get(device.id, ()), key=lambda each: (each.name, each.module))
            ),
        )


@dataclass(frozen=True, slots=True)
class Pulled:
    """Everything that one sync goes by."""

    product: str
    version: str
    at: datetime
    devices: tuple[PulledDevice, ...]

    __pydantic_config__ = _STRICT

    @property
    def digest(self) -> str:
        """SHA-256 of the devices, in hex: the same for the same content."""
        digest = hashlib.sha256()
        for device in self.devices:
            digest.update(_DEVICE.dump_json(device) + b"\n")
        return digest.hexdigest()


_COPY: Final = TypeAdapter(Pulled)
_DEVICE: Final = TypeAdapter(PulledDevice)


def copy_path(root: Path, name: str) -> Path:
    """Return where the last good copy of a source is."""
    return root / "sources" / f"{name}.json"


def write_copy(path: Path, pulled: Pulled) -> None:
    """Write the last good copy, whole or not at all, for the owner's eyes only."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    head = json.dumps({"digest": pulled.digest}).encode()
    atomic_write(path, head + b"\n" + _COPY.dump_json(pulled) + b"\n", mode=0o600)


def read_copy(path: Path) -> Pulled:
    """Return the last good copy.

    Raises:
        UnknownChassis: ``source-no-copy``: there is none, or it is damaged.
        Unavailable: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UnknownChassis("source-no-copy", "there is no copy", where=str(path)) from None
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        head, _, rest = content.partition(b"\n")
        digest = json.loads(head)["digest"]
        pulled = _COPY.validate_json(rest)
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        raise UnknownChassis("source-no-copy", "the copy is damaged", where=str(path)) from None
    if pulled.digest != digest:
        raise UnknownChassis("source-no-copy", "the copy is damaged", where=str(path))
    return pulled
