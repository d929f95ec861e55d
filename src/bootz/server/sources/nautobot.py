"""Nautobot: which lists make up a sync, and how its objects read.

Source: https://docs.nautobot.com/projects/core/en/stable/user-guide/platform-functionality/rest-api/overview/
and docs/source-of-truth.md.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from bootz.config.sources import SelectSettings
from bootz.errors import ConfigError
from bootz.server.sources.client import SourceClient, all_of
from bootz.server.sources.netbox import version_numbers
from bootz.server.sources.paging import Entry, read_kept, read_list
from bootz.server.sources.pulled import (
    MAX_DEVICES,
    Pulled,
    PulledDevice,
    PulledInterface,
    PulledModule,
    SourceName,
    with_parts,
)
from bootz.server.sources.shapes import (
    address,
    custom_fields,
    id_of,
    mapping,
    missing,
    named,
    tags,
    text,
)

_OLDEST: Final = (2, 0)
_DEPTH: Final = ("depth", "1")
_LEVELS: Final = 32
"""Bays within modules, and locations within locations."""


class Nautobot:
    """Nautobot, by its API."""

    def __init__(self, client: SourceClient) -> None:
        self._client = client
        self.version = ""

    async def open(self) -> None:
        """Ask for the version.

        Raises:
            ConfigError: ``source-version``, or as ``SourceClient.get``.
            Unavailable: as ``SourceClient.get``.
        """
        answer = await self._client.get("status/")
        found = answer.body.get("nautobot-version") if isinstance(answer.body, Mapping) else None
        if version_numbers(found) < _OLDEST or not answer.header("API-Version"):
            raise ConfigError(
                "source-version",
                "this is not Nautobot, or too old",
                where=self._client.settings.name,
                expected="Nautobot 2.0 or later",
                seen=str(found)[:40],
            )
        self.version = str(found)

    async def pull(self, now: datetime) -> Pulled:
        """Read everything that is selected.

        Raises:
            ConfigError: a right is missing, or a filter is wrong.
            Unavailable: the source does not answer, or changes all the time.
        """
        client = self._client
        types, places = await all_of(
            read_list(client, "dcim/device-types/", [_DEPTH], cursor=False),
            read_list(client, "dcim/locations/", [_DEPTH], cursor=False),
        )
        devices = await read_kept(
            client,
            "dcim/devices/",
            [*selection(client.settings.select), _DEPTH, ("include", "config_context")],
            partial(_device, types=_by_id(types), places=_by_id(places), page=client.page_of),
            cursor=False,
            most=MAX_DEVICES,
        )
        modules, bays = await all_of(
            read_list(client, "dcim/modules/", [_DEPTH], cursor=False),
            read_list(client, "dcim/module-bays/", [_DEPTH], cursor=False),
        )
        ports = await read_kept(
            client,
            "dcim/interfaces/",
            [("mgmt_only", "true"), ("exclude_m2m", "true")],
            _port,
            cursor=False,
        )
        joined = tuple(with_parts(devices, _inside(modules, bays), ports))
        return Pulled("Nautobot", self.version, now, joined)

    async def device(self, key: str) -> PulledDevice | None:
        """Return a device by its id, without its modules; None if it is not there, or not shown."""
        answer = await self._client.get(f"dcim/devices/{key}/", [_DEPTH])
        if answer.status == 404 or not isinstance(answer.body, Mapping):
            return None
        return _device(answer.body, {}, {}, self._client.page_of)


_FILTERS: Final = {"tag": "tags", "site": "location"}
"""Nautobot has no sites: they are locations, and filtering by one takes what is below it."""


def selection(select: SelectSettings) -> list[tuple[str, str]]:
    """Return the filters."""
    return [
        (_FILTERS.get(key, key), value)
        for key, values in select.model_dump().items()
        for value in values
    ]


def _by_id(entries: Sequence[Entry]) -> dict[str, Entry]:
    return {id_of(each): each for each in entries}


def _port(each: Entry) -> tuple[str, PulledInterface]:
    """Return the device of an interface, and the interface."""
    port = PulledInterface(text(each, "name"), text(each, "mac_address"), id_of(each.get("module")))
    return id_of(each.get("device")), port


def _inside(modules: Sequence[Entry], bays: Sequence[Entry]) -> dict[str, list[PulledModule]]:
    """Return the modules by their devices' ids."""
    by_bay, by_module = _by_id(bays), _by_id(modules)
    inside: dict[str, list[PulledModule]] = {}
    for module in modules:
        owner = _owner(module, by_bay, by_module)
        if owner:
            inside.setdefault(owner, []).append(_module(module, by_bay))
    return inside


