"""From a device of a source to the document of a chassis, as an import has it; pure.

What is never taken: CAs, keys, the boot mode, checks that are skipped, overrides, secrets. What a
config context holds is data, never a template. Source: docs/source-of-truth.md#mapping.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from bootz.config.sources import CardRule, SourceSettings
from bootz.errors import BootzError, ConfigError, ConflictError
from bootz.model.chassis import fold_serial
from bootz.server.operations.labels import MAX_LABELS, fold_key
from bootz.server.operations.texts import MAX_NAME
from bootz.server.sources.pulled import PulledDevice, PulledInterface, PulledModule

Document = dict[str, JsonValue]

PROFILE_FIELD: Final = "bootz_profile"
_OWN_FIELDS: Final = "bootz_"
WAITING: Final = frozenset({"source-no-serial", "source-differs", "source-busy"})
"""Reasons that are not faults: the device waits for something, and the others need not wait."""
_LABEL: Final = re.compile(r"[^a-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """What is wrong with a device, or what it waits for."""

    id: str
    name: str
    url: str
    error: BootzError

    @property
    def waits(self) -> bool:
        """True if this is not a fault."""
        return self.error.reason in WAITING


@dataclass(frozen=True, slots=True)
class MappedDevice:
    """A device and its chassis; ``software`` is the version that the source names."""

    device: PulledDevice
    document: Document = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What the inventory has that devices refer to, without case: vendors by name and alias."""

    vendors: Mapping[str, str]
    profiles: Mapping[str, str]
    images: Mapping[str, str] = field(default_factory=dict)
    """The version of the image of each profile that names one."""


@dataclass(slots=True)
class Mapped:
    """All devices of a pull."""

    chassis: list[MappedDevice] = field(default_factory=list)
    faults: list[DeviceFault] = field(default_factory=list)
    warnings: list[DeviceFault] = field(default_factory=list)


def map_devices(
    devices: Sequence[PulledDevice], settings: SourceSettings, known: KnownNames
) -> Mapped:
    """Return the chassis of all devices, and every fault of those that cannot be taken."""
    mapped = Mapped()
    rules = [(_pattern(rule.bay), _pattern(rule.part_number), rule) for rule in settings.cards]
    ports = re.compile(settings.mgmt_interface)
    for device in devices:
        try:
            document = _document(device, settings, known, rules, ports)
        except BootzError as error:
            mapped.faults.append(_fault(device, error))
            continue
        mapped.chassis.append(MappedDevice(device, document))
        profile = str(document["profile"]).casefold()
        image = known.images.get(profile, "")
        if device.software and image and device.software != image:
            differs = ConfigError(
                "source-image-differs",
                f"profile {document['profile']} has another image",
                where=device.label,
                expected=image,
                seen=device.software,
            )
            mapped.warnings.append(_fault(device, differs))
    _drop_doubles(mapped)
    return mapped


def _fault(device: PulledDevice, error: BootzError) -> DeviceFault:
    return DeviceFault(device.id, device.label, device.url, error)


_Rules = Sequence[tuple[re.Pattern[str] | None, re.Pattern[str] | None, CardRule]]


def _document(
    device: PulledDevice,
    settings: SourceSettings,
    known: KnownNames,
    rules: _Rules,
    ports: re.Pattern[str],
) -> Document:
    serial = device.serial.strip()
    if not serial:
        raise ConfigError("source-no-serial", "has no serial number yet", where=device.label)
    if not device.name:
        raise ConfigError("source-no-name", "has no name", where=device.label)
    cards = _cards(device, rules, ports)
    document: Document = {
        "vendor": _vendor(device, known),
        "serial_number": serial,
        "hostname": device.name,
        "profile": _profile(device, settings, known),
    }
    if device.part_number:
        document["part_number"] = device.part_number
    if cards:
        document["modular"] = True
        document["cards"] = list(cards)
    else:
        own = [port for port in device.interfaces if not port.module]
        document["cards"] = [_with_mac({}, own, ports, device)]
    if settings.dhcp and (addresses := _addresses(device)):
        document["dhcp"] = addresses
    document["variables"] = {"sot": _variables(device)}
    if labels := _labels(device):
        document["labels"] = labels
    return document


def _vendor(device: PulledDevice, known: KnownNames) -> str:
    maker = device.manufacturer
    for word in (maker.name, maker.slug):
        if vendor := known.vendors.get(word.strip().casefold()):
            return vendor
    raise ConfigError(
        "source-vendor-unknown",
        "there is no such vendor here",
        where=device.label,
        seen=maker.name or "none",
    )


def _profile(device: PulledDevice, settings: SourceSettings, known: KnownNames) -> str:
    said = device.custom.get(PROFILE_FIELD)
    name = said.strip() if isinstance(said, str) else ""
    if not name:
        name = next((rule.profile for rule in settings.profiles if _fits(device, rule)), "")
    if not name:
        raise ConfigError(
            "source-no-profile",
            "no profile is named, and no rule fits",
            where=device.label,
            seen=f"role {device.role.name or '-'}, platform {device.platform.name or '-'}, "
            f"type {device.model.name or '-'}",
        )
    found = known.profiles.get(name.casefold())
    if found is None:
        raise ConfigError(
            "source-profile-unknown", "there is no such profile", where=device.label, seen=name[:80]
        )
    return found


