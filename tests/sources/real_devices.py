"""The devices that a real Nautobot gets: fixed and modular ones, and two that lack something."""

from __future__ import annotations

from typing import Any

from sources.real import USER, Nautobot

FIXED = range(1, 11)
MODULAR = range(11, 13)
WITHOUT_SERIAL, NAMELESS = 5, 6
TAG, EMPTY_TAG = "check-sot", "check-sot-empty"
READING = (
    *("dcim.device", "dcim.devicetype", "dcim.module", "dcim.modulebay", "dcim.moduletype"),
    *("dcim.interface", "dcim.manufacturer", "dcim.location", "dcim.platform"),
    *("dcim.softwareversion", "extras.status", "extras.role", "extras.tag", "ipam.ipaddress"),
    "extras.customfield",
)
"""What docs/source-of-truth.md has under Rights."""


def hostname(number: int) -> str:
    """Return the name of a device."""
    return f"{'edge' if number in FIXED else 'core'}-{number:02d}"


def serial(number: int) -> str:
    """Return the serial number of a device."""
    return f"FOC4801A{number:03d}"


def mac(number: int) -> str:
    """Return the MAC address of a fixed device's management interface."""
    return f"02:cc:00:00:00:{number:02x}"


def allow(nautobot: Nautobot) -> str:
    """Give the limited user the rights of the documentation; return the id of the reading one."""
    user = nautobot.list(f"users/users/?username={USER}")[0]["id"]

    def permit(name: str, actions: list[str], kinds: tuple[str, ...]) -> str:
        made = nautobot.create(
            "users/permissions/", name=name, actions=actions, object_types=kinds, users=[user]
        )
        return str(made["id"])

    permit("check-sot writes", ["change"], ("dcim.device",))
    permit("check-sot notes", ["add", "view"], ("extras.note",))
    return permit("check-sot reads", ["view"], READING)


def fill(nautobot: Nautobot) -> None:
    """Make everything; the product itself checks each call."""
    make = nautobot.create
    kinds = ["dcim.device"]
    site_kind = make("dcim/location-types/", name="Check site", content_types=kinds)["id"]
    site = make("dcim/locations/", name="Check 1", location_type=site_kind, status="Active")["id"]
    maker = make("dcim/manufacturers/", name="Juniper")["id"]
    roles = {
        name: make("extras/roles/", name=f"check-{name}", content_types=kinds)["id"]
        for name in ("edge", "core")
    }
    tag = make("extras/tags/", name=TAG, content_types=kinds)["id"]
    make("extras/tags/", name=EMPTY_TAG, content_types=kinds)
    types = {
        name: make("dcim/device-types/", manufacturer=maker, model=model, part_number=model)["id"]
        for name, model in (("edge", "ACX7024"), ("core", "PTX10004"))
    }
    port = {"name": "mgmt0", "type": "1000base-t", "mgmt_only": True}
    make("dcim/interface-templates/", device_type=types["edge"], **port)
    for bay in ("RP0", "RP1"):
        place = {"name": bay, "label": bay, "position": f"0/{bay}/CPU0"}
        make("dcim/module-bay-templates/", device_type=types["core"], **place)
    card = make("dcim/module-types/", manufacturer=maker, model="RE", part_number="RE-X10")["id"]
    for number in (*FIXED, *MODULAR):
        kind = "edge" if number in FIXED else "core"
        device = make(
            "dcim/devices/",
            name=None if number == NAMELESS else hostname(number),
            serial="" if number == WITHOUT_SERIAL else serial(number),
            device_type=types[kind],
            role=roles[kind],
            location=site,
            status="Planned",
            tags=[tag],
        )
        _equip(nautobot, number, str(device["id"]), card)


def _equip(nautobot: Nautobot, number: int, device: str, card: Any) -> None:
    for port in nautobot.list(f"dcim/interfaces/?device={device}"):
        address = {"mac_address": mac(number)}
        nautobot.call("PATCH", f"dcim/interfaces/{port['id']}/", address)
    for bay in nautobot.list(f"dcim/module-bays/?parent_device={device}"):
        nautobot.create(
            "dcim/modules/",
            parent_module_bay=bay["id"],
            module_type=card,
            serial=f"FXC{number}{bay['name']}",
            status="Planned",
        )