def _owner(module: Entry, bays: Mapping[str, Entry], modules: Mapping[str, Entry]) -> str:
    """Return the device that a module is in, perhaps within another; empty for one on a shelf."""
    for _ in range(_LEVELS):
        place = id_of(module.get("parent_module_bay"))
        if not place:
            return ""
        if place not in bays:
            raise missing("a module's bay", "dcim.modulebay")
        bay = bays[place]
        device = id_of(bay.get("parent_device"))
        if device:
            return device
        above = modules.get(id_of(bay.get("parent_module")))
        if above is None:
            return ""
        module = above
    return ""


def _module(module: Entry, bays: Mapping[str, Entry]) -> PulledModule:
    bay = bays[id_of(module.get("parent_module_bay"))]
    kind = module.get("module_type")
    model = named(kind, "dcim.moduletype")
    part = text(kind, "part_number") if isinstance(kind, Mapping) else ""
    return PulledModule(
        id_of(module),
        text(bay, "name"),
        text(bay, "position") or text(bay, "name"),
        text(module, "serial"),
        part or model.name,
    )


def _manufacturer(kind: Entry) -> SourceName:
    return named(kind.get("manufacturer"), "dcim.manufacturer")


def _parent(place: object) -> str:
    return id_of(place.get("parent")) if isinstance(place, Mapping) else ""


def _places(device: Entry, known: Mapping[str, Entry]) -> list[SourceName]:
    """Return a device's location and all above it."""
    place = device.get("location")
    found: list[SourceName] = []
    for _ in range(_LEVELS):
        if not isinstance(place, Mapping):
            break
        found.append(named(place, "dcim.location"))
        above = _parent(place)
        if not above or not known:
            break
        place = known.get(above)
        if place is None:
            raise missing("a location", "dcim.location")
    return found


def _device(
    device: Entry,
    types: Mapping[str, Entry],
    places: Mapping[str, Entry],
    page: Callable[[str], str],
) -> PulledDevice:
    """Return a device without its modules and interfaces."""
    stub = device.get("device_type")
    model = named(stub, "dcim.devicetype")
    kind = types.get(id_of(stub)) if types else stub
    if kind is None:
        raise missing("a device's type", "dcim.devicetype")
    above = _places(device, places)
    position = device.get("vc_position")
    software = device.get("software_version")
    version = text(software, "version") if isinstance(software, Mapping) else ""
    if isinstance(software, Mapping) and not version:
        raise missing("a software version", "dcim.softwareversion")
    return PulledDevice(
        id=id_of(device),
        url=page(id_of(device)),
        name=text(device, "name"),
        serial=text(device, "serial"),
        status=named(device.get("status"), "extras.status"),
        tags=tags(device, "extras.tag"),
        manufacturer=named(kind.get("manufacturer"), "dcim.manufacturer")
        if types
        else SourceName(),
        model=model,
        part_number=text(kind, "part_number") or model.name,
        role=named(device.get("role"), "extras.role"),
        platform=named(device.get("platform"), "dcim.platform"),
        site=above[-1] if above else SourceName(),
        location=above[0] if above else SourceName(),
        places=tuple(above),
        rack=named(device.get("rack"), "dcim.rack"),
        asset_tag=text(device, "asset_tag"),
        primary_ip4=address(device.get("primary_ip4")),
        primary_ip6=address(device.get("primary_ip6")),
        vc_name=named(device.get("virtual_chassis"), "dcim.virtualchassis").name,
        vc_position=position if isinstance(position, int) else None,
        software=version,
        context=mapping(device, "config_context"),
        custom=custom_fields(device),
    )