def _fits(device: PulledDevice, rule: object) -> bool:
    named = {
        "role": device.role,
        "platform": device.platform,
        "manufacturer": device.manufacturer,
        "type": device.model,
    }
    wanted = {key: getattr(rule, key) for key in named}
    return all(named[key].is_called(word) for key, word in wanted.items() if word is not None)


def _cards(device: PulledDevice, rules: _Rules, ports: re.Pattern[str]) -> list[JsonValue]:
    found: list[JsonValue] = []
    for module in device.modules:
        kind = next((rule.kind for bay, part, rule in rules if _takes(module, bay, part)), None)
        if kind is None:
            continue
        serial = module.serial.strip()
        if not serial:
            raise ConfigError(
                "source-no-serial",
                f"the card in {module.bay} has no serial number yet",
                where=device.label,
            )
        card: dict[str, JsonValue] = {"serial_number": serial, "slot": module.position}
        if kind != "control":
            card["kind"] = kind
        if module.part_number:
            card["part_number"] = module.part_number
        own = [port for port in device.interfaces if port.module == module.id]
        found.append(_with_mac(card, own, ports, device))
    return found


def _takes(module: PulledModule, bay: re.Pattern[str] | None, part: re.Pattern[str] | None) -> bool:
    return (bay is None or bay.search(module.bay) is not None) and (
        part is None or part.search(module.part_number) is not None
    )


def _with_mac(
    card: dict[str, JsonValue],
    interfaces: Iterable[PulledInterface],
    ports: re.Pattern[str],
    device: PulledDevice,
) -> dict[str, JsonValue]:
    with_mac = [port for port in interfaces if port.mac]
    if len(with_mac) > 1:
        with_mac = [port for port in with_mac if ports.search(port.name)]
        if len(with_mac) != 1:
            raise ConfigError(
                "source-mac-ambiguous",
                "several management interfaces have a MAC address",
                where=device.label,
                expected=f"one whose name matches {ports.pattern}",
                seen=f"{len(with_mac)} that match",
            )
    return {**card, "mac": with_mac[0].mac} if with_mac else card


def _addresses(device: PulledDevice) -> dict[str, JsonValue]:
    found = {"ipv4": device.primary_ip4, "ipv6": device.primary_ip6}
    return {key: value for key, value in found.items() if value}


def _variables(device: PulledDevice) -> dict[str, JsonValue]:
    """Return what templates see under ``sot``: data, in which nothing is evaluated."""
    texts: dict[str, JsonValue] = {
        "site": device.site.slug or device.site.name,
        "location": device.location.name,
        "rack": device.rack.name,
        "role": device.role.slug or device.role.name,
        "platform": device.platform.slug or device.platform.name,
        "asset_tag": device.asset_tag,
        "primary_ip4": device.primary_ip4.partition("/")[0],
        "primary_ip6": device.primary_ip6.partition("/")[0],
        "vc_name": device.vc_name,
        "vc_position": device.vc_position,
        "tags": [tag.slug or tag.name for tag in device.tags],
        "context": dict(device.context),
        "custom": {
            key: value for key, value in device.custom.items() if not key.startswith(_OWN_FIELDS)
        },
    }
    return {key: value for key, value in texts.items() if value not in ("", None, [], {})}


def _labels(device: PulledDevice) -> dict[str, JsonValue]:
    """Return labels: site, location, rack and role, and ``tag/NAME`` for each tag."""
    named = {
        "site": device.site.slug or device.site.name,
        "location": device.location.name,
        "rack": device.rack.name,
        "role": device.role.slug or device.role.name,
    }
    labels: dict[str, JsonValue] = {key: value for key, value in named.items() if value}
    for tag in device.tags:
        key = _LABEL.sub("-", fold_key(f"tag/{tag.slug or tag.name}"))[:63]
        labels.setdefault(key, "yes")
    kept = list(labels.items())[:MAX_LABELS]
    return {key: str(value)[:MAX_NAME] for key, value in kept}


def _drop_doubles(mapped: Mapped) -> None:
    """Take out all devices that have a serial number which another of the same vendor has."""
    owners: dict[tuple[str, str], list[MappedDevice]] = {}
    for each in mapped.chassis:
        vendor = str(each.document["vendor"]).casefold()
        for serial in _serials(each.document):
            owners.setdefault((vendor, serial), []).append(each)
    faulty: dict[str, DeviceFault] = {}
    for (_, serial), found in owners.items():
        if len(found) < 2:
            continue
        for each in found:
            others = ", ".join(o.device.label for o in found if o is not each)
            twice = ConflictError(
                "source-serial-twice",
                f"serial number {serial!r} appears in {others or 'it twice'}"[:300],
                where=each.device.label,
            )
            faulty.setdefault(each.device.id, _fault(each.device, twice))
    mapped.chassis = [each for each in mapped.chassis if each.device.id not in faulty]
    mapped.faults += faulty.values()


def _serials(document: Mapping[str, JsonValue]) -> Iterable[str]:
    yield fold_serial(str(document["serial_number"]))
    cards = document.get("cards")
    if document.get("modular") and isinstance(cards, list):
        for card in cards:
            if isinstance(card, Mapping):
                yield fold_serial(str(card.get("serial_number")))


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return None if text is None else re.compile(text)
