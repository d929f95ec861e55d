"""Whether Kea has a router's reservation, octet by octet: also one that someone else wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dhcp.plans import device, plan

from bootz.dhcp.render_kea import render_kea
from bootz.dhcp.reservations import Reservations
from bootz.protocol.dhcp_offer import Family

FAMILIES = (Family.IPV4, Family.IPV6)


def rows(configuration: dict[str, Any], family: Family) -> list[dict[str, Any]]:
    root = configuration["Dhcp4" if family is Family.IPV4 else "Dhcp6"]
    (subnet,) = root["subnet4" if family is Family.IPV4 else "subnet6"]
    found: list[dict[str, Any]] = subnet["reservations"]
    return found


def rendered(family: Family) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(render_kea(plan(device()), family)))
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_rendered_is_right(family: Family) -> None:
    configuration = rendered(family)
    for row in rows(configuration, family):
        row.pop("user-context")
        for option in row["option-data"]:
            option["data"] = str(option["data"]).upper()

    assert Reservations.of(configuration, family).flaw(device()) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_one_that_is_missing_is_told(family: Family) -> None:
    configuration = rendered(family)
    rows(configuration, family).clear()

    flaw = Reservations.of(configuration, family).flaw(device())

    assert flaw is not None
    assert flaw.missing


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("fault", ["octet", "no option", "address"])
def test_one_that_says_something_else_is_told(family: Family, fault: str) -> None:
    configuration = rendered(family)
    for row in rows(configuration, family):
        (option,) = (each for each in row["option-data"] if "code" in each)
        match fault:
            case "octet":
                option["data"] = option["data"][:-2] + "ff"
            case "no option":
                row["option-data"].remove(option)
            case _:
                row["ip-address"], row["ip-addresses"] = "192.0.2.250", ["2001:db8::250"]

    flaw = Reservations.of(configuration, family).flaw(device())

    assert flaw is not None
    assert not flaw.missing
    assert ("from octet" in flaw.detail and "seen ff" in flaw.detail) == (fault == "octet")
    assert ("expected address" in flaw.detail) == (fault == "address")


def test_a_name_that_kea_does_not_look_at_is_none() -> None:
    configuration = rendered(Family.IPV4)
    configuration["Dhcp4"]["host-reservation-identifiers"] = ["circuit-id"]

    flaw = Reservations.of(configuration, Family.IPV4).flaw(device())

    assert flaw is not None
    assert "circuit-id" in flaw.detail
