"""NetBox: which lists make up a sync, and how its objects read.

Source: https://netboxlabs.com/docs/netbox/integrations/rest-api/ and docs/source-of-truth.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Final

from bootz.config.sources import SelectSettings
from bootz.errors import ConfigError
from bootz.server.sources.client import SourceClient, all_of
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

_OLDEST: Final = (4, 2)
_WITH_CURSOR: Final = (4, 6)


class NetBox:
    """NetBox, by its API."""

    def __init__(self, client: SourceClient) -> None:
        self._client = client
        self.version = ""
        self._cursor = False

    async def open(self) -> None:
        """Ask for the version.

        Raises:
            ConfigError: ``source-version``, or as ``SourceClient.get``.
            Unavailable: as ``SourceClient.get``.
        """
        answer = await self._client.get("status/")
        found = answer.body.get("netbox-version") if isinstance(answer.body, Mapping) else None
        numbers = version_numbers(found)
        if numbers < _OLDEST or not answer.header("API-Version"):
            raise ConfigError(
                "source-version",
                "this is not NetBox, or too old",
                where=self._client.settings.name,
                expected="NetBox 4.2 or later",
                seen=str(found)[:40],
            )
        self.version = str(found)
        self._cursor = numbers >= _WITH_CURSOR

    async def pull(self, now: datetime) -> Pulled:
        """Read everything that is selected.

        Raises:
            ConfigError: a right is missing, or a filter is wrong.
            Unavailable: the source does not answer, or changes all the time.
        """
        client, cursor = self._client, self._cursor
        types = await read_list(client, "dcim/device-types/", cursor=cursor)
        by_type = {id_of(each): each for each in types}
        devices = await read_kept(
            client,
            "dcim/devices/",
            selection(client.settings.select),
            partial(_bare, types=by_type, page=client.page_of),
            cursor=cursor,
            most=MAX_DEVICES,
        )
        modules, bays = await all_of(
            read_list(client, "dcim/modules/", cursor=cursor),
            read_list(client, "dcim/module-bays/", cursor=cursor),
        )
        ports = await read_kept(
            client, "dcim/interfaces/", [("mgmt_only", "true")], _ports, cursor=cursor
        )
        wanted = {device.id for device in devices}
        own = [module for module in modules if id_of(module.get("device")) in wanted]
        kinds = await read_list(client, "dcim/module-types/", cursor=cursor) if own else []
        return Pulled(
            "NetBox", self.version, now, tuple(_joined(devices, own, bays, chain(*ports), kinds))
        )

    async def device(self, key: str) -> PulledDevice | None:
        """Return a device by its id, without its modules; None if it is not there, or not shown."""
        answer = await self._client.get(f"dcim/devices/{key}/")
        if answer.status == 404 or not isinstance(answer.body, Mapping):
            return None
        return _device(answer.body, {}, self._client.page_of)


def selection(select: SelectSettings) -> list[tuple[str, str]]:
    """Return the filters; NetBox ignores names that it does not know, so these are fixed."""
    return [(key, value) for key, values in select.model_dump().items() for value in values]


def version_numbers(told: object) -> tuple[int, ...]:
    """Return the first two numbers of a version; ``(0,)`` where there are none."""
    if not isinstance(told, str):
        return (0,)
    numbers = told.split("-")[0].split(".")[:2]
    try:
        return tuple(int(number) for number in numbers)
    except ValueError:
        return (0,)


def _joined(
    devices: Sequence[PulledDevice],
    modules: Sequence[Entry],
    bays: Sequence[Entry],
    interfaces: Iterable[tuple[str, PulledInterface]],
    kinds: Sequence[Entry],
) -> Iterable[PulledDevice]:
    by_bay = {id_of(each): each for each in bays}
    by_kind = {id_of(each): each for each in kinds}
    inside: dict[str, list[PulledModule]] = {}
    for module in modules:
        inside.setdefault(id_of(module.get("device")), []).append(_module(module, by_bay, by_kind))
    return with_parts(devices, inside, interfaces)


def _ports(each: Entry) -> tuple[tuple[str, PulledInterface], ...]:
    """Return the device of an interface and the interface, once for each of its MAC addresses."""
    device, name, module = id_of(each.get("device")), text(each, "name"), id_of(each.get("module"))
    return tuple((device, PulledInterface(name, mac, module)) for mac in _macs(each))


def _macs(port: Entry) -> Sequence[str]:
    """Return the MAC address of an interface; without a primary one, all that it has."""
    primary = text(port, "mac_address")
    others = port.get("mac_addresses")
    if primary or not isinstance(others, list):
        return (primary,)
    return [text(each, "mac_address") for each in others] or ("",)


def _module(module: Entry, bays: Mapping[str, Entry], kinds: Mapping[str, Entry]) -> PulledModule:
    bay = bays.get(id_of(module.get("module_bay")))
    if bay is None:
        raise missing("a module's bay", "dcim.modulebay")
    kind = kinds.get(id_of(module.get("module_type")))
    if kind is None:
        raise missing("a module's type", "dcim.moduletype")
    return PulledModule(
        id_of(module),
        text(bay, "name"),
        text(bay, "position") or text(bay, "name"),
        text(module, "serial"),
        text(kind, "part_number") or text(kind, "model"),
    )


def _bare(device: Entry, types: Mapping[str, Entry], page: Callable[[str], str]) -> PulledDevice:
    if id_of(device.get("device_type")) not in types:
        raise missing("a device's type", "dcim.devicetype")
    return _device(device, types, page)


def _device(device: Entry, types: Mapping[str, Entry], page: Callable[[str], str]) -> PulledDevice:
    """Return a device without its modules and interfaces."""
    kind: Mapping[str, Any] = device.get("device_type") or {}
    whole = types.get(id_of(kind), kind)
    position = device.get("vc_position")
    location = named(device.get("location"), "dcim.location")
    return PulledDevice(
        id=id_of(device),
        url=page(id_of(device)),
        name=text(device, "name"),
        serial=text(device, "serial"),
        status=named(device.get("status"), "dcim.device"),
        tags=tags(device, "extras.tag"),
        manufacturer=named(kind.get("manufacturer"), "dcim.manufacturer"),
        model=named(kind, "dcim.devicetype"),
        part_number=text(whole, "part_number") or text(whole, "model"),
        role=named(device.get("role"), "dcim.devicerole"),
        platform=named(device.get("platform"), "dcim.platform"),
        site=named(device.get("site"), "dcim.site"),
        location=location,
        places=(location,) if location != SourceName() else (),
        rack=named(device.get("rack"), "dcim.rack"),
        asset_tag=text(device, "asset_tag"),
        primary_ip4=address(device.get("primary_ip4")),
        primary_ip6=address(device.get("primary_ip6")),
        vc_name=named(device.get("virtual_chassis"), "dcim.virtualchassis").name,
        vc_position=position if isinstance(position, int) else None,
        context=mapping(device, "config_context"),
        custom=custom_fields(device),
    )
